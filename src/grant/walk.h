/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Walking a tree by descriptors, in hostile company.
 *
 * Theory of operation
 *
 * Every name is opened below the directory that listed it, by openat2() with
 * RESOLVE_BENEATH, NO_SYMLINKS, NO_MAGICLINKS and NO_XDEV, and whatever that
 * gives is what is looked at and changed from then on: a name that is swapped
 * for a link or for something outside meanwhile gives an error or another
 * inode of the tree, never one outside.  Directories and regular files are
 * opened for reading if they may be, and if it is them that were opened; all
 * else is O_PATH, so that no device and no FIFO notices.
 *
 * Bounds: at most WALK_OPEN directories are open, whatever the depth, and one
 * buffer of names for each; of the others only name, dev, ino and position are
 * kept.  The way back up is "..", which must be the inode that we came from;
 * if it is not (somebody moved a directory) the tree is entered again from the
 * root by the names, as far down as they still lead to the same inodes.
 *
 * What a walk sees while the tree is being changed is what readdir() promises:
 * what was there all the time.  `disturbed` tells that something moved.
 *
 * Runs in vmrun, and for grant_reclaim() in a user namespace.
 */
#ifndef GRANT_WALK_H
#define GRANT_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct err;

#define WALK_OPEN 16u
#define WALK_DEPTH_MAX 65536u

/* All descriptors and the name are borrowed for the call. */
struct walk_item {
	int fd;		  /* the inode, open for reading or O_PATH */
	bool is_path;	  /* fd is O_PATH */
	int parent;	  /* the directory that lists it; -1 for the root */
	const char *name; /* "" for the root */
	struct stat st;
};

enum walk_next {
	WALK_ON,   /* a directory: enter it */
	WALK_SKIP, /* a directory: do not */
	WALK_STOP, /* end the walk: an error is set */
};

struct walk; /* opaque: a walk under way */

struct walk_ops {
	/*
	 * Called for every inode, a directory before what it holds.  A
	 * directory that cannot be read comes with is_path and is not entered.
	 */
	enum walk_next (*visit)(void *arg, const struct walk *w,
				const struct walk_item *it, struct err *e);
	/* Links and special files come to visit() too; files are O_PATH. */
	bool want_all;
	/* Count what cannot be opened or listed, do not stop at it. */
	bool go_on;
	/* A descriptor; once it is readable the walk ends with ECANCELED.
	 * NULL: nothing ends it. */
	const int *stop;
	void *arg;
};

struct walk_counts {
	uint64_t mounts;  /* mount points, not entered */
	uint64_t special; /* sockets, FIFOs, devices passed by */
	uint64_t refused; /* not opened, or not entered: no permission */
	uint64_t failed;  /* with go_on: other errors; e holds the first */
	bool disturbed;	  /* the tree was changed under way */
};

/*
 * Walks root (borrowed) and all below.  0, or -1 and e: what visit() set, or
 * that a directory could not be listed for another reason than permission.
 * c may be NULL.
 */
int walk_tree(int root, const struct walk_ops *ops, struct walk_counts *c,
	      struct err *e);

/*
 * The path of the inode being visited, below the root and escaped for a
 * terminal: "." for the root, "sub/file".  Cut to n; returns out.
 */
char *walk_path(const struct walk *w, char *out, size_t n);

/* The same as it is on the disk, "" for the root; -1 if it does not fit. */
int walk_raw_path(const struct walk *w, char *out, size_t n);

/* "/proc/self/fd/N": the way to an O_PATH inode for calls that need a path. */
#define WALK_PROC_MAX 32
const char *walk_proc(char out[WALK_PROC_MAX], int fd);

#endif
