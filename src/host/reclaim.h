/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The end of a run: files given back, ACLs revoked, rows closed.  The same for
 * a run that ended well and for one whose vmrun was killed.
 */
#ifndef HOST_RECLAIM_H
#define HOST_RECLAIM_H

#include "host/plan.h"
#include "state/state.h"

struct err;

/*
 * Undoes everything that the database knows of the run and releases it.
 * Nothing of the VM may be alive.  userns: its user namespace, or -1 to make a
 * new one.  Goes on past failures; 0, or -1 and the first one in e: then the
 * rows stay, and the next start or gc tries again.
 */
int reclaim_run(struct state *s, struct state_identity *id,
		const struct facts *f, int userns, int exit_code,
		struct err *e);

/*
 * Cleans every run whose vmrun is gone: kills what still runs as its UID,
 * then reclaim_run().  Runs that somebody else is cleaning are left to him.
 * Returns how many were cleaned, -1 and e on the first failure (the others are
 * still tried).
 */
int reclaim_dead_runs(struct state *s, const struct facts *f, struct err *e);

/* The person as grant.h wants him, for U and its group. */
struct grant_who;
void reclaim_who(const struct facts *f, uid_t uid, gid_t gid,
		 struct grant_who *w);

#endif
