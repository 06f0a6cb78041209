/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the survey of a tree finds for the walk that edits it: which files need
 * something, and how many of a file's hard links are in the tree.
 *
 * A file with several links is granted if all of them are in the tree: then
 * whoever could put a link there could reach the file anyway.  Somebody who
 * renames a link during the survey could have it counted twice, so that this
 * holds only if no directory was changed meanwhile.
 *
 * For several threads; memory is bounded.  For src/grant only.
 */
#ifndef GRANT_TALLY_H
#define GRANT_TALLY_H

#include "grant/inoset.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct walk;
struct walk_item;

#define TALLY_EXAMPLES 8

struct tally {
	pthread_mutex_t lock;
	struct inoset todo;  /* by the number that the directory has */
	struct inoset links; /* counts of names */
	uint64_t whole;	     /* inodes of which all links were met */
	uint64_t whole_names, names;
	struct tally_example {
		struct stat st;
		char path[256];
	} examples[TALLY_EXAMPLES];
	size_t n_examples;
};

void tally_init(struct tally *t);
void tally_free(struct tally *t);

/* Forgets everything, for another survey. */
void tally_reset(struct tally *t);

/* This file needs an edit, when its turn comes. */
void tally_todo(struct tally *t, const struct walk_item *it);

/* One of several links to a file that needs an edit. */
void tally_link(struct tally *t, const struct walk *w,
		const struct walk_item *it);

/*
 * For the walk that edits: whether it was noted; and whether not all could be,
 * so that everything has to be looked at again.
 */
bool tally_has_todo(const struct tally *t, uint64_t listed);
bool tally_is_short(const struct tally *t);

/* Whether all links of the file, as it is now, were met. */
bool tally_is_whole(const struct tally *t, const struct stat *st);

/* The path of a link of a file that has more elsewhere; "" if none is known. */
const char *tally_example(const struct tally *t);

#endif
