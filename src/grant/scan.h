/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looking for what ids left in a tree: inodes that they own and entries that
 * they have in ACLs, wherever they came from.
 *
 * For a deep gc, for rebuilding a lost database, and for telling who may touch
 * what.  Nothing is changed.  Memory does not grow with the tree.  Runs with
 * the person's own authority, without grant_lock(): what it reports may be gone
 * a moment later.
 */
#ifndef GRANT_SCAN_H
#define GRANT_SCAN_H

#include "grant/grant.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct err;
struct walk;

/* Ids that are looked for: those of the person's VMs. */
struct grant_ids {
	uint32_t uid_first, uid_count;
	uint32_t gid_first, gid_count;
};

enum grant_trace {
	TRACE_OWNER,	     /* it is owned by the uid */
	TRACE_GROUP,	     /* it is in the group */
	TRACE_USER,	     /* u:ID: in its access ACL */
	TRACE_ACL_GROUP,     /* g:ID: there: a note, see grant/acl.h */
	TRACE_DEFAULT_USER,  /* u:ID: in its default ACL */
	TRACE_DEFAULT_GROUP, /* g:ID: there */
};

/* One trace.  Everything in it is borrowed for the call. */
struct grant_found {
	enum grant_trace trace;
	uint32_t id;
	unsigned perm; /* rwx bits of the entry, or of the mode's class */
	unsigned mask; /* what the ACL's mask lets through; 7: no mask */
	int fd;	       /* the inode: O_PATH, or open for reading */
	const struct stat *st;
	const struct walk *at; /* for grant_found_path() */
};

/*
 * Called for each trace, several times for an inode that has several, and from
 * one thread at a time, not always the caller's.  0 to go on; -1 and e end the
 * scan.
 */
typedef int grant_found_fn(void *arg, const struct grant_found *f,
			   struct err *e);

/*
 * Several scans of the same trees, each of what the one before cannot be sure
 * of: see grant/passes.h.  NULL and e, or to be freed.
 */
struct grant_passes;
struct grant_passes *grant_passes_new(struct err *e);
void grant_passes_free(struct grant_passes *p);
/*
 * Another pass begins.  Except in the first one, a scan of each tree with
 * .busy_only comes before those of everything; until all that is busy was
 * seen, the pass may begin anew with _again().
 */
void grant_passes_next(struct grant_passes *p);
void grant_passes_again(struct grant_passes *p);
bool grant_passes_are_busy_seen(const struct grant_passes *p);
/* After a pass: nothing can have been missed, by all of them together. */
bool grant_passes_are_quiet(const struct grant_passes *p);

struct grant_scan {
	int root; /* directory or anything else, O_PATH or not; borrowed */
	struct grant_ids ids;
	bool only_root;		     /* not what is below it */
	const int *stop;	     /* as in struct grant_tree */
	struct grant_passes *passes; /* NULL: this is the only one */
	bool busy_only;		     /* see grant_passes_next(); calls nobody */
	grant_found_fn *found;
	/* So many names more were looked at; as found.  NULL: nobody asks. */
	void (*seen)(void *arg, uint64_t n);
	void *arg;
};

/* How often seen() is called: once for so many names, by each thread. */
#define GRANT_SCAN_STEP 1024u

/*
 * Looks at root and everything below it on the same mount: files, directories,
 * links and special files (none is opened that could notice).  0 when all of
 * it was looked at but for st->closed directories that the person may not list
 * and st->mounts mount points; else -1 and e, after all that can be looked at:
 * then nobody may conclude that a trace is not there.  Nor if st->disturbed:
 * something may have been moved from where the scan had yet to come to where it
 * had been; with passes only grant_passes_are_quiet() says so.  ECANCELED after
 * *stop.
 */
int grant_scan(const struct grant_scan *s, struct grant_stats *st,
	       struct err *e);

/*
 * The path of the inode below the root.  _shown is escaped for a terminal,
 * "." for the root and cut to n; _raw is as on the disk, "" for the root, and
 * returns -1 if it does not fit: it is cut then.
 */
char *grant_found_shown(const struct grant_found *f, char *out, size_t n);
int grant_found_raw(const struct grant_found *f, char *out, size_t n);

#endif
