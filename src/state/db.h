/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside src/state: the open database, statements and transactions. */
#ifndef STATE_DB_H
#define STATE_DB_H

#include "state/state.h"

#include <sqlite3.h>

#define DB_NAME "state.db"
#define DB_WAIT_MS 5000
#define BOOT_ID_MAX 40

struct state {
	sqlite3 *db;
	int dir;       /* borrowed */
	int ids;       /* see state_share_ids(); borrowed; -1: none */
	int locks;     /* the directory of the runs' lock files, owned */
	int open_lock; /* owned; held as long as the database is open */
	char boot_id[BOOT_ID_MAX];
	char where[512]; /* the directory, escaped: for messages */
};

/* Made from schema/state.sql: state_migrations[n] leads to version n+1. */
extern const char *const state_migrations[];
extern const int state_version;

/* Finalizes: for own_stmt. */
static inline void own_finalize(sqlite3_stmt **st)
{
	sqlite3_finalize(*st);
	*st = NULL;
}

#define own_stmt __attribute__((cleanup(own_finalize))) sqlite3_stmt *

/* Turns a result code into words: busy, full, damaged, or as sqlite says. */
int db_error(struct state *s, int rc, struct err *e);
/* sql is a literal of ours.  The statement is the caller's. */
int db_prepare(struct state *s, sqlite3_stmt **st, const char *sql,
	       struct err *e);
/* 1: a row; 0: done; -1 and e. */
int db_step(struct state *s, sqlite3_stmt *st, struct err *e);
int db_exec(struct state *s, const char *sql, struct err *e);
/* One integer of a statement without parameters. */
int db_int(struct state *s, const char *sql, int64_t *v, struct err *e);

/*
 * BEGIN IMMEDIATE: the one writer.  A struct db_txn that goes out of scope
 * without db_commit() is rolled back.
 */
struct db_txn {
	struct state *s; /* NULL: none is open */
};

int db_begin(struct state *s, struct db_txn *t, struct err *e);
int db_commit(struct db_txn *t, struct err *e);
void db_txn_end(struct db_txn *t);

#define own_txn __attribute__((cleanup(db_txn_end))) struct db_txn

/* A row of marks; 0 if there is none. */
int db_mark(struct state *s, const char *name, int64_t *value, struct err *e);
int db_set_mark(struct state *s, const char *name, int64_t value,
		struct err *e);

/* In s->dir: the database was found damaged, and is to be read through. */
#define DB_DOUBT "doubt"

/*
 * Opens, checks and migrates s->dir's database.  check: read it all first.
 * s->db is set on failure too and is for state_close().
 */
int db_open(struct state *s, bool check, struct err *e);

/* In identity.c and journal.c: names of values.  -1 and e: there is none. */
int db_status(struct state *s, const char *name, enum identity_status *status,
	      struct err *e);
const char *db_access(enum grant_access access);

/* In claim.c; all inside a transaction. */
/* A UID that nobody has: `highwater` advanced, row RESERVED; id->uid, gid. */
int claim_uid(struct state *s, const struct state_range *range,
	      bool (*is_used)(void *arg, uid_t uid), void *arg,
	      struct state_identity *id, struct err *e);
/*
 * A number that no run ever had, and its lock, before anybody can see the row:
 * gc would find it dead.  A lock that is held without a row belongs to a
 * claimer that is just being killed; its number is left out.
 */
int claim_number(struct state *s, int64_t *run, int *lock, struct err *e);
/* The row of run id->run. */
int claim_run(struct state *s, const struct state_identity *id,
	      enum run_kind kind, const char *command, struct err *e);

/*
 * In identity.c, inside a transaction: nothing of the UID is known any more,
 * nor has it a name: QUARANTINE.
 */
int identity_over(struct state *s, uid_t uid, struct err *e);

/* In state.c, pure: refuses file systems by statfs()'s f_type. */
int state_fs_check(uint64_t f_type, const char *where, struct err *e);

#endif
