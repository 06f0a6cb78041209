/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The journal of grants: a row before each.  The person's own authority. */
#include "state/db.h"

#include "base/err.h"
#include "base/own.h"

#include <inttypes.h>
#include <string.h>

static const char *const access_names[] = {
	[ACCESS_RO] = "ro",
	[ACCESS_RW] = "rw",
};

const char *db_access(enum grant_access access)
{
	return access_names[access];
}

/* NOLINTNEXTLINE(readability-function-size): the columns of a row */
int state_grant_add(struct state *s, int64_t run, const char *path,
		    uint64_t dev, uint64_t ino, enum grant_access access,
		    int64_t *grant_id, struct err *e)
{
	own_stmt st = NULL;

	if (path[0] != '/')
		return err_set(e, EINVAL, "recording a grant");
	if (db_prepare(s, &st,
		       "INSERT INTO grants (uid, run, path, dev, ino, access)"
		       " SELECT r.uid, r.id, ?2, ?3, ?4, ?5 FROM runs r"
		       " JOIN identities i ON i.uid = r.uid"
		       " WHERE r.id = ?1 AND r.ended = 0"
		       " AND i.status IN ('reserved', 'active')",
		       e) < 0)
		return -1;
	sqlite3_bind_int64(st, 1, run);
	sqlite3_bind_blob(st, 2, path, (int)strlen(path), SQLITE_STATIC);
	/* All 64 bits, as signed. */
	sqlite3_bind_int64(st, 3, (int64_t)dev);
	sqlite3_bind_int64(st, 4, (int64_t)ino);
	sqlite3_bind_text(st, 5, access_names[access], -1, SQLITE_STATIC);
	if (db_step(s, st, e) < 0)
		return err_wrap(e, "recording a grant");
	if (sqlite3_changes(s->db) != 1)
		return err_set(e, 0,
			       "VM %" PRId64 " is not starting: nothing can be "
			       "granted to it",
			       run);
	*grant_id = sqlite3_last_insert_rowid(s->db);
	return 0;
}

int state_grant_done(struct state *s, int64_t grant_id, struct err *e)
{
	own_stmt st = NULL;

	if (db_prepare(s, &st, "UPDATE grants SET gone=1 WHERE id=?", e) < 0)
		return -1;
	sqlite3_bind_int64(st, 1, grant_id);
	if (db_step(s, st, e) < 0)
		return err_wrap(e, "recording that a grant is gone");
	if (sqlite3_changes(s->db) != 1)
		return err_set(e, 0, "there is no grant %" PRId64, grant_id);
	return 0;
}

int state_grant_begin(struct state *s, int64_t run, const struct state_want *w,
		      int64_t *grant_id, struct err *e)
{
	own_stmt st = NULL;

	if (w->path[0] != '/')
		return err_set(e, EINVAL, "recording a grant");
	if (db_prepare(s, &st,
		       "INSERT INTO grants (uid, path, dev, ino, access, used,"
		       " btime, boot_id)"
		       " SELECT r.uid, ?2, ?3, ?4, ?5, r.id, ?6, ?7 FROM runs r"
		       " JOIN identities i ON i.uid = r.uid"
		       " WHERE r.id = ?1 AND r.ended = 0"
		       " AND i.alias IS NOT NULL"
		       " AND i.status IN ('reserved', 'active')",
		       e) < 0)
		return -1;
	sqlite3_bind_int64(st, 1, run);
	sqlite3_bind_blob(st, 2, w->path, (int)strlen(w->path), SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, (int64_t)w->dev);
	sqlite3_bind_int64(st, 4, (int64_t)w->ino);
	sqlite3_bind_text(st, 5, access_names[w->access], -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 6, w->btime);
	sqlite3_bind_text(st, 7, s->boot_id, -1, SQLITE_STATIC);
	if (db_step(s, st, e) < 0)
		return err_wrap(e, "recording a grant");
	if (sqlite3_changes(s->db) != 1)
		return err_set(e, 0,
			       "VM %" PRId64 " has no alias, or is not "
			       "starting: nothing can be granted to it",
			       run);
	*grant_id = sqlite3_last_insert_rowid(s->db);
	return 0;
}

static int on_grant(struct state *s, const char *sql, int64_t grant_id,
		    struct err *e)
{
	own_stmt st = NULL;

	if (db_prepare(s, &st, sql, e) < 0)
		return -1;
	sqlite3_bind_int64(st, 1, grant_id);
	return db_step(s, st, e);
}

int state_grant_whole(struct state *s, int64_t grant_id, struct err *e)
{
	own_txn t = {NULL};

	if (db_begin(s, &t, e) < 0 ||
	    on_grant(s,
		     "UPDATE grants SET gone=1 FROM grants n WHERE n.id=?1"
		     " AND grants.uid=n.uid AND grants.path=n.path"
		     " AND grants.id<>n.id AND grants.run IS NULL",
		     grant_id, e) < 0 ||
	    on_grant(s, "UPDATE grants SET phase='whole' WHERE id=?1", grant_id,
		     e) < 0)
		return -1;
	return db_commit(&t, e);
}

int state_grant_unmake(struct state *s, int64_t grant_id, struct err *e)
{
	return on_grant(s,
			"UPDATE grants SET phase='begun' WHERE id=?1"
			" AND run IS NULL",
			grant_id, e);
}

/* Paths as whole components: the one is the other, or begins it. */
int state_grant_lapse(struct state *s, int64_t grant_id, struct err *e)
{
	return on_grant(
		s,
		"UPDATE grants SET phase='lapsed' FROM grants n WHERE n.id=?1"
		" AND grants.uid=n.uid AND grants.id<>n.id AND grants.gone=0"
		" AND grants.phase='whole' AND grants.run IS NULL"
		" AND (grants.path=n.path"
		/* || makes text, which no blob is equal to */
		" OR substr(grants.path, 1, length(n.path)+1)"
		"=CAST(n.path||'/' AS BLOB)"
		" OR substr(n.path, 1, length(grants.path)+1)"
		"=CAST(grants.path||'/' AS BLOB))",
		grant_id, e);
}

#define GRANT_COLUMNS                                                          \
	"SELECT g.id, g.run, g.path, g.dev, g.ino, g.access, g.used, g.uid,"   \
	" i.gid, a.name, g.btime, g.phase,"                                    \
	" coalesce((SELECT boot_id FROM runs WHERE id=g.run), g.boot_id)"      \
	" FROM grants g JOIN identities i ON i.uid = g.uid"                    \
	" LEFT JOIN aliases a ON a.id = i.alias WHERE g.gone = 0"

static enum grant_phase phase_of(const char *name)
{
	if (name && !strcmp(name, "whole"))
		return GRANT_WHOLE;
	return name && !strcmp(name, "lapsed") ? GRANT_LAPSED : GRANT_BEGUN;
}

static int take_grant(struct state *s, sqlite3_stmt *st, struct state_grant *g)
{
	const void *path = sqlite3_column_blob(st, 2);
	const char *alias = (const char *)sqlite3_column_text(st, 9);
	const char *boot = (const char *)sqlite3_column_text(st, 12);

	memset(g, 0, sizeof(*g));
	g->id = sqlite3_column_int64(st, 0);
	g->run = sqlite3_column_int64(st, 1);
	g->dev = (uint64_t)sqlite3_column_int64(st, 3);
	g->ino = (uint64_t)sqlite3_column_int64(st, 4);
	g->access = strcmp((const char *)sqlite3_column_text(st, 5), "rw")
			    ? ACCESS_RO
			    : ACCESS_RW;
	g->used = sqlite3_column_int64(st, 6);
	g->uid = (uid_t)sqlite3_column_int64(st, 7);
	g->gid = (gid_t)sqlite3_column_int64(st, 8);
	g->btime = sqlite3_column_int64(st, 10);
	g->phase = phase_of((const char *)sqlite3_column_text(st, 11));
	g->is_boot = boot && !strcmp(boot, s->boot_id);
	g->path = strndup(path, (size_t)sqlite3_column_bytes(st, 2));
	g->alias = alias ? strdup(alias) : NULL;
	if (g->path && (g->alias || !alias))
		return 0;
	free(g->path);
	free(g->alias);
	return -1;
}

static int take_grants(struct state *s, sqlite3_stmt *st,
		       struct state_grant **out, size_t *n, struct err *e)
{
	struct state_grant *all = NULL;
	size_t have = 0;
	int r;

	while ((r = db_step(s, st, e)) == 1) {
		struct state_grant *more =
			reallocarray(all, have + 1, sizeof(*all));

		if (more)
			all = more;
		if (!more || take_grant(s, st, &all[have]) < 0) {
			r = err_set(e, ENOMEM, "the list of grants");
			break;
		}
		have++;
	}
	if (r < 0) {
		state_grants_free(all, have);
		return -1;
	}
	*out = all;
	*n = have;
	return 0;
}

int state_grants(struct state *s, int64_t run, struct state_grant **out,
		 size_t *n, struct err *e)
{
	own_stmt st = NULL;

	*out = NULL;
	*n = 0;
	if (db_prepare(s, &st,
		       GRANT_COLUMNS " AND g.uid = (SELECT uid FROM runs"
				     " WHERE id=?) ORDER BY g.id",
		       e) < 0)
		return -1;
	sqlite3_bind_int64(st, 1, run);
	return take_grants(s, st, out, n, e);
}

int state_ledger(struct state *s, struct state_grant **out, size_t *n,
		 struct err *e)
{
	own_stmt st = NULL;

	*out = NULL;
	*n = 0;
	if (db_prepare(s, &st, GRANT_COLUMNS " ORDER BY g.path, g.uid, g.id",
		       e) < 0)
		return -1;
	return take_grants(s, st, out, n, e);
}

void state_grants_free(struct state_grant *g, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(g[i].path);
		free(g[i].alias);
	}
	free(g);
}
