/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The state database: what it refuses, what survives, and who gets which UID.
 */
#include "base/err.h"
#include "base/own.h"
#include "rmtree.h"
#include "state/db.h"
#include "state/highwater.h"
#include "state/state.h"
#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define FIRST 100000u

/* What a test cannot do without. */
static void must(int result)
{
	if (result < 0) {
		perror("state-test");
		exit(99);
	}
}

static char base[] = "/tmp/vmrun-state-test-XXXXXX";
static const struct state_range range = {FIRST, 200000, 50};
static struct err e;

static int fresh_count;

/* A new empty state directory, 0700; its descriptor is the caller's. */
static int fresh(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%d", base, fresh_count++);
	if (mkdir(path, 0700) < 0)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int put_file(int dir, const char *name, const char *text, size_t n)
{
	own_fd fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			   0600);

	return fd >= 0 && write(fd, text, n) == (ssize_t)n ? 0 : -1;
}

static ssize_t get_file(int dir, const char *name, char *text, size_t n)
{
	own_fd fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : read(fd, text, n);
}

/* A second connection, to look and to tamper. */
static int sql(int dir, const char *text)
{
	char path[64];
	sqlite3 *db = NULL;
	int rc;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/" DB_NAME, dir);
	rc = sqlite3_open(path, &db);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, text, NULL, NULL, NULL);
	sqlite3_close(db);
	return rc;
}

/* Opening fails with these words, and leaves *s NULL. */
static void refuses(int dir, const char *with, const char *what)
{
	struct state *s = (struct state *)&e;
	int r = state_open(dir, &s, &e);

	if (!tap_ok(r < 0 && !s && strstr(e.msg, with), "%s", what))
		printf("# %d %s\n", r, r < 0 ? e.msg : "opened");
}

static int make_db(int dir)
{
	struct state *s;

	if (state_open(dir, &s, &e) < 0)
		return -1;
	state_close(s);
	return 0;
}

static void test_refusals(void)
{
	own_fd dir = fresh();
	struct state *s = NULL;
	char what[4096];

	fchmod(dir, 0750);
	refuses(dir, "is open to other users", "a directory of mode 0750");
	tap_ok(!strncmp(e.hint, "chmod 700 ", 10), "its remedy is chmod");
	fchmod(dir, 0700);
	must(symlinkat("elsewhere", dir, DB_NAME));
	refuses(dir, "not a regular file", "a database that is a link");
	unlinkat(dir, DB_NAME, 0);
	put_file(dir, DB_NAME, "", 0);
	must(fchmodat(dir, DB_NAME, 0644, 0));
	refuses(dir, "is open to other users", "a database that others read");
	memset(what, 'x', sizeof(what));
	put_file(dir, DB_NAME, what, sizeof(what));
	must(fchmodat(dir, DB_NAME, 0600, 0));
	refuses(dir, "is damaged", "a database that is none");
	tap_ok(strstr(e.hint, "left as it is") != NULL, "it says what to do");
	tap_ok(get_file(dir, DB_NAME, what, sizeof(what)) == sizeof(what) &&
		       what[0] == 'x' && what[4095] == 'x',
	       "and the file is as it was");
	unlinkat(dir, DB_NAME, 0);
	sql(dir, "CREATE TABLE t (x)");
	must(fchmodat(dir, DB_NAME, 0600, 0));
	refuses(dir, "is not vmrun's database", "somebody else's database");
	unlinkat(dir, DB_NAME, 0);
	tap_ok(make_db(dir) == 0 && state_open(dir, &s, &e) == 0,
	       "a new one opens, and again");
	state_close(s);
	sql(dir, "PRAGMA user_version=9999");
	refuses(dir, "is of version 9999", "a newer version");
}

static void test_modes(void)
{
	own_fd dir = fresh();
	struct state *s = NULL;
	struct stat st;
	mode_t was = umask(0);
	static const char *const names[] = {"state.db", "state.db-wal",
					    "state.db-shm", "open.lock",
					    "locks"};
	int open_to_others = 0;

	tap_ok(state_open(dir, &s, &e) == 0, "opens with umask 0");
	sqlite3_exec(s->db, "BEGIN IMMEDIATE; COMMIT", NULL, NULL, NULL);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (fstatat(dir, names[i], &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    (st.st_mode & 077))
			open_to_others++;
	tap_ok(open_to_others == 0, "no file of it is open to others");
	state_close(s);
	umask(was);
}

static void test_file_systems(void)
{
	static const uint32_t network[] = {0x6969,     0x517b,	   0xfe534d42,
					   0xff534d42, 0x01021997, 0x65735546,
					   0x00c36400};
	static const uint32_t local[] = {0xef53,     0x58465342, 0x9123683e,
					 0x794c7630, 0x01021994, 0x2fc12fc1};
	size_t bad = 0;

	for (size_t i = 0; i < sizeof(network) / sizeof(*network); i++)
		bad += state_fs_check(network[i], "/s", &e) == 0;
	tap_ok(bad == 0, "network file systems are refused");
	state_fs_check(0x6969, "/s", &e);
	tap_str(e.msg,
		"the state directory /s is on a file system of type NFS, "
		"where the state database cannot be kept safely",
		"in these words");
	for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++)
		bad += state_fs_check(local[i], "/s", &e) < 0;
	tap_ok(bad == 0, "ext4, xfs, btrfs, overlay, tmpfs and zfs are not");
}

/* Damage in the middle is found after a killed user, not on each start. */
static void test_damage(void)
{
	own_fd dir = fresh();
	static char was[65536], now[65536];
	ssize_t n;

	make_db(dir);
	n = get_file(dir, DB_NAME, was, sizeof(was));
	if (n < 8192) {
		tap_ok(0, "the database has pages");
		return;
	}
	memset(was + 4096, 0xff, 200);
	put_file(dir, DB_NAME, was, (size_t)n);
	put_file(dir, DB_NAME "-wal", "", 0);
	refuses(dir, "is damaged", "a damaged page, after an unclean close");
	tap_ok(get_file(dir, DB_NAME, now, sizeof(now)) == n &&
		       !memcmp(was, now, (size_t)n),
	       "the damaged file is as it was");
}

static int claim(struct state *s, const struct state_range *r,
		 struct state_identity *id)
{
	return state_claim(s, r, "ls -l", NULL, NULL, id, &e);
}

/* Claims once and forgets: the row stays, the lock is free. */
static uid_t claim_once(int dir, const struct state_range *r)
{
	struct state *s;
	struct state_identity id;
	uid_t uid = 0;

	if (state_open(dir, &s, &e) < 0)
		return 0;
	if (claim(s, r, &id) == 0) {
		uid = id.uid;
		own_close(&id.lock_fd);
	}
	state_close(s);
	return uid;
}

static bool below_5(void *arg, uid_t uid)
{
	(*(int *)arg)++;
	return uid < FIRST + 5;
}

static bool always(void *arg, uid_t uid)
{
	(void)arg;
	(void)uid;
	return true;
}

static void test_claim(void)
{
	own_fd dir = fresh();
	struct state *s = NULL;
	struct state_identity a, b, c;
	struct state_range small = {FIRST, 200000, 2};
	int asked = 0;

	state_open(dir, &s, &e);
	tap_ok(claim(s, &range, &a) == 0 && a.uid == FIRST && a.gid == 200000 &&
		       a.run == 1 && a.lock_fd >= 0 &&
		       a.status == IDENTITY_RESERVED,
	       "the first claim gets the first ids");
	tap_ok(fcntl(a.lock_fd, F_GETFD) == FD_CLOEXEC,
	       "the lock is close-on-exec");
	tap_ok(claim(s, &range, &b) == 0 && b.uid == FIRST + 1 &&
		       b.gid == 200001 && b.run == 2,
	       "the second claim gets the second ids");
	tap_ok(claim(s, &small, &c) < 0 && c.lock_fd == -1,
	       "a range that is used up is refused");
	tap_str(e.msg,
		"cannot claim a UID for the VM: no UID of 100000-100001 is "
		"left: each was used, and none is known to have left nothing "
		"behind",
		"in these words");
	tap_ok(strstr(e.hint, "/etc/subuid") != NULL, "and a remedy");
	tap_ok(state_claim(s, &range, NULL, below_5, &asked, &c, &e) == 0 &&
		       c.uid == FIRST + 5 && asked == 4,
	       "ids that are in use are passed over");
	own_close(&a.lock_fd);
	own_close(&b.lock_fd);
	own_close(&c.lock_fd);
	tap_ok(claim(s, &range, &a) == 0 && a.uid == FIRST + 6,
	       "and never handed out later");
	own_close(&a.lock_fd);
	tap_ok(state_claim(s, &range, "x", always, NULL, &a, &e) < 0,
	       "all ids in use is an error");
	tap_ok(claim(s, &range, &a) == 0 && a.uid == FIRST + 7,
	       "which uses up nothing");
	own_close(&a.lock_fd);
	state_close(s);
}

static void test_bad_ranges(void)
{
	static const struct state_range bad[] = {
		{0, 200000, 10},	  {FIRST, 0, 10},
		{FIRST, 200000, 0},	  {4294967290u, 200000, 6},
		{FIRST, 4294967290u, 10}, {1, 1, 4294967295u},
	};
	own_fd dir = fresh();
	struct state *s = NULL;
	struct state_identity id;
	struct state_range last = {4294967290u, 4294967290u, 5};
	int ok = 0;

	state_open(dir, &s, &e);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok += claim(s, &bad[i], &id) == 0;
	tap_ok(ok == 0, "ranges with root or beyond the last id are refused");
	for (int i = 0; i < 5; i++) {
		ok += claim(s, &last, &id) == 0;
		own_close(&id.lock_fd);
	}
	tap_ok(ok == 5 && id.uid == 4294967294u,
	       "the last ids of all are usable");
	tap_ok(claim(s, &last, &id) < 0, "and then there are no more");
	state_close(s);
}

static void test_highwater(void)
{
	own_fd dir = fresh();
	struct state_range lower = {FIRST - 2, 300000, 50};
	char old[65536];
	ssize_t n;
	uid_t uid;

	claim_once(dir, &range);
	claim_once(dir, &range);
	n = get_file(dir, DB_NAME, old, sizeof(old));
	claim_once(dir, &range);
	unlinkat(dir, DB_NAME, 0);
	tap_ok(claim_once(dir, &range) == FIRST + 3,
	       "a lost database does not begin again");
	put_file(dir, DB_NAME, old, (size_t)n);
	tap_ok(claim_once(dir, &range) == FIRST + 4,
	       "nor does an old copy of it");
	unlinkat(dir, "highwater", 0);
	unlinkat(dir, DB_NAME, 0);
	put_file(dir, DB_NAME, old, (size_t)n);
	tap_ok(claim_once(dir, &range) == FIRST + 2,
	       "a lost list leaves what the database knows");
	unlinkat(dir, DB_NAME, 0);
	tap_ok(claim_once(dir, &range) == FIRST + 3,
	       "and is complete again after one claim");
	tap_ok(claim_once(dir, &lower) == FIRST - 2 &&
		       claim_once(dir, &lower) == FIRST - 1,
	       "a range that moved down begins with what is new");
	uid = claim_once(dir, &lower);
	tap_ok(uid == FIRST + 4, "and passes over what was used before");
}

static void test_bad_highwater(void)
{
	static const char head[] =
		"# vmrun: UIDs handed out, from FIRST up to before NEXT\n";
	static const char *const bad[] = {
		"100000 100001",
		"100000 100001\nx",
		"5 5\n",
		"6 5\n",
		"-1 5\n",
		" 1 5\n",
		"1  5\n",
		"1 5 \n",
		"1 4294967296\n",
		"18446744073709551617 5\n",
		"\n",
		"1 5\n\n",
	};
	own_fd dir = fresh();
	struct highwater h;
	char text[512];
	int taken = 0;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(text, sizeof(text), "%s%s", head, bad[i]);
		taken += highwater_parse(text, strlen(text), &h) == 0;
	}
	for (size_t n = 0; n < strlen(head); n++)
		taken += highwater_parse(head, n, &h) == 0;
	tap_ok(taken == 0, "damaged lists of used UIDs are not understood");
	claim_once(dir, &range);
	put_file(dir, "highwater", "", 0);
	tap_ok(claim_once(dir, &range) == 0 && strstr(e.msg, "is damaged"),
	       "an empty list of used UIDs is refused");
	unlinkat(dir, "highwater", 0);
	tap_ok(claim_once(dir, &range) == FIRST + 1,
	       "removed, as the remedy says, the next UID comes");
}

static void test_intervals(void)
{
	struct highwater h = {0};
	int r = 0;

	highwater_add(&h, 10, 20);
	highwater_add(&h, 30, 40);
	tap_ok(h.n == 2 && highwater_skip(&h, 9) == 9 &&
		       highwater_skip(&h, 10) == 20 &&
		       highwater_skip(&h, 19) == 20 &&
		       highwater_skip(&h, 20) == 20 &&
		       highwater_skip(&h, 35) == 40,
	       "used ids are skipped, their neighbours are not");
	highwater_add(&h, 20, 30);
	tap_ok(h.n == 1 && highwater_skip(&h, 10) == 40,
	       "intervals that touch become one");
	highwater_add(&h, 12, 13);
	tap_ok(h.n == 1 && h.used[0].first == 10 && h.used[0].next == 40,
	       "one inside another adds nothing");
	for (uint32_t i = 1; i < HIGHWATER_MAX && r == 0; i++)
		r = highwater_add(&h, i * 1000, i * 1000 + 1);
	tap_ok(r == 0 && highwater_add(&h, 999999, 1000000) < 0 &&
		       highwater_add(&h, 40, 41) == 0,
	       "too many are refused, and known ones still grow");
}

static void test_life(void)
{
	own_fd dir = fresh();
	struct state *s = NULL;
	struct state_identity id, other;
	struct state_run *runs = NULL;
	size_t n = 0;
	int64_t run;

	state_open(dir, &s, &e);
	claim(s, &range, &id);
	run = id.run;
	state_runs(s, &runs, &n, &e);
	tap_ok(n == 1 && runs[0].alive && !runs[0].ready &&
		       runs[0].id.uid == FIRST && runs[0].pid == getpid() &&
		       runs[0].id.lock_fd == -1,
	       "a claimed run is listed as alive");
	tap_str(runs[0].command, "ls -l", "with its command");
	state_runs_free(runs, n);
	tap_ok(state_adopt(s, run, &other, &e) == 0 && other.lock_fd == -1,
	       "nobody adopts it meanwhile");
	tap_ok(state_set_ready(s, run, &e) == 0 &&
		       state_set_ready(s, run + 1, &e) < 0,
	       "it becomes ready, one that is not there does not");
	tap_ok(state_set_status(s, run, IDENTITY_ACTIVE, &e) == 0 &&
		       state_set_status(s, run, IDENTITY_REVOKING, &e) == 0 &&
		       state_set_status(s, run, IDENTITY_REVOKING, &e) == 0,
	       "forward through its life");
	tap_ok(state_set_status(s, run, IDENTITY_ACTIVE, &e) < 0 &&
		       state_set_status(s, run, IDENTITY_QUARANTINE, &e) < 0,
	       "not back, and not to quarantine by hand");
	tap_str(e.msg, "VM 1 cannot go from revoking to quarantine",
		"in these words");
	sql(dir, "UPDATE runs SET boot_id='another boot'");
	state_runs(s, &runs, &n, &e);
	tap_ok(n == 1 && !runs[0].alive && runs[0].ready,
	       "one of another boot is dead, whoever holds the lock");
	state_runs_free(runs, n);
	tap_ok(state_release(s, &id, 3, &e) == 0 && id.lock_fd == -1 &&
		       id.status == IDENTITY_QUARANTINE,
	       "it is released");
	tap_ok(faccessat(dir, "locks/1", F_OK, 0) < 0, "its lock file is gone");
	state_runs(s, &runs, &n, &e);
	tap_ok(n == 0, "it is listed no more");
	state_runs_free(runs, n);
	tap_ok(state_adopt(s, run, &other, &e) == 0 &&
		       faccessat(dir, "locks/1", F_OK, 0) < 0,
	       "there is nothing to adopt, and no lock file comes of it");
	tap_ok(state_set_status(s, run, IDENTITY_REVOKING, &e) < 0,
	       "its status is fixed");
	state_close(s);
}

static void test_adopt(void)
{
	own_fd dir = fresh();
	struct state *s = NULL, *s2 = NULL;
	struct state_identity id, mine, again;
	struct state_run *runs = NULL;
	size_t n = 0;

	state_open(dir, &s, &e);
	claim(s, &range, &id);
	state_close(s);
	own_close(&id.lock_fd);
	state_open(dir, &s, &e);
	state_open(dir, &s2, &e);
	state_runs(s, &runs, &n, &e);
	tap_ok(n == 1 && !runs[0].alive &&
		       runs[0].id.status == IDENTITY_RESERVED,
	       "a run whose vmrun is gone is listed as dead");
	state_runs_free(runs, n);
	tap_ok(state_adopt(s, id.run, &mine, &e) == 1 && mine.lock_fd >= 0 &&
		       mine.uid == id.uid && mine.gid == id.gid,
	       "it is adopted");
	tap_ok(state_adopt(s2, id.run, &again, &e) == 0,
	       "by one cleaner at a time");
	own_close(&mine.lock_fd);
	tap_ok(state_adopt(s2, id.run, &again, &e) == 1,
	       "a cleaner that fails leaves it to the next");
	tap_ok(state_release(s2, &again, -1, &e) == 0 &&
		       state_adopt(s, id.run, &mine, &e) == 0,
	       "released, it is over for all");
	state_close(s);
	state_close(s2);
}

static void test_grants(void)
{
	own_fd dir = fresh();
	struct state *s = NULL;
	struct state_identity id;
	struct state_grant *g = NULL;
	int64_t one = 0, two = 0, none;
	size_t n = 0;

	state_open(dir, &s, &e);
	claim(s, &range, &id);
	tap_ok(state_grant_add(s, id.run, "/a\xff\n'b", UINT64_MAX,
			       UINT64_MAX - 1, ACCESS_RW, &one, &e) == 0 &&
		       state_grant_add(s, id.run, "/c", 1, 2, ACCESS_RO, &two,
				       &e) == 0,
	       "grants are recorded");
	tap_ok(state_grant_add(s, id.run, "c", 1, 2, ACCESS_RO, &none, &e) <
			       0 &&
		       state_grant_add(s, id.run, "", 1, 2, ACCESS_RO, &none,
				       &e) < 0,
	       "not of relative paths");
	tap_ok(state_grant_add(s, id.run + 1, "/c", 1, 2, ACCESS_RO, &none,
			       &e) < 0,
	       "not to a VM that is not there");
	state_grants(s, id.run, &g, &n, &e);
	tap_ok(n == 2 && g[0].id == one && g[0].dev == UINT64_MAX &&
		       g[0].ino == UINT64_MAX - 1 && g[0].access == ACCESS_RW &&
		       g[1].access == ACCESS_RO,
	       "and listed as they were");
	tap_str(n ? g[0].path : NULL, "/a\xff\n'b", "paths are bytes");
	state_grants_free(g, n);
	tap_ok(state_release(s, &id, 0, &e) < 0 && id.lock_fd >= 0,
	       "a VM with grants on the disk is not released");
	tap_str(e.msg, "VM 1 still has 2 grants on the disk", "in these words");
	state_set_status(s, id.run, IDENTITY_REVOKING, &e);
	tap_ok(state_grant_add(s, id.run, "/d", 1, 2, ACCESS_RO, &none, &e) < 0,
	       "nothing is granted to one that is being revoked");
	tap_ok(state_grant_done(s, one, &e) == 0 &&
		       state_grant_done(s, one, &e) == 0 &&
		       state_grant_done(s, two, &e) == 0 &&
		       state_grant_done(s, two + 1, &e) < 0,
	       "done twice is harmless, of an unknown one an error");
	state_grants(s, id.run, &g, &n, &e);
	tap_ok(n == 0 && state_release(s, &id, 0, &e) == 0,
	       "without grants it is released");
	state_grants_free(g, n);
	state_close(s);
}

static void test_rules(void)
{
	own_fd dir = fresh();

	claim_once(dir, &range);
	tap_ok(sql(dir, "INSERT INTO runs (uid, boot_id, command, started)"
			" VALUES (100000, 'x', x'00', 0)") == SQLITE_CONSTRAINT,
	       "one UID has one live run at most");
	tap_ok(sql(dir, "INSERT INTO identities VALUES"
			" (0, 5, NULL, 'reserved')") == SQLITE_CONSTRAINT &&
		       sql(dir, "INSERT INTO identities VALUES"
				" (5, 200000, NULL, 'reserved')") ==
			       SQLITE_CONSTRAINT &&
		       sql(dir, "UPDATE identities SET status='happy'") ==
			       SQLITE_CONSTRAINT,
	       "no root, no gid twice, no unknown status");
	tap_ok(sql(dir, "INSERT INTO aliases (name) VALUES ('mail')") == 0 &&
		       sql(dir, "INSERT INTO aliases (name) VALUES ('a/b')") ==
			       SQLITE_CONSTRAINT,
	       "aliases have plain names");
}

static void test_long_command(void)
{
	own_fd dir = fresh();
	struct state *s = NULL;
	struct state_identity id;
	struct state_run *runs = NULL;
	char text[5001];
	size_t n = 0;

	memset(text, 'x', 5000);
	text[5000] = '\0';
	state_open(dir, &s, &e);
	tap_ok(state_claim(s, &range, text, NULL, NULL, &id, &e) == 0 &&
		       state_runs(s, &runs, &n, &e) == 0 && n == 1 &&
		       strlen(runs[0].command) == 4096,
	       "a long command is cut");
	state_runs_free(runs, n);
	own_close(&id.lock_fd);
	state_close(s);
}

static void claim_many(int dir, int out, int times)
{
	struct state *s = NULL;
	struct state_identity id;

	for (int i = 0; i < times; i++) {
		uint32_t uid = 0;

		if (state_open(dir, &s, &e) == 0) {
			if (claim(s, &range, &id) == 0)
				uid = id.uid;
			state_close(s);
		}
		if (!uid)
			printf("# %s\n", e.msg);
		if (write(out, &uid, sizeof(uid)) != sizeof(uid))
			_exit(1);
	}
	_exit(0);
}

static void test_parallel(void)
{
	own_fd dir = fresh();
	int p[2];
	uint32_t uid;
	int seen[50] = {0};
	int wrong = 0, got = 0;

	if (pipe2(p, O_CLOEXEC) < 0)
		return;
	fflush(stdout);
	for (int i = 0; i < 2; i++)
		if (fork() == 0)
			claim_many(dir, p[1], 20);
	close(p[1]);
	while (read(p[0], &uid, sizeof(uid)) == sizeof(uid)) {
		got++;
		if (uid < FIRST || uid >= FIRST + 50 || seen[uid - FIRST]++)
			wrong++;
	}
	close(p[0]);
	while (wait(NULL) > 0)
		;
	tap_ok(got == 40 && wrong == 0,
	       "two processes claim 40 UIDs, each another one");
}

/* Takes the busy timeout's five seconds. */
static void test_busy(void)
{
	own_fd dir = fresh();
	struct state *s = NULL, *holder = NULL;
	struct state_identity id;

	state_open(dir, &s, &e);
	state_open(dir, &holder, &e);
	sqlite3_exec(holder->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	tap_ok(claim(s, &range, &id) < 0 &&
		       strstr(e.msg, "in use by another program for 5 seconds"),
	       "a database that somebody holds is an error in words");
	tap_ok(faccessat(dir, "highwater", F_OK, 0) < 0, "nothing was done");
	sqlite3_exec(holder->db, "ROLLBACK", NULL, NULL, NULL);
	tap_ok(claim(s, &range, &id) == 0 && id.uid == FIRST,
	       "and goes on when it is free again");
	own_close(&id.lock_fd);
	state_close(holder);
	state_close(s);
}

/* What a killed claimer leaves in locks/ goes with the next clean-up. */
static void test_sweep(void)
{
	own_fd dir = fresh();
	struct state *s = NULL, *s2 = NULL;

	claim_once(dir, &range);
	put_file(dir, "locks/2", "", 0);
	put_file(dir, "locks/note", "", 0);
	put_file(dir, DB_NAME "-wal", "", 0);
	state_open(dir, &s, &e);
	tap_ok(faccessat(dir, "locks/2", F_OK, 0) < 0 &&
		       faccessat(dir, "locks/1", F_OK, 0) == 0 &&
		       faccessat(dir, "locks/note", F_OK, 0) == 0,
	       "lock files without a run are removed, others are not");
	/* Somebody may be between its lock file and its COMMIT. */
	sqlite3_exec(s->db, "UPDATE runs SET ready=1", NULL, NULL, NULL);
	put_file(dir, "locks/2", "", 0);
	tap_ok(faccessat(dir, DB_NAME "-wal", F_OK, 0) == 0 &&
		       state_open(dir, &s2, &e) == 0 &&
		       faccessat(dir, "locks/2", F_OK, 0) == 0,
	       "and none while another has the database open");
	state_close(s2);
	state_close(s);
}

int main(void)
{
	if (!mkdtemp(base))
		return 1;
	test_refusals();
	test_modes();
	test_file_systems();
	test_damage();
	test_claim();
	test_bad_ranges();
	test_highwater();
	test_bad_highwater();
	test_intervals();
	test_life();
	test_adopt();
	test_grants();
	test_rules();
	test_long_command();
	test_parallel();
	test_busy();
	test_sweep();
	rmtree(base);
	return tap_done();
}
