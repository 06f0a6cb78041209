/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scans of a tree that is in use: a directory that changes all the time does
 * not keep them from being sure, and no trace that is moved about is missed by
 * one that is.
 */
#include "base/own.h"
#include "grant-rig.h"
#include "grant/scan.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DIRS 24
#define FILES 12
#define PASSES 10
#define ROUNDS 40

static int count(void *arg, const struct grant_found *f, struct err *fe)
{
	unsigned *n = arg;

	(void)f;
	(void)fe;
	++*n;
	return 0;
}

static void scan_once(struct grant_passes *p, const char *path, bool busy,
		      void *found)
{
	own_fd fd = open_path(path);
	const struct grant_scan ask = {.root = fd,
				       .ids = {who1.sub_first, who1.sub_count,
					       who1.subgid_first,
					       who1.subgid_count},
				       .passes = p,
				       .busy_only = busy,
				       .found = count,
				       .arg = found};

	need_ok(grant_scan(&ask, &st, &e) == 0, e.msg);
}

/* As sweep_look_all().  Whether it is sure; in how many passes. */
static bool look(const char *one, const char *two, unsigned *found,
		 unsigned *passes)
{
	struct grant_passes *p = grant_passes_new(&e);
	bool quiet = false;

	need_ok(p != NULL, "passes");
	*found = 0;
	for (*passes = 0; !quiet && *passes < PASSES; ++*passes) {
		grant_passes_next(p);
		for (int i = 0; *passes && i < 50; i++) {
			if (i)
				grant_passes_again(p);
			scan_once(p, one, true, found);
			scan_once(p, two, true, found);
			if (grant_passes_are_busy_seen(p))
				break;
		}
		scan_once(p, one, false, found);
		scan_once(p, two, false, found);
		quiet = grant_passes_are_quiet(p);
	}
	grant_passes_free(p);
	return quiet;
}

static void make_trees(void)
{
	char path[64];

	make_dir("one", 0755);
	make_dir("two", 0755);
	for (int d = 0; d < DIRS; d++) {
		snprintf(path, sizeof(path), "one/%d", d);
		make_dir(path, 0755);
		for (int i = 0; i < FILES; i++) {
			snprintf(path, sizeof(path), "one/%d/%d", d, i);
			make_file(path, 0644);
		}
		snprintf(path, sizeof(path), "%s/deep%d", d % 3 ? "one" : "two",
			 d);
		make_dir(path, 0755);
	}
}

/* Between nothing and `most` milliseconds. */
static void pause_ms(unsigned most)
{
	struct timespec t = {.tv_nsec = rnd(most * 1000) * 1000L};

	nanosleep(&t, NULL);
}

static pid_t start(void (*work)(unsigned n))
{
	pid_t pid = fork();

	need_ok(pid >= 0, "fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned n = 0;; n++)
		work(n);
}

static void stop(pid_t pid)
{
	int status;

	need_ok(waitpid(pid, &status, WNOHANG) == 0, "the other process");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

/* Time stamps tell what was before from what comes now. */
static void tick(void)
{
	struct timespec t = {.tv_nsec = 20 * 1000 * 1000};

	nanosleep(&t, NULL);
}

static void come_and_go(unsigned n)
{
	char path[64];
	struct timespec t = {.tv_nsec = 20 * 1000 * 1000};

	snprintf(path, sizeof(path), "one/5/busy%u", n % 2);
	make_file(path, 0600);
	snprintf(path, sizeof(path), "one/5/busy%u", 1 - n % 2);
	unlink(path);
	nanosleep(&t, NULL);
}

static void test_busy(void)
{
	unsigned found, passes, sure = 0;
	pid_t pid = start(come_and_go);

	for (int i = 0; i < 40; i++) {
		sure += look("one", "two", &found, &passes);
		need_ok(!found, "no trace");
	}
	stop(pid);
	unlink("one/5/busy0");
	unlink("one/5/busy1");
	printf("# sure %u times of 40\n", sure);
	tap_ok(sure > 0,
	       "a directory that changes all the time does not keep it from "
	       "being sure");
	/* Two passes here may take less than a step of time stamps. */
	tick();
	tap_ok(look("one", "two", &found, &passes) && passes == 1,
	       "in peace it soon is");
}

static void mark(const char *path)
{
	own_fd fd = -1;

	make_file(path, 0600);
	fd = open_path(path);
	need_ok(grant_apply(&(struct grant_tree){.root = fd}, &who1, &st, &e) ==
			0,
		e.msg);
}

/* The directory that has the trace is moved, or the trace, or a new name. */
static char where[256] = "one/deep1/trace";

static void move_trace(unsigned n)
{
	char to[128], from[128];
	unsigned d = rnd(DIRS);

	(void)n;
	pause_ms(12);
	switch (rnd(4)) {
	case 0: /* into another directory */
		snprintf(to, sizeof(to), "one/%u/trace", d);
		if (rename(where, to) == 0)
			snprintf(where, sizeof(where), "%s", to);
		return;
	case 1: /* into one that moves itself */
		for (int i = 0; i < 2; i++) {
			snprintf(to, sizeof(to), "%s/deep%u/trace",
				 i ? "two" : "one", d);
			if (rename(where, to) == 0) {
				snprintf(where, sizeof(where), "%s", to);
				return;
			}
		}
		return;
	case 2: /* by a link */
		snprintf(to, sizeof(to), "one/%u/trace", d);
		if (link(where, to) == 0 && unlink(where) == 0)
			snprintf(where, sizeof(where), "%s", to);
		return;
	default:
		break;
	}
	for (int i = 0; i < 2; i++) {
		snprintf(from, sizeof(from), "%s/deep%u", i ? "two" : "one", d);
		snprintf(to, sizeof(to), "%s/deep%u", i ? "one" : "two", d);
		if (rename(from, to) == 0) {
			if (!strncmp(where, from, strlen(from)) &&
			    where[strlen(from)] == '/')
				snprintf(where, sizeof(where), "%s/trace", to);
			return;
		}
	}
}

static void test_moving(void)
{
	unsigned found, passes, missed = 0, sure = 0, first = 0;
	pid_t pid;

	mark(where);
	pid = start(move_trace);
	for (int i = 0; i < ROUNDS; i++) {
		bool quiet = look("one", "two", &found, &passes);

		sure += quiet;
		missed += quiet && !found;
		first += found && passes == 1;
	}
	stop(pid);
	printf("# %d rounds, sure in %u, %u of them in the first pass\n",
	       ROUNDS, sure, first);
	tap_ok(!missed, "a trace that moves is not missed by one that is sure");
}

/* ---- step by step ---- */

static void next_pass(struct grant_passes *p)
{
	tick();
	grant_passes_next(p);
	tick();
}

/* A directory that was away, and got the trace there. */
static void test_away(void)
{
	struct grant_passes *p = grant_passes_new(&e);
	unsigned found = 0;

	make_dir("away", 0755);
	make_dir("one/deep1/in", 0755);
	next_pass(p);
	scan_once(p, "one", false, &found);
	need_ok(rename("one/deep1", "away/deep1") == 0, "rename");
	next_pass(p);
	scan_once(p, "one", false, &found);
	mark("away/deep1/in/trace");
	next_pass(p);
	scan_once(p, "one", false, &found);
	need_ok(!found, "no trace yet");
	need_ok(rename("away/deep1", "one/deep1") == 0, "rename");
	next_pass(p);
	scan_once(p, "one", false, &found);
	tap_ok(found > 0, "a directory that a pass did not walk is not known");
	grant_passes_free(p);
	unlink("one/deep1/in/trace");
	rmdir("one/deep1/in");
	rmdir("away");
}

/* A busy directory, seen first, and then a directory leaves it. */
static void test_leaving(void)
{
	struct grant_passes *p = grant_passes_new(&e);
	unsigned found = 0;

	make_dir("one/5/in", 0755);
	next_pass(p);
	make_file("one/5/busy", 0600);
	scan_once(p, "one", false, &found);
	tap_ok(!grant_passes_are_quiet(p), "a change spoils the first pass");
	for (int i = 0; i < 2; i++) {
		next_pass(p);
		scan_once(p, "one", true, &found);
		need_ok(grant_passes_are_busy_seen(p), "seen");
		if (i == 0)
			unlink("one/5/busy");
		else
			need_ok(rename("one/5/in", "two/in") == 0, "rename");
		scan_once(p, "one", false, &found);
		tap_ok(grant_passes_are_quiet(p) == !i,
		       i ? "a directory that leaves it does"
			 : "one in what was seen first does not");
	}
	grant_passes_free(p);
	rmdir("two/in");
}

/* An ACL that is copied onto an old file of a directory that rests. */
static void test_copied(void)
{
	struct grant_passes *p = grant_passes_new(&e);
	unsigned found = 0;
	own_fd fd = -1;

	next_pass(p);
	scan_once(p, "one", false, &found);
	chmod("one/7/7", 0600);
	fd = open_path("one/7/7");
	need_ok(grant_apply(&(struct grant_tree){.root = fd}, &who1, &st, &e) ==
			0,
		e.msg);
	next_pass(p);
	scan_once(p, "one", false, &found);
	tap_ok(found > 0, "a file that was there and changed is looked at");
	need_ok(take_back("one/7/7", &who1) == 0, e.msg);
	grant_passes_free(p);
}

int main(void)
{
	if (rig_start()) {
		make_trees();
		test_away();
		test_leaving();
		test_copied();
		test_busy();
		test_moving();
		remove_tree("one");
		remove_tree("two");
	}
	rig_tear_down();
	return tap_done();
}
