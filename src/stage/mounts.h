/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mounts of the sandbox: the stage's own root, and the shared tree.
 */
#ifndef STAGE_MOUNTS_H
#define STAGE_MOUNTS_H

#include "wire/setup.h"

#include <stdint.h>
#include <sys/stat.h>

struct err;

/* The two roots that the stage has while it builds. */
struct base {
	int host; /* the person's "/", O_PATH: where sources are opened */
	int dir;  /* the stage's own tmpfs, mounted on top of it */
};

/* clang-format off */
#define BASE_NONE { -1, -1 }
/* clang-format on */

/* Closes both; what is mounted stays mounted. */
void mounts_close(struct base *b);

/*
 * Cuts this mount namespace off from the host's later mounts and lays an empty
 * tmpfs over "/", with a /proc of this pid namespace.  *b is the caller's, for
 * mounts_close().
 */
int mounts_begin(struct base *b, struct err *e);

/*
 * Builds a tree at dir/tree, dir being a directory of the base: every source
 * of the record that is for it at its name, the tree's own root read-only.
 * Mounts inside a source are covered (stage/cover.h), unless it says so.
 */
int mounts_tree(const struct base *b, int dir, const struct setup *s,
		enum setup_tree which, struct err *e);

/*
 * A detached copy of /tree with all its mounts, close-on-exec; the caller's.
 * To be called after mounts_end().
 */
int mounts_copy_tree(struct err *e);
/* Takes /tree away from this namespace; copies stay. */
int mounts_drop_tree(struct err *e);

/*
 * Makes the base read-only and the root of this process.  The host's mounts
 * are gone from this namespace afterwards, b->host with them.
 */
int mounts_end(struct base *b, struct err *e);

/*
 * Opens an absolute, canonical path of the host, O_PATH, following no symbolic
 * link.  The descriptor is the caller's.
 */
int mounts_open(const struct base *b, const char *path, struct err *e);
/* As mounts_open(), and it must still be the inode dev:ino; fills *st. */
int mounts_open_same(const struct base *b, const char *path, uint64_t dev,
		     uint64_t ino, struct stat *st, struct err *e);

/*
 * Clones the mount at src with all below it, sets MOUNT_ATTR_* attrs on every
 * mount of the clone, makes `name` in the directory `dir` (a directory or a
 * file, as mode says; one that is there already is used) and attaches it.
 */
int mounts_attach(int src, mode_t mode, uint64_t attrs, int dir,
		  const char *name, struct err *e);

/*
 * A file system in memory of `size` bytes at dir/name, which is made: U's, who
 * is the only one to list it.
 */
int mounts_scratch(const struct setup *s, uint64_t size, int dir,
		   const char *name, struct err *e);
/* The same for one large file, with huge pages where the kernel has them. */
int mounts_memory(const struct setup *s, uint64_t size, int dir,
		  const char *name, struct err *e);

/* A new directory, or one that is there; opened (O_PATH), the caller's. */
int mounts_make_dir(int dir, const char *name, struct err *e);

/* A new /proc of this pid namespace at dir/name; the directory is made. */
int mounts_proc(int dir, const char *name, struct err *e);

/* Makes the mount `root` the root; what was mounted before is gone. */
int mounts_switch(int root, struct err *e);

#endif
