/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A fence around a program that is not ours: what it may never do, whatever
 * filters it sets itself afterwards.
 */
#ifndef SEAL_FENCE_H
#define SEAL_FENCE_H

#include <stddef.h>
#include <stdint.h>

struct err;

enum fence_when {
	FENCE_ALWAYS,
	FENCE_ANY_BIT,	  /* argument & mask is not 0 */
	FENCE_EQUAL,	  /* argument & mask is `value` */
	FENCE_OTHER_THAN, /* argument & mask is not `value` */
};

/* One system call that fails, and why. */
struct fence_row {
	unsigned nr; /* SYS_... */
	int error;   /* what it fails with */
	enum fence_when when;
	unsigned arg;	      /* 0 to 5; its lower 32 bits are looked at */
	uint32_t mask, value; /* see fence_when */
	const char *why;
};

/*
 * Gives up, for this thread and all that come of it, across execve(): the
 * calls of the table, each with its error; every call with a number above
 * `last`, which nobody has judged (ENOSYS; x32 numbers are among them); and
 * other architectures' calls (the process is killed).  A call may have several
 * rows.  Needs no_new_privs.  Filters that are set later only take away.
 */
int seal_fence(const struct fence_row *rows, size_t n, unsigned last,
	       struct err *e);

#endif
