/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inodes that one pass over a tree keeps in mind for the next, in bounded
 * memory: numbers with a count each.  Pure; not for several threads at once.
 */
#ifndef GRANT_INOSET_H
#define GRANT_INOSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 2^20 slots of 16 bytes, at most three quarters of them in use. */
#define INOSET_MAX 786432u

struct inoset_slot {
	uint64_t ino; /* 0: free; no file system has such an inode */
	uint32_t dev;
	uint32_t count;
};

/* All zero is an empty set. */
struct inoset {
	struct inoset_slot *slots; /* owned */
	size_t n, room;		   /* used and allocated */
	bool full; /* something was not taken for want of room */
};

/* Adds one to the inode's count.  The count, or 0 if there is no room. */
uint32_t inoset_add(struct inoset *s, uint32_t dev, uint64_t ino);

/* The inode's slot; NULL if it is not there.  Valid until the next add. */
struct inoset_slot *inoset_find(const struct inoset *s, uint32_t dev,
				uint64_t ino);

void inoset_free(struct inoset *s);

#endif
