/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Garbage collection.  The person's own authority.
 *
 * Theory of operation
 *
 * Always: runs whose vmrun is gone are cleaned, half-made changes of aliases
 * settled, directories of runs that are over removed.
 *
 * Deep: every UID that is in quarantine when it begins is looked for in the
 * home directory, in everything that was ever granted to one of them, and
 * among the processes.  What is found of a UID that vmrun had handed out is
 * cleaned; the UID stays in quarantine.  One of which nothing at all was found,
 * by a look that saw everything, is free.  An id that nobody knows is noted, so
 * that it is never handed out, and left alone: it may belong to containers.
 */
#include "host/gc.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "host/keep.h"
#include "host/live/manage.h"
#include "host/probe/probe.h"
#include "host/sweep.h"
#include "host/text.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

static int say(char ***list, char *text, struct err *e)
{
	own_free char *mine = text;

	return mine ? text_add(list, mine, e) : -1;
}

static int gc_lock(const struct gc *g, struct err *e)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	own_fd fd = openat(g->rc->state_dir, "gc.lock",
			   O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set(e, errno, "opening gc.lock");
	if (fcntl(fd, F_OFD_SETLK, &l) == 0)
		return steal_fd(&fd);
	if (errno == EAGAIN || errno == EACCES)
		return err_set(e, 0, "another gc is at work");
	return err_set(e, errno, "locking gc.lock");
}

/* ---- runs and aliases ---- */

static int dead_run(struct gc *g, const struct state_run *run, struct err *e)
{
	return say(&g->left,
		   text_fmt(e,
			    "VM %" PRId64 " (UID %u) is over and not cleaned "
			    "up: %s",
			    run->id.run, run->id.uid, run->command),
		   e);
}

/* What is not cleaned yet: runs that are over, and such that end just now. */
static int count_runs(struct gc *g, size_t *over, size_t *ending, struct err *e)
{
	struct state_run *list;
	size_t n;

	*over = *ending = 0;
	if (state_runs(g->rc->state, &list, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!list[i].alive)
			++*over;
		else if (list[i].pid > 0 && kill((pid_t)list[i].pid, 0) < 0 &&
			 errno == ESRCH)
			++*ending;
	}
	state_runs_free(list, n);
	return 0;
}

/*
 * Cleans runs that are over.  A vmrun that was killed may leave its lock for a
 * moment to a child that was about to call execve(2) and dies with it: that
 * moment is waited for, 10 ms a turn, at most two seconds.
 */
static int clean_runs(struct gc *g, struct err *e)
{
	struct err why = ERR_INIT;
	int cleaned = 0, did = 0, r = 0;
	size_t over, ending;

	for (int tries = 0; tries < 200; tries++) {
		did = reclaim_dead_runs(g->rc, &why);
		cleaned += did > 0 ? did : 0;
		r = count_runs(g, &over, &ending, e);
		if (did < 0 || r < 0 || (!over && !ending))
			break;
		if (!did)
			poll(NULL, 0, 10);
	}
	if (r == 0 && cleaned > 0)
		r = say(&g->done,
			text_fmt(e, "cleaned up after %d VMs", cleaned), e);
	if (r == 0 && did < 0)
		r = say(&g->left, text_dup(why.msg, e), e);
	return r;
}

static int runs(struct gc *g, struct err *e)
{
	struct state_run *list;
	int r = 0;
	size_t n;

	if ((!g->dry && clean_runs(g, e) < 0) ||
	    state_runs(g->rc->state, &list, &n, e) < 0)
		return -1;
	for (size_t i = 0; r == 0 && i < n; i++)
		if (!list[i].alive)
			r = dead_run(g, &list[i], e);
	state_runs_free(list, n);
	return r;
}

/* Takes the alias as a run would, and ends that: this settles everything. */
static int settle(struct gc *g, const struct state_grant *of, struct err *e)
{
	const struct state_alias_claim c = {
		.range = g->range,
		.alias = of->alias,
		.command = "vmrunctl gc",
		.kind = RUN_WORK,
	};
	struct state_identity id;
	struct err why = ERR_INIT;
	int r = state_claim_alias(g->rc->state, &c, &id, &why);

	if (r < 0) /* running: it is settled when it ends */
		return 0;
	r = reclaim_run(g->rc, &id, 0, &why);
	own_close(&id.lock_fd);
	if (r == 0)
		return say(
			&g->done,
			text_fmt(e, "made whole what alias %s has", of->alias),
			e);
	return say(&g->left, text_fmt(e, "alias %s: %s", of->alias, why.msg),
		   e);
}

static int aliases(struct gc *g, struct err *e)
{
	struct state_grant *list;
	uid_t last = 0;
	int r = 0;
	size_t n;

	if (state_ledger(g->rc->state, &list, &n, e) < 0)
		return -1;
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (!list[i].alias || list[i].phase == GRANT_WHOLE ||
		    list[i].uid == last)
			continue;
		last = list[i].uid;
		if (g->dry)
			r = say(&g->left,
				text_fmt(e, "alias %s: %s is not whole",
					 list[i].alias, list[i].path),
				e);
		else
			r = settle(g, &list[i], e);
	}
	state_grants_free(list, n);
	return r;
}

/* Directories of runs that are over; a live one has a row. */
static int run_dirs(struct gc *g, struct err *e)
{
	own_dir d = opendir(g->rc->facts->runtime);
	struct state_run *list;
	struct dirent *de;
	size_t n;

	if (!d || g->dry)
		return 0;
	if (state_runs(g->rc->state, &list, &n, e) < 0)
		return -1;
	while ((de = readdir(d))) {
		uint64_t run;
		size_t i = 0;

		if (text_number(de->d_name, INT64_MAX, &run) < 0)
			continue;
		while (i < n && list[i].id.run != (int64_t)run)
			i++;
		if (i == n)
			run_dir_remove(g->rc->facts->runtime, (int64_t)run);
	}
	state_runs_free(list, n);
	return 0;
}

/* ---- the deep part ---- */

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
	dev_t home_dev;
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

/* Is it inside of what was looked at with the home directory? */
static bool in_home(const struct deep *d, const char *path)
{
	own_free char *home = realpath(d->g->rc->facts->home, NULL);
	struct stat st;

	if (!home || !path_is_at_or_below(path, home))
		return false;
	return lstat(path, &st) < 0 || st.st_dev == d->home_dev;
}

/* A UID whose root is gone can be anywhere now: it is not to be freed. */
static void keep_uid(struct deep *d, uid_t uid)
{
	on_process(d, uid);
}

static void on_begin(void *arg, const char *path)
{
	const struct deep *d = arg;

	if (d->g->progress)
		d->g->progress(path);
}

static void on_missing(void *arg, size_t n)
{
	struct deep *d = arg;

	/* The first one is the home directory. */
	for (size_t i = 0; n && i < d->n_roots; i++)
		if (!strcmp(d->roots[i].path, d->places[n]))
			keep_uid(d, d->roots[i].uid);
}

static int on_failed(void *arg, const struct err *why, struct err *e)
{
	struct deep *d = arg;

	d->whole = false;
	return say(&d->g->left, text_dup(why->msg, e), e);
}

/* The home directory, and what is not in it. */
static int look(struct deep *d, struct err *e)
{
	own_free char *home = realpath(d->g->rc->facts->home, NULL);
	struct sweep_paths p = {.begin = on_begin,
				.not_there = on_missing,
				.failed = on_failed,
				.arg = d};
	struct stat st;

	if (!home || stat(home, &st) < 0)
		return err_set(e, errno, "%s", d->g->rc->facts->home);
	d->home_dev = st.st_dev;
	d->places = calloc(d->n_roots + 1, sizeof(*d->places));
	if (!d->places)
		return err_set(e, ENOMEM, "looking for traces");
	d->places[p.n++] = home;
	for (size_t i = 0; i < d->n_roots; i++) {
		const char *path = d->roots[i].path;

		if (!in_home(d, path) && strcmp(path, d->places[p.n - 1]) != 0)
			d->places[p.n++] = path;
	}
	p.path = d->places;
	return sweep_look_all(&d->s, &p, e);
}

static int clean_uid(struct deep *d, const struct state_owner *o,
		     const struct sweep_trace *t, struct err *e)
{
	struct gc *g = d->g;
	struct err why = ERR_INIT;

	if (state_scanned(g->rc->state, o->uid, t->owned + t->entries,
			  t->example, e) < 0)
		return -1;
	if (sweep_clean(g->rc, o->uid, o->gid, t, &why) < 0)
		return say(&g->left,
			   text_fmt(e, "UID %u, e.g. %s: %s", o->uid,
				    t->example, why.msg),
			   e);
	if (state_scanned(g->rc->state, o->uid, 0, NULL, e) < 0)
		return -1;
	return say(&g->done,
		   text_fmt(e,
			    "cleaned %" PRIu64 " files and %" PRIu64
			    " ACL entries of UID %u, which is over, at %s",
			    t->owned, t->entries, o->uid, t->at),
		   e);
}

static int left_by(struct deep *d, const struct state_owner *o,
		   const struct sweep_trace *t, const char *who, struct err *e)
{
	return say(&d->g->left,
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
		return t->example ? left_by(d, o, t,
					    o->is_alias ? "an alias's UID"
							: "the live UID",
					    e)
				  : 0;
	if (t->example && o->found)
		return g->dry ? 0
			      : state_scanned(g->rc->state, o->uid,
					      t->owned + t->entries, t->example,
					      e);
	if (t->example)
		return g->dry ? left_by(d, o, t, "UID", e)
			      : clean_uid(d, o, t, e);
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

static int deep(struct gc *g, struct err *e)
{
	struct deep d = {.g = g, .whole = true};
	int r;

	d.running = calloc(g->range->count, sizeof(*d.running));
	r = d.running ? deep_steps(&d, e)
		      : err_set(e, ENOMEM, "looking for traces");
	deep_free(&d);
	return r;
}

int gc_run(struct gc *g, struct err *e)
{
	own_fd lock = gc_lock(g, e);

	if (lock < 0 || runs(g, e) < 0 || aliases(g, e) < 0 ||
	    run_dirs(g, e) < 0)
		return -1;
	return g->deep ? deep(g, e) : 0;
}

void gc_free(struct gc *g)
{
	strv_free(g->done);
	strv_free(g->left);
}
