/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Grants: taking a UID's entries away.  The person's own authority.
 *
 * Undoing half a grant.  What was edited is noted in memory, with what U had
 * there before (an alias, or a grant inside another); that is put back, and
 * nothing else is touched.  Of more edits than can be noted the rest loses all
 * of U's entries: U ends with less than it had, never with more.
 *
 * Sockets and FIFOs are granted nothing, but one that is made in a directory
 * with a default ACL inherits U's entry as a file does.
 *
 * Passes.  While the tree is walked somebody may move things from where the
 * walk has yet to come to where it has been.  So it is walked again if a
 * directory was changed meanwhile, until a pass has changed nothing; a tree
 * that does not come to rest is reported as not done.  On a full disk taking an
 * entry away can need a block, where files share one for their ACLs; the others
 * go first then.
 */
#include "grant/grant.h"

#include "base/err.h"
#include "base/own.h"
#include "grant/job.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define PASSES_MAX 10

static int failed_undo(struct job *j, const struct walk *w, int code,
		       const char *what)
{
	char where[256];

	if (j->left++ == 0)
		err_set(&j->first, code, "%s: %s",
			walk_path(w, where, sizeof(where)), what);
	return -1;
}

/* Neither the person's nor U's. */
static bool is_others(const struct job *j, const struct walk_item *it)
{
	return it->st.st_uid != j->who->owner && it->st.st_uid != j->who->uid;
}

/*
 * An entry that a file of somebody else's has inherited: that is for its owner
 * to remove, however often we try.
 */
static int leave_others(struct job *j, const struct walk *w,
			const struct walk_item *it)
{
	if (j->st.others++)
		return 0;
	j->st.others_uid = it->st.st_uid;
	j->st.example_of = offsetof(struct grant_stats, others);
	walk_path(w, j->st.example, sizeof(j->st.example));
	return 0;
}

/*
 * Brings U's entry in one ACL down to `was`; -1: none.  0, or -1 (counted).
 */
static int lower_one(struct job *j, const struct walk *w,
		     const struct walk_item *it, enum acl_kind kind, int was)
{
	int have = aclio_read(&j->io, it, kind, &j->acl);
	enum acl_change change = ACL_SAME;

	if (have < 0 && have != -EOPNOTSUPP)
		return failed_undo(j, w, -have, "reading an ACL");
	if (have <= 0)
		return 0;
	if (was < 0)
		change = acl_remove(&j->acl, kind, j->who);
	else if (acl_entry_of(&j->acl, j->who) >= 0)
		change = acl_lower(&j->acl, j->who, (unsigned)was);
	if (change == ACL_SAME)
		return 0;
	if (aclio_write(&j->io, it, kind, change == ACL_GONE ? NULL : &j->acl) <
	    0) {
		if (errno == EPERM && is_others(j, it))
			return leave_others(j, w, it);
		return failed_undo(j, w, errno, "removing an ACL entry");
	}
	j->st.edited++;
	return 0;
}

/*
 * If U has nothing on a closed directory, it was so when the grant was made,
 * and there is nothing below either.  Else nothing can be done before somebody
 * opens it; what U has on it stays, for that it is not forgotten.
 */
static void judge_closed(struct job *j, const struct walk *w,
			 const struct walk_item *it)
{
	bool had = it->st.st_uid == j->who->uid;

	if (aclio_read(&j->io, it, ACL_ACCESS, &j->acl) > 0)
		had = had || acl_names(&j->acl, j->who);
	if (aclio_read(&j->io, it, ACL_DEFAULT, &j->acl) > 0)
		had = had || acl_names(&j->acl, j->who);
	if (had && is_others(j, it))
		leave_others(j, w, it);
	else if (had)
		failed_undo(j, w, EACCES, "looking for ACL entries");
}

/* For undoing and for revoking. */
static enum walk_next visit_lower(void *arg, const struct walk *w,
				  struct walk_item *it, struct err *e)
{
	struct job *j = arg;
	const struct task *t = j->task;
	const struct edit *was = NULL;

	(void)e;
	if (S_ISLNK(it->st.st_mode))
		return WALK_SKIP;
	j->st.seen++;
	if (t->aim == AIM_UNDO) {
		was = task_find_edit(t, &it->st);
		if (!was && !atomic_load(&t->edits_lost))
			return WALK_ON;
	}
	if (S_ISDIR(it->st.st_mode) && it->is_path) {
		judge_closed(j, w, it);
		return WALK_ON;
	}
	lower_one(j, w, it, ACL_ACCESS, was ? was->access : -1);
	/* Granting to read has not touched default ACLs. */
	if (S_ISDIR(it->st.st_mode) &&
	    (t->aim != AIM_UNDO || t->mode == GRANT_RW))
		lower_one(j, w, it, ACL_DEFAULT, was ? was->dflt : -1);
	return WALK_ON;
}

/* A file that has no entry of U's is not opened. */
static enum walk_peek peek_lower(void *arg, const struct walk *w,
				 const struct walk_item *it, struct err *e)
{
	struct job *j = arg;
	int have;

	(void)w;
	(void)e;

	have = aclio_read(&j->io, it, ACL_ACCESS, &j->acl);
	if (have < 0 && have != -EOPNOTSUPP)
		return PEEK_OPEN;
	if (have > 0 && acl_names(&j->acl, j->who))
		return PEEK_OPEN;
	j->st.seen++;
	return PEEK_DONE;
}

/* What could not be done in one pass; the first of it in *first. */
static uint64_t what_is_left(const struct task *t, struct err *first)
{
	uint64_t left = 0;

	for (unsigned i = 0; i < t->n_jobs; i++) {
		if (!left && t->jobs[i]->left)
			*first = t->jobs[i]->first;
		left += t->jobs[i]->left;
	}
	return left;
}

/* Removes from root down; again while the tree is changed under way. */
static uint64_t lower_tree(struct task *t, struct grant_stats *st,
			   struct err *first)
{
	struct walk_ops ops = {.visit = visit_lower,
			       .peek = peek_lower,
			       .peek_bare = true,
			       .want_special = true,
			       .stamp = STAMP_MODIFY,
			       .go_on = true};
	uint64_t edited = 0;

	for (int pass = 0; pass < PASSES_MAX; pass++) {
		struct err we = ERR_INIT;
		struct walk_counts c;
		uint64_t left;
		bool quiet;

		if (task_walk(t, &ops, st, &c, &we) < 0)
			c.failed++;
		quiet = !c.disturbed || (pass > 0 && st->edited == 0);
		left = what_is_left(t, first);
		if (c.failed && !left)
			*first = we;
		/* What went has made room in which more can go. */
		if (left && st->edited && err_is_full(first))
			quiet = false;
		edited += st->edited;
		st->edited = edited;
		left += c.failed;
		if (quiet)
			return left;
	}
	err_set(first, EBUSY, "the directory is being changed all the time");
	return 1;
}

void task_undo(struct task *t, struct err *e)
{
	struct err first = ERR_INIT;
	struct grant_stats st;
	uint64_t left;

	t->aim = AIM_UNDO;
	t->stop = NULL;
	tally_reset(&t->tally); /* room for the edits */
	left = lower_tree(t, &st, &first);
	if (left)
		err_hint(e,
			 "%s%llu ACL entries could not be taken back (%.200s); "
			 "the next start of vmrun tries again",
			 err_is_full(&first) ? "make room: " : "",
			 (unsigned long long)left, first.msg);
}

int grant_revoke(int root, const struct grant_who *who, struct grant_stats *st,
		 uint64_t *left, struct err *e)
{
	own_task t = task_new(root, AIM_REVOKE, who, e);
	struct err first = ERR_INIT;

	memset(st, 0, sizeof(*st));
	*left = 0;
	if (!t)
		return -1;
	*left = lower_tree(t, st, &first);
	if (!*left)
		return 0;
	*e = first;
	return -1;
}
