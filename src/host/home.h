/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Homes of aliases (--home): directories of the state folder, `homes/ALIAS`.
 *
 * A home is shared like any directory of the person's, and its grant has a row
 * like any other.  Its files are the person's after each run.  It outlives the
 * alias, unless that is forgotten with --delete-home.
 *
 * Renaming an alias moves its home: the row of the alias says so before it is
 * done, and whoever opens the database finishes it.  What is deleted is renamed
 * to `.gone.N` first, and gc finishes that.
 */
#ifndef HOST_HOME_H
#define HOST_HOME_H

#include "host/plan/plan.h"
#include "state/state.h"

#include <stdbool.h>
#include <stddef.h>

struct err;

/* A home's state folder; all borrowed. */
struct homes {
	struct state *state;
	int state_dir; /* of the database */
	const struct facts *facts;
};

/* 1 and *path (owned) if the alias has, or had, a home; 0; -1 and e. */
int home_find(const struct facts *f, const char *alias, char **path,
	      struct err *e);

/*
 * The plan's home, if it has one: made if need be, and opened.  Before the
 * claim; what was made is removed by gc if there is none.
 */
int home_open(const struct homes *h, struct plan *p, struct err *e);
/*
 * After the claim, when nobody else can delete it any more: it is still there,
 * and the places that other things are mounted at are made.
 */
int home_enter(const struct plan *p, struct err *e);

/* Finishes moving the homes of aliases that were renamed. */
int home_settle(const struct homes *h, struct err *e);

/*
 * Deletes the home of an alias that is forgotten.  1; 0: there was none; -1 and
 * e, also if there is an alias of that name.
 */
int home_delete(const struct homes *h, const char *alias, struct err *e);

/*
 * For gc: finishes deleting, and removes empty homes of no alias, which killed
 * starts leave.  *n: how many there were; with dry they stay.
 */
int home_sweep(const struct homes *h, bool dry, size_t *n, struct err *e);

#endif
