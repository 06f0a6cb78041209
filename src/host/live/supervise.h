/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From the started sandbox to the application's end: the one event loop of
 * vmrun.
 */
#ifndef HOST_SUPERVISE_H
#define HOST_SUPERVISE_H

#include "host/live/context.h"
#include "host/live/manage.h"
#include "host/live/status.h"
#include "host/plan/plan.h"
#include "host/vm/sandbox.h"
#include "state/state.h"

struct err;

struct supervise {
	const struct plan *plan; /* borrowed, as is everything here */
	struct sandbox *sandbox;
	struct state *state;
	const struct state_identity *id;
	const struct status_sinks *sinks;
	const struct run_dir *dir;
	struct context *context; /* made anew with another compositor */
	int manage;		 /* listening socket */
};

/*
 * Hands over the launch record and the person's streams, and serves events
 * until the run is over.  The outcome is always set; e says what went wrong
 * where it is OUTCOME_SETUP or OUTCOME_GONE.  The VM may still be running when
 * this returns: the caller ends it.
 */
void supervise_run(const struct supervise *s, struct outcome *o, struct err *e);

#endif
