/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Grants: giving a UID its entry in the ACLs of a tree, and taking it back.
 *
 * Runs with the person's own authority, in the initial user namespace.  Takes
 * descriptors of directories or files, never paths.  See grant/walk.h for how
 * a tree is walked, grant/acl.h for the arithmetic on one ACL.
 *
 * What is edited: directories get r-x for the UID (rwx for GRANT_RW), files
 * only if their mode does not already let others read (or write).  GRANT_RW
 * sets default ACLs too, for the UID and for the owner, so that files made on
 * either side are usable on both; `other` of the default ACL follows the
 * owner's umask, which a default ACL otherwise switches off.
 *
 * Removing drops only our entry; if we added the mask, group bits are put
 * back.  A file ends as one that vmrun never saw, plus the person's own edits.
 *
 * Changing an ACL is read, modify, write, and the kernel has no compare and
 * swap for it.  All vmruns of a person therefore edit under one lock, in the
 * person's own state directory: grant_lock_try().  No lock is taken on anything
 * in the tree: a VM, or any user who may read it, could hold such a lock for
 * ever. What the lock does not order is the person's own setfacl at the same
 * moment.
 */
#ifndef GRANT_GRANT_H
#define GRANT_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

enum grant_mode { GRANT_RO, GRANT_RW };

#define GRANT_FEW 4u

/* What a walk met; counts only.  Printed by -v and --dry-run. */
struct grant_stats {
	uint64_t seen;	   /* directories and files looked at */
	uint64_t edited;   /* ACLs written */
	uint64_t foreign;  /* owned by somebody else, and not readable anyway */
	uint64_t fixed;	   /* immutable or append-only, see chattr(1) */
	uint64_t links;	   /* hard-linked files left out: a link is outside */
	uint64_t keys;	   /* left out: they look like private keys */
	uint64_t mounts;   /* other file systems not entered */
	uint64_t special;  /* sockets, FIFOs and devices met */
	uint64_t masked;   /* left out: a wider mask would give others more */
	uint64_t setgid;   /* left out: an edit would clear their setgid bit */
	uint64_t unmapped; /* ACLs that name an id the guest cannot express */
	uint64_t closed;   /* scan: directories not to be listed */
	bool disturbed;	   /* scan: names came or went meanwhile */
	/* revoke: ACLs of other owners' files that only these can edit */
	uint64_t others;
	uid_t others_uid;  /* of the example, which is one of these then */
	char example[512]; /* the worst of these: escaped path below the root */
	size_t example_of; /* offsetof() of what it is an example of */
	char few[GRANT_FEW][128]; /* some of `foreign` and `fixed` */
	unsigned n_few;
};

struct grant_who {
	uid_t uid;   /* U */
	gid_t gid;   /* U's own group, which nobody else has: see grant/acl.h */
	uid_t owner; /* the person */
	gid_t owner_gid;
	mode_t umask; /* the person's */
	/* Ids that the guest can express beside U's and the owner's. */
	uint32_t sub_first, sub_count;
	uint32_t subgid_first, subgid_count;
};

/* An inode that the person named. */
struct grant_inode {
	dev_t dev;
	ino_t ino;
};

/* A tree, and how it is to be walked. */
struct grant_tree {
	int root; /* a directory or a regular file, O_PATH or not; borrowed */
	enum grant_mode mode;
	/*
	 * A descriptor (a signalfd, a pipe; borrowed): once it is readable
	 * the walk gives up with ECANCELED.  NULL: nothing interrupts it.
	 */
	const int *stop;
	/* The root may be a device node: that is meant. */
	bool device;
	/* Whether a grant is refused, before anything is edited, where
	 * something is foreign or fixed (see struct grant_stats). */
	bool whole;
	/*
	 * Leave out what looks like a private key (grant/keys.h), but for these
	 * files, and what is in these directories (borrowed).
	 */
	bool spare_keys;
	const struct grant_inode *keys;
	size_t n_keys;
};

/*
 * The lock that orders all edits of one person, in the person's state directory
 * (borrowed).  It belongs to the descriptor of grant_lock_open() and its
 * duplicates, also those of a child; closing them all ends it.  To be held
 * around each grant_apply(), grant_verify() and grant_revoke().
 *
 * grant_lock_try(): 1 and it is had, 0 and the process that seems to have it
 * (0: not known), -1 and e.  grant_lock_wait() returns when it is had.
 * host/editlock.h waits with a message and ends on a signal.
 */
int grant_lock_open(int state_dir, struct err *e);
int grant_lock_try(int fd, pid_t *holder, struct err *e);
int grant_lock_wait(int fd, struct err *e);

/*
 * Gives `who->uid` its rights in the tree.  All or nothing: on an error, and
 * when it is stopped, everything that this call edited is put back, and -1
 * returned.  EOPNOTSUPP where the file system
 * has no ACLs and some file needs one, ENOSPC or E2BIG where an ACL is full.
 * What may not be edited (see struct grant_stats) is left out and counted; it
 * is an error only if it is root itself.
 */
int grant_apply(const struct grant_tree *t, const struct grant_who *who,
		struct grant_stats *st, struct err *e);

/*
 * As grant_apply(), for a tree that has its grant: gives the same to what came
 * into it since without inheriting (moved in, made with a narrower mask).
 * st->edited says how much that was; nothing to do is cheap.  An error or *stop
 * undoes nothing: what was given belonged to the grant anyway, and the next
 * call goes on from there.
 */
int grant_verify(const struct grant_tree *t, const struct grant_who *who,
		 struct grant_stats *st, struct err *e);

/* As grant_apply() but only counts what it would edit. */
int grant_survey(const struct grant_tree *t, const struct grant_who *who,
		 struct grant_stats *st, struct err *e);

/*
 * Whether a grant with spare_keys, to a directory that holds it under `name`,
 * leaves the file or directory (O_PATH, borrowed) out as a private key.
 */
bool grant_is_key(int fd, const char *name, const struct grant_who *who);

/*
 * Removes every entry of who->uid below root, default ACLs too, whatever put
 * it there; running it twice is harmless.  Goes on past single failures,
 * counts them in *left, and reports the first in e (returns -1 then).  After
 * -1, and where st->others are left, the UID must not be used again.
 */
int grant_revoke(int root, const struct grant_who *who, struct grant_stats *st,
		 uint64_t *left, struct err *e);

/*
 * Gives files back: every inode below root owned by uid or gid becomes
 * owner:owner_gid; suid and sgid bits that the guest set are cleared; device
 * nodes, sockets and FIFOs that the guest left are removed (st->special); and
 * entries that the guest made for others in the ACLs of its own files go, see
 * acl_sweep().  Its own entries stay (grant_revoke() as the owner comes
 * after).  Goes on past single
 * failures and reports the first.  To be called in a user namespace that maps
 * all ids concerned, with CAP_CHOWN, CAP_FOWNER, CAP_DAC_OVERRIDE and
 * CAP_DAC_READ_SEARCH there; with CAP_SETUID and CAP_SETGID as well it also
 * gets hold of files whose group is not mapped.
 */
int grant_reclaim(int root, uid_t uid, gid_t gid, uid_t owner, gid_t owner_gid,
		  struct grant_stats *st, struct err *e);

/*
 * The same for a UID that goes on, an alias's: it keeps through an entry what
 * it had as the owner.  With since_ns (of CLOCK_REALTIME, less than the start
 * of its processes; 0: everything) only directories whose names changed after
 * it are looked into for files: where U made, moved or removed nothing there is
 * nothing of it.
 */
int grant_reclaim_kept(int root, const struct grant_who *who, int64_t since_ns,
		       struct grant_stats *st, struct err *e);

#endif
