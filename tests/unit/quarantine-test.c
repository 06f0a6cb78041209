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

int main(void)
{
	own_fd dir = -1;

	if (!mkdtemp(base))
		return 1;
	dir = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state_open(dir, &s, &e) < 0) {
		tap_ok(0, "%s", e.msg);
		return tap_done();
	}
	test_reuse();
	test_scans();
	state_close(s);
	rmtree(base);
	return tap_done();
}
