/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The end of a run: files given back, ACLs revoked, rows closed.  The same for
 * a run that ended well and for one whose vmrun was killed.
 */
#ifndef HOST_RECLAIM_H
#define HOST_RECLAIM_H

#include "host/plan/plan.h"
#include "state/state.h"

struct err;

/* Where it is done; all borrowed. */
struct reclaim {
	struct state *state;
	int state_dir; /* of the database: edit_lock() */
	const struct facts *facts;
	int userns; /* the VM's user namespace; -1: one is made for it */
	/* When the run began, by CLOCK_REALTIME; 0: not known, or the clock was
	 * set back since. */
	int64_t since_ns;
	/* Once readable, what would wait for another vmrun gives up, and is
	 * left to the next start.  NULL: it waits. */
	const int *stop;
};

/*
 * The row says that the run's end has begun; nothing is undone yet, so the VM
 * may still be dying.  An alias stays what it is.  0, or -1 and e.
 */
int reclaim_begin(const struct reclaim *r, struct state_identity *id,
		  struct err *e);
/*
 * Undoes everything that the database knows of the run and releases it; of an
 * alias that is not REVOKING, what it does not keep.
 * Nothing of the VM may be alive.  Goes on past failures; 0, or -1 and the
 * first one in e: then the rows stay, and the next start or gc tries again.
 */
int reclaim_run(const struct reclaim *r, struct state_identity *id,
		int exit_code, struct err *e);

/*
 * Cleans every run whose vmrun is gone: kills what still runs as its UID,
 * then reclaim_run().  Runs that somebody else is cleaning are left to him.
 * Returns how many were cleaned, -1 and e on the first failure (the others are
 * still tried).  r->userns is -1.
 */
int reclaim_dead_runs(const struct reclaim *r, struct err *e);

/*
 * The steps, for what an alias keeps (host/keep.h).
 *
 * reclaim_open(): the granted object itself, not whatever has its name now.  1
 * and *root; 0: it is gone; -1 and e: that cannot be told now.
 */
int reclaim_open(const struct state_grant *g, int *root, struct err *e);
/* Whether fd is the very object that was granted; path and uid do not count. */
bool reclaim_is_root(int fd, const struct state_root *root);
/* When an inode was made, in nanoseconds; 0 where that is not known. */
int64_t reclaim_birth(int fd);
/*
 * A device's node.  What a run of an alias has of it ends with the run, and so
 * is never whole.
 */
bool reclaim_is_device(int fd);
/*
 * Everything that U owns below root becomes the person's; entries stay, and an
 * alias keeps what it had as the owner.  0, or -1 and e.  If the person has
 * another range by now, without U, nothing does, which is said, and 1 returned;
 * without any it is an error.
 */
int reclaim_give_back(const struct reclaim *r, const struct state_identity *id,
		      int root, struct err *e);
/* Says of what grant_revoke() met at the path what only others can undo. */
struct grant_stats;
void reclaim_tell_others(const char *path, uid_t uid,
			 const struct grant_stats *st);
/* Undoes a grant altogether, and then its row. */
int reclaim_grant(const struct reclaim *r, const struct state_identity *id,
		  const struct state_grant *g, struct err *e);
/* The file system of root is on the disk. */
int reclaim_sync(int root, struct err *e);

/* The person as grant.h wants him, for U and its group. */
struct grant_who;
void reclaim_who(const struct facts *f, uid_t uid, gid_t gid,
		 struct grant_who *w);

#endif
