/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Aliases in the database: one run at a time, grants that stay, forgetting. */
#include "base/err.h"
#include "base/own.h"
#include "rmtree.h"
#include "state/db.h"
#include "state/state.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

static char base[] = "/tmp/vmrun-alias-test-XXXXXX";
static const struct state_range range = {100000, 200000, 50};
static struct err e;
static struct state *s;

static int fresh(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", base, name);
	if (mkdir(path, 0700) < 0)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static const struct state_range *ours = &range;

static int claim(const char *alias, enum run_kind kind, struct state_want *w,
		 size_t n, struct state_identity *id)
{
	const struct state_alias_claim c = {
		.range = ours,
		.alias = alias,
		.command = "x",
		.kind = kind,
		.may_make = kind == RUN_VM,
		.wants = w,
		.n_wants = n,
	};

	return state_claim_alias(s, &c, id, &e);
}

static size_t count(int64_t run, enum grant_phase phase)
{
	struct state_grant *g = NULL;
	size_t n = 0, found = 0;

	state_grants(s, run, &g, &n, &e);
	for (size_t i = 0; i < n; i++)
		found += g[i].phase == phase;
	state_grants_free(g, n);
	return found;
}

static int64_t grant(const struct state_identity *id, struct state_want *w)
{
	int64_t row = 0;

	if (state_grant_begin(s, id->run, w, &row, &e) < 0 ||
	    state_grant_whole(s, row, &e) < 0)
		return 0;
	return row;
}

static void test_life(void)
{
	struct state_want w = {"/d", 1, 2, 3, ACCESS_RO, 0};
	struct state_identity id, other;
	uid_t uid;
	int64_t row;

	tap_ok(claim("web", RUN_WORK, NULL, 0, &id) < 0 &&
		       strstr(e.msg, "no alias web"),
	       "vmrunctl makes no alias");
	tap_ok(claim("web", RUN_VM, &w, 1, &id) == 0 && !w.grant &&
		       id.status == IDENTITY_RESERVED,
	       "a new alias has nothing");
	uid = id.uid;
	tap_ok(claim("web", RUN_VM, NULL, 0, &other) < 0 &&
		       strstr(e.msg, "is running already, as VM 1"),
	       "a second run is refused");
	state_ending(&id);
	tap_ok(claim("web", RUN_VM, NULL, 0, &other) < 0 &&
		       strstr(e.msg, "is ending: VM 1 is being cleaned up") &&
		       e.code == EBUSY,
	       "in other words while that one is ending");
	tap_ok(state_is_held(s, 1, &e) == 1 && !state_is_held(s, 2, &e),
	       "its lock is held as before");
	tap_ok(claim("net", RUN_VM, NULL, 0, &other) == 0 && other.uid != uid,
	       "another alias has another UID");
	tap_ok(state_release(s, &other, 0, &e) == 0, "its run ends");
	tap_ok(state_grant_begin(s, id.run, &w, &row, &e) == 0 &&
		       state_release(s, &id, 0, &e) < 0 &&
		       strstr(e.msg, "still has 1 grant"),
	       "a run does not end while a grant is half made");
	tap_ok(state_grant_whole(s, row, &e) == 0 &&
		       state_set_status(s, id.run, IDENTITY_ACTIVE, &e) == 0 &&
		       state_release(s, &id, 0, &e) == 0,
	       "with a whole one it does");
	tap_ok(claim("web", RUN_VM, &w, 1, &id) == 0 && id.uid == uid &&
		       w.grant == row && id.status == IDENTITY_ACTIVE,
	       "the next run has UID and grant");
	state_release(s, &id, 0, &e);
}

/* What is granted must be that very object, with that very access. */
static void test_wants(void)
{
	const struct state_want have = {"/w", 7, 8, 9, ACCESS_RO, 0};
	struct state_want w[] = {have, have, have, have, have, have};
	struct state_identity id;

	w[1].ino++;
	w[2].btime++;
	w[3].access = ACCESS_RW;
	w[4].path = "/w/";
	w[5].dev++;
	claim("wants", RUN_VM, NULL, 0, &id);
	tap_ok(grant(&id, &w[0]) != 0, "a grant");
	state_release(s, &id, 0, &e);
	tap_ok(claim("wants", RUN_VM, w, 6, &id) == 0 && w[0].grant != 0,
	       "is found again");
	tap_ok(!w[1].grant, "but not for another inode");
	tap_ok(!w[2].grant, "nor for a later one with its number");
	tap_ok(!w[3].grant, "nor for more");
	tap_ok(!w[4].grant, "nor under another name");
	tap_ok(!w[5].grant, "nor on another device in the same boot");
	state_release(s, &id, 0, &e);
	sqlite3_exec(s->db, "UPDATE grants SET boot_id='x' WHERE path=x'2f77'",
		     NULL, NULL, NULL);
	tap_ok(claim("wants", RUN_VM, &w[5], 1, &id) == 0 && w[5].grant,
	       "devices may have other numbers after a boot");
	state_release(s, &id, 0, &e);
}

static void test_lapse(void)
{
	struct state_want w[] = {
		{"/a", 1, 1, 0, ACCESS_RO, 0},
		{"/a/b", 1, 2, 0, ACCESS_RO, 0},
		{"/ab", 1, 3, 0, ACCESS_RO, 0},
		{"/c", 1, 4, 0, ACCESS_RO, 0},
	};
	struct state_identity id, other;
	int64_t row[4];

	claim("lapse", RUN_VM, NULL, 0, &id);
	claim("beside", RUN_VM, NULL, 0, &other);
	grant(&other, &w[1]);
	for (int i = 0; i < 4; i++)
		row[i] = grant(&id, &w[i]);
	tap_ok(state_grant_lapse(s, row[0], &e) == 0 &&
		       count(id.run, GRANT_LAPSED) == 1,
	       "what is below lapses, no longer names do not");
	tap_ok(count(other.run, GRANT_LAPSED) == 0,
	       "nor does what another UID has");
	state_grant_whole(s, row[1], &e);
	tap_ok(state_grant_lapse(s, row[1], &e) == 0 &&
		       count(id.run, GRANT_LAPSED) == 1,
	       "what is above lapses");
	tap_ok(grant(&id, &w[3]) != 0 && count(id.run, GRANT_WHOLE) == 3,
	       "a new grant of a path ends the old one");
	state_release(s, &id, 0, &e);
	state_release(s, &other, 0, &e);
}

static void test_forget(void)
{
	struct state_want w = {"/f", 1, 2, 3, ACCESS_RW, 0};
	struct state_identity id, again;
	struct state_alias *list = NULL;
	size_t n = 0, before = 0;
	int64_t row;

	state_aliases(s, &list, &before, &e);
	free(list);
	claim("gone", RUN_VM, NULL, 0, &id);
	row = grant(&id, &w);
	state_release(s, &id, 0, &e);
	claim("gone", RUN_WORK, NULL, 0, &id);
	tap_ok(state_set_status(s, id.run, IDENTITY_REVOKING, &e) == 0 &&
		       state_release(s, &id, 0, &e) < 0,
	       "nothing is forgotten while a grant is there");
	tap_ok(claim("gone", RUN_VM, NULL, 0, &again) < 0 &&
		       strstr(e.msg, "vmrunctl is changing"),
	       "nothing starts meanwhile");
	tap_ok(state_grant_done(s, row, &e) == 0 &&
		       state_release(s, &id, 0, &e) == 0 &&
		       id.status == IDENTITY_QUARANTINE,
	       "then its UID is in quarantine");
	state_aliases(s, &list, &n, &e);
	tap_ok(n == before, "and its name is gone");
	free(list);
	tap_ok(claim("gone", RUN_VM, &w, 1, &again) == 0 &&
		       again.uid != id.uid && !w.grant,
	       "a new one of that name has another UID, and nothing");
	state_release(s, &again, 0, &e);
}

static bool in_quarantine(uid_t uid)
{
	struct state_owner *list = NULL;
	bool is = false;
	size_t n = 0;

	state_owners(s, &list, &n, &e);
	for (size_t i = 0; i < n; i++)
		if (list[i].uid == uid)
			is = list[i].status == IDENTITY_QUARANTINE &&
			     !list[i].is_alias;
	free(list);
	return is;
}

/* The person has other subordinate ids than when the alias was made. */
static void test_other_range(void)
{
	static const struct state_range other = {300000, 300000, 50};
	static const struct state_range groups = {100000, 400000, 50};
	struct state_want w = {"/moved", 1, 2, 3, ACCESS_RO, 0};
	struct state_identity id, now;
	int64_t row;

	claim("moved", RUN_VM, NULL, 0, &id);
	row = grant(&id, &w);
	state_release(s, &id, 0, &e);
	ours = &other;
	tap_ok(claim("moved", RUN_VM, &w, 1, &now) < 0 &&
		       strstr(e.msg, "range 300000-300049 any more") &&
		       strstr(e.hint, "alias forget moved"),
	       "a UID outside of the range cannot run");
	tap_ok(claim("moved", RUN_WORK, NULL, 0, &now) == 0 &&
		       now.uid == id.uid,
	       "but be worked on");
	state_grant_done(s, row, &e);
	state_release(s, &now, 0, &e);
	tap_ok(claim("moved", RUN_VM, &w, 1, &now) == 0 && now.uid == 300000 &&
		       now.gid == 300000 && !w.grant &&
		       now.status == IDENTITY_RESERVED,
	       "where it has no grants another one takes its place");
	tap_ok(in_quarantine(id.uid), "and it is in quarantine");
	grant(&now, &w);
	state_release(s, &now, 0, &e);
	tap_ok(claim("moved", RUN_VM, &w, 1, &now) == 0 && now.uid == 300000 &&
		       w.grant,
	       "which is the alias's from now on");
	state_grant_unmake(s, w.grant, &e);
	state_grant_done(s, w.grant, &e);
	state_release(s, &now, 0, &e);
	ours = &groups;
	claim("groups", RUN_VM, NULL, 0, &id);
	state_release(s, &id, 0, &e);
	ours = &range;
	tap_ok(claim("groups", RUN_VM, NULL, 0, &now) == 0 &&
		       now.uid != id.uid && now.gid - now.uid == 100000,
	       "a group outside of it is no other matter");
	state_release(s, &now, 0, &e);
}

/* Two looked at once what is on the disk; the slower one comes with its news
 * when the alias runs already. */
static void test_scanned_twice(void)
{
	struct state_want w = {"/twice", 1, 2, 3, ACCESS_RW, 0};
	struct state_identity id;

	state_scanned_all(s, &e);
	claim("twice", RUN_VM, NULL, 0, &id);
	grant(&id, &w);
	tap_ok(state_scanned_all(s, &e) == 0 && count(id.run, GRANT_WHOLE) == 1,
	       "who has no doubt makes no grant lapse");
	state_release(s, &id, 0, &e);
}

static void test_rename(void)
{
	tap_ok(state_alias_rename(s, "nobody", "x", NULL, &e) < 0 &&
		       strstr(e.msg, "no alias nobody"),
	       "an unknown alias is not renamed");
	tap_ok(state_alias_rename(s, "web", "net", NULL, &e) < 0 &&
		       strstr(e.msg, "already"),
	       "nor to a name that is taken");
	tap_ok(state_alias_rename(s, "web", "www", NULL, &e) == 0,
	       "else it is");
}

static size_t moves(struct state_move *first)
{
	own_free struct state_move *list = NULL;
	size_t n = 99;

	state_moves(s, &list, &n, &e);
	if (n)
		*first = list[0];
	return n;
}

static int called(void *arg, struct err *why)
{
	(void)why;
	++*(int *)arg;
	return 0;
}

/* A rename says what is to be moved, until it is. */
static void test_home(void)
{
	struct state_want w = {"/s/homes/old", 1, 2, 3, ACCESS_RW, 0};
	struct state_want other = {"/s/homes/older", 1, 5, 3, ACCESS_RW, 0};
	struct state_identity id;
	struct state_move m;
	int calls = 0;

	claim("old", RUN_VM, NULL, 0, &id);
	state_set_status(s, id.run, IDENTITY_ACTIVE, &e);
	grant(&id, &w);
	grant(&id, &other);
	state_release(s, &id, 0, &e);
	tap_ok(moves(&m) == 0, "no home is to be moved");
	tap_ok(state_alias_rename(s, "old", "new", "/s/homes", &e) == 0 &&
		       moves(&m) == 1 && !strcmp(m.from, "old") &&
		       !strcmp(m.to, "new"),
	       "a renamed alias's is");
	w.path = "/s/homes/new";
	claim("new", RUN_VM, &w, 1, &id);
	tap_ok(w.grant, "the grant is that of the new place already");
	state_release(s, &id, 0, &e);
	claim("new", RUN_VM, &other, 1, &id);
	tap_ok(other.grant, "others stay");
	state_release(s, &id, 0, &e);
	tap_ok(state_moved(s, "new", &e) == 0 && moves(&m) == 0 &&
		       state_moved(s, "new", &e) == 0,
	       "once it is moved it is not again");
	tap_ok(state_without_alias(s, "new", called, &calls, &e) == 1 && !calls,
	       "nothing is done without an alias that there is");
	tap_ok(state_without_alias(s, "old", called, &calls, &e) == 0 &&
		       calls == 1,
	       "with its old name it is");
}

int main(void)
{
	own_fd dir = -1;

	if (!mkdtemp(base))
		return 1;
	dir = fresh("state");
	if (state_open(dir, &s, &e) < 0) {
		tap_ok(0, "%s", e.msg);
		return tap_done();
	}
	test_life();
	test_wants();
	test_lapse();
	test_rename();
	test_home();
	test_forget();
	test_other_range();
	test_scanned_twice();
	state_close(s);
	rmtree(base);
	return tap_done();
}
