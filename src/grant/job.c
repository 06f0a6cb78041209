/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the walks that edit ACLs have in common.  See job.h. */
#include "grant/job.h"

#include "base/own.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct left_why {
	const char *what, *hint;
} left_why[] = {
	[LEFT_NONE] = {"", ""},
	[LEFT_FOREIGN] = {"it is not yours, or is protected from changes",
			  "only its owner can share it"},
	[LEFT_LINK] = {"it has several hard links",
		       "a link may be outside of what you share; share a "
		       "directory that holds all of them, or a copy"},
	[LEFT_SETGID] = {"you are not in its group, and changing its ACL "
			 "would clear its setgid bit",
			 "`chmod g-s` it, or share another directory"},
	[LEFT_DEFAULT] = {"", ""},
	[LEFT_MASKED] = {"its ACL has a mask, and widening it would give "
			 "others more than they have",
			 "set the mask yourself (`setfacl -m m::rwx`), after "
			 "a look at who would gain (`getfacl`)"},
	[LEFT_UNMAPPED] = {"", ""},
};

static_assert(sizeof(left_why) / sizeof(left_why[0]) == LEFT_UNMAPPED + 1,
	      "one row for each reason");

void job_free(struct job **j)
{
	if (*j) {
		free((*j)->priors);
		free((*j)->groups);
		free(*j);
	}
}

static int job_groups(struct job *j)
{
	int n = getgroups(0, NULL);

	j->groups = calloc((size_t)n + 1, sizeof(gid_t));
	if (!j->groups)
		return -1;
	j->n_groups = getgroups(n, j->groups);
	if (j->n_groups < 0) /* one was added this instant */
		j->n_groups = 0;
	j->groups[j->n_groups++] = getegid();
	return 0;
}

struct job *job_new(const struct grant_who *who, struct grant_stats *st,
		    struct err *e)
{
	own_job j = calloc(1, sizeof(*j));

	memset(st, 0, sizeof(*st));
	/* The note is an entry for who->gid: never somebody else's group. */
	if (who->uid == 0 || who->gid == 0 || who->uid == who->owner ||
	    who->gid == who->owner_gid) {
		err_set(e, EINVAL, "uid %u, gid %u", who->uid, who->gid);
		return NULL;
	}
	if (!j || job_groups(j) < 0) {
		err_set(e, ENOMEM, "editing ACLs");
		return NULL;
	}
	j->who = who;
	j->st = st;
	return steal_ptr(&j);
}

bool job_is_member(const struct job *j, gid_t gid)
{
	for (int i = 0; i < j->n_groups; i++)
		if (j->groups[i] == gid)
			return true;
	return false;
}

static uint64_t *counter(struct grant_stats *st, enum left_out why)
{
	switch (why) {
	case LEFT_NONE:
		return NULL;
	case LEFT_FOREIGN:
		return &st->foreign;
	case LEFT_LINK:
		return &st->links;
	case LEFT_SETGID:
		return &st->setgid;
	case LEFT_DEFAULT:
	case LEFT_MASKED:
		return &st->masked;
	case LEFT_UNMAPPED:
		return &st->unmapped;
	}
	return NULL;
}

int job_leave_out(struct job *j, const struct walk *w,
		  const struct walk_item *it, enum left_out why, struct err *e)
{
	if (why == LEFT_NONE)
		return 0;
	++*counter(j->st, why);
	if (why > j->worst) {
		j->worst = why;
		walk_path(w, j->st->example, sizeof(j->st->example));
	}
	if (it->parent >= 0 || !left_why[why].what[0])
		return 0;
	err_set(e, 0, "%s", left_why[why].what);
	e->code = EPERM;
	return err_hint(e, "%s", left_why[why].hint);
}

/* What U needs of this inode. */

void job_add_counts(struct grant_stats *st, const struct walk_counts *c)
{
	st->mounts += c->mounts;
	st->special += c->special;
	st->foreign += c->refused;
}
