/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Self-confinement in named steps.  Each step only takes away.
 *
 * Programs of ours that read guest bytes call seal_early() first thing,
 * seal_running() before the first guest byte.
 */
#ifndef SEAL_SEAL_H
#define SEAL_SEAL_H

#include <stddef.h>
#include <stdint.h>

struct err;

/* One system call that a program needs, and why. */
struct seal_call {
	int nr; /* SCMP_SYS(...) */
	const char *why;
};

/*
 * Keeps: everything a program needs to open its things.
 * Gives up: dumps (PR_SET_DUMPABLE 0, RLIMIT_CORE 0), new privileges.
 */
int seal_early(struct err *e);

/*
 * The part of seal_early() that children inherit through execve(): new
 * privileges and core files.  For vmrun-stage, which must stay dumpable until
 * it has written its children's id maps.
 */
int seal_inherited(struct err *e);

/*
 * Gives up: all capabilities, in every set, the bounding set and ambient too.
 * Where the process may not drop from its bounding set and holds nothing
 * anyway, that is no error.
 */
int seal_drop_caps(struct err *e);

/*
 * Raises exactly `caps` (CAP_* numbers) in permitted, effective, inheritable
 * and ambient; all others are dropped, from the bounding set too where the
 * process may.
 */
int seal_keep_caps(const int *caps, size_t n, struct err *e);

/*
 * Gives up: every system call but those of the table; the process is killed
 * on any other (SECCOMP_RET_KILL_PROCESS).  Checks the architecture, refuses
 * x32.  Needs no_new_privs.  Rows whose call this architecture does not have
 * are passed over; a row that is there twice is an error.  Built with
 * -DSEAL_LOG the kernel only logs what it would have killed for.
 */
int seal_running(const struct seal_call *calls, size_t n, struct err *e);

/* RLIMIT_NOFILE: n, or the hard limit with 0. */
int seal_nofile(uint64_t n, struct err *e);

/*
 * Nonzero if this process is root, or holds a capability, or runs setuid.
 * CAP_WAKE_ALARM does not count: desktop sessions give it to everybody.
 */
int seal_is_privileged(void);

#endif
