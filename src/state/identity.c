/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of an identity after its claim.  The person's own authority. */
#include "state/db.h"

#include "base/err.h"
#include "base/own.h"
#include "state/runlock.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#define N_STATUS (IDENTITY_FREE + 1)

static const char *const status_names[] = {
	[IDENTITY_RESERVED] = "reserved", [IDENTITY_ACTIVE] = "active",
	[IDENTITY_REVOKING] = "revoking", [IDENTITY_QUARANTINE] = "quarantine",
	[IDENTITY_FREE] = "free",
};
static_assert(sizeof(status_names) / sizeof(*status_names) == N_STATUS,
	      "a name for each status");

#define RUN_COLUMNS                                                            \
	"SELECT r.id, r.uid, i.gid, i.status, r.boot_id, r.ready, r.command,"  \
	" r.started, r.pid, a.name, r.kind = 'work' FROM runs r"               \
	" JOIN identities i ON i.uid = r.uid"                                  \
	" LEFT JOIN aliases a ON a.id = i.alias WHERE r.ended = 0"

int db_status(struct state *s, const char *name, enum identity_status *status,
	      struct err *e)
{
	for (int i = 0; name && i < N_STATUS; i++)
		if (!strcmp(name, status_names[i])) {
			*status = (enum identity_status)i;
			return 0;
		}
	return err_set(e, 0, "the state database in %s has an impossible row",
		       s->where);
}

/* A row of RUN_COLUMNS; the command is not read. */
static int take_identity(struct state *s, sqlite3_stmt *st,
			 struct state_identity *id, struct err *e)
{
	const char *boot = (const char *)sqlite3_column_text(st, 4);

	memset(id, 0, sizeof(*id));
	id->lock_fd = -1;
	id->run = sqlite3_column_int64(st, 0);
	id->uid = (uid_t)sqlite3_column_int64(st, 1);
	id->gid = (gid_t)sqlite3_column_int64(st, 2);
	id->has_alias = sqlite3_column_type(st, 9) != SQLITE_NULL;
	if (!boot || db_status(s, (const char *)sqlite3_column_text(st, 3),
			       &id->status, e) < 0)
		return err_wrap(e, "VM %" PRId64, id->run);
	snprintf(id->boot_id, sizeof(id->boot_id), "%s", boot);
	return 0;
}

/* 1: found; 0: there is no such run, or it ended; -1 and e. */
static int find_run(struct state *s, int64_t run, struct state_identity *id,
		    struct err *e)
{
	own_stmt st = NULL;
	int r;

	if (db_prepare(s, &st, RUN_COLUMNS " AND r.id=?", e) < 0)
		return -1;
	sqlite3_bind_int64(st, 1, run);
	r = db_step(s, st, e);
	if (r != 1)
		return r < 0 ? -1 : 0;
	return take_identity(s, st, id, e) < 0 ? -1 : 1;
}

static int no_such_run(int64_t run, struct err *e)
{
	return err_set(e, 0, "there is no VM %" PRId64, run);
}

static int write_status(struct state *s, uid_t uid, enum identity_status to,
			struct err *e)
{
	own_stmt st = NULL;

	if (db_prepare(s, &st, "UPDATE identities SET status=? WHERE uid=?",
		       e) < 0)
		return -1;
	sqlite3_bind_text(st, 1, status_names[to], -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, uid);
	return db_step(s, st, e);
}

int state_set_status(struct state *s, int64_t run, enum identity_status to,
		     struct err *e)
{
	own_txn t = {NULL};
	struct state_identity id;
	int r;

	if (db_begin(s, &t, e) < 0)
		return -1;
	r = find_run(s, run, &id, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return no_such_run(run, e);
	/* Forward only; once more the same, so that a cleaner can start over.
	 */
	if (to < id.status || to >= IDENTITY_QUARANTINE)
		return err_set(e, 0, "VM %" PRId64 " cannot go from %s to %s",
			       run, status_names[id.status], status_names[to]);
	if (write_status(s, id.uid, to, e) < 0)
		return -1;
	return db_commit(&t, e);
}

int state_set_ready(struct state *s, int64_t run, struct err *e)
{
	own_stmt st = NULL;

	if (db_prepare(s, &st, "UPDATE runs SET ready=1 WHERE id=? AND ended=0",
		       e) < 0)
		return -1;
	sqlite3_bind_int64(st, 1, run);
	if (db_step(s, st, e) < 0)
		return -1;
	return sqlite3_changes(s->db) == 1 ? 0 : no_such_run(run, e);
}

/* What keeps the run from ending: all of it, or of an alias the half-made. */
static int count_grants(struct state *s, const struct state_identity *id,
			int64_t *n, struct err *e)
{
	own_stmt st = NULL;

	if (db_prepare(s, &st,
		       "SELECT count(*) FROM grants WHERE uid=?1 AND gone=0"
		       " AND (NOT ?2 OR phase='begun')",
		       e) < 0)
		return -1;
	sqlite3_bind_int64(st, 1, id->uid);
	sqlite3_bind_int(st, 2,
			 id->has_alias && id->status != IDENTITY_REVOKING);
	if (db_step(s, st, e) < 0)
		return -1;
	*n = sqlite3_column_int64(st, 0);
	return 0;
}

/* Its name goes, if it has one, and with it the reason to keep the UID. */
static int forget_alias(struct state *s, uid_t uid, struct err *e)
{
	own_stmt find = NULL;
	own_stmt clear = NULL;
	own_stmt drop = NULL;
	int r;

	if (db_prepare(s, &find, "SELECT alias FROM identities WHERE uid=?",
		       e) < 0 ||
	    db_prepare(s, &clear,
		       "UPDATE identities SET alias=NULL WHERE uid=?", e) < 0 ||
	    db_prepare(s, &drop, "DELETE FROM aliases WHERE id=?", e) < 0)
		return -1;
	sqlite3_bind_int64(find, 1, uid);
	r = db_step(s, find, e);
	if (r != 1)
		return r;
	sqlite3_bind_int64(drop, 1, sqlite3_column_int64(find, 0));
	sqlite3_bind_int64(clear, 1, uid);
	if (db_step(s, clear, e) < 0)
		return -1;
	return db_step(s, drop, e);
}

static int close_row(struct state *s, int64_t run, int exit_code, struct err *e)
{
	own_stmt st = NULL;

	if (db_prepare(s, &st,
		       "UPDATE runs SET ended=1, exit_code=? WHERE id=?",
		       e) < 0)
		return -1;
	sqlite3_bind_int(st, 1, exit_code);
	sqlite3_bind_int64(st, 2, run);
	return db_step(s, st, e);
}

int identity_over(struct state *s, uid_t uid, struct err *e)
{
	struct timespec now;
	own_stmt q = NULL;

	if (write_status(s, uid, IDENTITY_QUARANTINE, e) < 0 ||
	    forget_alias(s, uid, e) < 0 ||
	    db_prepare(s, &q,
		       "INSERT INTO quarantine (uid, ended) VALUES (?, ?)",
		       e) < 0)
		return -1;
	clock_gettime(CLOCK_REALTIME, &now);
	sqlite3_bind_int64(q, 1, uid);
	sqlite3_bind_int64(q, 2,
			   now.tv_sec * INT64_C(1000000000) + now.tv_nsec);
	return db_step(s, q, e);
}

static int end_run(struct state *s, const struct state_identity *id,
		   int exit_code, struct err *e)
{
	if (close_row(s, id->run, exit_code, e) < 0)
		return -1;
	if (id->has_alias && id->status != IDENTITY_REVOKING)
		return write_status(s, id->uid, IDENTITY_ACTIVE, e);
	return identity_over(s, id->uid, e);
}

int state_release(struct state *s, struct state_identity *id, int exit_code,
		  struct err *e)
{
	own_txn t = {NULL};
	struct state_identity now;
	int64_t left = 0;
	int r;

	assert(id->lock_fd >= 0);
	if (db_begin(s, &t, e) < 0)
		return -1;
	r = find_run(s, id->run, &now, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return no_such_run(id->run, e);
	if (count_grants(s, &now, &left, e) < 0)
		return -1;
	if (left) {
		err_set(e, 0,
			"VM %" PRId64 " still has %" PRId64
			" grants on the disk",
			id->run, left);
		return err_hint(e, "the next start of vmrun removes them");
	}
	if (end_run(s, &now, exit_code, e) < 0 || db_commit(&t, e) < 0)
		return -1;
	if (!now.has_alias || now.status == IDENTITY_REVOKING)
		id->status = IDENTITY_QUARANTINE;
	/* The name goes first: who opens it later makes a file of its own. */
	runlock_remove(s->locks, id->run);
	own_close(&id->lock_fd);
	return 0;
}

bool state_is_this_boot(const struct state *s, const struct state_identity *id)
{
	return !strcmp(id->boot_id, s->boot_id);
}

static int take_run(struct state *s, sqlite3_stmt *st, struct state_run *run,
		    struct err *e)
{
	const char *alias = (const char *)sqlite3_column_text(st, 9);
	const void *command = sqlite3_column_blob(st, 6);
	size_t n = (size_t)sqlite3_column_bytes(st, 6);
	int held;

	if (take_identity(s, st, &run->id, e) < 0)
		return -1;
	run->ready = sqlite3_column_int(st, 5);
	run->started = sqlite3_column_int64(st, 7);
	run->pid = sqlite3_column_int64(st, 8);
	held = runlock_held(s->locks, run->id.run, e);
	if (held < 0)
		return -1;
	run->alive = held && state_is_this_boot(s, &run->id);
	run->kind = sqlite3_column_int(st, 10) ? RUN_WORK : RUN_VM;
	run->alias = alias ? strdup(alias) : NULL;
	run->command = command ? strndup(command, n) : strdup("");
	if (run->command && (run->alias || !alias))
		return 0;
	free(run->command);
	free(run->alias);
	return err_set(e, ENOMEM, "the list of VMs");
}

int state_runs(struct state *s, struct state_run **out, size_t *n,
	       struct err *e)
{
	own_stmt st = NULL;
	struct state_run *all = NULL;
	size_t have = 0;
	int r;

	*out = NULL;
	*n = 0;
	if (db_prepare(s, &st, RUN_COLUMNS " ORDER BY r.id", e) < 0)
		return -1;
	while ((r = db_step(s, st, e)) == 1) {
		struct state_run *more =
			reallocarray(all, have + 1, sizeof(*all));

		if (more)
			all = more;
		else
			r = err_set(e, ENOMEM, "the list of VMs");
		if (!more || (r = take_run(s, st, &all[have], e)) < 0)
			break;
		have++;
	}
	if (r < 0) {
		state_runs_free(all, have);
		return -1;
	}
	*out = all;
	*n = have;
	return 0;
}

int state_is_held(struct state *s, int64_t run, struct err *e)
{
	return runlock_held(s->locks, run, e);
}

void state_ending(const struct state_identity *id)
{
	runlock_end(id->lock_fd);
}

void state_runs_free(struct state_run *runs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(runs[i].command);
		free(runs[i].alias);
	}
	free(runs);
}

int state_adopt(struct state *s, int64_t run, struct state_identity *id,
		struct err *e)
{
	own_fd lock = -1;
	int r;

	memset(id, 0, sizeof(*id));
	id->lock_fd = -1;
	r = find_run(s, run, id, e);
	if (r <= 0)
		return r;
	r = runlock_take(s->locks, run, &lock, e);
	if (r <= 0)
		return r;
	/* Somebody may have cleaned it before we got the lock. */
	r = find_run(s, run, id, e);
	if (r == 1) {
		id->lock_fd = steal_fd(&lock);
		return 1;
	}
	runlock_remove(s->locks, run);
	return r;
}
