/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an alias keeps: grants that outlive the run that made them.
 *
 * A start asks the database which of the plan's shares the alias has already
 * (state_claim_alias()); only the others are granted, each with a row first.
 * What the database cannot see, files that were moved in or whose ACL somebody
 * changed, is for the verification.
 */
#ifndef HOST_KEEP_H
#define HOST_KEEP_H

#include "host/plan/plan.h"
#include "host/reclaim.h"
#include "state/state.h"

struct err;
struct grant_stats;

/* An array of p->n_shares for free(): what each share that needs a grant is,
 * in the same order, and how many. */
int keep_wants(const struct plan *p, struct state_want **wants, size_t *n,
	       struct err *e);

/*
 * Grants what the alias of id does not have: the row, the edits, the row again.
 * A share that was rw and is wanted ro loses its write entries.  A failure
 * leaves a row that is half-made, which the end of the run undoes.
 */
int keep_grant(const struct reclaim *rc, const struct state_identity *id,
	       const struct grant_tree *tree, const struct state_want *want,
	       struct grant_stats *st, struct err *e);

/*
 * Grants what came into a tree that the alias has without inheriting.  The lock
 * is taken only if there is something.
 */
int keep_verify(const struct reclaim *rc, const struct state_identity *id,
		const struct grant_tree *asked, struct grant_stats *st,
		struct err *e);

/* Makes again what keep_grant() of another share made lapse. */
int keep_mend(const struct reclaim *rc, const struct state_identity *id,
	      struct err *e);

/*
 * Undoes what is half-made, and makes what lapsed by that.  Goes on past
 * failures; -1 and the first.
 */
int keep_settle(const struct reclaim *rc, const struct state_identity *id,
		struct err *e);

/* The end of an alias's run: gives files back, then keep_settle(). */
int keep_end(const struct reclaim *rc, const struct state_identity *id,
	     struct err *e);

#endif
