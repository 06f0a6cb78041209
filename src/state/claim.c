/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Handing out UIDs: never used ones first.  The person's own authority. */
#include "state/db.h"

#include "base/err.h"
#include "base/own.h"
#include "state/highwater.h"
#include "state/runlock.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#define COMMAND_MAX 4096
/* Each asks for a look through /proc while others wait for the database. */
#define USED_MAX 1000
#define LOCK_TRIES 64

struct claim {
	struct state *s;
	const struct state_range *range;
	bool (*is_used)(void *arg, uid_t uid);
	void *arg;
};

static int check_range(const struct state_range *r, struct err *e)
{
	/* 2^32-1 means "no id" to the kernel. */
	if (!r->count || !r->uid_first || !r->gid_first ||
	    (uint64_t)r->uid_first + r->count > UINT32_MAX ||
	    (uint64_t)r->gid_first + r->count > UINT32_MAX)
		return err_set(e, EINVAL, "a subordinate range of %u ids at %u",
			       r->count, r->uid_first);
	return 0;
}

/* 1: the database has the uid or the gid; 0: not; -1 and e. */
static int is_known(struct state *s, uid_t uid, gid_t gid, struct err *e)
{
	own_stmt st = NULL;

	if (db_prepare(s, &st,
		       "SELECT 1 FROM identities WHERE uid=?1 OR gid=?2",
		       e) < 0)
		return -1;
	sqlite3_bind_int64(st, 1, uid);
	sqlite3_bind_int64(st, 2, gid);
	return db_step(s, st, e);
}

static int exhausted(const struct state_range *r, struct err *e)
{
	err_set(e, 0,
		"no UID of %u-%u is left: each was used, and none is known to "
		"have left nothing behind",
		r->uid_first, r->uid_first + r->count - 1);
	return err_hint(e, "`vmrunctl gc --deep` looks for those that left "
			   "nothing; or give the user another range in "
			   "/etc/subuid and /etc/subgid, in place of this one");
}

/* 1: the first id of the range that neither list has and nobody uses; 0: there
 * is none. */
static int find_unused(const struct claim *c, const struct highwater *h,
		       uint32_t *n, struct err *e)
{
	const struct state_range *r = c->range;
	uint32_t end = r->uid_first + r->count;
	uint32_t uid = r->uid_first;
	unsigned used = 0;

	for (;;) {
		int known;

		uid = highwater_skip(h, uid);
		if (uid >= end)
			return 0;
		*n = uid - r->uid_first;
		known = is_known(c->s, uid, r->gid_first + *n, e);
		if (known < 0)
			return -1;
		if (!known && (!c->is_used || !c->is_used(c->arg, uid)))
			return 1;
		if (!known && ++used == USED_MAX)
			return err_set(e, 0,
				       "the UIDs %u-%u are in use by processes "
				       "that vmrun did not start",
				       uid - used + 1, uid);
		uid++;
	}
}

/*
 * The lists of used UIDs: the database's own, and that of the person's other
 * databases.  They are read and written under one lock of all of these.
 */
struct lists {
	int lock; /* owned */
	struct highwater own, all;
};

static int lists_lock(struct state *s, struct lists *l, struct err *e)
{
	struct timespec nap = {.tv_nsec = 2 * 1000 * 1000};

	l->lock = openat(s->ids >= 0 ? s->ids : s->dir, "ids.lock",
			 O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (l->lock < 0)
		return err_set(e, errno, "ids.lock");
	/* A lock call that waits could wait for a stopped process for ever. */
	for (int ms = 0; ms < DB_WAIT_MS; ms += 2) {
		if (lock_byte(l->lock, 0, LOCK_HOW_ALONE) == 0)
			return 0;
		if (errno != EAGAIN)
			return err_set(e, errno, "locking ids.lock");
		nanosleep(&nap, NULL);
	}
	return err_set(e, 0,
		       "another vmrun has held the list of used UIDs for %d "
		       "seconds",
		       DB_WAIT_MS / 1000);
}

static int lists_load(struct state *s, struct lists *l, struct err *e)
{
	l->all.n = 0;
	if (lists_lock(s, l, e) < 0 || highwater_load(s->dir, &l->own, e) < 0)
		return -1;
	if (s->ids >= 0 && highwater_load(s->ids, &l->all, e) < 0)
		return -1;
	if (highwater_join(&l->all, &l->own) == 0)
		return 0;
	return err_set(e, 0, "the list of used UIDs has more than %d ranges",
		       HIGHWATER_MAX);
}

/*
 * Everything of the range up to and with uid is used up from now on, in both
 * lists, whoever used it: so a list is one interval for each range.
 */
static int use_up(struct state *s, struct lists *l, const struct state_range *r,
		  uid_t uid, struct err *e)
{
	l->own.claims++;
	if (highwater_add(&l->own, r->uid_first, uid + 1) < 0 ||
	    highwater_add(&l->all, r->uid_first, uid + 1) < 0)
		return err_set(e, 0,
			       "the list of used UIDs has more than %d ranges",
			       HIGHWATER_MAX);
	if (s->ids >= 0 && highwater_store(s->ids, &l->all, e) < 0)
		return -1;
	if (highwater_store(s->dir, &l->own, e) < 0)
		return -1;
	return db_set_mark(s, "claims", (int64_t)l->own.claims, e);
}

static int insert_identity(struct state *s, const struct state_identity *id,
			   struct err *e)
{
	own_stmt st = NULL;

	if (db_prepare(s, &st,
		       "INSERT INTO identities (uid, gid, status)"
		       " VALUES (?, ?, 'reserved')",
		       e) < 0)
		return -1;
	sqlite3_bind_int64(st, 1, id->uid);
	sqlite3_bind_int64(st, 2, id->gid);
	return db_step(s, st, e);
}

/* Of the FREE ones in the range the one that was in quarantine longest. */
static int find_free(const struct claim *c, struct state_identity *id,
		     struct err *e)
{
	const struct state_range *r = c->range;
	own_stmt st = NULL;
	int got;

	if (db_prepare(c->s, &st,
		       "SELECT i.uid, i.gid FROM identities i JOIN quarantine q"
		       " ON q.uid=i.uid WHERE i.status='free'"
		       " AND i.uid BETWEEN ?1 AND ?2 AND i.gid-?3 = i.uid-?1"
		       " ORDER BY q.seq",
		       e) < 0)
		return -1;
	sqlite3_bind_int64(st, 1, r->uid_first);
	sqlite3_bind_int64(st, 2, (int64_t)r->uid_first + r->count - 1);
	sqlite3_bind_int64(st, 3, r->gid_first);
	while ((got = db_step(c->s, st, e)) == 1) {
		id->uid = (uid_t)sqlite3_column_int64(st, 0);
		id->gid = (gid_t)sqlite3_column_int64(st, 1);
		if (!c->is_used || !c->is_used(c->arg, id->uid))
			return 0;
	}
	return got < 0 ? -1 : exhausted(r, e);
}

/* Its queue place goes: when it ends it waits as long as any other. */
static int reuse(struct state *s, const struct state_identity *id,
		 struct err *e)
{
	own_stmt i = NULL;
	own_stmt q = NULL;

	if (db_prepare(s, &i,
		       "UPDATE identities SET status='reserved' WHERE uid=?",
		       e) < 0 ||
	    db_prepare(s, &q, "DELETE FROM quarantine WHERE uid=?", e) < 0)
		return -1;
	sqlite3_bind_int64(i, 1, id->uid);
	sqlite3_bind_int64(q, 1, id->uid);
	return db_step(s, i, e) < 0 ? -1 : db_step(s, q, e);
}

static int choose(const struct claim *c, struct lists *l,
		  struct state_identity *id, struct err *e)
{
	uint32_t n = 0;
	int r = find_unused(c, &l->all, &n, e);

	if (r < 0)
		return -1;
	if (r == 0)
		return find_free(c, id, e) < 0 ? -1 : reuse(c->s, id, e);
	id->uid = c->range->uid_first + n;
	id->gid = c->range->gid_first + n;
	if (use_up(c->s, l, c->range, id->uid, e) < 0)
		return -1;
	return insert_identity(c->s, id, e);
}

int claim_uid(struct state *s, const struct state_range *range,
	      bool (*is_used)(void *arg, uid_t uid), void *arg,
	      struct state_identity *id, struct err *e)
{
	const struct claim c = {s, range, is_used, arg};
	struct lists l = {.lock = -1};
	int r;

	if (check_range(range, e) < 0)
		return -1;
	r = lists_load(s, &l, e);
	if (r == 0)
		r = choose(&c, &l, id, e);
	own_close(&l.lock);
	return r;
}

int claim_number(struct state *s, int64_t *run, int *lock, struct err *e)
{
	int64_t id = 1;
	int r;

	if (db_int(s, "SELECT seq+1 FROM sqlite_sequence WHERE name='runs'",
		   &id, e) < 0)
		return -1;
	for (int tries = 0; tries < LOCK_TRIES; tries++, id++) {
		r = runlock_take(s->locks, id, lock, e);
		*run = id;
		if (r != 0)
			return r < 0 ? -1 : 0;
	}
	return err_set(e, 0,
		       "the locks of %d VMs that do not exist are held, the "
		       "last is %" PRId64,
		       LOCK_TRIES, *run);
}

int claim_run(struct state *s, const struct state_identity *id,
	      enum run_kind kind, const char *command, struct err *e)
{
	own_stmt st = NULL;
	size_t n = strnlen(command, COMMAND_MAX);

	if (db_prepare(s, &st,
		       "INSERT INTO runs"
		       " (id, uid, boot_id, pid, command, started, kind)"
		       " VALUES (?, ?, ?, ?, ?, ?, ?)",
		       e) < 0)
		return -1;
	sqlite3_bind_int64(st, 1, id->run);
	sqlite3_bind_int64(st, 2, id->uid);
	sqlite3_bind_text(st, 3, s->boot_id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 4, getpid());
	sqlite3_bind_blob(st, 5, command, (int)n, SQLITE_STATIC);
	sqlite3_bind_int64(st, 6, time(NULL));
	sqlite3_bind_text(st, 7, kind == RUN_VM ? "vm" : "work", -1,
			  SQLITE_STATIC);
	return db_step(s, st, e);
}

static int claim(struct state *s, const struct claim *c, const char *command,
		 struct state_identity *id, struct err *e)
{
	own_txn t = {NULL};
	own_fd lock = -1;

	if (db_begin(s, &t, e) < 0 ||
	    claim_uid(s, c->range, c->is_used, c->arg, id, e) < 0 ||
	    claim_number(s, &id->run, &lock, e) < 0)
		return -1;
	if (claim_run(s, id, RUN_VM, command, e) < 0 || db_commit(&t, e) < 0) {
		/* Still inside the transaction: nobody else claims now. */
		runlock_remove(s->locks, id->run);
		return -1;
	}
	id->lock_fd = steal_fd(&lock);
	return 0;
}

int state_claim(struct state *s, const struct state_range *range,
		const char *command, bool (*is_used)(void *arg, uid_t uid),
		void *arg, struct state_identity *id, struct err *e)
{
	const struct claim c = {s, range, is_used, arg};

	memset(id, 0, sizeof(*id));
	id->lock_fd = -1;
	if (claim(s, &c, command ? command : "", id, e) < 0)
		return err_wrap(e, "cannot claim a UID for the VM");
	id->status = IDENTITY_RESERVED;
	memcpy(id->boot_id, s->boot_id, sizeof(id->boot_id));
	return 0;
}
