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
	IDENTITY_FREE,	     /* a full scan found nothing of it */
};

enum grant_access { ACCESS_RO, ACCESS_RW };

enum run_kind {
	RUN_VM,
	RUN_WORK, /* vmrunctl changes an alias */
};

struct state_identity {
	int64_t run; /* row of the run: the VM's id on the command line */
	uid_t uid;
	gid_t gid;
	enum identity_status status;
	bool has_alias; /* its grants outlive the run */
	char boot_id[40];
	int lock_fd; /* held OFD lock; -1 if not ours.  Owned. */
};

/* What is known of a grant that an alias keeps; others are GRANT_BEGUN. */
enum grant_phase {
	GRANT_BEGUN,  /* perhaps half made: to be undone */
	GRANT_WHOLE,  /* made */
	GRANT_LAPSED, /* was whole; entries may be missing: make it again */
};

struct state_grant {
	int64_t id;
	int64_t run;  /* 0: kept by an alias */
	int64_t used; /* by an alias's run last; 0: by none */
	uid_t uid;
	gid_t gid;
	char *path;  /* owned; bytes, canonical */
	char *alias; /* owned; NULL: none */
	uint64_t dev, ino;
	int64_t btime; /* ns; 0: not known */
	bool is_boot;  /* dev is of this boot */
	enum grant_access access;
	enum grant_phase phase;
};

/* An object that a run of an alias wants to have. */
struct state_want {
	const char *path; /* absolute; borrowed */
	uint64_t dev, ino;
	int64_t btime; /* ns; 0: not known */
	enum grant_access access;
	int64_t grant; /* out: the alias's whole grant of it; 0: it has none */
};

/*
 * Opens (creates, migrates) the database in the directory dirfd, which is
 * 0700 and the person's (not O_PATH); borrowed for the life of the state.
 * Refuses network file systems, databases of a newer version and damaged or
 * foreign ones (e->code is EUCLEAN then), which stay as they are, each with its
 * remedy.
 */
int state_open(int dirfd, struct state **s, struct err *e);
/* For who is to make nothing: whether there is a database to be opened. */
bool state_is_there(int dirfd);
void state_close(struct state *s);

/*
 * A directory (borrowed for the life of the state) whose `highwater` counts as
 * well, and is kept up: the one that all state directories of a person share.
 */
void state_share_ids(struct state *s, int ids_dir);

/* What the caller has to look for on the disk before he claims. */
enum state_doubt {
	STATE_SURE, /* nothing */
	STATE_NEW,  /* it was just made, and there never was another */
	STATE_LOST, /* it was just made, but one before it handed out UIDs */
	STATE_OLD,  /* it knows fewer claims than were made: an old copy */
};

int state_doubts(struct state *s, enum state_doubt *d, struct err *e);
/* All was looked at, and told to state_found(): there is no doubt any more. */
int state_scanned_all(struct state *s, struct err *e);

/*
 * Moves a database that state_open() refused with e->code EUCLEAN out of the
 * way, to `name` in the same directory.  Refused while others have it open.
 */
int state_set_aside(int dirfd, char *name, size_t size, struct err *e);

/*
 * Claims a UID that nobody has: a never used one, or when there is none left
 * the FREE one that waited longest.  Durable before it returns: row RESERVED,
 * file `highwater` advanced, lock held in id->lock_fd.  is_used() is asked for
 * each candidate (a live process, an inode: see host/probe) and may be NULL.
 * command is for `vmrunctl ps`, cut to 4 KiB.
 */
int state_claim(struct state *s, const struct state_range *range,
		const char *command, bool (*is_used)(void *arg, uid_t uid),
		void *arg, struct state_identity *id, struct err *e);

/*
 * The same for an alias: its UID and its grants, or a new UID if the alias is
 * new.  Says for each of the wants whether it is granted already, and notes
 * those as used by the run; all in the one transaction.  Refused (e->code is
 * EBUSY) while a VM or vmrunctl has the alias, and for a VM if the UID has left
 * the range and something is granted to it; else it gets another one.  A known
 * alias claims as IDENTITY_ACTIVE.
 */
struct state_alias_claim {
	const struct state_range *range;
	const char *alias;
	const char *command;
	enum run_kind kind;
	bool may_make; /* else an unknown alias is an error */
	bool (*is_used)(void *arg, uid_t uid); /* as above */
	void *arg;
	struct state_want *wants;
	size_t n_wants;
};

int state_claim_alias(struct state *s, const struct state_alias_claim *c,
		      struct state_identity *id, struct err *e);

/*
 * Records a grant before it is made: for a run that is RESERVED or ACTIVE.
 * path is absolute.  *grant_id names it for state_grant_done().
 */
int state_grant_add(struct state *s, int64_t run, const char *path,
		    uint64_t dev, uint64_t ino, enum grant_access access,
		    int64_t *grant_id, struct err *e);
/*
 * The same for a grant that the alias of the run keeps: GRANT_BEGUN until
 * state_grant_whole() says that it is made, which also ends an older row of the
 * alias for the same path.
 */
int state_grant_begin(struct state *s, int64_t run,
		      const struct state_want *want, int64_t *grant_id,
		      struct err *e);
int state_grant_whole(struct state *s, int64_t grant_id, struct err *e);
/* To be undone: a whole grant becomes GRANT_BEGUN. */
int state_grant_unmake(struct state *s, int64_t grant_id, struct err *e);
/*
 * Before U's entries at and below the path of a grant are taken away: every
 * other grant of the same UID that shares some of them becomes GRANT_LAPSED.
 */
int state_grant_lapse(struct state *s, int64_t grant_id, struct err *e);
/* The grant is gone from the disk, and synced.  Twice is harmless. */
int state_grant_done(struct state *s, int64_t grant_id, struct err *e);
/* Forward only, or the same once more; QUARANTINE is state_release()'s. */
int state_set_status(struct state *s, int64_t run, enum identity_status to,
		     struct err *e);
/*
 * Ends the run: status QUARANTINE, result noted; the lock file is removed and
 * id->lock_fd closed.  Refused while a grant of it is not done: then, as on
 * each failure, the row stays for gc and the lock stays the caller's.
 *
 * An alias stays ACTIVE with its grants, unless it is REVOKING: then it is
 * forgotten with this.  Refused while one of its grants is GRANT_BEGUN.
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
	enum run_kind kind;
	char *alias;	 /* owned; NULL: none */
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

/*
 * 1: somebody has the lock of a run of that number, whether or not it is in the
 * database; 0: nobody; -1 and e.
 */
int state_is_held(struct state *s, int64_t run, struct err *e);
/*
 * The end of the run has begun: whoever wants its alias is told, as long as
 * id->lock_fd is open anywhere.
 */
void state_ending(const struct state_identity *id);

/* What the UID of the run has and is not gone, oldest first. */
int state_grants(struct state *s, int64_t run, struct state_grant **g,
		 size_t *n, struct err *e);
/* The same of everybody, live VMs and aliases. */
int state_ledger(struct state *s, struct state_grant **g, size_t *n,
		 struct err *e);
void state_grants_free(struct state_grant *g, size_t n);

struct state_alias {
	char name[65];
	uid_t uid;
	gid_t gid;
	enum identity_status status;
	int64_t run; /* that has it and is alive; 0: none */
	size_t n_grants;
};

/* All aliases, by name; *list is for free(). */
int state_aliases(struct state *s, struct state_alias **list, size_t *n,
		  struct err *e);
/* 1 and *out; 0: there is none of that name; -1 and e. */
int state_alias_find(struct state *s, const char *name, struct state_alias *out,
		     struct err *e);
/*
 * The name may be one that is running.  Refused if the new one is taken.
 * homes: the directory that the alias has a home in; its grant is renamed too,
 * and it is to be moved then: see state_moves().  NULL: it has none.
 */
int state_alias_rename(struct state *s, const char *from, const char *to,
		       const char *homes, struct err *e);

/* A home that may not have been moved since its alias was renamed. */
struct state_move {
	char from[65], to[65];
};

/* *list is for free(). */
int state_moves(struct state *s, struct state_move **list, size_t *n,
		struct err *e);
/* The home of `to` is at its place.  Twice is harmless. */
int state_moved(struct state *s, const char *to, struct err *e);

/*
 * Calls what(), while no alias of this name can be made.  What that returns; 1
 * without calling it if there is such an alias; -1 and e.
 */
int state_without_alias(struct state *s, const char *name,
			int (*what)(void *arg, struct err *e), void *arg,
			struct err *e);

/* What became of a UID. */
struct state_owner {
	uid_t uid;
	gid_t gid;
	enum identity_status status;
	bool is_alias, is_live; /* a run of it is not over */
	bool found;		/* others use it; see schema/state.sql */
	/* Nanoseconds since the epoch: not after its first run began, which may
	 * be of long ago, and not before its last one ended; 0: not known.
	 * Where since is 0, it had no run here. */
	int64_t since, ended;
};

/* Every UID that is known, by uid; *list is for free(). */
int state_owners(struct state *s, struct state_owner **list, size_t *n,
		 struct err *e);
/* Where something was ever granted to a UID that is in quarantine. */
struct state_root {
	char *path; /* owned */
	uid_t uid;
	uint64_t dev, ino;
	int64_t btime; /* ns; 0: not known */
	bool is_boot;  /* dev is of this boot */
};

/* By path; *list is for state_roots_free(). */
int state_roots(struct state *s, struct state_root **list, size_t *n,
		struct err *e);
void state_roots_free(struct state_root *list, size_t n);
/* A scan met a UID that nobody knows: never to be handed out from now on. */
int state_found(struct state *s, uid_t uid, gid_t gid, const char *where,
		struct err *e);
/*
 * Before it is cleaned what a UID left: no claim gets it from now on until a
 * scan frees it.  One that is free is in quarantine again, and one that nobody
 * knows counts as found.  1; 0 if a run or an alias has it; -1 and e.
 */
int state_pin(struct state *s, uid_t uid, gid_t gid, struct err *e);
/*
 * What a scan of a UID in quarantine came to: how many traces there are, and
 * one of them.
 */
int state_scanned(struct state *s, uid_t uid, uint64_t leftovers,
		  const char *where, struct err *e);
/* Others use the UID, which is in quarantine, too: never to be free again. */
int state_shared(struct state *s, uid_t uid, struct err *e);
/*
 * A full scan that began after its last run found nothing: it may be handed
 * out again.  Only from QUARANTINE.
 */
int state_free_uid(struct state *s, uid_t uid, struct err *e);

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
