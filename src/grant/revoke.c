/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Grants: taking a UID's entries away.  The person's own authority.
 *
 * Undoing half a grant.  A UID used once has no entry anywhere before, so
 * undoing is removing, and nothing has to be remembered.  Where U does have an
 * entry already (an alias, or a grant inside another) it is noted in memory
 * what that was, and put back; undoing ends at the inode where granting did,
 * because what lies behind it has not been touched.  Should a directory be
 * changed between the two, U ends with less than it had, never with more.
 */
#include "grant/grant.h"

#include "base/err.h"
#include "grant/job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_inode(const void *a, const void *b)
{
	const struct prior *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static int failed_undo(struct job *j, const struct walk *w, int code,
		       const char *what)
{
	char where[256];

	if (j->left++ == 0)
		err_set(&j->first, code, "%s: %s",
			walk_path(w, where, sizeof(where)), what);
	return -1;
}

/*
 * Brings U's entry in one ACL down to `was`; -1: none.  0, or -1 (counted).
 * *had tells whether there was anything of U's.
 */
static int lower_one(struct job *j, const struct walk *w,
		     const struct walk_item *it, enum acl_kind kind, int was,
		     bool *had)
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
	*had = true;
	if (aclio_write(&j->io, it, kind, change == ACL_GONE ? NULL : &j->acl) <
	    0)
		return failed_undo(j, w, errno, "removing an ACL entry");
	j->st->edited++;
	return 0;
}

/*
 * A directory that may not be entered.  If U has nothing on it, it was so when
 * the grant was made, and there is nothing below either.
 */
static void judge_closed(struct job *j, const struct walk *w,
			 const struct walk_item *it, bool had)
{
	if (it->is_path && (had || it->st.st_uid == j->who->uid))
		failed_undo(j, w, EACCES, "looking for ACL entries");
}

/* For undoing and for revoking: the latter has nothing in j->priors. */
static enum walk_next visit_lower(void *arg, const struct walk *w,
				  const struct walk_item *it, struct err *e)
{
	struct job *j = arg;
	const struct prior key = {.dev = it->st.st_dev, .ino = it->st.st_ino};
	const struct prior *was = NULL;
	bool had = false;

	(void)e;
	if (!S_ISDIR(it->st.st_mode) && !S_ISREG(it->st.st_mode))
		return WALK_SKIP;
	j->st->seen++;
	if (j->n_priors)
		was = bsearch(&key, j->priors, j->n_priors, sizeof(key),
			      by_inode);
	lower_one(j, w, it, ACL_ACCESS, was ? was->access : -1, &had);
	/* GRANT_RO has not touched default ACLs, nor has its undoing. */
	if (S_ISDIR(it->st.st_mode) && !(j->undoing && j->mode == GRANT_RO))
		lower_one(j, w, it, ACL_DEFAULT, was ? was->dflt : -1, &had);
	if (S_ISDIR(it->st.st_mode))
		judge_closed(j, w, it, had);
	j->undone = j->undoing && j->failed.st_nlink &&
		    it->st.st_ino == j->failed.st_ino &&
		    it->st.st_dev == j->failed.st_dev;
	return j->undone ? WALK_STOP : WALK_ON;
}

/* Removes from root down; again if the tree was changed under way. */
static int lower_tree(int root, struct job *j, struct err *e)
{
	const struct walk_ops ops = {
		.visit = visit_lower, .arg = j, .go_on = true};
	struct walk_counts c;

	for (int pass = 0; pass < 3; pass++) {
		struct err we = ERR_INIT;

		memset(&c, 0, sizeof(c));
		j->st->seen = 0;
		j->left = 0;
		if (walk_tree(root, &ops, &c, &we) < 0 && !j->undone)
			c.failed++;
		if (c.failed && j->left == 0)
			j->first = we;
		j->left += c.failed;
		if (!c.disturbed)
			break;
	}
	job_add_counts(j->st, &c);
	if (j->left) {
		*e = j->first;
		return -1;
	}
	return 0;
}

void job_undo(int root, struct job *j, struct err *e)
{
	struct grant_stats st = {0}, *was = j->st;
	struct err ue = ERR_INIT;

	if (j->n_priors)
		qsort(j->priors, j->n_priors, sizeof(*j->priors), by_inode);
	/* cppcheck-suppress autoVariables; put back below */
	j->st = &st;
	j->undoing = true;
	if (lower_tree(root, j, &ue) < 0)
		err_hint(e,
			 "%llu ACL entries could not be taken back (%.200s); "
			 "the next start of vmrun tries again",
			 (unsigned long long)j->left, ue.msg);
	j->st = was;
}

int grant_revoke(int root, const struct grant_who *who, struct grant_stats *st,
		 uint64_t *left, struct err *e)
{
	own_job j = job_new(who, st, e);
	int r;

	*left = 0;
	if (!j)
		return -1;
	r = lower_tree(root, j, e);
	*left = j->left;
	return r;
}
