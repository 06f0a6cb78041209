/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the walks that edit ACLs have in common.  See job.h. */
#include "grant/job.h"

#include "base/own.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

static const struct left_why {
	const char *what, *hint;
} left_why[] = {
	[LEFT_NONE] = {"", ""},
	[LEFT_FOREIGN] = {"it is not yours, or is protected from changes",
			  "only its owner can share it"},
	[LEFT_FIXED] = {"it is immutable or append-only",
			"see lsattr(1), and chattr(1) for changing that"},
	[LEFT_LINK] = {"it has several hard links",
		       "a link may be outside of what you share; share a "
		       "directory that holds all of them, or a copy"},
	[LEFT_KEY] = {"it looks like a private key", "see --include-keys"},
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

void task_free(struct task **t)
{
	if (!*t)
		return;
	for (unsigned i = 0; i < (*t)->n_jobs; i++) {
		free((*t)->jobs[i]->edits);
		free((*t)->jobs[i]);
	}
	tally_free(&(*t)->tally);
	free((*t)->groups);
	free((*t)->edits);
	free(*t);
}

static int task_groups(struct task *t)
{
	int n = getgroups(0, NULL);

	t->groups = calloc((size_t)n + 1, sizeof(gid_t));
	if (!t->groups)
		return -1;
	t->n_groups = getgroups(n, t->groups);
	if (t->n_groups < 0) /* one was added this instant */
		t->n_groups = 0;
	t->groups[t->n_groups++] = getegid();
	return 0;
}

static int task_jobs(struct task *t)
{
	unsigned n = walk_threads_wanted();

	for (; t->n_jobs < n; t->n_jobs++) {
		struct job *j = calloc(1, sizeof(*j));

		if (!j)
			return -1;
		j->task = t;
		j->who = t->who;
		t->jobs[t->n_jobs] = j;
	}
	return 0;
}

struct task *task_new(int root, enum task_aim aim, const struct grant_who *who,
		      struct err *e)
{
	own_task t = NULL;

	/* The note is an entry for who->gid: never somebody else's group. */
	if (who->uid == 0 || who->gid == 0 || who->uid == who->owner ||
	    who->gid == who->owner_gid) {
		err_set(e, EINVAL, "uid %u, gid %u", who->uid, who->gid);
		return NULL;
	}
	t = calloc(1, sizeof(*t));
	if (!t) {
		err_set(e, ENOMEM, "editing ACLs");
		return NULL;
	}
	tally_init(&t->tally);
	t->who = who;
	t->root = root;
	t->aim = aim;
	if (task_groups(t) < 0 || task_jobs(t) < 0) {
		err_set(e, ENOMEM, "editing ACLs");
		return NULL;
	}
	return steal_ptr(&t);
}

bool task_is_member(const struct task *t, gid_t gid)
{
	for (int i = 0; i < t->n_groups; i++)
		if (t->groups[i] == gid)
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
	case LEFT_FIXED:
		return &st->fixed;
	case LEFT_KEY:
		return &st->keys;
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

/* The first of those for which a launch asks: see struct grant_tree. */
static void note_few(struct job *j, const struct walk *w, enum left_out why)
{
	if ((why != LEFT_FOREIGN && why != LEFT_FIXED) ||
	    j->st.n_few == GRANT_FEW)
		return;
	walk_path(w, j->st.few[j->st.n_few], sizeof(j->st.few[0]));
	j->st.n_few++;
}

int job_leave_out(struct job *j, const struct walk *w,
		  const struct walk_item *it, enum left_out why, struct err *e)
{
	if (why == LEFT_NONE)
		return 0;
	++*counter(&j->st, why);
	note_few(j, w, why);
	if (why > j->worst) {
		j->worst = why;
		j->st.example_of =
			(size_t)((char *)counter(&j->st, why) - (char *)&j->st);
		walk_path(w, j->st.example, sizeof(j->st.example));
	}
	if (it->parent >= 0 || !left_why[why].what[0])
		return 0;
	err_set(e, 0, "%s", left_why[why].what);
	e->code = EPERM;
	return err_hint(e, "%s", left_why[why].hint);
}

static void edit_key(struct edit *k, const struct stat *st)
{
	k->ino = st->st_ino;
	k->dev = major(st->st_dev) << 20 | minor(st->st_dev);
}

int job_note_edit(struct job *j, const struct stat *st, struct err *e)
{
	struct task *t = j->task;
	struct edit *p = j->edits;

	if (t->aim != AIM_APPLY)
		return 0;
	if (atomic_fetch_add(&t->n_edits, 1) >= JOB_EDITS_MAX) {
		atomic_store(&t->edits_lost, true);
		return 0;
	}
	if (j->n_edits == j->room) {
		j->room = j->room ? 2 * j->room : 256;
		p = reallocarray(p, j->room, sizeof(*p));
		if (!p)
			return err_set(e, ENOMEM, "editing ACLs");
		j->edits = p;
	}
	edit_key(&j->prior, st);
	p[j->n_edits++] = j->prior;
	return 0;
}

static int by_inode(const void *a, const void *b)
{
	const struct edit *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

/* All jobs' edits in one sorted array; theirs are empty then. */
static void gather_edits(struct task *t)
{
	struct job *j = t->jobs[0];
	size_t n = 0;

	for (unsigned i = 0; i < t->n_jobs; i++)
		n += t->jobs[i]->n_edits;
	t->edits = reallocarray(j->edits, n + 1, sizeof(*t->edits));
	if (!t->edits) {
		/* Then all of U's entries go: less than it had. */
		atomic_store(&t->edits_lost, true);
		atomic_store(&t->n_edits, 0);
		return;
	}
	n = j->n_edits;
	j->edits = NULL;
	for (unsigned i = 1; i < t->n_jobs; i++) {
		j = t->jobs[i];
		if (j->n_edits)
			memcpy(t->edits + n, j->edits,
			       j->n_edits * sizeof(*j->edits));
		n += j->n_edits;
		free(j->edits);
		j->edits = NULL;
		j->n_edits = j->room = 0;
	}
	t->jobs[0]->n_edits = t->jobs[0]->room = 0;
	atomic_store(&t->n_edits, (unsigned)n);
	qsort(t->edits, n, sizeof(*t->edits), by_inode);
}

const struct edit *task_find_edit(const struct task *t, const struct stat *st)
{
	struct edit key;

	if (!t->edits)
		return NULL;
	edit_key(&key, st);
	return bsearch(&key, t->edits, atomic_load(&t->n_edits), sizeof(key),
		       by_inode);
}

static void add_stats(struct grant_stats *st, const struct grant_stats *a)
{
	st->seen += a->seen;
	st->edited += a->edited;
	st->foreign += a->foreign;
	st->fixed += a->fixed;
	st->keys += a->keys;
	for (unsigned i = 0; i < a->n_few && st->n_few < GRANT_FEW; i++)
		memcpy(st->few[st->n_few++], a->few[i], sizeof(a->few[i]));
	st->links += a->links;
	st->masked += a->masked;
	st->setgid += a->setgid;
	st->unmapped += a->unmapped;
	if (a->others && !st->others) {
		memcpy(st->example, a->example, sizeof(st->example));
		st->example_of = a->example_of;
		st->others_uid = a->others_uid;
	}
	st->others += a->others;
}

int task_walk(struct task *t, struct walk_ops *ops, struct grant_stats *st,
	      struct walk_counts *c, struct err *e)
{
	enum left_out worst = LEFT_NONE;
	void *args[WALK_THREADS_MAX];
	int r;

	if (t->aim == AIM_UNDO && !t->edits)
		gather_edits(t);
	for (unsigned i = 0; i < t->n_jobs; i++) {
		struct job *j = t->jobs[i];

		memset(&j->st, 0, sizeof(j->st));
		j->worst = LEFT_NONE;
		j->left = 0;
		args[i] = j;
	}
	memset(st, 0, sizeof(*st));
	memset(c, 0, sizeof(*c));
	ops->stop = t->stop;
	r = walk_threads(t->root, ops, args, t->n_jobs, c, e);
	for (unsigned i = 0; i < t->n_jobs; i++) {
		struct job *j = t->jobs[i];

		add_stats(st, &j->st);
		if (j->worst > worst) {
			worst = j->worst;
			memcpy(st->example, j->st.example, sizeof(st->example));
			st->example_of = j->st.example_of;
		}
	}
	st->mounts += c->mounts;
	st->special += c->special;
	st->foreign += c->refused;
	return r;
}
