/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the walks that edit ACLs have in common.  For src/grant only.
 *
 * A task is one call of grant.h; a job is one thread's part in it.
 */
#ifndef GRANT_JOB_H
#define GRANT_JOB_H

#include "base/err.h"
#include "grant/acl.h"
#include "grant/aclio.h"
#include "grant/grant.h"
#include "grant/tally.h"
#include "grant/walk.h"

#include <stdatomic.h>

/* Edits that can be told apart when they are undone: 16 MiB. */
#define JOB_EDITS_MAX (1u << 20)

/* Why an inode is left out, the worst last: that one becomes the example. */
enum left_out {
	LEFT_NONE,
	LEFT_FOREIGN,
	LEFT_FIXED,
	LEFT_LINK,
	LEFT_KEY,
	LEFT_SETGID,
	LEFT_DEFAULT, /* granted, but not what will be made in it: masked */
	LEFT_MASKED,
	LEFT_UNMAPPED, /* granted, but the guest will not be able to read it */
};

enum task_aim { AIM_SURVEY, AIM_APPLY, AIM_VERIFY, AIM_REVOKE, AIM_UNDO };

/* An inode that was edited, and what U had on it before; -1: no entry. */
struct edit {
	uint64_t ino;
	uint32_t dev; /* as the kernel packs it */
	signed char access, dflt;
};

struct job;

/* Nothing of it changes during a walk but what is atomic. */
struct task {
	const struct grant_who *who;
	enum task_aim aim;
	enum grant_mode mode;
	int root;
	const int *stop;
	const struct grant_tree *tree; /* NULL when entries are taken away */
	struct tally tally;	       /* survey: written under its lock */
	bool count_links;
	gid_t *groups; /* owned: what vmrun is a member of */
	int n_groups;
	struct job *jobs[WALK_THREADS_MAX]; /* owned */
	unsigned n_jobs;
	atomic_uint n_edits; /* in all jobs */
	atomic_bool edits_lost;
	struct edit *edits; /* owned: of all jobs, sorted, for undoing */
};

/* One thread's.  Large: on the heap. */
struct job {
	struct task *task;
	const struct grant_who *who; /* the task's */
	struct grant_stats st;
	enum left_out worst;
	uint64_t left;	    /* revoke: could not be undone */
	struct err first;   /* the first of these */
	struct edit *edits; /* owned */
	size_t n_edits, room;
	struct edit prior;    /* of the inode being visited */
	bool is_link;	      /* the same: there are others to the file */
	bool odd;	      /* the guest cannot express its ACL */
	const struct walk *w; /* where it is */
	const struct walk_item *it;
	struct acl acl, dflt;  /* the same */
	int has_acl, has_dflt; /* as aclio_read() returned */
	size_t roomy; /* survey: so many entries had room in an inode */
	struct aclio io;
};

void task_free(struct task **t);
#define own_task __attribute__((cleanup(task_free))) struct task *

/* NULL and e: out of memory, or an identity that cannot be right. */
struct task *task_new(int root, enum task_aim aim, const struct grant_who *who,
		      struct err *e);

/*
 * One walk of all jobs, for the task's aim: *st is what they met, *left and
 * *first what could not be undone (NULL: nobody asks).
 */
int task_walk(struct task *t, struct walk_ops *ops, struct grant_stats *st,
	      struct walk_counts *c, struct err *e);

bool task_is_member(const struct task *t, gid_t gid);

/* Counts an inode that is left out; an error if it is the root itself. */
int job_leave_out(struct job *j, const struct walk *w,
		  const struct walk_item *it, enum left_out why, struct err *e);

/* Notes j->prior, before the inode is edited. */
int job_note_edit(struct job *j, const struct stat *st, struct err *e);

/*
 * Takes back what half a grant did, see revoke.c.  e says why the grant failed,
 * and goes on saying that.
 */
void task_undo(struct task *t, struct err *e);

/* What U had on an inode that the task edited; NULL if it did not. */
const struct edit *task_find_edit(const struct task *t, const struct stat *st);

#endif
