/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmrun --dry-run: the whole plan, printed; nothing is started or changed. */
#ifndef HOST_DRYRUN_H
#define HOST_DRYRUN_H

#include "host/plan/plan.h"
#include "host/vm/sandbox.h"
#include "state/state.h"

#include <stdio.h>

struct err;

/* What the plan itself does not hold; all borrowed. */
struct dryrun_extra {
	const struct state_range *range; /* a run's uid will be one of these */
	bool known;			 /* it is the only one: an alias's */
	const struct setup *setup;	 /* for the programs' command lines */
};

/*
 * Prints identity, ACL edits (counted by walking the trees), mounts, programs
 * and the guest's record.  0, or -1 and e.
 */
int dryrun_print(const struct plan *p, const struct dryrun_extra *x,
		 enum opt_format format, FILE *out, struct err *e);

/* The same on standard output, in the plan's own format. */
int dryrun(const struct plan *p, const struct tools *t,
	   const struct state_range *range, bool known, struct err *e);

#endif
