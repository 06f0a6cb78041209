/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * UIDs that are over: what a scan has to look for, and what it came to.  The
 * person's own authority.
 */
#include "state/db.h"

#include "base/err.h"
#include "base/own.h"

#include <string.h>

static int take_owner(struct state *s, sqlite3_stmt *st, struct state_owner *o,
		      struct err *e)
{
	o->uid = (uid_t)sqlite3_column_int64(st, 0);
	o->gid = (gid_t)sqlite3_column_int64(st, 1);
	o->is_alias = sqlite3_column_int(st, 3);
	o->is_live = sqlite3_column_int(st, 4);
	o->found = sqlite3_column_int(st, 5);
	o->since = sqlite3_column_int64(st, 6) * INT64_C(1000000000);
	o->ended = sqlite3_column_int64(st, 7);
	return db_status(s, (const char *)sqlite3_column_text(st, 2),
			 &o->status, e);
}

int state_owners(struct state *s, struct state_owner **out, size_t *n,
		 struct err *e)
{
	own_free struct state_owner *all = NULL;
	own_stmt st = NULL;
	size_t have = 0, room = 0;
	int r;

	*out = NULL;
	*n = 0;
	if (db_prepare(s, &st,
		       "SELECT i.uid, i.gid, i.status, i.alias IS NOT NULL,"
		       " EXISTS (SELECT 1 FROM runs WHERE uid=i.uid"
		       " AND ended=0), coalesce(q.found, 0),"
		       " (SELECT min(started) FROM runs WHERE uid=i.uid),"
		       " q.ended FROM identities i"
		       " LEFT JOIN quarantine q ON q.uid=i.uid ORDER BY i.uid",
		       e) < 0)
		return -1;
	while ((r = db_step(s, st, e)) == 1) {
		struct state_owner *more = all;

		if (have == room) {
			room = room ? 2 * room : 64;
			more = reallocarray(all, room, sizeof(*all));
		}
		if (!more)
			return err_set(e, ENOMEM, "the list of UIDs");
		all = more;
		if (take_owner(s, st, &all[have], e) < 0)
			return -1;
		have++;
	}
	if (r < 0)
		return -1;
	*out = steal_ptr(&all);
	*n = have;
	return 0;
}

static int take_root(sqlite3_stmt *st, struct state_root *root, struct err *e)
{
	*root = (struct state_root){
		.path = strndup(sqlite3_column_blob(st, 0),
				(size_t)sqlite3_column_bytes(st, 0)),
		.uid = (uid_t)sqlite3_column_int64(st, 1),
		.dev = (uint64_t)sqlite3_column_int64(st, 2),
		.ino = (uint64_t)sqlite3_column_int64(st, 3),
		.btime = sqlite3_column_int64(st, 4),
		.is_boot = sqlite3_column_int(st, 5),
	};
	return root->path ? 0 : err_set(e, ENOMEM, "the list of places");
}

int state_roots(struct state *s, struct state_root **out, size_t *n,
		struct err *e)
{
	struct state_root *all = NULL;
	own_stmt st = NULL;
	size_t have = 0;
	int r;

	*out = NULL;
	*n = 0;
	if (db_prepare(s, &st,
		       "SELECT DISTINCT g.path, g.uid, g.dev, g.ino, g.btime,"
		       " coalesce(r.boot_id, g.boot_id) = ?"
		       " FROM grants g JOIN identities i ON i.uid=g.uid"
		       " LEFT JOIN runs r ON r.id=g.run"
		       " WHERE i.status='quarantine' ORDER BY g.path",
		       e) < 0)
		return -1;
	sqlite3_bind_text(st, 1, s->boot_id, -1, SQLITE_STATIC);
	while ((r = db_step(s, st, e)) == 1) {
		struct state_root *more =
			reallocarray(all, have + 1, sizeof(*all));

		if (more)
			all = more;
		else
			r = err_set(e, ENOMEM, "the list of places");
		if (!more || (r = take_root(st, &all[have], e)) < 0)
			break;
		have++;
	}
	if (r < 0) {
		state_roots_free(all, have);
		return -1;
	}
	*out = all;
	*n = have;
	return 0;
}

void state_roots_free(struct state_root *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i].path);
	free(list);
}

static int insert_found(struct state *s, uid_t uid, gid_t gid, struct err *e)
{
	own_stmt i = NULL;
	own_stmt q = NULL;

	if (db_prepare(s, &i,
		       "INSERT INTO identities (uid, gid, status)"
		       " VALUES (?, ?, 'quarantine') ON CONFLICT DO NOTHING",
		       e) < 0)
		return -1;
	sqlite3_bind_int64(i, 1, uid);
	sqlite3_bind_int64(i, 2, gid);
	if (db_step(s, i, e) < 0)
		return -1;
	/* Somebody claimed it while the scan went on: then it is known. */
	if (sqlite3_changes(s->db) != 1)
		return 0;
	if (db_prepare(s, &q,
		       "INSERT INTO quarantine (uid, found) VALUES (?, 1)",
		       e) < 0)
		return -1;
	sqlite3_bind_int64(q, 1, uid);
	return db_step(s, q, e);
}

int state_found(struct state *s, uid_t uid, gid_t gid, const char *where,
		struct err *e)
{
	own_txn t = {NULL};

	if (db_begin(s, &t, e) < 0 || insert_found(s, uid, gid, e) < 0 ||
	    db_commit(&t, e) < 0)
		return -1;
	return state_scanned(s, uid, 1, where, e);
}

int state_scanned(struct state *s, uid_t uid, uint64_t leftovers,
		  const char *where, struct err *e)
{
	own_stmt st = NULL;

	if (db_prepare(s, &st,
		       "UPDATE quarantine SET scans=scans+1, leftovers=?2,"
		       " example=?3 WHERE uid=?1",
		       e) < 0)
		return -1;
	sqlite3_bind_int64(st, 1, uid);
	sqlite3_bind_int64(st, 2, (int64_t)leftovers);
	if (where)
		sqlite3_bind_blob(st, 3, where, (int)strlen(where),
				  SQLITE_STATIC);
	return db_step(s, st, e);
}

static int on_uid(struct state *s, const char *sql, uid_t uid, struct err *e)
{
	own_stmt st = NULL;

	if (db_prepare(s, &st, sql, e) < 0)
		return -1;
	sqlite3_bind_int64(st, 1, uid);
	return db_step(s, st, e);
}

int state_pin(struct state *s, uid_t uid, gid_t gid, struct err *e)
{
	own_txn t = {NULL};
	own_stmt st = NULL;
	int r, mine;

	if (db_begin(s, &t, e) < 0 || insert_found(s, uid, gid, e) < 0 ||
	    on_uid(s,
		   "UPDATE identities SET status='quarantine' WHERE uid=?"
		   " AND status='free'",
		   uid, e) < 0 ||
	    db_prepare(s, &st,
		       "SELECT status='quarantine' FROM identities WHERE uid=?",
		       e) < 0)
		return -1;
	sqlite3_bind_int64(st, 1, uid);
	r = db_step(s, st, e);
	/* No row: another one has its gid, and so nobody can claim it. */
	mine = r == 0 || sqlite3_column_int(st, 0);
	sqlite3_reset(st);
	return r < 0 || db_commit(&t, e) < 0 ? -1 : mine;
}

int state_shared(struct state *s, uid_t uid, struct err *e)
{
	return on_uid(s, "UPDATE quarantine SET found=1 WHERE uid=?", uid, e);
}

int state_free_uid(struct state *s, uid_t uid, struct err *e)
{
	own_txn t = {NULL};

	if (db_begin(s, &t, e) < 0 ||
	    on_uid(s,
		   "UPDATE identities SET status='free' WHERE uid=?"
		   " AND status='quarantine' AND NOT EXISTS"
		   " (SELECT 1 FROM grants g WHERE g.uid=identities.uid"
		   " AND g.gone=0)",
		   uid, e) < 0)
		return -1;
	if (sqlite3_changes(s->db) != 1)
		return err_set(e, 0, "UID %u is not in quarantine", uid);
	/* They said where a scan has to look, and it has looked. */
	if (on_uid(s, "DELETE FROM grants WHERE uid=?", uid, e) < 0 ||
	    on_uid(s,
		   "UPDATE quarantine SET leftovers=0, example=NULL"
		   " WHERE uid=?",
		   uid, e) < 0)
		return -1;
	return db_commit(&t, e);
}
