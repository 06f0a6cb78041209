/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Aliases: named UIDs that keep their grants.  The person's own authority. */
#include "state/db.h"

#include "base/err.h"
#include "base/own.h"
#include "state/runlock.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

static int no_such_alias(const char *name, struct err *e)
{
	err_set(e, 0, "there is no alias %s", name);
	return err_hint(e, "`vmrunctl alias list` shows those that there are");
}

/* 1 and *id: the alias and its UID; 0: there is none; -1 and e. */
static int find_alias(struct state *s, const char *name,
		      struct state_identity *id, struct err *e)
{
	own_stmt st = NULL;
	int r;

	if (db_prepare(s, &st,
		       "SELECT i.uid, i.gid, i.status FROM aliases a"
		       " JOIN identities i ON i.alias = a.id WHERE a.name=?",
		       e) < 0)
		return -1;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	r = db_step(s, st, e);
	if (r != 1)
		return r;
	id->uid = (uid_t)sqlite3_column_int64(st, 0);
	id->gid = (gid_t)sqlite3_column_int64(st, 1);
	return db_status(s, (const char *)sqlite3_column_text(st, 2),
			 &id->status, e) < 0
		       ? -1
		       : 1;
}

/* Why nobody else may have the alias now, in words. */
static int is_taken(struct state *s, const char *name, int64_t run, int work,
		    struct err *e)
{
	int held = runlock_held(s->locks, run, e);
	int ending = held > 0 ? runlock_ending(s->locks, run, e) : 0;

	if (held < 0 || ending < 0)
		return -1;
	if (!held) {
		err_set(e, 0, "the last run of alias %s is not cleaned up yet",
			name);
		e->code = EAGAIN;
		return err_hint(e, "`vmrunctl gc` tries again, and says what "
				   "is in the way");
	}
	if (work) {
		err_set(e, 0, "vmrunctl is changing alias %s", name);
		e->code = EBUSY;
		return err_hint(e, "wait until it has ended");
	}
	if (ending) {
		err_set(e, 0,
			"alias %s is ending: VM %" PRId64 " is being cleaned "
			"up",
			name, run);
		e->code = EBUSY;
		return err_hint(e, "try again when that is done");
	}
	err_set(e, 0, "alias %s is running already, as VM %" PRId64, name, run);
	e->code = EALREADY;
	return err_hint(e,
			"`vmrunctl exec %s -- COMMAND` runs another command "
			"in it; `vmrunctl stop %s` ends it",
			name, name);
}

/* 0: no run has it; -1 and e. */
static int check_free(struct state *s, const char *name, uid_t uid,
		      struct err *e)
{
	own_stmt st = NULL;
	int r;

	if (db_prepare(s, &st,
		       "SELECT id, kind='work' FROM runs"
		       " WHERE uid=? AND ended=0",
		       e) < 0)
		return -1;
	sqlite3_bind_int64(st, 1, uid);
	r = db_step(s, st, e);
	if (r != 1)
		return r;
	return is_taken(s, name, sqlite3_column_int64(st, 0),
			sqlite3_column_int(st, 1), e);
}

static int insert_alias(struct state *s, const char *name, uid_t uid,
			struct err *e)
{
	own_stmt a = NULL;
	own_stmt i = NULL;

	if (db_prepare(s, &a, "INSERT INTO aliases (name) VALUES (?)", e) < 0)
		return -1;
	sqlite3_bind_text(a, 1, name, -1, SQLITE_STATIC);
	if (db_step(s, a, e) < 0)
		return -1;
	if (db_prepare(s, &i, "UPDATE identities SET alias=? WHERE uid=?", e) <
	    0)
		return -1;
	sqlite3_bind_int64(i, 1, sqlite3_last_insert_rowid(s->db));
	sqlite3_bind_int64(i, 2, uid);
	return db_step(s, i, e);
}

/*
 * The whole grant for this very object.  dev counts only within one boot, and
 * the number of an inode that is gone is soon given to another: btime tells.
 */
static int find_grant(struct state *s, uid_t uid, struct state_want *w,
		      struct err *e)
{
	own_stmt st = NULL;
	int r;

	w->grant = 0;
	if (db_prepare(s, &st,
		       "SELECT id FROM grants WHERE uid=?1 AND path=?2"
		       " AND gone=0 AND run IS NULL AND phase='whole'"
		       " AND access=?3 AND ino=?4 AND btime=?5"
		       " AND (dev=?6 OR boot_id<>?7)",
		       e) < 0)
		return -1;
	sqlite3_bind_int64(st, 1, uid);
	sqlite3_bind_blob(st, 2, w->path, (int)strlen(w->path), SQLITE_STATIC);
	sqlite3_bind_text(st, 3, db_access(w->access), -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 4, (int64_t)w->ino);
	sqlite3_bind_int64(st, 5, w->btime);
	sqlite3_bind_int64(st, 6, (int64_t)w->dev);
	sqlite3_bind_text(st, 7, s->boot_id, -1, SQLITE_STATIC);
	r = db_step(s, st, e);
	if (r == 1)
		w->grant = sqlite3_column_int64(st, 0);
	return r < 0 ? -1 : 0;
}

static int use_grant(struct state *s, int64_t run, const struct state_want *w,
		     struct err *e)
{
	own_stmt st = NULL;

	if (db_prepare(s, &st,
		       "UPDATE grants SET used=?, dev=?, boot_id=? WHERE id=?",
		       e) < 0)
		return -1;
	sqlite3_bind_int64(st, 1, run);
	sqlite3_bind_int64(st, 2, (int64_t)w->dev);
	sqlite3_bind_text(st, 3, s->boot_id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 4, w->grant);
	return db_step(s, st, e);
}

static int use_grants(struct state *s, const struct state_alias_claim *c,
		      const struct state_identity *id, struct err *e)
{
	for (size_t i = 0; i < c->n_wants; i++) {
		struct state_want *w = &c->wants[i];

		if (find_grant(s, id->uid, w, e) < 0 ||
		    (w->grant && use_grant(s, id->run, w, e) < 0))
			return -1;
	}
	return 0;
}

static int make_alias(struct state *s, const struct state_alias_claim *c,
		      struct state_identity *id, struct err *e)
{
	id->status = IDENTITY_RESERVED;
	if (claim_uid(s, c->range, c->is_used, c->arg, id, e) < 0)
		return -1;
	return insert_alias(s, c->alias, id->uid, e);
}

static bool is_in(const struct state_range *r, const struct state_identity *id)
{
	return id->uid - r->uid_first < r->count &&
	       id->gid - r->gid_first == id->uid - r->uid_first;
}

/*
 * A VM of a UID that the person has no more, by another line in /etc/subuid or
 * on another machine, could not be started.  Where nothing is granted to it, it
 * has nothing to lose by getting another one.
 */
static int change_uid(struct state *s, const struct state_alias_claim *c,
		      struct state_identity *id, struct err *e)
{
	own_stmt st = NULL;
	int r;

	if (db_prepare(s, &st, "SELECT 1 FROM grants WHERE uid=? AND gone=0",
		       e) < 0)
		return -1;
	sqlite3_bind_int64(st, 1, id->uid);
	r = db_step(s, st, e);
	if (r == 0)
		return identity_over(s, id->uid, e) < 0
			       ? -1
			       : make_alias(s, c, id, e);
	if (r < 0)
		return -1;
	err_set(e, 0,
		"alias %s has the UID %u, which is not in your subordinate "
		"range %u-%u any more",
		c->alias, id->uid, c->range->uid_first,
		c->range->uid_first + c->range->count - 1);
	return err_hint(e,
			"`vmrunctl alias forget %s` takes back what is granted "
			"to it and keeps its home; started anew it has a UID "
			"of the range",
			c->alias);
}

/* Inside the transaction: the alias's identity, found or made. */
static int get_identity(struct state *s, const struct state_alias_claim *c,
			struct state_identity *id, struct err *e)
{
	int r = find_alias(s, c->alias, id, e);

	if (r < 0)
		return -1;
	if (r == 0 && !c->may_make)
		return no_such_alias(c->alias, e);
	if (r == 0)
		return make_alias(s, c, id, e);
	if (check_free(s, c->alias, id->uid, e) < 0)
		return -1;
	if (c->kind == RUN_WORK)
		return 0;
	if (id->status != IDENTITY_REVOKING)
		return is_in(c->range, id) ? 0 : change_uid(s, c, id, e);
	err_set(e, 0, "alias %s is being forgotten", c->alias);
	return err_hint(e, "`vmrunctl alias forget %s` finishes it", c->alias);
}

static int claim(struct state *s, const struct state_alias_claim *c,
		 struct state_identity *id, struct err *e)
{
	own_txn t = {NULL};
	own_fd lock = -1;
	int r;

	if (db_begin(s, &t, e) < 0 || get_identity(s, c, id, e) < 0 ||
	    claim_number(s, &id->run, &lock, e) < 0)
		return -1;
	r = claim_run(s, id, c->kind, c->command ? c->command : "", e);
	if (r == 0)
		r = use_grants(s, c, id, e);
	if (r == 0)
		r = db_commit(&t, e);
	if (r < 0) {
		/* Still inside the transaction: nobody else claims now. */
		runlock_remove(s->locks, id->run);
		return -1;
	}
	id->lock_fd = steal_fd(&lock);
	return 0;
}

int state_claim_alias(struct state *s, const struct state_alias_claim *c,
		      struct state_identity *id, struct err *e)
{
	memset(id, 0, sizeof(*id));
	id->lock_fd = -1;
	id->status = IDENTITY_RESERVED;
	id->has_alias = true;
	memcpy(id->boot_id, s->boot_id, sizeof(id->boot_id));
	return claim(s, c, id, e);
}

static int take_alias(struct state *s, sqlite3_stmt *st, struct state_alias *a,
		      struct err *e)
{
	const char *name = (const char *)sqlite3_column_text(st, 0);
	int held;

	memset(a, 0, sizeof(*a));
	snprintf(a->name, sizeof(a->name), "%s", name ? name : "");
	a->uid = (uid_t)sqlite3_column_int64(st, 1);
	a->gid = (gid_t)sqlite3_column_int64(st, 2);
	if (db_status(s, (const char *)sqlite3_column_text(st, 3), &a->status,
		      e) < 0)
		return -1;
	a->run = sqlite3_column_int64(st, 4);
	a->n_grants = (size_t)sqlite3_column_int64(st, 5);
	if (!a->run)
		return 0;
	held = runlock_held(s->locks, a->run, e);
	if (held < 0)
		return -1;
	if (!held)
		a->run = 0;
	return 0;
}

int state_aliases(struct state *s, struct state_alias **out, size_t *n,
		  struct err *e)
{
	own_stmt st = NULL;
	own_free struct state_alias *all = NULL;
	size_t have = 0;
	int r;

	*out = NULL;
	*n = 0;
	if (db_prepare(s, &st,
		       "SELECT a.name, i.uid, i.gid, i.status, coalesce((SELECT"
		       " max(id) FROM runs WHERE uid=i.uid AND ended=0"
		       " AND kind='vm'), 0), (SELECT count(*) FROM grants"
		       " WHERE uid=i.uid AND gone=0) FROM aliases a"
		       " JOIN identities i ON i.alias=a.id ORDER BY a.name",
		       e) < 0)
		return -1;
	while ((r = db_step(s, st, e)) == 1) {
		struct state_alias *more =
			reallocarray(all, have + 1, sizeof(*all));

		if (!more)
			return err_set(e, ENOMEM, "the list of aliases");
		all = more;
		if (take_alias(s, st, &all[have], e) < 0)
			return -1;
		have++;
	}
	if (r < 0)
		return -1;
	*out = steal_ptr(&all);
	*n = have;
	return 0;
}

int state_alias_find(struct state *s, const char *name, struct state_alias *out,
		     struct err *e)
{
	own_free struct state_alias *list = NULL;
	size_t n;

	if (state_aliases(s, &list, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].name, name))
			continue;
		*out = list[i];
		return 1;
	}
	return 0;
}

/* The row of the home's grant has the new name at once. */
static int move_home(struct state *s, const struct state_identity *id,
		     const struct state_move *m, const char *homes,
		     struct err *e)
{
	char from[PATH_MAX], to[PATH_MAX];
	own_stmt a = NULL;
	own_stmt g = NULL;

	if (snprintf(from, sizeof(from), "%s/%s", homes, m->from) >=
		    (int)sizeof(from) ||
	    snprintf(to, sizeof(to), "%s/%s", homes, m->to) >= (int)sizeof(to))
		return err_set(e, ENAMETOOLONG, "%s", homes);
	if (db_prepare(s, &g,
		       "UPDATE grants SET path=?3 WHERE uid=?1 AND path=?2",
		       e) < 0)
		return -1;
	sqlite3_bind_int64(g, 1, id->uid);
	sqlite3_bind_blob(g, 2, from, (int)strlen(from), SQLITE_STATIC);
	sqlite3_bind_blob(g, 3, to, (int)strlen(to), SQLITE_STATIC);
	if (db_step(s, g, e) < 0 ||
	    db_prepare(s, &a, "UPDATE aliases SET moving=?1 WHERE name=?2", e) <
		    0)
		return -1;
	sqlite3_bind_text(a, 1, m->from, -1, SQLITE_STATIC);
	sqlite3_bind_text(a, 2, m->to, -1, SQLITE_STATIC);
	return db_step(s, a, e);
}

static int rename_alias(struct state *s, const char *from, const char *to,
			struct err *e)
{
	own_stmt st = NULL;

	if (db_prepare(s, &st, "UPDATE aliases SET name=?2 WHERE name=?1", e) <
	    0)
		return -1;
	sqlite3_bind_text(st, 1, from, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, to, -1, SQLITE_STATIC);
	return db_step(s, st, e);
}

int state_alias_rename(struct state *s, const char *from, const char *to,
		       const char *homes, struct err *e)
{
	struct state_identity id = {0}, other = {0};
	struct state_move m;
	own_txn t = {NULL};
	int r;

	if (db_begin(s, &t, e) < 0)
		return -1;
	r = find_alias(s, from, &id, e);
	if (r <= 0)
		return r < 0 ? -1 : no_such_alias(from, e);
	r = find_alias(s, to, &other, e);
	if (r < 0)
		return -1;
	if (r == 1)
		return err_set(e, 0, "there is an alias %s already", to);
	snprintf(m.from, sizeof(m.from), "%s", from);
	snprintf(m.to, sizeof(m.to), "%s", to);
	if (rename_alias(s, from, to, e) < 0 ||
	    (homes && move_home(s, &id, &m, homes, e) < 0))
		return -1;
	return db_commit(&t, e);
}

int state_moves(struct state *s, struct state_move **out, size_t *n,
		struct err *e)
{
	own_free struct state_move *all = NULL;
	own_stmt st = NULL;
	size_t have = 0;
	int r;

	*out = NULL;
	*n = 0;
	if (db_prepare(s, &st,
		       "SELECT moving, name FROM aliases"
		       " WHERE moving IS NOT NULL ORDER BY id",
		       e) < 0)
		return -1;
	while ((r = db_step(s, st, e)) == 1) {
		struct state_move *more =
			reallocarray(all, have + 1, sizeof(*all));

		if (!more)
			return err_set(e, ENOMEM, "the list of aliases");
		all = more;
		snprintf(all[have].from, sizeof(all->from), "%s",
			 (const char *)sqlite3_column_text(st, 0));
		snprintf(all[have].to, sizeof(all->to), "%s",
			 (const char *)sqlite3_column_text(st, 1));
		have++;
	}
	if (r < 0)
		return -1;
	*out = steal_ptr(&all);
	*n = have;
	return 0;
}

int state_moved(struct state *s, const char *to, struct err *e)
{
	own_stmt st = NULL;

	if (db_prepare(s, &st, "UPDATE aliases SET moving=NULL WHERE name=?",
		       e) < 0)
		return -1;
	sqlite3_bind_text(st, 1, to, -1, SQLITE_STATIC);
	return db_step(s, st, e);
}

int state_without_alias(struct state *s, const char *name,
			int (*what)(void *arg, struct err *e), void *arg,
			struct err *e)
{
	struct state_identity id;
	own_txn t = {NULL};
	int r;

	if (db_begin(s, &t, e) < 0)
		return -1;
	r = find_alias(s, name, &id, e);
	return r == 0 ? what(arg, e) : r;
}
