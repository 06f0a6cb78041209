/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starting vmrun-stage with a setup record; the person's own authority. */
#ifndef HOST_STAGESPAWN_H
#define HOST_STAGESPAWN_H

#include "host/plan/plan.h"
#include "proc/spawn.h"
#include "wire/setup.h"

struct err;

/* Of the stage, and so of members that do not get one of their own. */
enum stage_network {
	STAGE_NETWORK_EMPTY,
	STAGE_NETWORK_PERSON, /* for a member of SETUP_VIEW_UPLINK */
};

struct stage_spec {
	const struct facts *facts;
	const char *path; /* of vmrun-stage */
	const struct setup *setup;
	enum stage_network network;
	/* What the stage inherits, by its number there; -1: nothing.
	 * SETUP_FD_RECORD is stage_spawn()'s own. */
	const int *fds;
	size_t n_fds;
};

/*
 * Starts it.  0, *c, and *userns: the stage's user namespace, the caller's;
 * -1 and e: nothing is left running.
 */
int stage_spawn(const struct stage_spec *s, struct child *c, int *userns,
		struct err *e);

/* A program of ours by its name, in libexec or where VMRUN_LIBEXECDIR says:
 * its path, the caller's; -1 with a remedy. */
int stage_program(const char *name, char **path, struct err *e);

/* A connected pair of AF_UNIX sockets, close-on-exec. */
int stage_pair(int type, int *a, int *b, struct err *e);

#endif
