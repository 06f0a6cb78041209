/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside src/state: the side file `highwater`, which remembers the UIDs that
 * were handed out when the database is lost.
 *
 * Text: "claims N", how many were handed out by this database, then a line
 * "FIRST NEXT" for each interval [FIRST, NEXT) that was used up.  The file is
 * replaced as a whole, so a damaged one was damaged from outside.  The caller
 * holds the database's write lock.
 */
#ifndef STATE_HIGHWATER_H
#define STATE_HIGHWATER_H

#include <stddef.h>
#include <stdint.h>

struct err;

/* One for each subordinate range that the person ever had. */
#define HIGHWATER_MAX 64

struct highwater {
	uint64_t claims; /* 0 in a list that has no such line */
	size_t n;
	struct {
		uint32_t first, next; /* first < next */
	} used[HIGHWATER_MAX];
};

/* Pure.  0, or -1 if the text is not such a file. */
int highwater_parse(const char *text, size_t n, struct highwater *h);
/* A file that is missing is an empty one. */
int highwater_load(int dir, struct highwater *h, struct err *e);
/* Durable when it returns. */
int highwater_store(int dir, const struct highwater *h, struct err *e);
/* The first id from uid on that is in no interval; 2^32-1 is never in one. */
uint32_t highwater_skip(const struct highwater *h, uint32_t uid);
/* Everything that `from` has, too.  -1: too many intervals. */
int highwater_join(struct highwater *h, const struct highwater *from);
/* Joins [first, next) with what it touches.  -1: too many intervals. */
int highwater_add(struct highwater *h, uint32_t first, uint32_t next);

#endif
