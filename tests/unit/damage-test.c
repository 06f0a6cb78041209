/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bits of the database that flip: it is refused, or works; no UID that was
 * handed out is handed out again, not even where its list was flipped.
 *
 * VMRUN_FLIPS (150) sets how many are tried, VMRUN_SEED repeats a run.
 */
#include "base/err.h"
#include "base/own.h"
#include "rmtree.h"
#include "state/db.h"
#include "state/state.h"
#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#define FIRST 100000u
#define USED 20u

static char base[] = "/tmp/vmrun-damage-test-XXXXXX";
static const struct state_range range = {FIRST, 200000, 60};
static struct err e;
static char good[1 << 20], list[4096]; /* state.db and highwater */
static ssize_t size, list_size;

static int put(int dir, const char *name, const char *p, size_t n)
{
	own_fd fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			   0600);

	return fd >= 0 && write(fd, p, n) == (ssize_t)n ? 0 : -1;
}

/* A database with runs that are over, one of them free, and an alias. */
static int fill(int dir)
{
	const struct state_alias_claim c = {
		.range = &range, .alias = "web", .may_make = true};
	struct state_want w = {"/d", 1, 2, 3, ACCESS_RO, 0};
	struct state_identity id;
	struct state *s;
	int64_t row;

	if (state_open(dir, &s, &e) < 0)
		return -1;
	for (unsigned i = 1; i < USED; i++)
		if (state_claim(s, &range, "x", NULL, NULL, &id, &e) < 0 ||
		    state_grant_add(s, id.run, "/x", 1, i, ACCESS_RW, &row,
				    &e) < 0 ||
		    state_grant_done(s, row, &e) < 0 ||
		    state_release(s, &id, 0, &e) < 0)
			return -1;
	if (state_free_uid(s, FIRST + 3, &e) < 0 ||
	    state_claim_alias(s, &c, &id, &e) < 0 ||
	    state_grant_begin(s, id.run, &w, &row, &e) < 0 ||
	    state_grant_whole(s, row, &e) < 0 ||
	    state_release(s, &id, 0, &e) < 0)
		return -1;
	state_close(s);
	return 0;
}

static void read_good(int dir)
{
	own_fd fd = openat(dir, DB_NAME, O_RDONLY | O_CLOEXEC);

	own_fd l = openat(dir, "highwater", O_RDONLY | O_CLOEXEC);

	size = fd < 0 ? -1 : read(fd, good, sizeof(good));
	list_size = l < 0 ? -1 : read(l, list, sizeof(list));
}

struct tally {
	unsigned refused, worked, reused, aside;
};

static void claim_one(struct state *s, struct tally *t)
{
	struct state_identity id;

	if (state_claim(s, &range, "x", NULL, NULL, &id, &e) < 0) {
		t->refused++;
		return;
	}
	t->worked++;
	if (id.uid < FIRST + USED)
		t->reused++;
	close(id.lock_fd);
}

/* One flip; -1 when a refused database cannot be set aside. */
static int flip_one(int dir, size_t bit, struct tally *t)
{
	struct state *s;
	char name[64];

	good[bit / 8] = (char)(good[bit / 8] ^ (1 << bit % 8));
	put(dir, DB_NAME, good, (size_t)size);
	good[bit / 8] = (char)(good[bit / 8] ^ (1 << bit % 8));
	put(dir, "highwater", list, (size_t)list_size);
	unlinkat(dir, DB_NAME "-wal", 0);
	unlinkat(dir, DB_NAME "-shm", 0);
	/* As after a kill: then it is read through. */
	if (bit & 1)
		put(dir, DB_DOUBT, "", 0);
	if (state_open(dir, &s, &e) < 0) {
		t->refused++;
		if (e.code != EUCLEAN)
			return 0;
		t->aside++;
		if (state_set_aside(dir, name, sizeof(name), &e) < 0)
			return -1;
		unlinkat(dir, name, 0);
		if (state_open(dir, &s, &e) < 0)
			return -1;
	}
	claim_one(s, t);
	state_close(s);
	return 0;
}

int main(void)
{
	const char *flips = getenv("VMRUN_FLIPS"), *was = getenv("VMRUN_SEED");
	unsigned seed = was ? (unsigned)atoi(was) : (unsigned)time(NULL);
	int n = flips ? atoi(flips) : 150, bad = 0;
	struct tally t = {0};
	own_fd dir = -1;

	if (!mkdtemp(base))
		return 1;
	dir = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	tap_ok(fill(dir) == 0, "a database with something in it");
	read_good(dir);
	printf("# VMRUN_SEED=%u, %zd bytes\n", seed, size);
	srandom(seed);
	for (int i = 0; size > 0 && list_size > 0 && i < n; i++)
		bad += flip_one(dir, (size_t)random() % ((size_t)size * 8),
				&t) < 0;
	printf("# %d flips: %u set aside, %u refused in all, %u claims\n", n,
	       t.aside, t.refused, t.worked);
	tap_ok(t.worked > 0 && t.reused == 0,
	       "no UID that was handed out is handed out again");
	tap_ok(t.aside > 0, "damage is noticed");
	tap_ok(bad == 0, "what is refused can be set aside, and a new one "
			 "opens");
	rmtree(base);
	return tap_done();
}
