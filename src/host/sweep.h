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

/* What was found in one of the places that were looked through. */
struct sweep_spot {
	const char *root; /* the place, as it was given; borrowed */
	/* What all of it is at or below, on one file system, absolute; owned.
	 */
	char *at;
	uint64_t owned, entries;
};

struct sweep_trace {
	uint64_t owned, entries; /* in all spots */
	/* Inodes of that owner or group from when no VM had the id: they are
	 * somebody else's, and not to be given back. */
	uint64_t others;
	/* Of that owner or group at and below what is granted to it (the
	 * ledger's): not counted above.  Likewise, somebody else's. */
	uint64_t granted, granted_others;
	char *example;		 /* absolute path of one; owned */
	struct sweep_spot *spot; /* owned */
	size_t n_spots;		 /* 0: owned and entries are 0, too */
	unsigned pass;		 /* that found the first */
};

/* When it was that VMs had an id; see struct state_owner. */
struct sweep_life {
	int64_t since, ended;
};

/* What was cleaned. */
struct sweep_cleaned {
	uint64_t files, entries; /* of the trace's */
	uint64_t others;	 /* ACLs that only other people can edit */
};

struct sweep {
	struct state_range range;
	struct sweep_trace *trace; /* range.count of them, from uid_first on */
	/* Of the same ids, all 0 at first: what is not known does not tell. */
	struct sweep_life *life;
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
	 * own UID now are as they should be, and do not count but as
	 * `granted`. */
	const struct state_grant *ledger;
	size_t n_ledger;
	bool only_root; /* not what is below a path */
	/* So many names more were looked at (grant/scan.h); NULL: nobody asks.
	 */
	void (*met)(void *arg, uint64_t n);
	void *met_arg;
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
 * in them.  What a path leads to is for the caller: found(), with the object
 * that is looked through now, or -1 if there is none; in each pass.  What
 * cannot be looked through, too: failed(), and 0 if the others are to be.
 */
struct sweep_paths {
	const char *const *path; /* borrowed */
	size_t n;
	void (*begin)(void *arg, const char *path);
	void (*found)(void *arg, size_t n, int root);
	int (*failed)(void *arg, const struct err *why, struct err *e);
	void *arg;
};

int sweep_look_all(struct sweep *s, const struct sweep_paths *p, struct err *e);

/* What the state knows of the ids' lives. */
void sweep_lives(struct sweep *s, const struct state_owner *list, size_t n);

/* What all of the spot is at or below, O_PATH; -1 and errno. */
int sweep_open(const struct sweep_spot *spot);

/*
 * Takes away what the UID (its group, too: no more of id counts) left, in each
 * spot: files are given back, unless there are t->others among
 * them; entries are removed.  0 also if there is nothing any more.
 */
int sweep_clean(const struct reclaim *rc, const struct state_identity *id,
		const struct sweep_trace *t, struct sweep_cleaned *did,
		struct err *e);

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
