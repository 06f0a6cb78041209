/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opening the state for somebody who claims or changes: a damaged database is
 * set aside, and where one was lost it is found out what is on the disk.
 */
#ifndef HOST_REBUILD_H
#define HOST_REBUILD_H

#include "host/plan/plan.h"
#include "state/state.h"

struct err;

struct rebuilt {
	struct state *state;
	int dir; /* of the database */
	int ids; /* that all state directories of the person share; or -1 */
};

/*
 * As run_open_state(), and no UID that a file, an ACL or a process still has
 * is handed out afterwards.  Says what it met (log_warn()), and looks through
 * the home directory if the database is new: that may take seconds, once.
 */
int rebuild_open(const struct facts *f, const struct state_range *range,
		 struct rebuilt *r, struct err *e);
/* For who changes nothing: a damaged database stays where it is, an error. */
int rebuild_look(const struct facts *f, struct rebuilt *r, struct err *e);
void rebuild_close(struct rebuilt *r);

#endif
