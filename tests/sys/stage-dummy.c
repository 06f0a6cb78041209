/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * In place of vmrun-stage: no VM, but all the rest of vmrun's life.
 *
 * Reads the same record, plays vmrun-mux's part towards vmrun, and runs the
 * command as U in the VM's user namespace, directly on the person's files.  So
 * what a VM does to shared files, and a vmrun that is killed at any moment,
 * can be tried hundreds of times in a minute.
 *
 * A firewall is one that does not end when it is asked to.
 *
 * The command starts in the guest's working directory, which is a place of
 * this machine as long as no share has a DST of its own.
 */
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "wire/edge.h"
#include "wire/setup.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct err e;

static int fail(const char *what)
{
	fprintf(stderr, "stage-dummy: %s: %s\n", what,
		e.msg[0] ? e.msg : strerror(errno));
	return 1;
}

static int tell_stage(uint32_t kind)
{
	const struct stage_record r = {.version = SETUP_VERSION, .kind = kind};

	return io_send(SETUP_FD_CTL, &r, sizeof(r), NULL, 0);
}

static int tell_edge(int edge, struct edge_record *r)
{
	r->version = EDGE_VERSION;
	return io_send(edge, r, sizeof(*r), NULL, 0);
}

/* The descriptor that vmrun-mux would have as 3. */
static int edge_of(const struct setup *s)
{
	for (size_t i = 0; i < s->n_members; i++)
		for (size_t k = 0; k < s->members[i].n_fds; k++)
			if (!strcmp(s->members[i].name, "mux") &&
			    s->members[i].fds[k].to == 3)
				return (int)s->members[i].fds[k].from;
	return -1;
}

/* The launch record and the descriptors that stdio asks for. */
static int get_launch(int edge, struct ctl_host_msg *m, int std[3])
{
	static const uint32_t bits[] = {EDGE_STDIO_IN, EDGE_STDIO_OUT,
					EDGE_STDIO_ERR};
	struct edge_record r;
	int fds[IO_FDS_MAX];
	size_t n, used, next = 1;
	char path[32];
	struct buf b;

	/* What a VM is told that waits for its network is not it yet. */
	do {
		n = IO_FDS_MAX;
		if (io_recv(edge, &r, sizeof(r), fds, &n) != (ssize_t)sizeof(r))
			return -1;
	} while (r.kind == EDGE_CMD_CLOCK);
	if (r.kind != EDGE_CMD_LAUNCH || !n)
		return -1;
	buf_init(&b, CTL_HOST_MAX);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	if (io_read_file(AT_FDCWD, path, &b, &e) < 0 ||
	    ctl_get_host(b.data, b.len, &used, m, &e) != 1)
		return -1;
	for (int i = 0; i < 3; i++)
		std[i] = (r.stdio & bits[i]) && next < n ? fds[next++] : -1;
	return 0;
}

/* Who am I now: U, in the namespace where it and the person are mapped. */
static void run_command(const struct launch *l, const int std[3])
{
	if (chdir(l->app.cwd) < 0 && chdir("/") < 0)
		_exit(127);
	for (int i = 0; i < 3; i++)
		/* vmrun-mux wants them non-blocking, a command does not. */
		if (std[i] >= 0 &&
		    (io_nonblock(std[i], 0) < 0 || dup2(std[i], i) < 0))
			_exit(127);
	if (setgroups(0, NULL) < 0 || setresgid(l->gid, l->gid, l->gid) < 0 ||
	    setresuid(l->uid, l->uid, l->uid) < 0)
		_exit(127);
	umask(022);
	if (l->firewall[0]) {
		signal(SIGTERM, SIG_IGN); /* one that has hung */
		for (;;)
			pause();
	}
	execvp(l->app.argv[0], l->app.argv);
	_exit(127);
}

/* As U: we have no CAP_KILL. */
static void send_signal(const struct launch *l, pid_t to, int signo)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(setresuid(l->uid, l->uid, l->uid) < 0 ||
		      kill(to, signo) < 0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

/* Until the command ends; signals of vmrun's go to it. */
static int wait_for(int edge, const struct launch *l, pid_t pid, int *st)
{
	struct pollfd p = {.fd = edge, .events = POLLIN};
	struct edge_record r;

	for (;;) {
		if (waitpid(pid, st, WNOHANG) == pid)
			return 0;
		if (poll(&p, 1, 2) <= 0)
			continue;
		if (io_recv(edge, &r, sizeof(r), NULL, NULL) !=
		    (ssize_t)sizeof(r))
			return -1;
		if (r.kind == EDGE_CMD_SIGNAL)
			send_signal(l, pid, (int)r.value);
	}
}

static int play(int edge)
{
	struct edge_record r = {.kind = EDGE_EV_HELLO};
	struct ctl_host_msg m = {0};
	int std[3], st = 0;
	pid_t pid;

	if (tell_edge(edge, &r) < 0 || get_launch(edge, &m, std) < 0)
		return fail("no launch record");
	pid = fork();
	if (pid == 0)
		run_command(&m.launch, std);
	for (int i = 0; i < 3; i++)
		own_close(&std[i]);
	r = (struct edge_record){.kind = EDGE_EV_STARTED};
	if (pid < 0 || tell_edge(edge, &r) < 0 ||
	    wait_for(edge, &m.launch, pid, &st) < 0)
		return fail("the command");
	r = (struct edge_record){.kind = EDGE_EV_EXIT};
	r.exit = WIFSIGNALED(st) ? CTL_EXIT_SIGNAL : CTL_EXIT_CODE;
	r.value = (uint32_t)(WIFSIGNALED(st) ? WTERMSIG(st) : WEXITSTATUS(st));
	tell_edge(edge, &r);
	pause(); /* vmrun kills us, as it does the real one */
	return 0;
}

int main(void)
{
	struct setup s;
	struct buf b;
	int edge;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	buf_init(&b, SETUP_MAX);
	if (io_read_file(AT_FDCWD, "/proc/self/fd/4", &b, &e) < 0 ||
	    setup_decode(b.data, b.len, &s, &e) < 0)
		return fail("the record");
	edge = edge_of(&s);
	if (edge < 0 || tell_stage(STAGE_EV_READY) < 0)
		return fail("descriptors");
	return play(edge);
}
