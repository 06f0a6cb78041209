/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the walks that edit ACLs have in common.  For src/grant only.
 */
#ifndef GRANT_JOB_H
#define GRANT_JOB_H

#include "base/err.h"
#include "grant/acl.h"
#include "grant/aclio.h"
#include "grant/grant.h"
#include "grant/walk.h"

/* Why an inode is left out, the worst last: that one becomes the example. */
enum left_out {
	LEFT_NONE,
	LEFT_FOREIGN,
	LEFT_LINK,
	LEFT_SETGID,
	LEFT_DEFAULT, /* granted, but not what will be made in it: masked */
	LEFT_MASKED,
	LEFT_UNMAPPED, /* granted, but the guest will not be able to read it */
};

/* What U had on an inode before; -1: no entry. */
struct prior {
	dev_t dev;
	ino_t ino;
	signed char access, dflt;
};

/* A walk that edits.  Large: on the heap. */
struct job {
	const struct grant_who *who;
	enum grant_mode mode;
	bool dry;      /* survey */
	bool can_undo; /* what U had before is noted */
	struct grant_stats *st;
	enum left_out worst;
	uint64_t left;	      /* revoke: could not be undone */
	struct err first;     /* the first of these */
	struct prior *priors; /* owned */
	size_t n_priors, room;
	struct stat failed; /* st_nlink 0: not known; where granting stopped */
	bool undoing, undone; /* until `failed` is met */
	gid_t *groups;	      /* owned: what vmrun is a member of */
	int n_groups;
	struct acl acl, dflt;  /* of the inode being visited */
	int has_acl, has_dflt; /* as read_acl() returned */
	struct aclio io;
};

void job_free(struct job **j);
#define own_job __attribute__((cleanup(job_free))) struct job *

/* NULL and e: out of memory, or an identity that cannot be right. */
struct job *job_new(const struct grant_who *who, struct grant_stats *st,
		    struct err *e);

bool job_is_member(const struct job *j, gid_t gid);

/* Counts an inode that is left out; an error if it is the root itself. */
int job_leave_out(struct job *j, const struct walk *w,
		  const struct walk_item *it, enum left_out why, struct err *e);

void job_add_counts(struct grant_stats *st, const struct walk_counts *c);

/*
 * Takes back what half a grant did, see revoke.c.  e says why the grant failed,
 * and goes on saying that.
 */
void job_undo(int root, struct job *j, struct err *e);

#endif
