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
 * Opening is most of the cost of a file, and most files need nothing.  peek()
 * is asked first, with what the name alone tells: it may end the matter, and
 * it may not change anything.  Should the name be swapped at this moment, an
 * inode may be taken for its neighbour; `disturbed` tells that this is
 * possible.
 *
 * Bounds: a limited number of directories is open, whatever the depth, and one
 * buffer of names for each; of the others only name, dev, ino and position are
 * kept.  The way back up is "..", which must be the inode that we came from;
 * if it is not (somebody moved a directory) the tree is entered again from the
 * root by the names, as far down as they still lead to the same inodes.
 *
 * Threads.  Each walks a part of the tree by itself, as above.  One that enters
 * a directory while another has nothing to do hands the directory over; no
 * more than one for each thread is ever under way, so that memory and
 * descriptors stay bounded.  A thread has a working directory of its own
 * (CLONE_FS), which is how a name is looked at in one system call; the
 * caller's is not touched.  All signals are blocked in them.
 *
 * What a walk sees while the tree is being changed is what readdir() promises:
 * what was there all the time.  `disturbed` is set where a directory has a time
 * stamp as young as the walk, so that something may have come or gone.
 *
 * Runs in vmrun and vmrunctl, and for grant_reclaim() in a user namespace.
 */
#ifndef GRANT_WALK_H
#define GRANT_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

struct err;

#define WALK_OPEN 32u /* directories open at a time, in all threads */
#define WALK_DEPTH_MAX 65536u
#define WALK_THREADS_MAX 4u

/* All descriptors and the name are borrowed for the call. */
struct walk_item {
	int fd;	      /* the inode, open for reading or O_PATH; -1: peek() */
	bool is_path; /* fd is O_PATH, or a directory not to be entered */
	int parent;   /* the directory that lists it; -1 for the root */
	const char *name; /* "" for the root; for peek() also a relative path */
	bool fixed;	  /* immutable or append-only: chattr(1) */
	/* What visit() left here for the directory that it is in; and what it
	 * leaves for those in it.  0 for the root. */
	unsigned ctx;
	uint64_t mnt;	 /* the mount that it is on */
	uint64_t listed; /* its number in the directory, see glance() */
	struct stat
		st; /* type, mode, owner, nlink, dev, ino, mtim, ctim only */
};

enum walk_next {
	WALK_ON,   /* a directory: enter it */
	WALK_SKIP, /* a directory: do not */
	WALK_STOP, /* end the walk: an error is set */
};

enum walk_peek {
	PEEK_LOOK, /* of glance() only: peek() is to see it */
	PEEK_DONE, /* nothing to be done with it */
	PEEK_OPEN, /* visit() is to see it */
	PEEK_STOP, /* end the walk: an error is set */
};

enum walk_stamp {
	STAMP_NONE,   /* time stamps are not looked at */
	STAMP_CHANGE, /* by ctime, which cannot be set: for walks that only read
		       */
	STAMP_MODIFY, /* by mtime, which editing an ACL leaves alone */
};

struct walk; /* opaque: a walk under way */

/* A directory all of whose names were taken. */
struct walk_left {
	struct stat st; /* as it is now */
	unsigned ctx;	/* as visit() left it */
	bool young;	/* its stamp is not older than the walk */
	bool vanished;	/* a name in it led nowhere any more */
	uint64_t below; /* which directories were in it: a sum over them */
};

struct walk_ops {
	/*
	 * Called for every inode, a directory before what it holds.  A
	 * directory that cannot be read, or of which no name could be opened,
	 * comes with is_path and is not entered, unless it can be afterwards
	 * and `unlocks` is set.
	 */
	enum walk_next (*visit)(void *arg, const struct walk *w,
				struct walk_item *it, struct err *e);
	/* See above; never for directories.  May be NULL. */
	enum walk_peek (*peek)(void *arg, const struct walk *w,
			       const struct walk_item *it, struct err *e);
	/* peek() does with name and type: of st nothing else is filled in. */
	bool peek_bare;
	/*
	 * Asked even before, with the number that the directory has for it,
	 * and ctx as in struct walk_item.
	 * Never for directories.  May be NULL.
	 */
	enum walk_peek (*glance)(void *arg, unsigned ctx, uint64_t listed);
	/* Links and special files come too; files are O_PATH. */
	bool want_all;
	/* Special files come too, O_PATH as ever. */
	bool want_special;
	/* visit() may open directories that were closed: enter those. */
	bool unlocks;
	/* Count what cannot be opened or listed, or is too deep, do not stop at
	 * it. */
	bool go_on;
	/* Directories below are not entered; 0: WALK_DEPTH_MAX.  For tests. */
	unsigned depth_max;
	enum walk_stamp stamp;
	/* What the stamps are compared with; NULL: the beginning of the walk.
	 */
	const struct timespec *begun;
	/* With a stamp, at the end of a directory: whether `disturbed` is set
	 * for it.  NULL: if it is young. */
	bool (*leave)(void *arg, const struct walk *w,
		      const struct walk_left *l);
	/* A descriptor; once it is readable the walk ends with ECANCELED.
	 * NULL: nothing ends it. */
	const int *stop;
	void *arg; /* of walk_tree() */
};

struct walk_counts {
	uint64_t mounts;  /* mount points, not entered */
	uint64_t special; /* sockets, FIFOs, devices passed by */
	uint64_t refused; /* not opened, or not entered: no permission */
	uint64_t failed;  /* with go_on: other errors; e holds the first */
	bool disturbed;	  /* the tree was changed under way */
	/* With a stamp: the youngest of a directory that made it so. */
	struct timespec changed;
};

/*
 * Walks root (borrowed) and all below in the caller's thread, without peek().
 * 0, or -1 and e: what visit() set, or that a directory could not be listed for
 * another reason than permission.  c may be NULL.
 */
int walk_tree(int root, const struct walk_ops *ops, struct walk_counts *c,
	      struct err *e);

/*
 * The same with up to n threads, at most WALK_THREADS_MAX; each calls back with
 * an argument of its own out of args.  All have ended when it returns.
 */
int walk_threads(int root, const struct walk_ops *ops, void *const *args,
		 unsigned n, struct walk_counts *c, struct err *e);

/* How many threads are worth while here: processors, within the limit. */
unsigned walk_threads_wanted(void);

/*
 * The path of the inode being visited, below the root and escaped for a
 * terminal: "." for the root, "sub/file".  Cut to n; returns out.
 */
char *walk_path(const struct walk *w, char *out, size_t n);

/* The same as it is on the disk, "" for the root; -1 if it does not fit: it is
 * cut then. */
int walk_raw_path(const struct walk *w, char *out, size_t n);

/* "/proc/self/fd/N": the way to an O_PATH inode for calls that need a path. */
#define WALK_PROC_MAX 32
const char *walk_proc(char out[WALK_PROC_MAX], int fd);

#endif
