/* SPDX-License-Identifier: GPL-3.0-or-later */
/* proc: descriptor tables, errors of a child, reaping. */
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "proc/spawn.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

static char *const no_env[] = {NULL};

static int fails(void *arg, struct err *e)
{
	(void)arg;
	return err_set(e, ENOTTY, "inside");
}

static void test_table(void)
{
	/* What the shell lists is 0-2, the two that were given, and its own
	 * directory descriptor. */
	char *argv[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
			(char *)(uintptr_t) "echo /proc/self/fd/*; cat <&5",
			NULL};
	struct proc_fd fds[] = {{-1, 5}, {STDERR_FILENO, 9}};
	struct proc_spec s = {.path = "/bin/sh",
			      .argv = argv,
			      .envp = no_env,
			      .fds = fds,
			      .n_fds = 2};
	struct err e = ERR_INIT;
	struct buf out;
	int many[20];
	int st;

	for (size_t i = 0; i < 20; i++)
		many[i] = open("/dev/zero", O_RDONLY); /* leaky on purpose */
	fds[0].from = open("/dev/null", O_RDONLY | O_CLOEXEC);
	buf_init(&out, 4096);
	st = proc_capture(&s, &out, &e);
	buf_put(&out, "", 1);
	tap_ok(st == 0, "a child runs: %s", e.msg);
	tap_ok(strstr((char *)out.data, "/fd/5 ") &&
		       strstr((char *)out.data, "/fd/9") &&
		       !strstr((char *)out.data, "/fd/4 ") &&
		       !strstr((char *)out.data, "/fd/7 ") &&
		       !strstr((char *)out.data, "/fd/12"),
	       "it has the descriptors of the table and no others");
	printf("# %s", (char *)out.data);
	buf_free(&out);
	for (size_t i = 0; i < 20; i++)
		close(many[i]);
	close(fds[0].from);
}

static void test_swap(void)
{
	/* Two descriptors trade places. */
	char *argv[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
			(char *)(uintptr_t) "cat <&4; cat <&3", NULL};
	struct proc_spec s = {.path = "/bin/sh", .argv = argv, .envp = no_env};
	struct proc_fd fds[2];
	struct err e = ERR_INIT;
	struct buf out;
	int a[2];
	int b[2];

	if (pipe(a) < 0 || pipe(b) < 0)
		return;
	tap_ok(write(a[1], "A", 1) == 1 && write(b[1], "B", 1) == 1, "pipes");
	close(a[1]);
	close(b[1]);
	dup2(a[0], 103);
	dup2(b[0], 104);
	fds[0].from = 103;
	fds[0].to = 4;
	fds[1].from = 104;
	fds[1].to = 3;
	s.fds = fds;
	s.n_fds = 2;
	buf_init(&out, 16);
	proc_capture(&s, &out, &e);
	buf_put(&out, "", 1);
	tap_str((char *)out.data, "AB", "descriptors arrive at their numbers");
	buf_free(&out);
	close(103);
	close(104);
	close(a[0]);
	close(b[0]);
}

static void test_errors(void)
{
	char *argv[] = {(char *)(uintptr_t) "x", NULL};
	struct proc_spec s = {
		.path = "/nonexistent/program", .argv = argv, .envp = no_env};
	struct child c = CHILD_NONE;
	struct err e = ERR_INIT;
	struct buf out;

	tap_ok(proc_spawn(&s, &c, &e) < 0 && e.code == ENOENT && c.pid == 0,
	       "a program that is not there is an ordinary error");
	tap_ok(strstr(e.msg, "/nonexistent/program") != NULL, "which names it");
	s.child = fails;
	tap_ok(proc_run(&s, &e) < 0 && e.code == ENOTTY &&
		       !strncmp(e.msg, "inside", 6),
	       "an error of the child's own comes back");
	s.child = NULL;
	s.path = "/bin/yes";
	buf_init(&out, 1000);
	tap_ok(proc_capture(&s, &out, &e) < 0 && e.code == EFBIG,
	       "output is bounded, and its writer ended");
	buf_free(&out);
	tap_ok(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD,
	       "nothing is left to reap");
	s.path = "/bin/sleep";
	argv[0] = (char *)(uintptr_t) "sleep";
	child_kill(&c);
	tap_ok(c.pid == 0, "killing none is harmless");
}

int main(void)
{
	test_table();
	test_swap();
	test_errors();
	return tap_done();
}
