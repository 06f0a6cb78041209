/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking for what ids left in a tree.  See scan.h. */
#include "grant/scan.h"

#include "base/err.h"
#include "base/own.h"
#include "grant/acl.h"
#include "grant/aclio.h"
#include "grant/walk.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What the threads share. */
struct scan {
	const struct grant_scan *ask;
	pthread_mutex_t one; /* calls back at a time */
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

static enum walk_next visit(void *arg, const struct walk *w,
			    struct walk_item *it, struct err *e)
{
	struct part *s = arg;
	struct grant_found f = {.fd = it->fd, .st = &it->st, .at = w};

	s->seen++;
	if (report_owner(s, &f, e) < 0)
		return WALK_STOP;
	if (!S_ISLNK(it->st.st_mode) && look_at(s, it, &f, ACL_ACCESS, e) < 0)
		return WALK_STOP;
	if (S_ISDIR(it->st.st_mode) && look_at(s, it, &f, ACL_DEFAULT, e) < 0)
		return WALK_STOP;
	return s->ask->only_root ? WALK_SKIP : WALK_ON;
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

	if (is_owned(&s->ask->ids, &it->st))
		return PEEK_OPEN;
	if (!S_ISLNK(it->st.st_mode))
		have = aclio_read(&s->io, it, ACL_ACCESS, &s->acl);
	if (have < 0 && have != -EOPNOTSUPP)
		return PEEK_OPEN;
	if (have > 0 && is_named(&s->ask->ids, &s->acl))
		return PEEK_OPEN;
	s->seen++;
	return PEEK_DONE;
}

static int walk_parts(struct scan *s, struct part *parts, unsigned n,
		      struct walk_counts *c, struct err *e)
{
	const struct walk_ops ops = {.visit = visit,
				     .peek = peek,
				     .want_all = true,
				     .go_on = true,
				     .stamp = STAMP_CHANGE,
				     .stop = s->ask->stop};
	void *args[WALK_THREADS_MAX];

	for (unsigned i = 0; i < n; i++) {
		parts[i].scan = s;
		parts[i].ask = s->ask;
		args[i] = &parts[i];
	}
	return walk_threads(s->ask->root, &ops, args, n, c, e);
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
	if (walk_parts(&s, parts, n, &c, &we) < 0)
		failed++;
	failed += c.failed;
	st->mounts = c.mounts;
	st->closed = c.refused;
	st->disturbed = c.disturbed;
	for (unsigned i = 0; i < n; i++) {
		st->seen += parts[i].seen;
		st->edited += parts[i].found;
		if (!failed && parts[i].failed)
			we = parts[i].first;
		failed += parts[i].failed;
	}
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
