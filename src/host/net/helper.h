/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A run of the database that is no VM: one program of a network, as a UID of
 * its own in a sandbox of its own.  It keeps that UID under an alias, so that
 * starting it again and again uses none up.
 */
#ifndef HOST_NET_HELPER_H
#define HOST_NET_HELPER_H

#include "host/plan/plan.h"
#include "host/vm/stagespawn.h"
#include "proc/spawn.h"
#include "state/state.h"
#include "wire/setup.h"

#include <stdbool.h>

struct err;

/* Where runs of helpers are; all borrowed. */
struct helper_home {
	const struct facts *facts;
	const struct state_range *range;
	struct state *state;
	int state_dir;
	const char *stage; /* path of vmrun-stage */
};

struct helper_spec {
	const char *alias, *command; /* the latter for `vmrunctl ps` */
	struct setup_member *member; /* taken, also on failure */
	enum stage_network network;
	/* What the member's descriptors are, by their number in vmrun-stage:
	 * from HELPER_FD_FIRST on; borrowed.  Its standard error is added. */
	const int *fds;
	size_t n_fds;
};

enum {
	HELPER_FD_ERR = SETUP_FD_FIRST,
	HELPER_FD_FIRST,
	HELPER_FDS = HELPER_FD_FIRST + 2, /* at most */
};

struct helper {
	struct state_identity id;
	struct child stage;
	int ctl;    /* SEQPACKET: readable when there is something to read */
	int said;   /* what it writes on standard error; non-blocking */
	int userns; /* of the sandbox */
	bool claimed;
};

/* clang-format off */
#define HELPER_NONE { .id = {.lock_fd = -1}, .stage = CHILD_NONE, .ctl = -1, \
		      .said = -1, .userns = -1 }
/* clang-format on */

/* A pipe: ours to read, non-blocking, and theirs; 0, or -1 and e.  The caller
 * closes both in either case: what is not made is left as it was. */
int helper_pipe(int *ours, int *theirs, struct err *e);

/* 0; or -1 and e, with everything undone. */
int helper_start(struct helper *h, const struct helper_home *home,
		 const struct helper_spec *spec, struct err *e);

/* Reads one record of `ctl`: 0; -1 and e: it has ended, for this reason. */
int helper_on_ctl(struct helper *h, const char *name, struct err *e);

/* Ends it and its run; harmless on none.  What fails is said in the log and
 * left to the next start of vmrun. */
void helper_stop(struct helper *h, const struct helper_home *home);

#endif
