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

static int take_grant(sqlite3_stmt *st, struct state_grant *g)
{
	const void *path = sqlite3_column_blob(st, 2);

	g->id = sqlite3_column_int64(st, 0);
	g->run = sqlite3_column_int64(st, 1);
	g->dev = (uint64_t)sqlite3_column_int64(st, 3);
	g->ino = (uint64_t)sqlite3_column_int64(st, 4);
	g->access = strcmp((const char *)sqlite3_column_text(st, 5), "rw")
			    ? ACCESS_RO
			    : ACCESS_RW;
	g->path = strndup(path, (size_t)sqlite3_column_bytes(st, 2));
	return g->path ? 0 : -1;
}

int state_grants(struct state *s, int64_t run, struct state_grant **out,
		 size_t *n, struct err *e)
{
	own_stmt st = NULL;
	struct state_grant *all = NULL;
	size_t have = 0;
	int r;

	*out = NULL;
	*n = 0;
	if (db_prepare(s, &st,
		       "SELECT id, run, path, dev, ino, access FROM grants"
		       " WHERE run=? AND gone=0 ORDER BY id",
		       e) < 0)
		return -1;
	sqlite3_bind_int64(st, 1, run);
	while ((r = db_step(s, st, e)) == 1) {
		struct state_grant *more =
			reallocarray(all, have + 1, sizeof(*all));

		if (more)
			all = more;
		if (!more || take_grant(st, &all[have]) < 0) {
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

void state_grants_free(struct state_grant *g, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(g[i].path);
	free(g);
}
