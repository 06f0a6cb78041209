/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What UIDs left behind.  The person's own authority. */
#include "host/sweep.h"

#include "base/err.h"
#include "base/own.h"
#include "grant/grant.h"
#include "grant/scan.h"
#include "host/editlock.h"
#include "host/plan/planint.h"
#include "host/text.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define PASSES 10
#define BUSY_TRIES 50

int sweep_init(struct sweep *s, const struct state_range *range, struct err *e)
{
	memset(s, 0, sizeof(*s));
	s->range = *range;
	s->trace = calloc(range->count, sizeof(*s->trace));
	return s->trace ? 0 : err_set(e, ENOMEM, "looking for traces");
}

void sweep_free(struct sweep *s)
{
	for (uint32_t i = 0; s->trace && i < s->range.count; i++) {
		free(s->trace[i].example);
		free(s->trace[i].at);
	}
	free(s->trace);
	s->trace = NULL;
	grant_passes_free(s->passes);
	s->passes = NULL;
}

/* Cuts `at` to what it has in common with path, in whole components. */
static void join(char *at, const char *path)
{
	while (!path_is_at_or_below(path, at)) {
		char *slash = strrchr(at, '/');

		slash[slash == at] = '\0';
	}
}

static int note(struct sweep_trace *t, const char *path, struct err *e)
{
	if (t->at) {
		join(t->at, path);
		return 0;
	}
	t->at = text_dup(path, e);
	t->example = text_dup(path, e);
	return t->at && t->example ? 0 : -1;
}

static bool is_granted(const struct sweep *s, uid_t uid, const char *path)
{
	for (size_t i = 0; i < s->n_ledger; i++)
		if (s->ledger[i].uid == uid &&
		    path_is_at_or_below(path, s->ledger[i].path))
			return true;
	return false;
}

struct look {
	struct sweep *s;
	const char *root;
};

static int on_found(void *arg, const struct grant_found *f, struct err *e)
{
	const struct look *l = arg;
	const struct state_range *r = &l->s->range;
	bool is_gid = f->trace == TRACE_GROUP || f->trace == TRACE_ACL_GROUP ||
		      f->trace == TRACE_DEFAULT_GROUP;
	uint32_t n = f->id - (is_gid ? r->gid_first : r->uid_first);
	struct sweep_trace *t;
	own_free char *path = NULL;
	char rest[PATH_MAX];

	/* Deeper than a path can be: all that can be said is the root. */
	if (grant_found_raw(f, rest, sizeof(rest)) < 0)
		rest[0] = '\0';
	path = rest[0] ? path_join(l->root, rest, e) : text_dup(l->root, e);
	if (!path)
		return -1;
	if (is_granted(l->s, r->uid_first + n, path))
		return 0;
	t = &l->s->trace[n];
	if (!t->example)
		t->pass = l->s->pass;
	/* A later pass may meet the same one again. */
	if (t->pass != l->s->pass)
		return note(t, path, e);
	if (f->trace == TRACE_OWNER || f->trace == TRACE_GROUP)
		t->owned++;
	else
		t->entries++;
	return note(t, path, e);
}

int sweep_look(struct sweep *s, const char *path, struct err *e)
{
	struct look l = {s, path};
	struct stat st;
	own_fd root = plan_open(path, &st);
	const struct grant_scan ask = {
		.root = root,
		.ids = {s->range.uid_first, s->range.count, s->range.gid_first,
			s->range.count},
		.passes = s->passes,
		.found = on_found,
		.arg = &l,
	};
	struct grant_stats g;
	int r;

	if (root < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (root < 0)
		return err_set(e, errno, "looking through %s", path);
	r = grant_scan(&ask, &g, e);
	if (s->pass < 2)
		s->seen += g.seen;
	s->closed += g.closed;
	s->disturbed = s->disturbed || g.disturbed;
	return r < 0 ? err_wrap(e, "looking through %s", path) : 1;
}

/* Busy directories first, in a moment in which they rest; see grant/passes.h.
 */
static void look_at_busy(struct sweep *s, const struct sweep_paths *p)
{
	for (int tries = 0; tries < BUSY_TRIES; tries++) {
		if (tries)
			grant_passes_again(s->passes);
		for (size_t i = 0; i < p->n; i++) {
			struct err why = ERR_INIT;
			struct grant_stats g;
			struct stat st;
			own_fd root = plan_open(p->path[i], &st);
			const struct grant_scan ask = {
				.root = root,
				.ids = {s->range.uid_first, s->range.count,
					s->range.gid_first, s->range.count},
				.passes = s->passes,
				.busy_only = true,
			};

			/* What fails here is looked at later all the same. */
			if (root >= 0)
				grant_scan(&ask, &g, &why);
		}
		if (grant_passes_are_busy_seen(s->passes))
			return;
	}
}

/* 0; 1 where some of it cannot be looked through; -1 and e. */
static int one_pass(struct sweep *s, const struct sweep_paths *p, struct err *e)
{
	int failed = 0;

	for (size_t i = 0; i < p->n; i++) {
		struct err why = ERR_INIT;
		int r;

		p->begin(p->arg, p->path[i]);
		r = sweep_look(s, p->path[i], &why);
		if (r == 0)
			p->not_there(p->arg, i);
		if (r < 0 && p->failed(p->arg, &why, e) < 0)
			return -1;
		failed = failed || r < 0;
	}
	return failed;
}

int sweep_look_all(struct sweep *s, const struct sweep_paths *p, struct err *e)
{
	int r;

	s->passes = grant_passes_new(e);
	if (!s->passes)
		return -1;
	do {
		s->pass++;
		grant_passes_next(s->passes);
		if (s->pass > 1)
			look_at_busy(s, p);
		r = one_pass(s, p, e);
		s->disturbed = !grant_passes_are_quiet(s->passes);
		/* What cannot be seen will not be seen by another one. */
	} while (r == 0 && s->disturbed && !s->closed && s->pass < PASSES);
	return r < 0 ? -1 : 0;
}

int sweep_clean(const struct reclaim *rc, uid_t uid, gid_t gid,
		const struct sweep_trace *t, struct err *e)
{
	const struct state_identity id = {.uid = uid, .gid = gid};
	struct grant_stats g = {0};
	struct grant_who who;
	own_fd lock = -1;
	struct stat st;
	own_fd root = plan_open(t->at, &st);
	uint64_t left;

	if (root < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (root < 0)
		return err_set(e, errno, "cleaning %s", t->at);
	if (t->owned && reclaim_give_back(rc, &id, root, e) < 0)
		return -1;
	reclaim_who(rc->facts, uid, gid, &who);
	lock = edit_lock(rc->state_dir, rc->stop, e);
	if (lock < 0)
		return -1;
	return grant_revoke(root, &who, &g, &left, e);
}

static int on_right(void *arg, const struct grant_found *f, struct err *e)
{
	struct sweep_rights *r = arg;
	static const enum sweep_through of[] = {
		[TRACE_OWNER] = THROUGH_OWNER,
		[TRACE_GROUP] = THROUGH_GROUP,
		[TRACE_USER] = THROUGH_ENTRY,
	};

	(void)e;
	/* The kernel takes the first of owner, entry and group that fits. */
	if (f->trace > TRACE_USER || of[f->trace] >= r->through)
		return 0;
	r->through = of[f->trace];
	r->entry = f->perm;
	r->perm = f->trace == TRACE_OWNER ? f->perm : f->perm & f->mask;
	return 0;
}

int sweep_rights(int fd, uid_t uid, gid_t gid, struct sweep_rights *r,
		 struct err *e)
{
	const struct grant_scan ask = {
		.root = fd,
		.ids = {uid, 1, gid, 1},
		.only_root = true,
		.found = on_right,
		.arg = r,
	};
	struct grant_stats g;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(e, errno, "looking at a file");
	*r = (struct sweep_rights){st.st_mode & 7, 0, THROUGH_OTHERS};
	return grant_scan(&ask, &g, e);
}
