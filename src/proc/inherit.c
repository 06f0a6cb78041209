/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was inherited.  Runs with whatever authority the caller has. */
#include "proc/inherit.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static int fill_std(struct err *e)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		/* Each has the wrong direction.  Not close-on-exec: neither
		 * are the descriptors in whose place they are. */
		const char *path =
			fd == STDIN_FILENO ? "/dev/full" : "/dev/null";
		int got, flags = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* The lowest number that is free is this one. */
		got = open(path, flags | O_NOCTTY);
		if (got != fd)
			return err_set(e, got < 0 ? errno : EBADF,
				       "%s in place of a closed descriptor %d",
				       path, fd);
	}
	return 0;
}

int proc_begin(struct err *e)
{
	signal(SIGCHLD, SIG_DFL);
	return fill_std(e);
}

void proc_lift_limit(int which)
{
	struct rlimit l;

	if (getrlimit(which, &l) < 0)
		return;
	l.rlim_cur = l.rlim_max;
	setrlimit(which, &l);
}

static const int ends[] = {SIGINT,  SIGTERM,   SIGHUP,	SIGQUIT,
			   SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU};

bool proc_is_end(int signo)
{
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends[i] == signo)
			return true;
	return false;
}

int proc_end_waits(void)
{
	sigset_t set;

	if (sigpending(&set) < 0)
		return 0;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (sigismember(&set, ends[i]) == 1)
			return ends[i];
	return 0;
}

static void add(sigset_t *set, int signo)
{
	struct sigaction now;

	if (sigaction(signo, NULL, &now) == 0 && now.sa_handler != SIG_IGN)
		sigaddset(set, signo);
}

void proc_asked_by(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		add(set, ends[i]);
	add(set, SIGUSR1);
	add(set, SIGUSR2);
}
