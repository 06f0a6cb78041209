/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A walk under way.  For src/grant/walk*.c only; see walk.h. */
#ifndef GRANT_WALKINT_H
#define GRANT_WALKINT_H

#include "grant/walk.h"

#include <sys/types.h>
#include <time.h>

/* A directory on the way from the root to where the walk is. */
struct frame {
	int fd; /* -1: closed for the time being */
	dev_t dev;
	ino_t ino;
	unsigned ctx;
	uint64_t below; /* see struct walk_left */
	bool vanished;
	off_t pos;   /* after the last name that was taken */
	char *name;  /* owned; "" for the root */
	char *names; /* owned: getdents64() records; NULL if closed */
	size_t len, at;
};

struct walk_pool; /* see walkpool.c */

struct walk {
	const struct walk_ops *ops;
	void *arg;
	struct walk_counts *counts;
	struct walk_pool *pool; /* NULL: this is the only thread */
	struct timespec begun;
	uint64_t mnt;
	unsigned open_max; /* frames */
	bool can_peek;	   /* the working directory is ours */
	/* Of the directory that this part of the walk began at: */
	int root;	   /* borrowed */
	const char *above; /* its path, borrowed; "" at the root of the tree */
	size_t above_depth;
	struct frame *frames; /* owned */
	size_t depth, room;   /* used and allocated */
	size_t cwd;	  /* depth whose frame is the working directory; 0 */
	const char *leaf; /* name being visited below the last frame, or NULL */
	unsigned since;	  /* names since the last look at ops->stop */
};

/* As the kernel gives it, see getdents64(2). */
struct walk_name {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

int walk_open_below(int dir, const char *name, uint64_t flags);

/* Fills st, fixed and mnt; name "": the descriptor itself.  0, or errno. */
int walk_look(int dir, const char *name, struct walk_item *it);

/* Whether all names in the open directory can be opened: there may be none. */
bool walk_can_enter(const struct walk_item *it);

/* Opens the name into *it.  1; 0 if it is to be passed by; -1 and e. */
int walk_open_item(struct walk *w, const struct walk_name *n,
		   struct walk_item *it, struct err *e);

/* An error of the walk itself: -1, or 0 if it is only to be counted. */
int walk_fault(struct walk *w, int code, const char *what, struct err *e);

/* Not older than that.  Some file systems keep whole seconds only. */
bool walk_is_young(const struct timespec *t, const struct timespec *begun);
void walk_keep_youngest(struct timespec *t, const struct timespec *a);

/*
 * Walks what is below a directory that was visited.  Takes fd, even if it
 * fails; w->root and what belongs to it are set.
 */
int walk_run(struct walk *w, int fd, const struct walk_item *it, struct err *e);

/* The root of the tree: 1 if it is to be entered, then *fd is a directory. */
int walk_visit_root(struct walk *w, struct walk_item *it, int *fd,
		    struct err *e);

/*
 * Whether somebody would walk a directory now in our place; and handing it
 * over (takes fd, and returns 1; 0 and nothing taken if he no longer would).
 */
bool walk_pool_wants(struct walk *w);
int walk_pool_give(struct walk *w, int fd, const struct walk_item *it);
/* Another thread met an error, or is to end. */
bool walk_pool_is_over(const struct walk *w);

#endif
