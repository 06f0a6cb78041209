/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starting the sandbox's members: namespaces, identity, limits. */
#ifndef STAGE_MEMBER_H
#define STAGE_MEMBER_H

#include "wire/setup.h"

#include <stddef.h>
#include <sys/types.h>

struct err;

/*
 * Starts all members, file servers last, and writes their pids to pids,
 * which has room for one each; started(i) is told of each.  limit: a writable
 * descriptor of the sandbox's user.max_user_namespaces, or -1; null: of
 * /dev/null.  Both borrowed.  After mounts_end().  On failure some may run.
 */
int members_start(const struct setup *s, int limit, int null, pid_t *pids,
		  int (*started)(const struct setup *s, size_t index,
				 struct err *e),
		  struct err *e);

/* waypipe.c: for SETUP_CALLS_WAYPIPE, in the place of denied_fence(). */
int waypipe_seal(struct err *e);

#endif
