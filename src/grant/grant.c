/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Grants: making a UID's entries.  Runs in vmrun and vmrunctl with the person's
 * own authority.
 *
 * A tree is surveyed first.  Most often nothing is to be done; what cannot be
 * done is known before anything is; hard links are counted; and the walk that
 * edits then looks at nothing but what needs it.
 */
#include "grant/grant.h"

#include "base/err.h"
#include "grant/job.h"
#include "grant/judge.h"
#include "grant/walkint.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A tick may come late, not twice as late as this. */
#define TICKS_MAX 3

/* What a survey knows of hard links, once it is over. */
static void settle_links(const struct task *t, struct grant_stats *st)
{
	const struct tally *y = &t->tally;

	st->edited += y->whole;
	if (y->names == y->whole_names)
		return;
	st->links += y->names - y->whole_names;
	if (st->example[0])
		return;
	memccpy(st->example, tally_example(y), 0, sizeof(st->example));
	st->example_of = offsetof(struct grant_stats, links);
}

/*
 * Time stamps are those of the kernel's last tick, or, where somebody looked at
 * the last one, younger (multigrain ones, since Linux 6.13): a change in the
 * tick that a pass begins in cannot be told from one after it.  Returns once
 * the clock has passed the youngest change, most often at once: a pass takes
 * longer.  A change that is dated in the future is not waited for.  -1 if
 * t->stop ends it.
 */
static int await_tick(const struct task *t, const struct timespec *changed,
		      struct err *e)
{
	struct pollfd stop = {.fd = t->stop ? *t->stop : -1, .events = POLLIN};
	struct timespec now, tick;

	clock_getres(CLOCK_REALTIME_COARSE, &tick);
	for (int i = 0; i < TICKS_MAX; i++) {
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
		if (!walk_is_young(changed, &now))
			return 0;
		if (ppoll(&stop, 1, &tick, NULL) > 0)
			return err_set(e, ECANCELED, "interrupted");
	}
	return 0;
}

/*
 * Surveys, again if somebody was at work meanwhile and links matter; in the end
 * files of several links are left out.
 */
static int survey(struct task *t, struct grant_stats *st, struct err *e)
{
	struct walk_ops ops = {.visit = judge_visit,
			       .peek = judge_peek,
			       .stamp = STAMP_CHANGE};
	struct walk_counts c;

	for (int pass = 0;; pass++) {
		t->count_links = pass < 3;
		tally_reset(&t->tally);
		if (task_walk(t, &ops, st, &c, e) < 0)
			return -1;
		if (!t->tally.names || !c.disturbed)
			break;
		if (await_tick(t, &c.changed, e) < 0)
			return -1;
	}
	settle_links(t, st);
	return 0;
}

/* Names the first few of what cannot be granted. */
static int refuse_partial(const struct grant_stats *st, struct err *e)
{
	uint64_t n = st->foreign + st->fixed;
	char few[ERR_MSG_MAX / 2] = "";
	size_t at = 0;

	for (unsigned i = 0; i < st->n_few && at < sizeof(few); i++)
		at += (size_t)snprintf(few + at, sizeof(few) - at, "%s%s",
				       i ? ", " : ": ", st->few[i]);
	err_set(e, 0, "%llu of the files in it %s not yours, or immutable%s%s",
		(unsigned long long)n, n == 1 ? "is" : "are", few,
		n > st->n_few && st->n_few ? ", ..." : "");
	e->code = EPERM;
	return err_hint(e, "--partial starts without them");
}

static int grant_walk(const struct grant_tree *tree, enum task_aim aim,
		      const struct grant_who *who, struct grant_stats *st,
		      struct err *e)
{
	own_task t = task_new(tree->root, AIM_SURVEY, who, e);
	struct walk_ops ops = {.visit = judge_visit,
			       .peek = judge_peek,
			       .glance = judge_glance};
	struct grant_stats done;
	struct walk_counts c;
	int r;

	memset(st, 0, sizeof(*st));
	if (!t)
		return -1;
	t->tree = tree;
	t->mode = tree->mode;
	t->stop = tree->stop;
	if (survey(t, st, e) < 0)
		return -1;
	if (tree->whole && aim != AIM_VERIFY && st->foreign + st->fixed)
		return refuse_partial(st, e);
	if (aim == AIM_SURVEY || st->edited == 0)
		return 0;
	t->aim = aim;
	r = task_walk(t, &ops, &done, &c, e);
	st->edited = done.edited;
	if (done.foreign > st->foreign)
		st->foreign = done.foreign;
	if (r < 0 && aim == AIM_APPLY)
		task_undo(t, e);
	return r;
}

int grant_apply(const struct grant_tree *t, const struct grant_who *who,
		struct grant_stats *st, struct err *e)
{
	return grant_walk(t, AIM_APPLY, who, st, e);
}

int grant_verify(const struct grant_tree *t, const struct grant_who *who,
		 struct grant_stats *st, struct err *e)
{
	return grant_walk(t, AIM_VERIFY, who, st, e);
}

int grant_survey(const struct grant_tree *t, const struct grant_who *who,
		 struct grant_stats *st, struct err *e)
{
	return grant_walk(t, AIM_SURVEY, who, st, e);
}
