/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Garbage collection.  The person's own authority.
 *
 * Theory of operation
 *
 * Always: runs whose vmrun is gone are cleaned, half-made changes of aliases
 * settled, directories of runs that are over removed, deleting homes finished.
 *
 * Deep: gcdeep.c.
 */
#include "host/gcint.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "host/home.h"
#include "host/keep.h"
#include "host/live/manage.h"
#include "host/plan/planint.h"
#include "host/probe/probe.h"
#include "host/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

int gc_say(char ***list, char *text, struct err *e)
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
	return gc_say(&g->left,
		      text_fmt(e,
			       "VM %" PRId64
			       " (UID %u) is over and not cleaned "
			       "up: %s",
			       run->id.run, run->id.uid, run->command),
		      e);
}

static int ending_run(struct gc *g, const struct state_run *run, struct err *e)
{
	return gc_say(&g->left,
		      text_fmt(e,
			       "VM %" PRId64 " (UID %u) is over, and another "
			       "process is cleaning up after it still: %s",
			       run->id.run, run->id.uid, run->command),
		      e);
}

/* Its vmrun is gone, and somebody else has the lock: a child of that vmrun, or
 * who cleans up. */
static bool is_ending(const struct state_run *run)
{
	return run->alive && run->pid > 0 && kill((pid_t)run->pid, 0) < 0 &&
	       errno == ESRCH;
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
		else if (is_ending(&list[i]))
			++*ending;
	}
	state_runs_free(list, n);
	return 0;
}

/*
 * Cleans runs that are over.  A vmrun that was killed may leave its lock for a
 * moment to a child that was about to call execve(2) and dies with it: that
 * moment is waited for, 10 ms a turn, at most two seconds.  One that gives
 * files back goes on without it: that may take long, and is not ours.
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
		r = gc_say(&g->done,
			   text_fmt(e, "cleaned up after %d VMs", cleaned), e);
	if (r == 0 && did < 0)
		r = gc_say(&g->left, text_dup(why.msg, e), e);
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
		else if (is_ending(&list[i]))
			r = ending_run(g, &list[i], e);
	state_runs_free(list, n);
	return r;
}

static bool is_half(const struct state_grant *row)
{
	return row->alias && row->phase != GRANT_WHOLE;
}

/* What could not be made whole was said where it was tried. */
static int is_whole_now(struct gc *g, uid_t uid, bool *whole, struct err *e)
{
	struct state_grant *rows;
	size_t n;

	if (state_ledger(g->rc->state, &rows, &n, e) < 0)
		return -1;
	*whole = true;
	for (size_t i = 0; i < n; i++)
		if (rows[i].uid == uid && is_half(&rows[i]))
			*whole = false;
	state_grants_free(rows, n);
	return 0;
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
	bool whole = false;
	int r = state_claim_alias(g->rc->state, &c, &id, &why);

	if (r < 0 && (why.code == EBUSY || why.code == EALREADY))
		/* it is settled when it ends */
		return 0;
	if (r == 0) {
		r = reclaim_run(g->rc, &id, 0, &why);
		own_close(&id.lock_fd);
	}
	if (r == 0 && is_whole_now(g, of->uid, &whole, e) < 0)
		return -1;
	if (r == 0)
		return gc_say(
			whole ? &g->done : &g->left,
			text_fmt(e, "%s what alias %s has",
				 whole ? "made whole" : "could not make whole",
				 of->alias),
			e);
	return gc_say(&g->left, text_fmt(e, "alias %s: %s", of->alias, why.msg),
		      e);
}

/* A run of its own has it, and settles what is not whole when it ends. */
static bool is_running(const struct state_run *list, size_t n, uid_t uid)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].id.uid == uid && list[i].alive)
			return true;
	return false;
}

/* The first half-made row of its alias; few rows are. */
static bool is_first(const struct state_grant *rows, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (rows[j].uid == rows[i].uid && is_half(&rows[j]))
			return false;
	return true;
}

static int settle_all(struct gc *g, const struct state_grant *rows, size_t n,
		      const struct state_run *list, size_t n_runs,
		      struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		if (!is_half(&rows[i]) || !is_first(rows, i) ||
		    is_running(list, n_runs, rows[i].uid))
			continue;
		if (g->dry)
			r = gc_say(&g->left,
				   text_fmt(e, "alias %s: %s is not whole",
					    rows[i].alias, rows[i].path),
				   e);
		else
			r = settle(g, &rows[i], e);
	}
	return r;
}

static int aliases(struct gc *g, struct err *e)
{
	struct state_grant *rows;
	struct state_run *list;
	size_t n, n_runs;
	int r;

	if (state_ledger(g->rc->state, &rows, &n, e) < 0)
		return -1;
	r = state_runs(g->rc->state, &list, &n_runs, e);
	if (r == 0) {
		r = settle_all(g, rows, n, list, n_runs, e);
		state_runs_free(list, n_runs);
	}
	state_grants_free(rows, n);
	return r;
}

/* Does a VM answer there?  One whose state directory was deleted does. */
static bool is_reached(const struct gc *g, int64_t run)
{
	struct err why = ERR_INIT;
	own_fd s = manage_connect(g->rc->facts->runtime, run, &why);

	return s >= 0 || (why.code != ECONNREFUSED && why.code != ENOENT);
}

/*
 * 1: no row has the run, and nothing of it lives; 0: not so; -1 and e.  The row
 * of one that lives may be in a database that was lost.
 */
static int is_over(struct gc *g, int64_t run, struct err *e)
{
	struct state_run *list;
	size_t n, i = 0;
	int held;

	if (state_runs(g->rc->state, &list, &n, e) < 0)
		return -1;
	while (i < n && list[i].id.run != run)
		i++;
	state_runs_free(list, n);
	if (i < n)
		return 0;
	held = state_is_held(g->rc->state, run, e);
	if (held)
		return held < 0 ? -1 : 0;
	return !is_reached(g, run);
}

/*
 * Directories of runs that are over.  A row is there before its directory, so
 * it is looked for after that was seen.
 */
static int run_dirs(struct gc *g, struct err *e)
{
	own_dir d = opendir(g->rc->facts->runtime);
	struct dirent *de;
	int r = 0;

	if (!d || g->dry)
		return 0;
	while (r >= 0 && (de = readdir(d))) {
		uint64_t run;

		if (text_number(de->d_name, INT64_MAX, &run) < 0)
			continue;
		r = is_over(g, (int64_t)run, e);
		if (r > 0)
			run_dir_remove(g->rc->facts->runtime, (int64_t)run);
	}
	return r < 0 ? -1 : 0;
}

/* Homes that were being deleted, or made, when somebody was killed. */
static int homes(struct gc *g, struct err *e)
{
	const struct homes h = {g->rc->state, g->rc->state_dir, g->rc->facts};
	struct err why = ERR_INIT;
	size_t n = 0;

	if (home_sweep(&h, g->dry, &n, &why) < 0)
		return gc_say(&g->left, text_dup(why.msg, e), e);
	if (!n)
		return 0;
	return gc_say(g->dry ? &g->left : &g->done,
		      text_fmt(e, "%s what is left of %zu homes of aliases",
			       g->dry ? "there is" : "deleted", n),
		      e);
}

int gc_run(struct gc *g, struct err *e)
{
	own_fd lock = gc_lock(g, e);

	if (lock < 0 || runs(g, e) < 0 || aliases(g, e) < 0 ||
	    run_dirs(g, e) < 0 || homes(g, e) < 0)
		return -1;
	return g->deep ? gc_deep(g, e) : 0;
}

void gc_free(struct gc *g)
{
	strv_free(g->done);
	strv_free(g->left);
}
