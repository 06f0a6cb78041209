/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When a UID is handed out again: only one that is free, the oldest first. */
#include "base/err.h"
#include "base/own.h"
#include "rmtree.h"
#include "state/db.h"
#include "state/state.h"
#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

static char base[] = "/tmp/vmrun-quarantine-test-XXXXXX";
static const struct state_range range = {100000, 200000, 4};
static struct err e;
static struct state *s;

static uid_t one_run(void)
{
	struct state_identity id;

	if (state_claim(s, &range, "x", NULL, NULL, &id, &e) < 0)
		return 0;
	state_release(s, &id, 0, &e);
	return id.uid;
}

static bool is_100001(void *arg, uid_t uid)
{
	(void)arg;
	return uid == 100001;
}

/* Of the one grant that there was, and is over. */
static void test_root(void)
{
	struct state_root *roots;
	size_t n;

	tap_ok(state_roots(s, &roots, &n, &e) == 0 && n == 1 &&
		       !strcmp(roots[0].path, "/g") && roots[0].uid == 100003,
	       "where something was granted is known afterwards");
	tap_ok(n == 1 && roots[0].dev == 1 && roots[0].ino == 2 &&
		       roots[0].is_boot,
	       "and what it was");
	state_roots_free(roots, n);
	db_exec(s, "UPDATE runs SET boot_id='x'", &e);
	tap_ok(state_roots(s, &roots, &n, &e) == 0 && n == 1 &&
		       !roots[0].is_boot,
	       "its device is of one boot");
	state_roots_free(roots, n);
}

static void test_reuse(void)
{
	struct state_identity id;
	int64_t row;

	tap_ok(state_found(s, 100002, 200002, "/x", &e) == 0, "(one is found)");
	tap_ok(one_run() == 100000 && one_run() == 100001 &&
		       one_run() == 100003,
	       "never used ones come first, not the found one");
	tap_ok(one_run() == 0 && strstr(e.msg, "none is known to have left"),
	       "then there is none");
	tap_ok(strstr(e.hint, "gc --deep") != NULL, "and what to do");
	tap_ok(state_free_uid(s, 100003, &e) == 0 &&
		       state_free_uid(s, 100001, &e) == 0,
	       "two become free");
	tap_ok(state_claim(s, &range, "x", is_100001, NULL, &id, &e) == 0 &&
		       id.uid == 100003 && id.gid == 200003,
	       "one that a process has is not handed out");
	tap_ok(state_free_uid(s, 100003, &e) < 0, "a live one does not get "
						  "free");
	state_grant_add(s, id.run, "/g", 1, 2, ACCESS_RO, &row, &e);
	tap_ok(state_release(s, &id, 0, &e) < 0, "nor over while it has a "
						 "grant");
	state_grant_done(s, row, &e);
	tap_ok(state_release(s, &id, 0, &e) == 0, "(over)");
	test_root();
	db_exec(s, "UPDATE grants SET gone=0", &e);
	tap_ok(state_free_uid(s, 100003, &e) < 0, "a grant of one that is over "
						  "keeps it");
	db_exec(s, "UPDATE grants SET gone=1", &e);
	tap_ok(state_free_uid(s, 100003, &e) == 0,
	       "after it is over, it is free once more");
	tap_ok(one_run() == 100001, "the one that waited longest comes first");
	tap_ok(one_run() == 100003, "then the other");
	tap_ok(one_run() == 0, "and no other");
	tap_ok(state_free_uid(s, 100002, &e) == 0 && one_run() == 100002,
	       "a found one too, when a scan finds nothing of it");
}

static void test_scans(void)
{
	struct state_owner *o;
	struct state_root *roots;
	size_t n;

	tap_ok(state_owners(s, &o, &n, &e) == 0 && n == 4 &&
		       o[0].status == IDENTITY_QUARANTINE && !o[0].is_live,
	       "all are listed");
	free(o);
	o = NULL;
	tap_ok(state_roots(s, &roots, &n, &e) == 0 && n == 0,
	       "what was granted is forgotten with the scan that freed it");
	state_roots_free(roots, n);
	tap_ok(state_found(s, 100000, 200000, "/y", &e) == 0 &&
		       state_owners(s, &o, &n, &e) == 0 && n == 4 &&
		       !o[0].found,
	       "one that is known stays known");
	free(o);
}

/* When it had runs, and that others use it. */
static void test_life(void)
{
	struct state_owner *o = NULL;
	size_t n = 0;

	tap_ok(state_owners(s, &o, &n, &e) == 0 && n == 4 && o[0].since > 0 &&
		       o[0].ended >= o[0].since,
	       "it is known when a UID was in use");
	free(o);
	o = NULL;
	db_exec(s, "UPDATE quarantine SET ended=NULL", &e);
	tap_ok(state_owners(s, &o, &n, &e) == 0 && n == 4 && !o[0].ended,
	       "or not, of older versions");
	free(o);
	o = NULL;
	tap_ok(state_shared(s, 100000, &e) == 0 &&
		       state_owners(s, &o, &n, &e) == 0 && n == 4 &&
		       o[0].found && o[0].since,
	       "a known one may be others' as well");
	free(o);
	db_exec(s, "UPDATE quarantine SET found=0", &e);
}

/* What a cleaner may go on with, and that nobody gets it then. */
static void test_pin(void)
{
	struct state_identity id, alias;
	const struct state_alias_claim c = {.range = &range,
					    .alias = "web",
					    .kind = RUN_VM,
					    .may_make = true};

	tap_ok(state_claim(s, &range, "x", NULL, NULL, &id, &e) == 0 &&
		       state_pin(s, id.uid, id.gid, &e) == 0,
	       "what a run has is not to be cleaned");
	tap_ok(state_claim_alias(s, &c, &alias, &e) == 0 &&
		       state_pin(s, alias.uid, alias.gid, &e) == 0,
	       "nor what an alias has,");
	tap_ok(state_release(s, &alias, 0, &e) == 0 &&
		       state_pin(s, alias.uid, alias.gid, &e) == 0,
	       "running or not");
	tap_ok(state_release(s, &id, 0, &e) == 0 &&
		       state_pin(s, id.uid, id.gid, &e) == 1,
	       "what is over is");
	tap_ok(state_pin(s, 100002, 200002, &e) == 1 && one_run() == 100003,
	       "and what nobody knows, which is not handed out then");
	tap_ok(state_free_uid(s, 100003, &e) == 0 &&
		       state_pin(s, 100003, 200003, &e) == 1 && one_run() == 0,
	       "nor what is free");
}

/* In a database of its own. */
static void in_state(const char *name, void (*test)(void))
{
	own_fd dir = -1;
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", base, name);
	if (mkdir(path, 0700) == 0)
		dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state_open(dir, &s, &e) < 0) {
		tap_ok(0, "%s", e.msg);
		return;
	}
	test();
	state_close(s);
}

static void test_lives(void)
{
	test_reuse();
	test_scans();
	test_life();
}

int main(void)
{
	if (!mkdtemp(base))
		return 1;
	in_state("lives", test_lives);
	in_state("pin", test_pin);
	rmtree(base);
	return tap_done();
}
