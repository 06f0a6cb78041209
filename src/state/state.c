/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opening the state directory.  The person's own authority.
 *
 * Theory of operation
 *
 * The directory holds
 *
 *     state.db    the database (and sqlite's -wal and -shm)
 *     open.lock   byte 0: held alone by whoever is opening the database;
 *                 byte 1: held shared by everybody who has it open
 *     highwater   the UIDs handed out, if the database is ever lost
 *     ids.lock    held alone while a UID is chosen (claim.c)
 *     doubt       somebody met damage: read it through at the next opening
 *     locks/ID    held by vmrun as long as VM number ID lives
 *
 * Who gets byte 1 alone while opening is the only user.  A write-ahead log
 * that is there all the same was left by one that was killed: then the
 * database is read through once, and lock files of ended runs are removed.
 *
 * Claiming (claim.c) goes: write lock, highwater, rows, lock file, COMMIT.
 * Killed before COMMIT: the UID is skipped for ever, an unlocked file without
 * a row may stay.  Killed after it: a row RESERVED whose lock is free, which
 * state_adopt() takes for cleaning.  At no instant is there a row that others
 * can see without its lock being held.
 */
#include "state/db.h"

#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "state/highwater.h"
#include "state/runlock.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#define BYTE_OPENING 0
#define BYTE_OPEN 1
#define CLAIMS_KILLED 3

/* linux/magic.h does not have them all. */
static const struct {
	uint32_t type;
	const char *name;
} refused_fs[] = {
	{0x6969, "NFS"},       {0x517b, "SMB"},	       {0xfe534d42, "SMB"},
	{0xff534d42, "CIFS"},  {0x01021997, "9p"},     {0x65735546, "FUSE"},
	{0x5346414f, "AFS"},   {0x6b414653, "AFS"},    {0x73757245, "Coda"},
	{0x00c36400, "Ceph"},  {0x0bd00bd0, "Lustre"}, {0x47504653, "GPFS"},
	{0x7461636f, "OCFS2"}, {0x01161970, "GFS2"},   {0x786f4256, "vboxsf"},
	{0xaad7aaea, "PanFS"},
};

int state_fs_check(uint64_t f_type, const char *where, struct err *e)
{
	for (size_t i = 0; i < sizeof(refused_fs) / sizeof(*refused_fs); i++) {
		if (refused_fs[i].type != (uint32_t)f_type)
			continue;
		err_set(e, 0,
			"the state directory %s is on a file system of type "
			"%s, where the state database cannot be kept safely",
			where, refused_fs[i].name);
		return err_hint(e, "set XDG_STATE_HOME to a directory on a "
				   "local disk");
	}
	return 0;
}

static int check_dir(struct state *s, struct err *e)
{
	struct stat st;
	struct statfs fs;

	if (fstat(s->dir, &st) < 0 || fstatfs(s->dir, &fs) < 0)
		return err_set(e, errno, "looking at the state directory");
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ENOTDIR, "the state directory %s", s->where);
	if (st.st_uid != geteuid())
		return err_set(e, 0,
			       "the state directory %s belongs to another user",
			       s->where);
	if (st.st_mode & 077) {
		err_set(e, 0, "the state directory %s is open to other users",
			s->where);
		return err_hint(e, "chmod 700 %s", s->where);
	}
	/* f_type is signed on some machines; the low 32 bits are the type. */
	return state_fs_check((uint32_t)fs.f_type, s->where, e);
}

static void find_where(struct state *s)
{
	char link[64], path[256];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", s->dir);
	n = readlink(link, path, sizeof(path));
	if (n < 0)
		n = 0;
	log_escape(s->where, sizeof(s->where), path, (size_t)n);
}

/* Waits for others that are opening it too, as long as for a busy database. */
static int begin_opening(struct state *s, struct err *e)
{
	struct timespec nap = {.tv_nsec = 5 * 1000 * 1000};

	s->open_lock = openat(s->dir, "open.lock",
			      O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->open_lock < 0)
		return err_set(e, errno, "%s/open.lock", s->where);
	/* A lock call that waits could wait for a stopped process for ever. */
	for (int ms = 0; ms < DB_WAIT_MS; ms += 5) {
		if (lock_byte(s->open_lock, BYTE_OPENING, LOCK_HOW_ALONE) == 0)
			return 0;
		if (errno != EAGAIN)
			return err_set(e, errno, "locking %s/open.lock",
				       s->where);
		nanosleep(&nap, NULL);
	}
	return db_error(s, SQLITE_BUSY, e);
}

static int is_ended(void *arg, int64_t run)
{
	struct err e = ERR_INIT;
	own_stmt st = NULL;
	struct state *s = arg;

	if (db_prepare(s, &st, "SELECT 1 FROM runs WHERE id=? AND ended=0",
		       &e) < 0)
		return -1;
	sqlite3_bind_int64(st, 1, run);
	switch (db_step(s, st, &e)) {
	case 0:
		return 1;
	case 1:
		return 0;
	default:
		return -1;
	}
}

static int open_all(struct state *s, struct err *e)
{
	struct stat st;
	bool unclean = false;

	find_where(s);
	if (check_dir(s, e) < 0 || boot_id_read(s->boot_id, BOOT_ID_MAX, e) < 0)
		return -1;
	s->locks = runlock_dir(s->dir, e);
	if (s->locks < 0 || begin_opening(s, e) < 0)
		return -1;
	if (lock_byte(s->open_lock, BYTE_OPEN, LOCK_HOW_ALONE) == 0)
		unclean = fstatat(s->dir, DB_NAME "-wal", &st,
				  AT_SYMLINK_NOFOLLOW) == 0 ||
			  faccessat(s->dir, DB_DOUBT, F_OK, 0) == 0;
	if (db_open(s, unclean, e) < 0)
		return -1;
	if (unclean)
		runlock_sweep(s->locks, is_ended, s);
	if (lock_byte(s->open_lock, BYTE_OPEN, LOCK_HOW_SHARED) < 0 ||
	    lock_byte(s->open_lock, BYTE_OPENING, LOCK_HOW_NONE) < 0)
		return err_set(e, errno, "locking %s/open.lock", s->where);
	return 0;
}

bool state_is_there(int dirfd)
{
	return faccessat(dirfd, DB_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	       errno != ENOENT;
}

int state_open(int dirfd, struct state **out, struct err *e)
{
	struct state *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (!s)
		return err_set(e, ENOMEM, "the state database");
	s->dir = dirfd;
	s->ids = -1;
	s->locks = -1;
	s->open_lock = -1;
	if (open_all(s, e) < 0) {
		state_close(s);
		return -1;
	}
	*out = s;
	return 0;
}

void state_close(struct state *s)
{
	if (!s)
		return;
	sqlite3_close(s->db);
	own_close(&s->locks);
	/* Last: as long as it is held, others know that we are there. */
	own_close(&s->open_lock);
	free(s);
}

void state_share_ids(struct state *s, int ids_dir)
{
	s->ids = ids_dir;
}

/* state.db and its companions become state.db.damaged-N ... */
static int move_away(struct state *s, unsigned n, struct err *e)
{
	static const char *const tails[] = {"", "-wal", "-shm"};
	char from[64], to[64];

	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++) {
		snprintf(from, sizeof(from), DB_NAME "%s", tails[i]);
		snprintf(to, sizeof(to), DB_NAME ".damaged-%u%s", n, tails[i]);
		if (renameat(s->dir, from, s->dir, to) < 0 && errno != ENOENT)
			return err_set(e, errno, "setting %s/%s aside",
				       s->where, from);
	}
	unlinkat(s->dir, DB_DOUBT, 0);
	return fsync(s->dir) < 0
		       ? err_set(e, errno, "setting %s/" DB_NAME " aside",
				 s->where)
		       : 0;
}

static int set_aside(struct state *s, char *name, size_t size, struct err *e)
{
	unsigned n = 1;
	struct stat st;

	find_where(s);
	if (check_dir(s, e) < 0 || begin_opening(s, e) < 0)
		return -1;
	if (lock_byte(s->open_lock, BYTE_OPEN, LOCK_HOW_ALONE) < 0) {
		err_set(e, 0,
			"the state database in %s is damaged, and VMs that are "
			"running use it",
			s->where);
		return err_hint(e, "when they have ended, the next start sets "
				   "it aside");
	}
	do
		snprintf(name, size, DB_NAME ".damaged-%u", n);
	while (fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && n++);
	return move_away(s, n, e);
}

int state_set_aside(int dirfd, char *name, size_t size, struct err *e)
{
	struct state s = {
		.dir = dirfd, .ids = -1, .locks = -1, .open_lock = -1};
	int r = set_aside(&s, name, size, e);

	own_close(&s.open_lock);
	return r;
}

/* *made: claims by the list. */
static int doubts(struct state *s, enum state_doubt *d, uint64_t *made,
		  struct err *e)
{
	int64_t unscanned, claims;
	struct highwater h;

	*d = STATE_SURE;
	if (db_mark(s, "unscanned", &unscanned, e) < 0 ||
	    db_mark(s, "claims", &claims, e) < 0 ||
	    highwater_load(s->dir, &h, e) < 0)
		return -1;
	*made = h.claims;
	/* The list may be that of others: see state_share_ids().  The number is
	 * ahead by one for each claimer that was killed between the two, until
	 * the next one comes through. */
	if (unscanned)
		*d = h.claims ? STATE_LOST : STATE_NEW;
	else if (h.claims > (uint64_t)claims + CLAIMS_KILLED)
		*d = STATE_OLD;
	return 0;
}

int state_doubts(struct state *s, enum state_doubt *d, struct err *e)
{
	uint64_t made;

	return doubts(s, d, &made, e);
}

int state_scanned_all(struct state *s, struct err *e)
{
	own_txn t = {NULL};
	enum state_doubt d;
	uint64_t made;

	if (db_begin(s, &t, e) < 0 || doubts(s, &d, &made, e) < 0)
		return -1;
	/* Another one has looked, too, and VMs may have started since. */
	if (d == STATE_SURE)
		return 0;
	if (db_set_mark(s, "claims", (int64_t)made, e) < 0 ||
	    /* What an old copy says of aliases may not be so any more. */
	    db_exec(s,
		    "UPDATE grants SET phase='lapsed' WHERE phase='whole'"
		    " AND gone=0 AND run IS NULL",
		    e) < 0 ||
	    db_set_mark(s, "unscanned", 0, e) < 0)
		return -1;
	return db_commit(&t, e);
}
