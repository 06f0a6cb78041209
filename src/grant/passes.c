/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scans of trees that are in use.  See passes.h. */
#include "grant/passes.h"

#include "base/err.h"
#include "grant/scan.h"
#include "grant/walkint.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#define PASS_BITS 4u
#define PASS_MASK ((1u << PASS_BITS) - 1)
/* Two clocks tell whether one was set. */
#define GAP_MAX INT64_C(1000000000)

static uint32_t dev_of(dev_t dev)
{
	return major(dev) << 20 | minor(dev);
}

static int64_t clock_gap(void)
{
	struct timespec a, b;

	clock_gettime(CLOCK_REALTIME, &a);
	clock_gettime(CLOCK_BOOTTIME, &b);
	return (a.tv_sec - b.tv_sec) * INT64_C(1000000000) + a.tv_nsec -
	       b.tv_nsec;
}

/* When it was last walked, and which directories were in it then. */
static uint32_t pack(unsigned pass, uint64_t below)
{
	return (uint32_t)((below ^ below >> 32) << PASS_BITS) | pass;
}

struct grant_passes *grant_passes_new(struct err *e)
{
	struct grant_passes *p = calloc(1, sizeof(*p));

	if (p)
		p->busy = calloc(PASSES_BUSY_MAX, sizeof(*p->busy));
	if (!p || !p->busy) {
		free(p);
		err_set(e, ENOMEM, "looking for traces");
		return NULL;
	}
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

void grant_passes_free(struct grant_passes *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < p->n_busy; i++)
		free(p->busy[i].path);
	free(p->busy);
	inoset_free(&p->dirs);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void grant_passes_again(struct grant_passes *p)
{
	clock_gettime(CLOCK_REALTIME_COARSE, &p->begun);
	p->clock_gap = clock_gap();
	p->spoiled = p->busy_full || p->dirs.full || p->k >= PASS_MASK;
	for (unsigned i = 0; i < p->n_busy; i++)
		p->busy[i].is_seen = false;
}

void grant_passes_next(struct grant_passes *p)
{
	p->k++;
	p->before = p->begun;
	grant_passes_again(p);
}

bool grant_passes_are_busy_seen(const struct grant_passes *p)
{
	for (unsigned i = 0; i < p->n_busy; i++)
		if (!p->busy[i].is_seen)
			return false;
	return true;
}

bool grant_passes_are_quiet(const struct grant_passes *p)
{
	int64_t drift = clock_gap() - p->clock_gap;

	return !p->spoiled && drift < GAP_MAX && drift > -GAP_MAX;
}

void passes_spoil(struct grant_passes *p)
{
	pthread_mutex_lock(&p->lock);
	p->spoiled = true;
	pthread_mutex_unlock(&p->lock);
}

bool passes_changed(const struct grant_passes *p, const struct stat *st)
{
	return walk_is_young(&st->st_ctim, &p->before);
}

static bool is_seen_first(const struct grant_passes *p, const struct stat *st)
{
	for (unsigned i = 0; i < p->n_busy; i++)
		if (p->busy[i].is_seen && p->busy[i].ino == st->st_ino &&
		    p->busy[i].dev == st->st_dev)
			return true;
	return false;
}

enum passes_ctx passes_meet(struct grant_passes *p, const struct stat *st)
{
	enum passes_ctx ctx = NAMES_TO_SEE;
	const struct inoset_slot *at;

	if (p->k == 1)
		return ctx;
	pthread_mutex_lock(&p->lock);
	at = inoset_find(&p->dirs, dev_of(st->st_dev), st->st_ino);
	if (is_seen_first(p, st))
		ctx = NAMES_SEEN_NOW;
	else if (at && (at->count & PASS_MASK) == p->k - 1 &&
		 !passes_changed(p, st))
		ctx = NAMES_SEEN;
	pthread_mutex_unlock(&p->lock);
	return ctx;
}

/* Under the lock. */
static void add_busy(struct grant_passes *p, const struct walk *w,
		     const struct stat *root)
{
	char path[PATH_MAX];
	struct passes_busy *b = &p->busy[p->n_busy];

	if (walk_raw_path(w, path, sizeof(path)) < 0)
		return; /* it goes on spoiling passes */
	for (unsigned i = 0; i < p->n_busy; i++)
		if (!strcmp(p->busy[i].path, path) &&
		    p->busy[i].root.st_ino == root->st_ino &&
		    p->busy[i].root.st_dev == root->st_dev)
			return;
	if (p->n_busy == PASSES_BUSY_MAX) {
		p->busy_full = true;
		return;
	}
	*b = (struct passes_busy){.root = *root, .path = strdup(path)};
	if (b->path)
		p->n_busy++;
}

/* Notes that a directory was walked; what was noted of it before.  Under the
 * lock. */
static uint32_t note(struct grant_passes *p, const struct stat *st,
		     uint32_t what)
{
	uint32_t dev = dev_of(st->st_dev), was = 0;
	struct inoset_slot *at = inoset_find(&p->dirs, dev, st->st_ino);

	if (at)
		was = at->count;
	else if (inoset_add(&p->dirs, dev, st->st_ino))
		at = inoset_find(&p->dirs, dev, st->st_ino);
	if (at)
		at->count = what;
	else
		p->spoiled = true;
	return was;
}

bool passes_leave(struct grant_passes *p, const struct walk *w,
		  const struct walk_left *l, const struct stat *root)
{
	uint32_t now = pack(p->k, l->below), was;
	bool bad;

	pthread_mutex_lock(&p->lock);
	was = note(p, &l->st, now);
	bad = l->young &&
	      (l->ctx == NAMES_TO_SEE || now >> PASS_BITS != was >> PASS_BITS);
	bad = bad || (l->vanished && l->ctx != NAMES_SEEN_NOW);
	if (bad)
		add_busy(p, w, root);
	pthread_mutex_unlock(&p->lock);
	return bad;
}

void passes_leave_busy(struct grant_passes *p, struct passes_busy *b,
		       const struct walk_left *l)
{
	pthread_mutex_lock(&p->lock);
	b->is_seen = !l->young && !l->vanished;
	b->dev = l->st.st_dev;
	b->ino = l->st.st_ino;
	/* Directories that leave it from now on are missed here. */
	if (b->is_seen)
		note(p, &l->st, pack(p->k - 1, l->below));
	pthread_mutex_unlock(&p->lock);
}
