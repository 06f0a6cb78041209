/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an alias keeps.  The person's own authority. */
#include "host/keep.h"

#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "grant/grant.h"
#include "host/editlock.h"
#include "host/plan/planint.h"
#include "host/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int keep_wants(const struct plan *p, struct state_want **out, size_t *n,
	       struct err *e)
{
	struct state_want *w = calloc(p->n_shares + 1, sizeof(*w));

	*n = 0;
	*out = w;
	if (!w)
		return err_set(e, ENOMEM, "the list of shares");
	for (size_t i = 0; i < p->n_shares; i++) {
		const struct plan_share *sh = &p->shares[i];

		if (sh->use != SHARE_PERSON)
			continue;
		w[*n] = (struct state_want){
			.path = sh->src,
			.dev = sh->dev,
			.ino = sh->ino,
			.btime = reclaim_birth(sh->fd),
			.access = sh->rw ? ACCESS_RW : ACCESS_RO,
		};
		++*n;
	}
	return 0;
}

static enum grant_mode mode_of(enum grant_access access)
{
	return access == ACCESS_RW ? GRANT_RW : GRANT_RO;
}

/*
 * Has the alias more on this tree than is wanted now?  Not if a tree above,
 * which it keeps, gives the same; one on another file system does not.
 */
static int has_more(const struct reclaim *rc, const struct state_identity *id,
		    const struct state_want *want, bool *more, struct err *e)
{
	struct state_grant *g = NULL;
	bool above = false;
	size_t n = 0;

	*more = false;
	if (want->access == ACCESS_RW)
		return 0;
	if (state_grants(rc->state, id->run, &g, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (g[i].access != ACCESS_RW)
			continue;
		if (!strcmp(g[i].path, want->path))
			*more = true;
		else if (path_is_below(want->path, g[i].path) &&
			 g[i].dev == want->dev)
			above = true;
	}
	state_grants_free(g, n);
	*more = *more && !above;
	return 0;
}

static int grant_share(const struct reclaim *rc,
		       const struct state_identity *id,
		       const struct grant_tree *tree,
		       const struct state_want *want, int64_t row,
		       struct grant_stats *st, struct err *e)
{
	struct grant_who who;
	own_fd lock = -1;
	bool more;

	if (has_more(rc, id, want, &more, e) < 0 ||
	    (more && state_grant_lapse(rc->state, row, e) < 0))
		return -1;
	reclaim_who(rc->facts, id->uid, id->gid, &who);
	lock = edit_lock(rc->state_dir, rc->stop, e);
	if (lock < 0)
		return -1;
	if (more) {
		uint64_t left;

		if (grant_revoke(tree->root, &who, st, &left, e) < 0)
			return -1;
		reclaim_tell_others(want->path, id->uid, st);
	}
	return grant_apply(tree, &who, st, e);
}

int keep_grant(const struct reclaim *rc, const struct state_identity *id,
	       const struct grant_tree *tree, const struct state_want *want,
	       struct grant_stats *st, struct err *e)
{
	int64_t row;

	if (state_grant_begin(rc->state, id->run, want, &row, e) < 0 ||
	    grant_share(rc, id, tree, want, row, st, e) < 0)
		return -1;
	/* On the disk before the row says so: later starts go by the row. */
	if (st->edited && reclaim_sync(tree->root, e) < 0)
		return -1;
	return state_grant_whole(rc->state, row, e);
}

int keep_verify(const struct reclaim *rc, const struct state_identity *id,
		const struct grant_tree *asked, struct grant_stats *st,
		struct err *e)
{
	struct grant_tree tree = *asked;
	struct grant_who who;
	own_fd lock = -1;

	/* What cannot be granted now was or was not minded at the time. */
	tree.whole = false;
	reclaim_who(rc->facts, id->uid, id->gid, &who);
	if (grant_survey(&tree, &who, st, e) < 0)
		return -1;
	if (!st->edited)
		return 0;
	lock = edit_lock(rc->state_dir, rc->stop, e);
	if (lock < 0)
		return -1;
	return grant_verify(&tree, &who, st, e);
}

/* The grant's own words have paths in it, or none. */
static int failed_at(const struct state_grant *g, struct err *e)
{
	char shown[TEXT_SHOWN];

	return err_wrap(e, "%s", text_show(shown, sizeof(shown), g->path));
}

/* Undone altogether; what else the alias has there is made again later. */
static int undo(const struct reclaim *rc, const struct state_identity *id,
		const struct state_grant *g, struct err *e)
{
	if (state_grant_lapse(rc->state, g->id, e) < 0)
		return -1;
	return reclaim_grant(rc, id, g, e);
}

/*
 * What lapsed and cannot be made again stays as it is, and keeps nobody from
 * anything: that it lapsed is true.
 */
static int stay_lapsed(const struct state_grant *g, struct err *e)
{
	char shown[TEXT_SHOWN];

	if (e->code == ECANCELED)
		return -1;
	err_wrap(e, "what the alias had of %s is not granted again",
		 text_show(shown, sizeof(shown), g->path));
	log_err(LOG_LEVEL_WARN, e);
	*e = (struct err)ERR_INIT;
	return 0;
}

static int mend(const struct reclaim *rc, const struct state_identity *id,
		const struct state_grant *g, struct err *e)
{
	/* What was asked for with the first grant is not known any more; but
	 * the keys in a home are the alias's own. */
	struct grant_tree tree = {
		.mode = mode_of(g->access),
		.spare_keys = !plan_is_home(rc->facts, g->path),
	};
	struct grant_stats st = {0};
	struct grant_who who;
	own_fd root = -1;
	own_fd lock = -1;
	int found = reclaim_open(g, &root, e);

	if (found < 0)
		return stay_lapsed(g, e);
	if (!found) /* what it had there went with the grant that was undone */
		return state_grant_done(rc->state, g->id, e);
	reclaim_who(rc->facts, id->uid, id->gid, &who);
	lock = edit_lock(rc->state_dir, rc->stop, e);
	if (lock < 0)
		return -1;
	tree.root = root;
	if (grant_apply(&tree, &who, &st, e) < 0)
		return stay_lapsed(g, e);
	if (reclaim_sync(root, e) < 0)
		return failed_at(g, e);
	return state_grant_whole(rc->state, g->id, e);
}

/* Files that the VM made are the person's again; its entries stay. */
static int give_back(const struct reclaim *rc, const struct state_identity *id,
		     const struct state_grant *g, struct err *e)
{
	char shown[TEXT_SHOWN];
	own_fd root = -1;
	int found;

	if (g->access != ACCESS_RW || g->used != id->run)
		return 0;
	found = reclaim_open(g, &root, e);
	if (found < 0)
		return -1;
	if (!found) {
		text_show(shown, sizeof(shown), g->path);
		log_warn("%s is not there: files that the VM made in it stay "
			 "UID %u's",
			 shown, (unsigned)id->uid);
		log_warn("hint: `vmrunctl reclaim %s` gives them back once it "
			 "is",
			 shown);
		return 0;
	}
	if (reclaim_give_back(rc, id, root, e) < 0)
		return failed_at(g, e);
	return 0;
}

typedef int (*on_grant)(const struct reclaim *rc,
			const struct state_identity *id,
			const struct state_grant *g, struct err *e);

#define IN(phase) (1u << (phase))

/* Of those phases; the newest first, as they were made. */
static int for_each(const struct reclaim *rc, const struct state_identity *id,
		    unsigned phases, on_grant what, struct err *e)
{
	struct state_grant *g = NULL;
	struct err one = ERR_INIT;
	size_t n = 0;
	int r = 0;

	if (state_grants(rc->state, id->run, &g, &n, e) < 0)
		return -1;
	for (size_t i = n; i-- > 0;) {
		if (!(phases & IN(g[i].phase)) ||
		    what(rc, id, &g[i], &one) == 0)
			continue;
		if (r == 0)
			*e = one;
		r = -1;
	}
	state_grants_free(g, n);
	return r;
}

int keep_mend(const struct reclaim *rc, const struct state_identity *id,
	      struct err *e)
{
	return for_each(rc, id, IN(GRANT_LAPSED), mend, e);
}

int keep_settle(const struct reclaim *rc, const struct state_identity *id,
		struct err *e)
{
	struct err other = ERR_INIT;
	int r = for_each(rc, id, IN(GRANT_BEGUN), undo, e);

	if (keep_mend(rc, id, r < 0 ? &other : e) < 0)
		r = -1;
	return r;
}

int keep_end(const struct reclaim *rc, const struct state_identity *id,
	     struct err *e)
{
	struct err other = ERR_INIT;
	/* One may have lapsed while the VM ran. */
	int r = for_each(rc, id, IN(GRANT_WHOLE) | IN(GRANT_LAPSED), give_back,
			 e);

	if (keep_settle(rc, id, r < 0 ? &other : e) < 0)
		r = -1;
	return r;
}
