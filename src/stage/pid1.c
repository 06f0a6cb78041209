/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * PID 1 of the sandbox.  Runs in vmrun-stage as the person's uid, without
 * capabilities and with a handful of system calls, while guest code runs.
 *
 * It reads nothing that a member wrote: what it learns of them are wait
 * statuses.  Policy is vmrun's: a member's end is reported, and all go on
 * until vmrun closes the control socket.  If vmrun dies, the socket closes
 * too.
 */
#include "stage/pid1.h"

#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "seal/seal.h"

#include <errno.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

static const struct seal_call calls[] = {
	{SCMP_SYS(poll), "waiting for vmrun and for children"},
	{SCMP_SYS(ppoll), "the same, where there is no poll"},
	{SCMP_SYS(read), "taking a SIGCHLD from its descriptor"},
	{SCMP_SYS(wait4), "reaping"},
	{SCMP_SYS(sendmsg), "reporting to vmrun"},
	{SCMP_SYS(exit_group), "the end"},
	{SCMP_SYS(rt_sigreturn), "a stop and continue in between"},
	{SCMP_SYS(restart_syscall), "the same"},
};

static int send_record(struct stage_record *r, int fd, struct err *e)
{
	r->version = SETUP_VERSION;
	if (io_send(SETUP_FD_CTL, r, sizeof(*r), &fd, fd >= 0) < 0)
		return err_set(e, errno, "telling vmrun");
	return 0;
}

int pid1_report(enum stage_kind kind, size_t member, int status, struct err *e)
{
	struct stage_record r;

	memset(&r, 0, sizeof(r));
	r.kind = (uint32_t)kind;
	r.member = (uint32_t)member;
	r.status = status;
	return send_record(&r, -1, e);
}

int pid1_report_started(size_t member, int run, struct err *e)
{
	struct stage_record r;

	memset(&r, 0, sizeof(r));
	r.kind = STAGE_EV_MEMBER;
	r.member = (uint32_t)member;
	return send_record(&r, run, e);
}

int pid1_report_error(const struct err *what, struct err *e)
{
	struct stage_record r;

	memset(&r, 0, sizeof(r));
	r.kind = STAGE_EV_ERROR;
	r.code = what->code;
	snprintf(r.text, sizeof(r.text), "%.*s", (int)sizeof(r.text) - 1,
		 what->msg);
	snprintf(r.hint, sizeof(r.hint), "%.*s", (int)sizeof(r.hint) - 1,
		 what->hint);
	return send_record(&r, -1, e);
}

static int watch_children(struct err *e)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_set(e, errno, "watching children") : fd;
}

int pid1_seal(int null, struct err *e)
{
	own_fd children = -1;

	for (int fd = 0; fd < 3; fd++)
		if (dup2(null, fd) < 0)
			return err_set(e, errno, "descriptor %d", fd);
	/* Copies of the members' descriptors: while one is open here, nobody
	 * sees that a member closed its own. */
	if (close_range(SETUP_FD_CTL + 1, ~0U, 0) < 0)
		return err_set(e, errno, "closing descriptors");
	children = watch_children(e);
	if (children < 0)
		return -1;
	if (seal_early(e) < 0 || seal_drop_caps(e) < 0)
		return -1;
	if (seal_running(calls, sizeof(calls) / sizeof(calls[0]), e) < 0)
		return -1;
	return steal_fd(&children);
}

/* -1: vmrun is gone. */
static int reap(const pid_t *pids, size_t n)
{
	struct err e = ERR_INIT;
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		size_t i = 0;

		while (i < n && pids[i] != pid)
			i++;
		if (i == n)
			continue; /* an orphan */
		if (pid1_report(STAGE_EV_GONE, i, status, &e) < 0)
			return -1;
	}
	return 0;
}

void pid1_run(const pid_t *pids, size_t n, int children)
{
	struct pollfd p[] = {
		{.fd = SETUP_FD_CTL, .events = POLLIN},
		{.fd = children, .events = POLLIN},
	};
	struct signalfd_siginfo info;

	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return;
		if (p[0].revents)
			return;
		/* Drained first, then asked: a child that ends in between
		 * makes it readable again. */
		while (read(children, &info, sizeof(info)) > 0)
			;
		if (reap(pids, n) < 0)
			return;
	}
}
