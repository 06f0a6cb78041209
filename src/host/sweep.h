/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looking for what UIDs left behind, and cleaning it.
 *
 * A look adds up, for each id of the person's subordinate range, how many
 * inodes it owns and how many ACL entries it has, in one or several trees.
 */
#ifndef HOST_SWEEP_H
#define HOST_SWEEP_H

#include "host/reclaim.h"
#include "state/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

struct sweep_trace {
	uint64_t owned, entries;
	char *example; /* absolute path of one; owned */
	char *at;      /* what they are all at or below, absolute; owned */
	unsigned pass; /* that found the first */
};

struct sweep {
	struct state_range range;
	struct sweep_trace *trace; /* range.count of them, from uid_first on */
	uint64_t seen;
	uint64_t closed; /* directories that could not be looked into */
	/* Names came or went meanwhile: what was not met may be there. */
	bool disturbed;
	/* For looks that are repeated until nothing can have been missed
	 * (grant/scan.h): `disturbed` is of the last pass then.  Owned; NULL:
	 * there is but one. */
	struct grant_passes *passes;
	unsigned pass;
	/* Borrowed, may be none: traces at and below what is granted to their
	 * own UID now are as they should be, and do not count. */
	const struct state_grant *ledger;
	size_t n_ledger;
};

/* 0, or -1 and e. */
int sweep_init(struct sweep *s, const struct state_range *range, struct err *e);
void sweep_free(struct sweep *s);

/*
 * Looks through path and everything below it on the same file system.  1: all
 * of it was seen, but for s->closed; 0: there is no such thing; -1 and e: some
 * of it was not.
 */
int sweep_look(struct sweep *s, const char *path, struct err *e);

/*
 * Looks through all of the paths, again and again while things are moved about
 * in them.  A path that is not there is for the caller: not_there().  What
 * cannot be looked through, too: failed(), and 0 if the others are to be.
 */
struct sweep_paths {
	const char *const *path; /* borrowed */
	size_t n;
	void (*begin)(void *arg, const char *path);
	void (*not_there)(void *arg, size_t n);
	int (*failed)(void *arg, const struct err *why, struct err *e);
	void *arg;
};

int sweep_look_all(struct sweep *s, const struct sweep_paths *p, struct err *e);

/*
 * Takes away what the UID left, at trace->at and below: files are given back,
 * entries removed.  0 also if there is nothing any more.
 */
int sweep_clean(const struct reclaim *rc, uid_t uid, gid_t gid,
		const struct sweep_trace *t, struct err *e);

/*
 * What a UID may do with one inode, and through what.  0, or -1 and e.
 */
enum sweep_through {
	THROUGH_OWNER,
	THROUGH_ENTRY,
	THROUGH_GROUP,
	THROUGH_OTHERS
};

struct sweep_rights {
	unsigned perm;	/* rwx bits, after the mask */
	unsigned entry; /* of THROUGH_ENTRY: before it */
	enum sweep_through through;
};

int sweep_rights(int fd, uid_t uid, gid_t gid, struct sweep_rights *r,
		 struct err *e);

#endif
