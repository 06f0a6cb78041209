/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The database: identities, runs and grants.  A row precedes each effect.
 *
 * The only user of sqlite3.  synchronous=FULL, foreign keys on, one writer by
 * BEGIN IMMEDIATE with a busy timeout; paths are blobs, never SQL text.
 */
#ifndef STATE_STATE_H
#define STATE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct state; /* opaque: an open database */

/* A subordinate range, and the person's part of the passwd file. */
struct state_range {
	uint32_t uid_first, gid_first,
		count; /* U = uid_first+n goes with gid_first+n */
};

enum identity_status {
	IDENTITY_RESERVED,   /* row is there, grants may be half-made */
	IDENTITY_ACTIVE,     /* grants are made, the VM may run */
	IDENTITY_REVOKING,   /* nothing of it runs; ACLs are being removed */
	IDENTITY_QUARANTINE, /* nothing known is left; not reused yet */
};

enum grant_access { ACCESS_RO, ACCESS_RW };

struct state_identity {
	int64_t run; /* row of the run: the VM's id on the command line */
	uid_t uid;
	gid_t gid;
	enum identity_status status;
	char boot_id[40];
	int lock_fd; /* held OFD lock; -1 if not ours.  Owned. */
};

struct state_grant {
	int64_t id;
	int64_t run;
	char *path; /* owned; bytes, canonical */
	uint64_t dev, ino;
	enum grant_access access;
};

/*
 * Opens (creates, migrates) the database in the directory dirfd, which is
 * 0700 and the person's (not O_PATH); borrowed for the life of the state.
 * Refuses network file systems, databases of a newer version and damaged ones,
 * which stay as they are, each with its remedy.
 */
int state_open(int dirfd, struct state **s, struct err *e);
void state_close(struct state *s);

/*
 * Claims a UID that nobody has, durable before it returns: row RESERVED, file
 * `highwater` advanced, lock held in id->lock_fd.  is_used() is asked for each
 * candidate (a live process, an inode: see host/probe) and may be NULL.
 * command is for `vmrunctl ps`, cut to 4 KiB.
 */
int state_claim(struct state *s, const struct state_range *range,
		const char *command, bool (*is_used)(void *arg, uid_t uid),
		void *arg, struct state_identity *id, struct err *e);

/*
 * Records a grant before it is made: for a run that is RESERVED or ACTIVE.
 * path is absolute.  *grant_id names it for state_grant_done().
 */
int state_grant_add(struct state *s, int64_t run, const char *path,
		    uint64_t dev, uint64_t ino, enum grant_access access,
		    int64_t *grant_id, struct err *e);
/* The grant is gone from the disk, and synced.  Twice is harmless. */
int state_grant_done(struct state *s, int64_t grant_id, struct err *e);
/* Forward only, or the same once more; QUARANTINE is state_release()'s. */
int state_set_status(struct state *s, int64_t run, enum identity_status to,
		     struct err *e);
/*
 * Ends the run: status QUARANTINE, result noted; the lock file is removed and
 * id->lock_fd closed.  Refused while a grant of it is not done: then, as on
 * each failure, the row stays for gc and the lock stays the caller's.
 */
int state_release(struct state *s, struct state_identity *id, int exit_code,
		  struct err *e);

/* Whether the machine has not been started anew since the run was. */
bool state_is_this_boot(const struct state *s, const struct state_identity *id);

/* Marks readiness for `ps`. */
int state_set_ready(struct state *s, int64_t run, struct err *e);

struct state_run {
	struct state_identity id; /* lock_fd is -1 */
	bool alive; /* its lock is held by somebody and the boot id is ours */
	bool ready;
	char *command;	 /* owned */
	int64_t started; /* seconds since the epoch, for show only */
	int64_t pid;	 /* of vmrun, for show only; 0 unknown */
};

/* All runs that are not released, oldest first; free with state_runs_free(). */
int state_runs(struct state *s, struct state_run **runs, size_t *n,
	       struct err *e);
void state_runs_free(struct state_run *runs, size_t n);

/*
 * Takes over a dead run for cleaning: gets its lock.  1 and id->lock_fd if it
 * is ours now; 0 if it is alive, somebody else cleans it, or it is over; -1 on
 * error.
 */
int state_adopt(struct state *s, int64_t run, struct state_identity *id,
		struct err *e);

int state_grants(struct state *s, int64_t run, struct state_grant **g,
		 size_t *n, struct err *e);
void state_grants_free(struct state_grant *g, size_t n);

/*
 * Subordinate ranges of a user, from text in the form of /etc/subuid: lines
 * OWNER:FIRST:COUNT, where OWNER is name or uid.  Gives the first range that
 * is at least min wide and overlaps no line of another owner; else -1, with a
 * remedy.  Malformed lines are passed over, as shadow does.  file is for
 * messages.  Pure: text is handed in, so that tests can.
 */
int subid_parse(const char *text, size_t n, const char *name, uid_t uid,
		uint32_t min, const char *file, uint32_t *first,
		uint32_t *count, struct err *e);

#endif
