/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands beside the application, which waits until they are ready: a message
 * bus, the guest's end of a window transport.  Runs in the guest as PID 1; the
 * commands are the user's, and end with everything else.
 *
 * Each says that it is ready by a newline on its descriptor 3, and the next one
 * starts.  One that ends before is an error of the set-up; afterwards nobody
 * looks.
 */
#include "guest-init/init.h"

#include "base/err.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READY_FD 3

/* The words of the next one; none is left: 0. */
static size_t count_words(const struct init *in)
{
	char **v = in->launch.before;
	size_t n = 0;

	while (v && v[in->helper + n] && *v[in->helper + n])
		n++;
	return n;
}

/* Its words go where ours go: the console. */
static pid_t fork_helper(struct init *in, int ready, int report)
{
	static char root[] = "/";
	struct session_spec spec = in->launch.app;
	struct child_plan c = {.spec = &spec,
			       .uid = in->launch.uid,
			       .gid = in->launch.gid,
			       .restricted = in->launch.restricted,
			       .in = 0,
			       .out = 1,
			       .err = 2,
			       .ready = ready,
			       .report = report};
	size_t n = count_words(in);
	char **argv = calloc(n + 1, sizeof(*argv));
	pid_t pid;

	if (!argv)
		return -1;
	memcpy(argv, in->launch.before + in->helper, n * sizeof(*argv));
	spec.argv = argv;
	spec.cwd = root;
	spec.terminal = false;
	spec.ready_fd = READY_FD;
	pid = fork();
	if (!pid)
		child_run(&c);
	free(argv);
	return pid;
}

static int start(struct init *in, struct err *e)
{
	int ready[2], report[2];

	if (pipe2(ready, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_set(e, errno, "a pipe");
	if (pipe2(report, O_CLOEXEC | O_NONBLOCK) < 0) {
		close(ready[0]);
		close(ready[1]);
		return err_set(e, errno, "a pipe");
	}
	if (fork_helper(in, ready[1], report[1]) < 0)
		err_set(e, errno, "a process");
	else
		e->code = 0;
	close(ready[1]);
	close(report[1]);
	in->helper_ready = ready[0];
	in->helper_report = report[0];
	return e->code ? -1 : 0;
}

static void over(struct init *in)
{
	own_close(&in->helper_ready);
	own_close(&in->helper_report);
}

/* The program itself, not who sets variables for it. */
static const char *program(char *const *words)
{
	if (*words && !strcmp(*words, "env"))
		while (*++words && (strchr(*words, '=') || **words == '-'))
			;
	return *words ? *words : "env";
}

/* The reason of execve(), or that there is none. */
static void fail(struct init *in)
{
	struct child_report r;
	struct err e = ERR_INIT;

	if (read(in->helper_report, &r, sizeof(r)) == sizeof(r))
		err_set(&e, 0, "%s", r.text);
	else
		err_set(&e, 0, "%s ended before it was ready",
			program(in->launch.before + in->helper));
	over(in);
	session_setup_failed(in, &e);
}

void helper_start(struct init *in)
{
	struct err e = ERR_INIT;

	if (!count_words(in)) {
		session_start(in, &in->launch.app);
		return;
	}
	if (start(in, &e) < 0) {
		err_wrap(&e, "cannot start %s", in->launch.before[in->helper]);
		over(in);
		session_setup_failed(in, &e);
	}
}

void helper_read(struct init *in)
{
	char text[64];
	ssize_t n = read(in->helper_ready, text, sizeof(text));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		fail(in);
		return;
	}
	over(in);
	in->helper += count_words(in);
	in->helper += in->launch.before[in->helper] != NULL;
	helper_start(in);
}
