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
	s->life = calloc(range->count, sizeof(*s->life));
	if (s->trace && s->life)
		return 0;
	sweep_free(s);
	return err_set(e, ENOMEM, "looking for traces");
}

void sweep_lives(struct sweep *s, const struct state_owner *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t k = list[i].uid - s->range.uid_first;

		if (list[i].uid < s->range.uid_first || k >= s->range.count)
			continue;
		s->life[k] = (struct sweep_life){list[i].since, list[i].ended};
	}
}

void sweep_free(struct sweep *s)
{
	for (uint32_t i = 0; s->trace && i < s->range.count; i++) {
		struct sweep_trace *t = &s->trace[i];

		for (size_t k = 0; k < t->n_spots; k++)
			free(t->spot[k].at);
		free(t->spot);
		free(t->example);
	}
	free(s->trace);
	free(s->life);
	s->trace = NULL;
	s->life = NULL;
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

static int note_example(struct sweep_trace *t, const char *path, struct err *e)
{
	if (!t->example)
		t->example = text_dup(path, e);
	return t->example ? 0 : -1;
}

/* The spot of the trace in a place, made longer by path; NULL and e. */
static struct sweep_spot *note(struct sweep_trace *t, const char *root,
			       const char *path, struct err *e)
{
	struct sweep_spot *more;
	char *at;

	if (note_example(t, path, e) < 0)
		return NULL;
	for (size_t i = 0; i < t->n_spots; i++)
		if (t->spot[i].root == root) {
			join(t->spot[i].at, path);
			return &t->spot[i];
		}
	at = text_dup(path, e);
	if (!at)
		return NULL;
	more = reallocarray(t->spot, t->n_spots + 1, sizeof(*more));
	if (!more) {
		free(at);
		err_set(e, ENOMEM, "looking for traces");
		return NULL;
	}
	t->spot = more;
	more[t->n_spots] = (struct sweep_spot){.root = root, .at = at};
	return &more[t->n_spots++];
}

/* Was the inode made when no VM had the id? */
static bool is_others(const struct sweep_life *l, const struct grant_found *f)
{
	int64_t birth = l->since || l->ended ? reclaim_birth(f->fd) : 0;

	return birth && ((l->since && birth < l->since) ||
			 (l->ended && birth > l->ended));
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

/*
 * Of something deeper than a path can be, it is the path of a directory above
 * it: one that can be opened.  Allocated; NULL and e.
 */
static char *path_of(const char *root, const struct grant_found *f,
		     struct err *e)
{
	size_t used = strlen(root) + 1;
	char rest[PATH_MAX] = "";
	char *slash;

	if (used >= sizeof(rest))
		return text_dup(root, e);
	if (grant_found_raw(f, rest, sizeof(rest) - used) < 0) {
		slash = strrchr(rest, '/');
		*(slash ? slash : rest) = '\0';
	}
	return rest[0] ? path_join(root, rest, e) : text_dup(root, e);
}

static int on_found(void *arg, const struct grant_found *f, struct err *e)
{
	const struct look *l = arg;
	const struct state_range *r = &l->s->range;
	bool is_gid = f->trace == TRACE_GROUP || f->trace == TRACE_ACL_GROUP ||
		      f->trace == TRACE_DEFAULT_GROUP;
	uint32_t n = f->id - (is_gid ? r->gid_first : r->uid_first);
	bool is_owned = f->trace == TRACE_OWNER || f->trace == TRACE_GROUP;
	struct sweep_trace *t;
	struct sweep_spot *spot;
	own_free char *path = NULL;
	bool strange;

	/* Its owner's trace has it. */
	if (f->trace == TRACE_GROUP && f->st->st_uid == r->uid_first + n)
		return 0;

	path = path_of(l->root, f, e);
	if (!path)
		return -1;
	t = &l->s->trace[n];
	strange = is_owned && is_others(&l->s->life[n], f);
	if (is_granted(l->s, r->uid_first + n, path)) {
		t->granted += is_owned && !strange;
		t->granted_others += strange;
		return 0;
	}
	if (strange) {
		t->others++;
		return note_example(t, path, e);
	}
	if (!t->n_spots)
		t->pass = l->s->pass;
	spot = note(t, l->root, path, e);
	if (!spot)
		return -1;
	/* A later pass may meet the same one again. */
	if (t->pass != l->s->pass)
		return 0;
	t->owned += is_owned;
	t->entries += !is_owned;
	spot->owned += is_owned;
	spot->entries += !is_owned;
	return 0;
}

static void on_seen(void *arg, uint64_t n)
{
	const struct look *l = arg;

	if (l->s->met)
		l->s->met(l->s->met_arg, n);
}

/* root: what the path leads to, or -1 and errno. */
static int look_through(struct sweep *s, const char *path, int root,
			struct err *e)
{
	struct look l = {s, path};
	const struct grant_scan ask = {
		.root = root,
		.ids = {s->range.uid_first, s->range.count, s->range.gid_first,
			s->range.count},
		.only_root = s->only_root,
		.passes = s->passes,
		.found = on_found,
		.seen = on_seen,
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

int sweep_look(struct sweep *s, const char *path, struct err *e)
{
	struct stat st;
	own_fd root = plan_open(path, &st);

	return look_through(s, path, root, e);
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
		own_fd root = -1;
		struct stat st;
		int r;

		p->begin(p->arg, p->path[i]);
		root = plan_open(p->path[i], &st);
		r = look_through(s, p->path[i], root, &why);
		if (r >= 0)
			p->found(p->arg, i, root);
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

/*
 * A link is not opened, and a FIFO, a socket or a device goes by its name: of
 * one that is all that there is, it is the directory that has it.
 */
int sweep_open(const struct sweep_spot *spot)
{
	own_free char *path = strdup(spot->at);
	struct stat st;
	char *name;

	if (!path)
		return -1;
	name = strrchr(path, '/');
	if (lstat(path, &st) == 0 && !S_ISDIR(st.st_mode) &&
	    !S_ISREG(st.st_mode))
		name[name == path] = '\0';
	return plan_open(path, &st);
}

/* files: what is owned is to be given back. */
static int clean_spot(const struct reclaim *rc, const struct state_identity *id,
		      const struct sweep_spot *spot, bool files,
		      struct sweep_cleaned *did, struct err *e)
{
	struct grant_stats g = {0};
	struct grant_who who;
	own_fd root = sweep_open(spot);
	own_fd lock = -1;
	char shown[TEXT_SHOWN];
	uint64_t left;

	if (root < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (root < 0)
		return err_set(e, errno, "cleaning %s",
			       text_show(shown, sizeof(shown), spot->at));
	if (files && spot->owned) {
		int r = reclaim_give_back(rc, id, root, e);

		if (r < 0)
			return -1;
		did->files += r == 0 ? spot->owned : 0;
	}
	reclaim_who(rc->facts, id->uid, id->gid, &who);
	lock = edit_lock(rc->state_dir, rc->stop, e);
	if (lock < 0 || grant_revoke(root, &who, &g, &left, e) < 0)
		return -1;
	reclaim_tell_others(spot->at, id->uid, &g);
	did->others += g.others;
	did->entries += g.others ? g.edited : spot->entries;
	return 0;
}

int sweep_clean(const struct reclaim *rc, const struct state_identity *id,
		const struct sweep_trace *t, struct sweep_cleaned *did,
		struct err *e)
{
	*did = (struct sweep_cleaned){0};
	/* One by one: a walk does not leave its file system. */
	for (size_t i = 0; i < t->n_spots; i++)
		if (clean_spot(rc, id, &t->spot[i], !t->others, did, e) < 0)
			return -1;
	return 0;
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
