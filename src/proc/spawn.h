/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Starting a child: the only place that forks.
 *
 * The child gets exactly the descriptors of a table; errors before and in
 * execve() come back over a close-on-exec pipe as an ordinary struct err.
 */
#ifndef PROC_SPAWN_H
#define PROC_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

struct proc_fd {
	int from; /* in the parent; borrowed */
	int to;	  /* in the child */
};

struct proc_spec {
	const char *path; /* absolute; never searched for */
	char *const *argv;
	char *const *envp;
	const struct proc_fd
		*fds; /* what the child keeps; all else is closed */
	size_t n_fds; /* a missing 0, 1 or 2 becomes /dev/null */
	/* The caller's mask stays: a ^C that is the caller's to handle goes to
	 * the whole process group, and must not end the child. */
	bool keep_mask;
	uint64_t clone_flags; /* CLONE_NEW*, 0 for a plain fork */
	/*
	 * In the parent, after the child exists and before it goes on: writes
	 * the id maps.  NULL: the child does not wait.
	 */
	int (*parent)(void *arg, pid_t pid, struct err *e);
	/* In the child, before the descriptor table is made.  NULL: nothing. */
	int (*child)(void *arg, struct err *e);
	void *arg;
};

struct child {
	pid_t pid; /* 0: none */
	int pidfd; /* -1: none */
};

/* clang-format off */
#define CHILD_NONE { 0, -1 }
/* clang-format on */

/*
 * Starts the program; returns when execve() succeeded.  0 and *c, which the
 * caller reaps with child_wait() or child_kill(); -1 and e otherwise, and then
 * nothing is left to reap.  Signal dispositions and, without keep_mask, the
 * mask are the defaults in the child.
 */
int proc_spawn(const struct proc_spec *spec, struct child *c, struct err *e);

/*
 * Runs `child` without exec in a new process and waits for it: for work that
 * needs another namespace.  0 if it returned 0; else its error comes back.
 * Descriptors are inherited.  clone_flags, parent and keep_mask as above.
 */
int proc_run(const struct proc_spec *spec, struct err *e);

/*
 * The same without waiting for its end: the caller reaps *c.  What it returns
 * is its exit status only (0 or 125); its error is lost.
 */
int proc_start(const struct proc_spec *spec, struct child *c, struct err *e);

/* The first of places (ended by NULL) that may be executed; NULL: none. */
const char *proc_find(const char *const *places);

/* Writes text to /proc/PID/NAME by one write(2): the kernel takes an id map
 * whole or not at all. */
int proc_write(pid_t pid, const char *name, const char *text, struct err *e);

/* For `parent`: the one id of a user namespace is root, who is the caller. */
int proc_map_root(void *arg, pid_t pid, struct err *e);

/* Waits; the status as waitpid() gives it, or -1 with errno.  *c is none after.
 */
int child_wait(struct child *c);
/* SIGKILL, then child_wait(); harmless on none. */
void child_kill(struct child *c);

/*
 * Runs a command to its end and collects at most `max` bytes of its output in
 * out (may be NULL).  Its wait status, or -1 and e.
 */
struct buf;
int proc_capture(const struct proc_spec *spec, struct buf *out, struct err *e);

#endif
