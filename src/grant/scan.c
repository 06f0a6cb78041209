/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking for what ids left in a tree.  See scan.h. */
#include "grant/scan.h"

#include "base/err.h"
#include "base/own.h"
#include "grant/acl.h"
#include "grant/aclio.h"
#include "grant/passes.h"
#include "grant/walkint.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What the threads share. */
struct scan {
	const struct grant_scan *ask;
	pthread_mutex_t one;	  /* calls back at a time */
	struct stat root;	  /* of the tree */
	struct passes_busy *busy; /* this one is looked at; NULL: the tree */
	bool has_trace;		  /* the busy one */
};

/* One thread's part.  Large: on the heap. */
struct part {
	struct scan *scan;
	const struct grant_scan *ask; /* the scan's */
	uint64_t seen, found, failed;
	struct err first; /* the first failure */
	struct acl acl;
	struct aclio io;
};

static bool in_range(uint32_t id, uint32_t first, uint32_t count)
{
	return id >= first && id - first < count;
}

static int report(struct part *s, struct grant_found *f, enum grant_trace trace,
		  uint32_t id, unsigned perm, struct err *e)
{
	int r;

	f->trace = trace;
	f->id = id;
	f->perm = perm;
	if (s->scan->busy) { /* it is told when its turn comes */
		s->scan->has_trace = true;
		return 0;
	}
	s->found++;
	pthread_mutex_lock(&s->scan->one);
	r = s->ask->found(s->ask->arg, f, e);
	pthread_mutex_unlock(&s->scan->one);
	return r;
}

static int report_owner(struct part *s, struct grant_found *f, struct err *e)
{
	const struct grant_ids *ids = &s->ask->ids;
	const struct stat *st = f->st;

	f->mask = ACL_RWX;
	if (in_range(st->st_uid, ids->uid_first, ids->uid_count) &&
	    report(s, f, TRACE_OWNER, st->st_uid, st->st_mode >> 6 & 7, e) < 0)
		return -1;
	if (in_range(st->st_gid, ids->gid_first, ids->gid_count))
		return report(s, f, TRACE_GROUP, st->st_gid,
			      st->st_mode >> 3 & 7, e);
	return 0;
}

static int report_acl(struct part *s, struct grant_found *f, enum acl_kind kind,
		      struct err *e)
{
	const struct grant_ids *ids = &s->ask->ids;
	bool dflt = kind == ACL_DEFAULT;
	struct acl_named n = {.at = 0};

	f->mask = acl_mask(&s->acl);
	while (acl_next_named(&s->acl, &n)) {
		enum grant_trace t;

		if (n.is_group) {
			if (!in_range(n.id, ids->gid_first, ids->gid_count))
				continue;
			t = dflt ? TRACE_DEFAULT_GROUP : TRACE_ACL_GROUP;
		} else {
			if (!in_range(n.id, ids->uid_first, ids->uid_count))
				continue;
			t = dflt ? TRACE_DEFAULT_USER : TRACE_USER;
		}
		if (report(s, f, t, n.id, n.perm, e) < 0)
			return -1;
	}
	return 0;
}

/* One ACL.  0 or, if the callback says so, -1; what cannot be read is counted.
 */
static int look_at(struct part *s, const struct walk_item *it,
		   struct grant_found *f, enum acl_kind kind, struct err *e)
{
	int have = aclio_read(&s->io, it, kind, &s->acl);
	char where[256];

	if (have > 0)
		return report_acl(s, f, kind, e);
	if (have < 0 && have != -EOPNOTSUPP && s->failed++ == 0)
		err_set(&s->first, -have, "%s: reading an ACL",
			walk_path(f->at, where, sizeof(where)));
	return 0;
}

/* One name more. */
static void count(struct part *s)
{
	const struct grant_scan *ask = s->ask;

	if (++s->seen % GRANT_SCAN_STEP || !ask->seen)
		return;
	pthread_mutex_lock(&s->scan->one);
	ask->seen(ask->arg, GRANT_SCAN_STEP);
	pthread_mutex_unlock(&s->scan->one);
}

/* Whether it was seen before, by an earlier pass. */
static bool is_seen(const struct part *s, struct walk_item *it)
{
	struct grant_passes *p = s->ask->passes;

	if (!p || s->scan->busy)
		return false;
	if (!S_ISDIR(it->st.st_mode))
		return it->ctx != NAMES_TO_SEE && !passes_changed(p, &it->st);
	it->ctx = passes_meet(p, &it->st);
	return it->ctx != NAMES_TO_SEE;
}

static enum walk_next visit(void *arg, const struct walk *w,
			    struct walk_item *it, struct err *e)
{
	struct part *s = arg;
	struct grant_found f = {.fd = it->fd, .st = &it->st, .at = w};
	bool only_root =
		s->ask->only_root || (s->scan->busy && it->parent >= 0);

	count(s);
	if (is_seen(s, it))
		return WALK_ON;
	if (report_owner(s, &f, e) < 0)
		return WALK_STOP;
	if (!S_ISLNK(it->st.st_mode) && look_at(s, it, &f, ACL_ACCESS, e) < 0)
		return WALK_STOP;
	if (S_ISDIR(it->st.st_mode) && look_at(s, it, &f, ACL_DEFAULT, e) < 0)
		return WALK_STOP;
	return only_root ? WALK_SKIP : WALK_ON;
}

static bool leave(void *arg, const struct walk *w, const struct walk_left *l)
{
	struct part *s = arg;

	if (!s->ask->passes)
		return l->young || l->vanished;
	if (!s->scan->busy)
		return passes_leave(s->ask->passes, w, l, &s->scan->root);
	if (!s->scan->has_trace)
		passes_leave_busy(s->ask->passes, s->scan->busy, l);
	return false;
}

static bool is_owned(const struct grant_ids *ids, const struct stat *st)
{
	return in_range(st->st_uid, ids->uid_first, ids->uid_count) ||
	       in_range(st->st_gid, ids->gid_first, ids->gid_count);
}

static bool is_named(const struct grant_ids *ids, const struct acl *a)
{
	struct acl_named n = {.at = 0};

	while (acl_next_named(a, &n))
		if (n.is_group ? in_range(n.id, ids->gid_first, ids->gid_count)
			       : in_range(n.id, ids->uid_first, ids->uid_count))
			return true;
	return false;
}

/* What has no trace is not opened. */
static enum walk_peek peek(void *arg, const struct walk *w,
			   const struct walk_item *it, struct err *e)
{
	struct part *s = arg;
	int have = 0;

	(void)w;
	(void)e;

	if (s->ask->passes && it->ctx != NAMES_TO_SEE &&
	    !passes_changed(s->ask->passes, &it->st)) {
		count(s);
		return PEEK_DONE;
	}
	if (is_owned(&s->ask->ids, &it->st))
		return PEEK_OPEN;
	if (!S_ISLNK(it->st.st_mode))
		have = aclio_read(&s->io, it, ACL_ACCESS, &s->acl);
	if (have < 0 && have != -EOPNOTSUPP)
		return PEEK_OPEN;
	if (have > 0 && is_named(&s->ask->ids, &s->acl))
		return PEEK_OPEN;
	count(s);
	return PEEK_DONE;
}

static int walk_parts(struct scan *s, int root, struct part *parts, unsigned n,
		      struct walk_counts *c, struct err *e)
{
	const struct walk_ops ops = {
		.visit = visit,
		.peek = peek,
		.want_all = true,
		.go_on = true,
		.stamp = STAMP_CHANGE,
		.begun = s->ask->passes ? &s->ask->passes->begun : NULL,
		.leave = leave,
		.stop = s->ask->stop};
	void *args[WALK_THREADS_MAX];

	for (unsigned i = 0; i < n; i++) {
		parts[i].scan = s;
		parts[i].ask = s->ask;
		args[i] = &parts[i];
	}
	return walk_threads(root, &ops, args, n, c, e);
}

/*
 * The tree's busy directories.  What goes wrong with one shows when the whole
 * tree is looked at.
 */
static void look_at_busy(struct scan *s, struct part *part)
{
	struct grant_passes *p = s->ask->passes;

	for (unsigned i = 0; i < p->n_busy; i++) {
		struct walk_counts c = {0};
		struct passes_busy *b = &p->busy[i];
		struct err e = ERR_INIT;
		own_fd fd = -1;

		if (b->root.st_ino != s->root.st_ino ||
		    b->root.st_dev != s->root.st_dev)
			continue;
		fd = walk_open_below(s->ask->root, b->path[0] ? b->path : ".",
				     O_RDONLY | O_DIRECTORY);
		if (fd < 0) { /* gone, and with it what it was busy with */
			b->is_seen = errno == ENOENT;
			b->ino = 0;
			continue;
		}
		s->busy = b;
		s->has_trace = false;
		part->failed = 0;
		if (walk_parts(s, fd, part, 1, &c, &e) < 0 || c.failed ||
		    c.refused || c.disturbed || part->failed)
			b->is_seen = false;
	}
}

/* What was met, once the walk is over. */
static uint64_t add_up(const struct part *parts, unsigned n,
		       const struct walk_counts *c, struct grant_stats *st,
		       struct err *e)
{
	uint64_t failed = c->failed;

	st->mounts = c->mounts;
	st->closed = c->refused;
	st->disturbed = c->disturbed;
	for (unsigned i = 0; i < n; i++) {
		st->seen += parts[i].seen;
		st->edited += parts[i].found;
		if (!failed && parts[i].failed)
			*e = parts[i].first;
		failed += parts[i].failed;
	}
	return failed;
}

int grant_scan(const struct grant_scan *ask, struct grant_stats *st,
	       struct err *e)
{
	struct scan s = {.ask = ask, .one = PTHREAD_MUTEX_INITIALIZER};
	unsigned n = walk_threads_wanted();
	own_free struct part *parts = calloc(n, sizeof(*parts));
	struct walk_counts c = {0};
	struct err we = ERR_INIT;
	uint64_t failed = 0;

	memset(st, 0, sizeof(*st));
	if (!parts)
		return err_set(e, ENOMEM, "scanning a tree");
	if (fstat(ask->root, &s.root) < 0)
		return err_set(e, errno, "scanning a tree");
	if (ask->busy_only) {
		look_at_busy(&s, parts);
		return 0;
	}
	if (walk_parts(&s, ask->root, parts, n, &c, &we) < 0)
		failed++;
	failed += add_up(parts, n, &c, st, &we);
	if (ask->passes && (failed || st->disturbed))
		passes_spoil(ask->passes);
	if (!failed)
		return 0;
	*e = we;
	return -1;
}

char *grant_found_shown(const struct grant_found *f, char *out, size_t n)
{
	return walk_path(f->at, out, n);
}

int grant_found_raw(const struct grant_found *f, char *out, size_t n)
{
	return walk_raw_path(f->at, out, n);
}
