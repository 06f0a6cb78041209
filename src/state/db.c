/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sqlite3: opening, migrating, and its errors in words.
 *
 * The journal is a WAL with synchronous=FULL: one fsync for a commit, which
 * is durable when COMMIT returns, and readers never wait for the writer.
 */
#include "state/db.h"

#include "base/err.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define APPLICATION_ID 1986884213 /* "vmru", as in schema/state.sql */

static int damaged(struct state *s, const char *why, struct err *e)
{
	err_set(e, 0, "the state database %s/" DB_NAME " is damaged: %s",
		s->where, why);
	e->code = EUCLEAN;
	return err_hint(e,
			"it was left as it is; put back a copy, or start vmrun "
			"or `vmrunctl gc`: they set it aside and look what is "
			"on the disk");
}

/* The last one who closes it tidies up, and with that hides that it was not
 * closed well: the next one is to look all the same. */
static void doubt(struct state *s)
{
	own_fd fd = openat(s->dir, DB_DOUBT,
			   O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	(void)fd;
}

int db_error(struct state *s, int rc, struct err *e)
{
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		err_set(e, 0,
			"the state database in %s was in use by another "
			"program for %d seconds",
			s->where, DB_WAIT_MS / 1000);
		return err_hint(e,
				"see what holds it with `fuser %s/" DB_NAME
				"`, then try again",
				s->where);
	case SQLITE_CORRUPT:
		doubt(s);
		return damaged(s, sqlite3_errmsg(s->db), e);
	case SQLITE_NOTADB:
		return damaged(s, sqlite3_errmsg(s->db), e);
	case SQLITE_FULL:
		return err_set(e, ENOSPC, "the state database in %s", s->where);
	case SQLITE_IOERR: /* its shared memory is a file too */
		return err_set(e, sqlite3_system_errno(s->db),
			       "the state database in %s: %s", s->where,
			       sqlite3_errmsg(s->db));
	default:
		return err_set(e, 0, "the state database in %s: %s", s->where,
			       sqlite3_errmsg(s->db));
	}
}

int db_prepare(struct state *s, sqlite3_stmt **st, const char *sql,
	       struct err *e)
{
	int rc = sqlite3_prepare_v2(s->db, sql, -1, st, NULL);

	return rc == SQLITE_OK ? 0 : db_error(s, rc, e);
}

int db_step(struct state *s, sqlite3_stmt *st, struct err *e)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : db_error(s, rc, e);
}

int db_exec(struct state *s, const char *sql, struct err *e)
{
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : db_error(s, rc, e);
}

int db_int(struct state *s, const char *sql, int64_t *v, struct err *e)
{
	own_stmt st = NULL;
	int r;

	if (db_prepare(s, &st, sql, e) < 0)
		return -1;
	r = db_step(s, st, e);
	if (r == 1)
		*v = sqlite3_column_int64(st, 0);
	return r < 0 ? -1 : 0;
}

int db_mark(struct state *s, const char *name, int64_t *value, struct err *e)
{
	own_stmt st = NULL;
	int r;

	*value = 0;
	if (db_prepare(s, &st, "SELECT value FROM marks WHERE name=?", e) < 0)
		return -1;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	r = db_step(s, st, e);
	if (r == 1)
		*value = sqlite3_column_int64(st, 0);
	return r < 0 ? -1 : 0;
}

int db_set_mark(struct state *s, const char *name, int64_t value, struct err *e)
{
	own_stmt st = NULL;

	if (db_prepare(s, &st,
		       "INSERT INTO marks (name, value) VALUES (?1, ?2)"
		       " ON CONFLICT (name) DO UPDATE SET value=?2",
		       e) < 0)
		return -1;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, value);
	return db_step(s, st, e);
}

int db_begin(struct state *s, struct db_txn *t, struct err *e)
{
	if (db_exec(s, "BEGIN IMMEDIATE", e) < 0)
		return -1;
	t->s = s;
	return 0;
}

int db_commit(struct db_txn *t, struct err *e)
{
	if (db_exec(t->s, "COMMIT", e) < 0)
		return -1; /* still open: db_txn_end() rolls back */
	t->s = NULL;
	return 0;
}

void db_txn_end(struct db_txn *t)
{
	if (t->s)
		sqlite3_exec(t->s->db, "ROLLBACK", NULL, NULL, NULL);
	t->s = NULL;
}

/*
 * sqlite3 would make the file with the umask's mode.  A file that is there
 * already is not opened here: closing it would drop this process's POSIX
 * locks of another connection to it.
 */
static int make_private(struct state *s, struct err *e)
{
	own_fd fd = openat(s->dir, DB_NAME,
			   O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			   0600);
	struct stat st;

	if (fd < 0 && errno != EEXIST)
		return err_set(e, errno, "making %s/" DB_NAME, s->where);
	if (fstatat(s->dir, DB_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(e, errno, "%s/" DB_NAME, s->where);
	if (!S_ISREG(st.st_mode))
		return err_set(e, 0, "%s/" DB_NAME " is not a regular file",
			       s->where);
	if (st.st_uid != geteuid() || (st.st_mode & 077)) {
		err_set(e, 0, "%s/" DB_NAME " is open to other users",
			s->where);
		return err_hint(e,
				"look who changed it; then `chmod 600 "
				"%s/" DB_NAME "`",
				s->where);
	}
	return 0;
}

static int configure(struct state *s, struct err *e)
{
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_timeout(s->db, DB_WAIT_MS);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	return db_exec(s,
		       "PRAGMA foreign_keys=ON; PRAGMA cell_size_check=ON;"
		       "PRAGMA synchronous=FULL",
		       e);
}

static int quick_check(struct state *s, struct err *e)
{
	own_stmt st = NULL;
	const char *says;
	int r;

	if (db_prepare(s, &st, "PRAGMA quick_check(1)", e) < 0)
		return -1;
	r = db_step(s, st, e);
	if (r < 0)
		return -1;
	says = r ? (const char *)sqlite3_column_text(st, 0) : NULL;
	if (says && !strcmp(says, "ok")) {
		unlinkat(s->dir, DB_DOUBT, 0);
		return 0;
	}
	doubt(s);
	return damaged(s, says ? says : "it says nothing", e);
}

/* A new and empty database, or one of ours that is not newer than we are. */
static int recognise(struct state *s, int64_t *version, struct err *e)
{
	int64_t app = 0, tables = 0;

	if (db_int(s, "PRAGMA application_id", &app, e) < 0 ||
	    db_int(s, "PRAGMA user_version", version, e) < 0 ||
	    db_int(s, "SELECT count(*) FROM sqlite_schema", &tables, e) < 0)
		return -1;
	if (app == 0 && *version == 0 && tables == 0)
		return 0;
	if (app != APPLICATION_ID || *version < 1) {
		err_set(e, 0, "%s/" DB_NAME " is not vmrun's database",
			s->where);
		e->code = EUCLEAN;
		return -1;
	}
	if (*version > state_version) {
		err_set(e, 0,
			"the state database in %s is of version %lld, this "
			"vmrun knows versions up to %d",
			s->where, (long long)*version, state_version);
		return err_hint(e, "use the newer vmrun that made it");
	}
	return 0;
}

static int migrate(struct state *s, struct err *e)
{
	own_txn t = {NULL};
	char sql[64];
	int64_t v = 0;

	/* Again inside the transaction: somebody else may have done it. */
	if (db_begin(s, &t, e) < 0 || recognise(s, &v, e) < 0)
		return -1;
	for (; v < state_version; v++) {
		if (db_exec(s, state_migrations[v], e) < 0)
			return err_wrap(e, "bringing it to version %d",
					(int)v + 1);
		snprintf(sql, sizeof(sql), "PRAGMA user_version=%d",
			 (int)v + 1);
		if (db_exec(s, sql, e) < 0)
			return -1;
	}
	return db_commit(&t, e);
}

static int set_wal(struct state *s, struct err *e)
{
	own_stmt st = NULL;
	const char *mode;
	int r;

	if (db_prepare(s, &st, "PRAGMA journal_mode=WAL", e) < 0)
		return -1;
	r = db_step(s, st, e);
	if (r < 0)
		return -1;
	mode = r ? (const char *)sqlite3_column_text(st, 0) : NULL;
	if (!mode || strcmp(mode, "wal"))
		return err_set(e, 0,
			       "the state database in %s cannot use a "
			       "write-ahead log",
			       s->where);
	return 0;
}

int db_open(struct state *s, bool check, struct err *e)
{
	char path[64];
	int64_t version = 0;
	int rc;

	if (make_private(s, e) < 0)
		return -1;
	/* By descriptor, so that it is the directory that was looked at. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d/" DB_NAME, s->dir);
	rc = sqlite3_open_v2(path, &s->db,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK) {
		if (!s->db)
			return err_set(e, ENOMEM, "the state database");
		return db_error(s, rc, e);
	}
	if (configure(s, e) < 0 || recognise(s, &version, e) < 0)
		return -1;
	if (check && quick_check(s, e) < 0)
		return -1;
	if (set_wal(s, e) < 0)
		return -1;
	return version < state_version ? migrate(s, e) : 0;
}
