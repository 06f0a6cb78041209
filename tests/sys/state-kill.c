/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kill -9 of claimers: no UID twice, the database opens, dead runs can be
 * cleaned.
 *
 * First at each system call of one life (by ptrace, so that each is hit), then
 * at random instants of two that run side by side.  VMRUN_SEED repeats a run,
 * VMRUN_KILLS (200) sets the number of random kills.
 */
#include "../unit/rmtree.h"
#include "../unit/tap.h"
#include "base/err.h"
#include "base/own.h"
#include "state/state.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define FIRST 100000u
#define COUNT 60000u

static char base[] = "/tmp/vmrun-state-kill-XXXXXX";
static const struct state_range range = {FIRST, FIRST, COUNT};
static unsigned char seen[COUNT];
static int twice, strange, stuck, errors, claimed;
static struct err e;

static int open_dir(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", base, name);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* One life, from claim to release; tells its UID as soon as it has it. */
static int live(struct state *s, int out)
{
	struct state_identity id;
	int64_t grant;
	uint32_t uid;

	if (state_claim(s, &range, "x", NULL, NULL, &id, &e) < 0)
		return -1;
	uid = id.uid;
	if (write(out, &uid, sizeof(uid)) != sizeof(uid))
		return -1;
	if (state_grant_add(s, id.run, "/x", 1, 2, ACCESS_RO, &grant, &e) < 0 ||
	    state_set_status(s, id.run, IDENTITY_ACTIVE, &e) < 0 ||
	    state_set_status(s, id.run, IDENTITY_REVOKING, &e) < 0 ||
	    state_grant_done(s, grant, &e) < 0)
		return -1;
	return state_release(s, &id, 0, &e);
}

/* What a claimer that is not killed does; errors are told as UID 0. */
static void child(int dir, int out, int lives)
{
	struct state *s;
	uint32_t none = 0;

	while (lives--) {
		int r = state_open(dir, &s, &e);

		if (r == 0) {
			r = live(s, out);
			state_close(s);
		}
		if (r < 0) {
			fprintf(stderr, "# %s\n", e.msg);
			if (write(out, &none, sizeof(none)) < 0)
				_exit(2);
			_exit(1);
		}
	}
	_exit(0);
}

static void take_uids(int in)
{
	uint32_t uid;

	while (read(in, &uid, sizeof(uid)) == sizeof(uid)) {
		if (!uid) {
			errors++;
			continue;
		}
		claimed++;
		if (uid - FIRST >= COUNT)
			strange++;
		else if (seen[uid - FIRST]++)
			twice++;
	}
}

/* Cleans as gc would; nothing lives now, so all of it must be possible. */
static void clean(struct state *s)
{
	struct state_run *runs = NULL;
	size_t n = 0;

	if (state_runs(s, &runs, &n, &e) < 0) {
		errors++;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct state_identity id;
		struct state_grant *g = NULL;
		size_t n_g = 0;

		if (runs[i].alive ||
		    state_adopt(s, runs[i].id.run, &id, &e) != 1) {
			stuck++;
			continue;
		}
		stuck += state_set_status(s, id.run, IDENTITY_REVOKING, &e) < 0;
		stuck += state_grants(s, id.run, &g, &n_g, &e) < 0;
		for (size_t k = 0; k < n_g; k++)
			stuck += state_grant_done(s, g[k].id, &e) < 0;
		stuck += state_release(s, &id, -1, &e) < 0;
		state_grants_free(g, n_g);
	}
	state_runs_free(runs, n);
}

/* After a kill: opens, cleans, and claims a UID that nobody had. */
static void check(int dir)
{
	struct state *s;
	int p[2];

	if (state_open(dir, &s, &e) < 0) {
		printf("# %s\n", e.msg);
		errors++;
		return;
	}
	clean(s);
	state_close(s);
	if (pipe2(p, O_CLOEXEC) < 0)
		return;
	if (state_open(dir, &s, &e) < 0 || live(s, p[1]) < 0) {
		printf("# %s\n", e.msg);
		errors++;
	}
	state_close(s);
	close(p[1]);
	take_uids(p[0]);
	close(p[0]);
}

/*
 * Lets a child make `stops` stops at system calls (entry and exit), then kills
 * it.  1 if it ended by itself before.
 */
static int kill_at(int dir, int stops)
{
	int p[2], st = 0;
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		child(dir, p[1], 1);
	}
	close(p[1]);
	while (waitpid(pid, &st, 0) == pid && WIFSTOPPED(st) && stops--)
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	if (WIFSTOPPED(st)) {
		kill(pid, SIGKILL);
		waitpid(pid, &st, 0);
	}
	take_uids(p[0]);
	close(p[0]);
	return WIFEXITED(st);
}

static void report(const char *when)
{
	tap_ok(claimed > 0 && twice == 0 && strange == 0,
	       "%s: no UID was handed out twice", when);
	tap_ok(errors == 0, "%s: the database opens and works", when);
	tap_ok(stuck == 0, "%s: dead runs can be cleaned", when);
	printf("# %d UIDs, %d twice, %d strange, %d errors, %d stuck\n",
	       claimed, twice, strange, errors, stuck);
	memset(seen, 0, sizeof(seen));
	twice = strange = stuck = errors = claimed = 0;
}

static void at_each_call(void)
{
	own_fd dir = open_dir("each");
	int stops = 1, over = 0;

	/* Entry and exit of each call; far more than there are. */
	while (stops < 4000) {
		over = kill_at(dir, stops);
		if (over)
			break;
		check(dir);
		stops++;
	}
	tap_ok(over == 1 && stops > 50, "a life was killed at each of %d stops",
	       stops - 1);
	report("at each system call");
}

static void at_random(unsigned seed)
{
	own_fd dir = open_dir("random");
	const char *env = getenv("VMRUN_KILLS");
	int kills = env ? atoi(env) : 200;
	struct timespec t = {0, 0};
	int p[2];

	srandom(seed);
	for (int i = 0; i < kills; i += 2) {
		pid_t pid[2];

		if (pipe2(p, O_CLOEXEC) < 0)
			return;
		for (int k = 0; k < 2; k++) {
			pid[k] = fork();
			if (pid[k] == 0)
				child(dir, p[1], 1000);
		}
		close(p[1]);
		for (int k = 0; k < 2; k++) {
			t.tv_nsec = random() % 12000000;
			nanosleep(&t, NULL);
			kill(pid[k], SIGKILL);
		}
		waitpid(pid[0], NULL, 0);
		waitpid(pid[1], NULL, 0);
		take_uids(p[0]);
		close(p[0]);
		check(dir);
	}
	report("at random");
}

int main(void)
{
	const char *env = getenv("VMRUN_SEED");
	unsigned seed =
		env ? (unsigned)strtoul(env, NULL, 10) : (unsigned)time(NULL);

	if (!mkdtemp(base))
		return 1;
	printf("# VMRUN_SEED=%u\n", seed);
	fflush(stdout);
	at_each_call();
	at_random(seed);
	rmtree(base);
	return tap_done();
}
