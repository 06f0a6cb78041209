/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking for what ids left in a tree.  See scan.h. */
#include "grant/scan.h"

#include "base/err.h"
#include "base/own.h"
#include "grant/acl.h"
#include "grant/aclio.h"
#include "grant/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A scan under way.  Large: on the heap. */
struct scan {
	const struct grant_scan *ask;
	struct grant_stats *st;
	uint64_t failed;
	struct err first; /* the first failure */
	struct acl acl;
	struct aclio io;
};

static bool in_range(uint32_t id, uint32_t first, uint32_t count)
{
	return id >= first && id - first < count;
}

static int report(struct scan *s, struct grant_found *f, enum grant_trace trace,
		  uint32_t id, unsigned perm, struct err *e)
{
	f->trace = trace;
	f->id = id;
	f->perm = perm;
	s->st->edited++;
	return s->ask->found(s->ask->arg, f, e);
}

static int report_owner(struct scan *s, struct grant_found *f, struct err *e)
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

static int report_acl(struct scan *s, struct grant_found *f, enum acl_kind kind,
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
static int look_at(struct scan *s, const struct walk_item *it,
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
			    const struct walk_item *it, struct err *e)
{
	struct scan *s = arg;
	struct grant_found f = {.fd = it->fd, .st = &it->st, .at = w};

	s->st->seen++;
	if (report_owner(s, &f, e) < 0)
		return WALK_STOP;
	/* Neither the links nor the special files of a guest carry an ACL that
	 * counts, but for theirs inherited from a default one. */
	if (!S_ISLNK(it->st.st_mode) && look_at(s, it, &f, ACL_ACCESS, e) < 0)
		return WALK_STOP;
	if (S_ISDIR(it->st.st_mode) && look_at(s, it, &f, ACL_DEFAULT, e) < 0)
		return WALK_STOP;
	return s->ask->only_root ? WALK_SKIP : WALK_ON;
}

static int finish(struct scan *s, const struct walk_counts *c,
		  const struct err *we, struct err *e)
{
	s->st->mounts = c->mounts;
	s->st->closed = c->refused;
	if (c->failed && s->failed == 0)
		s->first = *we;
	if (!s->failed && !c->failed)
		return 0;
	*e = s->first;
	return -1;
}

int grant_scan(const struct grant_scan *ask, struct grant_stats *st,
	       struct err *e)
{
	own_free struct scan *s = calloc(1, sizeof(*s));
	const struct walk_ops ops = {.visit = visit,
				     .want_all = true,
				     .go_on = true,
				     .stop = ask->stop,
				     .arg = s};
	struct walk_counts c = {0};
	struct err we = ERR_INIT;

	memset(st, 0, sizeof(*st));
	if (!s)
		return err_set(e, ENOMEM, "scanning a tree");
	s->ask = ask;
	s->st = st;
	if (walk_tree(ask->root, &ops, &c, &we) < 0) {
		*e = we;
		return -1;
	}
	return finish(s, &c, &we, e);
}

char *grant_found_shown(const struct grant_found *f, char *out, size_t n)
{
	return walk_path(f->at, out, n);
}

int grant_found_raw(const struct grant_found *f, char *out, size_t n)
{
	return walk_raw_path(f->at, out, n);
}
