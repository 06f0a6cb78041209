/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Taking the lock on a person's ACL edits.  The person's own authority.
 *
 * The kernel waits for a lock or for descriptors, not for both.  So a child
 * waits for the lock, through the descriptor that it has from us (the lock
 * belongs to that, not to a process), and we wait for the child, a second, and
 * a signal.
 */
#include "host/editlock.h"

#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "grant/grant.h"
#include "proc/spawn.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#define SILENT_MS 1000
#define HOLDER_TEXT 64

/* Who am I now: a child of vmrun that does nothing but wait. */
static int wait_for_it(void *arg, struct err *e)
{
	const int *fd = arg;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -1;
	return grant_lock_wait(*fd, e);
}

static void name_of(pid_t holder, char text[HOLDER_TEXT])
{
	if (holder && kill(holder, 0) == 0)
		snprintf(text, HOLDER_TEXT, "process %d", (int)holder);
	else
		snprintf(text, HOLDER_TEXT, "another vmrun of yours");
}

/* 1 once the child has ended, 0 after timeout_ms, -1 and e after *stop. */
static int look(int pidfd, const int *stop, int timeout_ms, const char *whom,
		struct err *e)
{
	struct pollfd p[] = {{.fd = pidfd, .events = POLLIN},
			     {.fd = stop ? *stop : -1, .events = POLLIN}};
	int n;

	do
		n = poll(p, 2, timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(e, errno, "waiting for %s", whom);
	if (p[1].revents)
		return err_set(
			e, ECANCELED,
			"interrupted while waiting for %s, which changes "
			"ACLs",
			whom);
	return n > 0;
}

static int wait_once(int fd, const int *stop, pid_t holder, struct err *e)
{
	const struct proc_spec spec = {.child = wait_for_it, .arg = &fd};
	struct child c = CHILD_NONE;
	char whom[HOLDER_TEXT];
	int r;

	name_of(holder, whom);
	if (proc_start(&spec, &c, e) < 0)
		return -1;
	/* What others do takes milliseconds: no signal ends that. */
	r = look(c.pidfd, NULL, SILENT_MS, whom, e);
	if (r == 0) {
		log_warn("waiting for %s, which changes ACLs", whom);
		r = look(c.pidfd, stop, -1, whom, e);
	}
	child_kill(&c);
	return r < 0 ? -1 : 0;
}

int edit_lock(int state_dir, const int *stop, struct err *e)
{
	own_fd fd = grant_lock_open(state_dir, e);
	pid_t holder = 0;
	int r;

	if (fd < 0)
		return -1;
	/* Again where the child got it, where something ended the child. */
	while ((r = grant_lock_try(fd, &holder, e)) == 0)
		if (wait_once(fd, stop, holder, e) < 0)
			return -1;
	return r < 0 ? -1 : steal_fd(&fd);
}
