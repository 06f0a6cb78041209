/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looking through trees that are in use, again, until nothing can have been
 * missed.
 *
 * Theory of operation
 *
 * A scan can miss a trace that is moved, while it lasts, from where it has yet
 * to come to where it has been.  In a home directory something is moved all the
 * time, and a scan takes minutes.  So what one pass cannot be sure of is left
 * to the next, which has less to do.  Nobody makes traces meanwhile: whoever
 * had the UIDs is dead.  They only move, or are copied.
 *
 * Say that pass k began at T(k), and that a trace which it missed was moved
 * behind its back.  Then the directory that it came into has changed since
 * T(k), or its own ctime has (where an ACL was copied onto a file that was
 * there), or it lies in a directory that was moved as a whole and that no pass
 * has walked at its time.  Pass k+1 looks at just these: at directories that
 * have changed since T(k) or that pass k did not walk, and at single files that
 * have changed since T(k).  Everything else it only walks through.  What it
 * looks at had a trace at T(k+1) or has none; the trace can escape again only
 * by leaving its directory between T(k+1) and the moment when that one is
 * looked at, which then shows a ctime not older than T(k+1); or with a
 * directory that is moved, which shows as a ctime and another set of
 * subdirectories where it was.  A pass without either has missed nothing.
 *
 * Directories that change all the time would never come out of that.  Those
 * that spoiled a pass are therefore looked at in its successor first, all
 * together, in the moment after T(k+1); the moment is chosen again until none
 * of them changed in it.  What happens in them later does not matter.
 *
 * Not seen: somebody who copies an ACL onto an old file and takes it off the
 * first, in place, all within the window; and clocks that are set back, which
 * make a pass count as spoiled where they are noticed.
 *
 * All roots that are looked through belong to the same passes, because things
 * are moved from one to another.  Memory is bounded: with more directories than
 * an inoset holds no pass is ever quiet.
 */
#ifndef GRANT_PASSES_H
#define GRANT_PASSES_H

#include "grant/inoset.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

struct walk;
struct walk_left;

/* Directories that are looked at first. */
#define PASSES_BUSY_MAX 256u

/*
 * struct walk_item.ctx of what is in a directory.  Of what was seen, files that
 * changed themselves are looked at again.
 */
enum passes_ctx {
	NAMES_TO_SEE,
	NAMES_SEEN,	/* by the pass before */
	NAMES_SEEN_NOW, /* by this one, first of all */
};

struct passes_busy {
	struct stat root; /* dev, ino */
	char *path;	  /* below it; owned */
	dev_t dev;	  /* of the directory, where is_seen */
	ino_t ino;
	bool is_seen; /* in this pass, since it began */
};

/* All zero is before the first pass. */
struct grant_passes {
	pthread_mutex_t lock;
	unsigned k;		       /* the pass, from 1 */
	struct timespec begun, before; /* T(k), T(k-1) */
	int64_t clock_gap;	       /* between two clocks */
	struct inoset dirs;	       /* count: what note() packs into it */
	struct passes_busy *busy;      /* owned, PASSES_BUSY_MAX */
	unsigned n_busy;
	bool spoiled, busy_full;
};

/* ---- for scan.c; all may be called by several threads */

/* What of a directory that is met is to be looked at. */
enum passes_ctx passes_meet(struct grant_passes *p, const struct stat *st);
bool passes_changed(const struct grant_passes *p, const struct stat *st);
/*
 * All names of a directory were taken.  Whether the pass is spoiled by it.
 * root: of the tree.
 */
bool passes_leave(struct grant_passes *p, const struct walk *w,
		  const struct walk_left *l, const struct stat *root);
/* The same where busy directories alone are looked at, without traces. */
void passes_leave_busy(struct grant_passes *p, struct passes_busy *b,
		       const struct walk_left *l);
void passes_spoil(struct grant_passes *p);

#endif
