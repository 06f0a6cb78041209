/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run, from the plan to the exit status. */
#ifndef HOST_RUN_H
#define HOST_RUN_H

#include "host/live/status.h"
#include "host/plan/plan.h"
#include "host/vm/sandbox.h"
#include "state/state.h"

struct err;

/*
 * Does what the plan says, and undoes it; makes the plan's home.  o is how it
 * ended and decides the exit status; e has the message for the person where o
 * is not the application's own end.  Whatever could not be undone is said in
 * warnings and stays in the database for the next start.
 */
void run_plan(struct plan *p, const struct tools *t,
	      const struct state_range *range, const struct status_sinks *sinks,
	      struct outcome *o, struct err *e);

/* Opens the person's database, making its directory. */
/*
 * Its descriptor, which lives as long as the database is open; the caller's.
 */
int run_open_state(const struct facts *f, struct state **s, int *dir,
		   struct err *e);

#endif
