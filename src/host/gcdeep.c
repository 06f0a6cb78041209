/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The deep part of garbage collection.  The person's own authority.
 *
 * Every UID that is in quarantine when it begins is looked for in the
 * home directory, in everything that was ever granted to one of them, and
 * among the processes.  What is found of a UID that vmrun had handed out is
 * cleaned; the UID stays in quarantine.  One of which nothing at all was found,
 * by a look that saw everything, is free.  An id that nobody knows is noted, so
 * that it is never handed out, and left alone: it may belong to containers.
 * They may use one that vmrun knows, too: a file that was made before the UID's
 * first run or after its last one is theirs, and the UID is noted likewise.
 */
#include "host/gcint.h"

#include "base/err.h"
#include "base/mountinfo.h"
#include "base/own.h"
#include "host/plan/planint.h"
#include "host/probe/probe.h"
#include "host/sweep.h"
#include "host/text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

struct deep {
	struct gc *g;
	struct sweep s;
	struct state_owner *owners;
	struct state_root *roots;
	struct state_grant *ledger;
	size_t n_owners, n_roots, n_ledger;
	const char **places; /* owned, not what it points to */
	bool whole;	     /* everything was seen */
	bool *running;	     /* by id: a process has it */
	uint64_t home_dev, home_mnt;
	const char *at; /* what is looked through; borrowed */
	uint64_t met;	/* names in it */
};

static void deep_free(struct deep *d)
{
	sweep_free(&d->s);
	free(d->owners);
	free(d->running);
	free(d->places);
	state_roots_free(d->roots, d->n_roots);
	state_grants_free(d->ledger, d->n_ledger);
}

static void on_process(void *arg, uid_t uid)
{
	struct deep *d = arg;
	const struct state_range *r = d->g->range;

	if (uid >= r->uid_first && uid - r->uid_first < r->count)
		d->running[uid - r->uid_first] = true;
}

/* A UID whose root is gone can be anywhere now: it is not to be freed. */
static void keep_uid(struct deep *d, uid_t uid)
{
	on_process(d, uid);
}

static void on_met(void *arg, uint64_t n)
{
	struct deep *d = arg;

	d->met += n;
	if (d->g->progress)
		d->g->progress(d->at, d->met);
}

static void on_begin(void *arg, const char *path)
{
	struct deep *d = arg;

	d->at = path;
	d->met = 0;
	on_met(d, 0);
}

/* Is it on the file system that was looked through as the home directory? */
static bool is_in_home(const struct deep *d, const char *path, int root)
{
	return root >= 0 && path_is_at_or_below(path, d->places[0]) &&
	       mountinfo_id(root) == d->home_mnt;
}

/*
 * What was granted is looked at if the path still leads to it.  Else it may be
 * anywhere, and so may be what its UID has.  Only of what was on the file
 * system of the home directory it is taken that it is still in there, or gone.
 */
static void check_root(struct deep *d, const struct state_root *was, int root)
{
	if (root >= 0 && reclaim_is_root(root, was))
		return;
	if (!was->is_boot || was->dev != d->home_dev ||
	    !path_is_at_or_below(was->path, d->places[0]))
		keep_uid(d, was->uid);
}

static void on_root(void *arg, size_t n, int root)
{
	struct deep *d = arg;

	/* The first one is the home directory. */
	for (size_t i = 0; n && i < d->n_roots; i++)
		if (!strcmp(d->roots[i].path, d->places[n]))
			check_root(d, &d->roots[i], root);
}

static int on_failed(void *arg, const struct err *why, struct err *e)
{
	struct deep *d = arg;

	d->whole = false;
	return gc_say(&d->g->left, text_dup(why->msg, e), e);
}

static int find_home(struct deep *d, const char *home, struct err *e)
{
	struct stat st;
	own_fd fd = plan_open(home, &st);

	if (fd < 0)
		return err_set(e, errno, "%s", home);
	d->home_mnt = mountinfo_id(fd);
	d->home_dev = st.st_dev;
	d->places = calloc(d->n_roots + 1, sizeof(*d->places));
	if (!d->places)
		return err_set(e, ENOMEM, "looking for traces");
	d->places[0] = home;
	return 0;
}

/* The home directory, and what is not in it. */
static int look(struct deep *d, struct err *e)
{
	own_free char *home = realpath(d->g->rc->facts->home, NULL);
	struct sweep_paths p = {.begin = on_begin,
				.found = on_root,
				.failed = on_failed,
				.arg = d,
				.n = 1};

	if (!home)
		return err_set(e, errno, "%s", d->g->rc->facts->home);
	if (find_home(d, home, e) < 0)
		return -1;
	for (size_t i = 0; i < d->n_roots; i++) {
		const struct state_root *was = &d->roots[i];
		struct stat st;
		own_fd root = plan_open(was->path, &st);

		if (is_in_home(d, was->path, root))
			check_root(d, was, root);
		else if (strcmp(was->path, d->places[p.n - 1]) != 0)
			d->places[p.n++] = was->path;
	}
	p.path = d->places;
	return sweep_look_all(&d->s, &p, e);
}

static uint64_t count(const struct sweep_trace *t)
{
	return t->owned + t->entries + t->others;
}

static int clean_uid(struct deep *d, const struct state_owner *o,
		     const struct sweep_trace *t, struct err *e)
{
	const struct state_identity id = {.uid = o->uid, .gid = o->gid};
	struct gc *g = d->g;
	struct err why = ERR_INIT;
	struct sweep_cleaned did;
	int mine = state_pin(g->rc->state, o->uid, o->gid, e);

	if (mine < 0)
		return -1;
	if (!mine)
		return gc_say(
			&g->left,
			text_fmt(e,
				 "a VM that began meanwhile has UID %u: "
				 "what it left before is not cleaned, e.g. "
				 "%s",
				 o->uid, t->example),
			e);
	g->quarantined += o->status == IDENTITY_FREE;
	if (state_scanned(g->rc->state, o->uid, count(t), t->example, e) < 0 ||
	    (t->others && state_shared(g->rc->state, o->uid, e) < 0))
		return -1;
	if (sweep_clean(g->rc, &id, t, &did, &why) < 0)
		return gc_say(&g->left,
			      text_fmt(e, "UID %u, e.g. %s: %s", o->uid,
				       t->example, why.msg),
			      e);
	if (!t->others && !did.others &&
	    state_scanned(g->rc->state, o->uid, 0, NULL, e) < 0)
		return -1;
	if (!did.files && !did.entries)
		return 0;
	return gc_say(&g->done,
		      text_fmt(e,
			       "cleaned %" PRIu64 " files and %" PRIu64
			       " ACL entries of UID %u, which is over, at %s%s",
			       did.files, did.entries, o->uid, t->spot[0].at,
			       t->n_spots > 1 ? " and elsewhere" : ""),
		      e);
}

static int left_by(struct deep *d, const struct state_owner *o,
		   const struct sweep_trace *t, const char *who, struct err *e)
{
	return gc_say(&d->g->left,
		      text_fmt(e,
			       "%s %u has %" PRIu64 " files and %" PRIu64
			       " ACL entries that nothing grants it, e.g. %s",
			       who, o->uid, t->owned, t->entries, t->example),
		      e);
}

static int judge(struct deep *d, const struct state_owner *o, struct err *e)
{
	struct gc *g = d->g;
	uint32_t n = o->uid - g->range->uid_first;
	const struct sweep_trace *t = &d->s.trace[n];

	if (o->is_alias || o->is_live)
		return t->n_spots ? left_by(d, o, t,
					    o->is_alias ? "an alias's UID"
							: "the live UID",
					    e)
				  : 0;
	if (t->example && o->found && !o->since)
		return g->dry ? 0
			      : state_scanned(g->rc->state, o->uid, count(t),
					      t->example, e);
	if (t->example && g->dry)
		return t->n_spots ? left_by(d, o, t, "UID", e) : 0;
	if (t->example)
		return clean_uid(d, o, t, e);
	/* A found one may be another database's of the person, whose VM or
	 * alias has no files just now. */
	if (o->status != IDENTITY_QUARANTINE || o->found || g->dry ||
	    !d->whole || d->running[n])
		return 0;
	g->freed++;
	return state_free_uid(g->rc->state, o->uid, e);
}

/* Ids with traces that no row has. */
static int note_unknown(struct deep *d, struct err *e)
{
	const struct state_range *r = d->g->range;
	size_t k = 0;

	for (uint32_t n = 0; n < r->count; n++) {
		uid_t uid = r->uid_first + n;

		while (k < d->n_owners && d->owners[k].uid < uid)
			k++;
		if (k < d->n_owners && d->owners[k].uid == uid)
			continue;
		if (d->s.trace[n].example && !d->g->dry &&
		    state_found(d->g->rc->state, uid, r->gid_first + n,
				d->s.trace[n].example, e) < 0)
			return -1;
	}
	return 0;
}

static int deep_steps(struct deep *d, struct err *e)
{
	struct gc *g = d->g;
	const struct state_range *r = g->range;

	/* The order matters: a UID that ends later is not in the list. */
	if (state_owners(g->rc->state, &d->owners, &d->n_owners, e) < 0 ||
	    state_roots(g->rc->state, &d->roots, &d->n_roots, e) < 0 ||
	    state_ledger(g->rc->state, &d->ledger, &d->n_ledger, e) < 0 ||
	    sweep_init(&d->s, r, e) < 0 || probe_uids(on_process, d, e) < 0)
		return -1;
	sweep_lives(&d->s, d->owners, d->n_owners);
	d->s.met = on_met;
	d->s.met_arg = d;
	d->s.ledger = d->ledger;
	d->s.n_ledger = d->n_ledger;
	if (look(d, e) < 0)
		return -1;
	g->seen = d->s.seen;
	if (d->s.closed || d->s.disturbed || probe_proc_hidden())
		d->whole = false;
	for (size_t i = 0; i < d->n_owners; i++) {
		const struct state_owner *o = &d->owners[i];

		if (o->uid < r->uid_first || o->uid - r->uid_first >= r->count)
			continue;
		if (judge(d, o, e) < 0)
			return -1;
		g->quarantined += o->status == IDENTITY_QUARANTINE;
	}
	g->quarantined -= g->freed;
	return note_unknown(d, e);
}

int gc_deep(struct gc *g, struct err *e)
{
	struct deep d = {.g = g, .whole = true};
	int r;

	d.running = calloc(g->range->count, sizeof(*d.running));
	r = d.running ? deep_steps(&d, e)
		      : err_set(e, ENOMEM, "looking for traces");
	deep_free(&d);
	return r;
}
