/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Grants: one inode.  What it needs for U, whether that may be done, and doing
 * it.  The person's own authority.
 */
#include "grant/judge.h"

#include "base/err.h"
#include "base/own.h"
#include "grant/job.h"
#include "grant/keys.h"
#include "grant/room.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* walk_item.ctx of what is in a directory that the person asked for, keys and
 * all. */
#define CTX_KEYS_TOO 1u

/* What U needs of this inode. */
static unsigned need(const struct job *j, const struct stat *st)
{
	unsigned n = j->task->mode == GRANT_RW ? ACL_R | ACL_W : ACL_R;

	if (S_ISDIR(st->st_mode) || (st->st_mode & 0111))
		n |= ACL_X;
	return n;
}

static int edit_failed(int code, struct err *e)
{
	err_set(e, code, "setting an ACL");
	if (code == EOPNOTSUPP)
		return err_hint(e,
				"this file system has no ACLs, or is mounted "
				"without them; share another directory");
	if (code == ENOSPC || code == E2BIG || code == EDQUOT)
		return err_hint(e, "the file system is full, or there are too "
				   "many entries in one ACL: make room, or "
				   "look at it with getfacl");
	return -1;
}

/* Keeps in mind what a survey would edit. */
static void note_for_later(struct job *j, const struct walk *w,
			   const struct walk_item *it)
{
	if (!S_ISDIR(it->st.st_mode))
		tally_todo(&j->task->tally, it);
	if (j->is_link)
		tally_link(&j->task->tally, w, it);
	else
		j->st.edited++;
}

static int no_room(struct err *e)
{
	err_set(e, 0, "there is no room for another entry in its ACLs");
	e->code = E2BIG;
	return err_hint(e, "nothing was edited; look at it with getfacl, or "
			   "share another directory");
}

/* Whether both ACLs, as they would become, are too much for the inode. */
static bool is_too_much(struct job *j, const struct walk_item *it)
{
	bool dir = S_ISDIR(it->st.st_mode);
	const struct room ask = {
		.io = &j->io,
		.it = it,
		.access = &j->acl,
		.dflt = dir && j->dflt.n ? &j->dflt : NULL,
		.roomy = &j->roomy,
	};

	return !room_is_enough(&ask);
}

/*
 * Writes what acl_add() made of an ACL.  LEFT_NONE when done; or why it is
 * left out; or -1 and e.
 */
static int put_change(struct job *j, enum acl_kind kind, enum acl_change change,
		      const struct acl *a, struct err *e)
{
	const struct walk_item *it = j->it;

	switch (change) {
	case ACL_SAME:
	case ACL_GONE:
		return LEFT_NONE;
	case ACL_MASKED:
		return LEFT_MASKED;
	case ACL_FULL:
		return edit_failed(E2BIG, e);
	case ACL_CHANGED:
		break;
	}
	if (it->fixed)
		return LEFT_FIXED;
	if (j->task->aim == AIM_SURVEY) {
		if (is_too_much(j, it))
			return no_room(e);
		note_for_later(j, j->w, it);
		return LEFT_NONE;
	}
	if (job_note_edit(j, &it->st, e) < 0)
		return -1;
	if (aclio_write(&j->io, it, kind, a) == 0) {
		j->st.edited++;
		return LEFT_NONE;
	}
	return errno == EPERM ? LEFT_FOREIGN : edit_failed(errno, e);
}

static bool is_asked_for(const struct job *j, const struct walk_item *it)
{
	const struct grant_tree *t = j->task->tree;

	for (size_t i = 0; i < t->n_keys; i++)
		if (t->keys[i].ino == it->st.st_ino &&
		    t->keys[i].dev == it->st.st_dev)
			return true;
	return it->ctx & CTX_KEYS_TOO;
}

/*
 * Whether nobody but the owner has rights on the inode that was looked at.
 * VMs do not count, or a key that one was given would be none for the next.
 */
static bool is_private(const struct job *j, const struct walk_item *it)
{
	if (j->has_acl > 0)
		return !acl_persons(&j->acl, j->who);
	return !(it->st.st_mode & 077);
}

/*
 * Whether it may be a private key: it is private, and was not named.  What only
 * its bytes can tell is not told yet.
 */
static bool may_be_key(const struct job *j, const struct walk_item *it)
{
	return j->task->tree->spare_keys && is_private(j, it) &&
	       it->parent >= 0 && it->st.st_uid == j->who->owner &&
	       !is_asked_for(j, it);
}

static bool is_key(const struct job *j, const struct walk_item *it)
{
	unsigned char b[KEY_BYTES];
	ssize_t n;

	/* Again after the survey, too: what is to be edited is known by a
	 * number that two files of a walk may have (btrfs has them by
	 * subvolume). */
	if (!may_be_key(j, it))
		return false;
	if (S_ISDIR(it->st.st_mode))
		return key_dir(it->name);
	if (key_name(it->name))
		return true;
	if (it->is_path)
		return false;
	/* Not to leave a time of access behind; its owner may ask for that. */
	fcntl(it->fd, F_SETFL, O_NONBLOCK | O_NOATIME);
	n = pread(it->fd, b, sizeof(b), 0);
	return n > 0 && key_starts(b, (size_t)n);
}

/*
 * A file of several links is counted by a survey, where that makes sense: of a
 * file that is the root, the others are outside.
 */
static enum left_out judge_links(struct job *j, const struct walk_item *it)
{
	const struct task *t = j->task;

	if (it->parent < 0 || !t->count_links)
		return LEFT_LINK;
	if (t->aim == AIM_SURVEY)
		j->is_link = true;
	else if (!tally_is_whole(&t->tally, &it->st))
		return LEFT_LINK;
	return LEFT_NONE;
}

/* Whether an inode that lacks something may be edited at all. */
static enum left_out may_edit(struct job *j, const struct walk_item *it)
{
	const struct stat *st = &it->st;

	if (st->st_uid != j->who->owner)
		return LEFT_FOREIGN;
	if (is_key(j, it))
		return LEFT_KEY;
	/* The kernel would clear the bit, see chmod(2). */
	if ((st->st_mode & S_ISGID) && !task_is_member(j->task, st->st_gid))
		return LEFT_SETGID;
	if (!S_ISDIR(st->st_mode) && st->st_nlink > 1)
		return judge_links(j, it);
	return LEFT_NONE;
}

/* The default ACL of a directory of the person's.  As put_change(). */
static int grant_default(struct job *j, struct err *e)
{
	enum acl_change change = ACL_CHANGED;

	if (j->has_dflt < 0)
		return edit_failed(-j->has_dflt, e);
	if (j->has_dflt)
		change = acl_add(&j->dflt, ACL_DEFAULT, j->who, ACL_RWX);
	else
		acl_make_default(&j->dflt, &j->acl, j->who);
	if (change == ACL_MASKED)
		return LEFT_DEFAULT;
	return put_change(j, ACL_DEFAULT, change, &j->dflt, e);
}

/*
 * Reads the ACLs of an inode.  0, or a negated errno.  j->odd: they name ids
 * that the guest cannot express.
 */
static int look(struct job *j, const struct walk_item *it)
{
	j->odd = false;
	j->is_link = false;
	j->has_dflt = 0;
	j->dflt.n = 0;
	j->has_acl = aclio_read(&j->io, it, ACL_ACCESS, &j->acl);
	/* EOPNOTSUPP matters only if something has to be edited. */
	if (j->has_acl < 0 && j->has_acl != -EOPNOTSUPP)
		return j->has_acl;
	if (j->has_acl <= 0)
		acl_from_mode(&j->acl, it->st.st_mode);
	else
		j->odd = !acl_is_expressible(&j->acl, j->who);
	if (j->task->mode == GRANT_RW && S_ISDIR(it->st.st_mode)) {
		j->has_dflt = aclio_read(&j->io, it, ACL_DEFAULT, &j->dflt);
		j->odd = j->odd || (j->has_dflt > 0 &&
				    !acl_is_expressible(&j->dflt, j->who));
	}
	return 0;
}

bool grant_is_key(int fd, const char *name, const struct grant_who *who)
{
	const struct grant_tree tree = {.root = -1, .spare_keys = true};
	struct task t = {.who = who, .aim = AIM_SURVEY, .tree = &tree};
	/* Some directory lists it; which one does not matter here. */
	struct walk_item it = {
		.fd = fd, .is_path = true, .parent = fd, .name = name};
	own_free struct job *j = calloc(1, sizeof(*j));
	char path[WALK_PROC_MAX];
	own_fd file = -1;

	if (!j || fstat(fd, &it.st) < 0 ||
	    !(S_ISREG(it.st.st_mode) || S_ISDIR(it.st.st_mode)))
		return false;
	j->task = &t;
	j->who = who;
	if (look(j, &it) < 0 || !may_be_key(j, &it))
		return false;
	if (S_ISREG(it.st.st_mode))
		file = open(walk_proc(path, fd), O_RDONLY | O_CLOEXEC);
	if (file >= 0) {
		it.fd = file;
		it.is_path = false;
	}
	return is_key(j, &it);
}

/* What U may do with the inode that was looked at. */
static unsigned rights_on(const struct job *j, const struct walk_item *it)
{
	if (it->st.st_uid == j->who->uid)
		return it->st.st_mode >> 6 & 7;
	return acl_rights(&j->acl, j->who);
}

static signed char entry_of(const struct job *j, int have, const struct acl *a)
{
	return (signed char)(have > 0 ? acl_entry_of(a, j->who) : -1);
}

/* Edits what has to be edited.  Returns as put_change(). */
static int grant_inode(struct job *j, unsigned lacks, struct err *e)
{
	const struct walk_item *it = j->it;
	bool want_default = j->task->mode == GRANT_RW &&
			    S_ISDIR(it->st.st_mode) &&
			    it->st.st_uid == j->who->owner;
	int why = LEFT_NONE, later = LEFT_NONE;

	j->prior.access = entry_of(j, j->has_acl, &j->acl);
	j->prior.dflt = entry_of(j, j->has_dflt, &j->dflt);
	if (lacks)
		why = (int)may_edit(j, it);
	if (why != LEFT_NONE)
		return why;
	if (lacks && j->has_acl < 0)
		return edit_failed(-j->has_acl, e);
	if (want_default)
		later = grant_default(j, e);
	/* Second, because grant_default() looks at j->acl as it was. */
	if (later >= 0 && lacks)
		why = put_change(
			j, ACL_ACCESS,
			acl_add(&j->acl, ACL_ACCESS, j->who, need(j, &it->st)),
			&j->acl, e);
	return why == LEFT_NONE ? later : why;
}

/* The inode that was looked at.  WALK_STOP and e on an error. */
static enum walk_next judge(struct job *j, const struct walk *w,
			    const struct walk_item *it, struct err *e)
{
	unsigned rights = rights_on(j, it);
	int why;

	j->st.seen++;
	j->w = w;
	j->it = it;
	if (j->odd)
		job_leave_out(j, w, it, LEFT_UNMAPPED, e);
	why = grant_inode(j, need(j, &it->st) & ~rights, e);
	j->w = NULL;
	j->it = NULL;
	if (why < 0 || job_leave_out(j, w, it, (enum left_out)why, e) < 0)
		return WALK_STOP;
	/* Where U cannot go, nothing below is of use to it. */
	if (why != LEFT_NONE && why != LEFT_DEFAULT && !(rights & ACL_X))
		return WALK_SKIP;
	return WALK_ON;
}

/* A device that was asked for; one that is met in a tree is passed by. */
static bool is_device(const struct job *j, const struct walk_item *it)
{
	return j->task->tree->device && it->parent < 0 &&
	       S_ISCHR(it->st.st_mode);
}

enum walk_next judge_visit(void *arg, const struct walk *w,
			   struct walk_item *it, struct err *e)
{
	struct job *j = arg;
	bool dir = S_ISDIR(it->st.st_mode);
	int code;

	if (!dir && !S_ISREG(it->st.st_mode) && !is_device(j, it)) {
		err_set(e, EINVAL, "neither a directory nor a regular file");
		return WALK_STOP;
	}
	if (dir && it->is_path) { /* the person may not look into it either */
		j->st.seen++;
		return job_leave_out(j, w, it, LEFT_FOREIGN, e) < 0 ? WALK_STOP
								    : WALK_SKIP;
	}
	code = look(j, it);
	if (code < 0) {
		err_set(e, -code, "reading an ACL");
		return WALK_STOP;
	}
	if (dir && is_asked_for(j, it))
		it->ctx |= CTX_KEYS_TOO;
	return judge(j, w, it, e);
}

enum walk_peek judge_peek(void *arg, const struct walk *w,
			  const struct walk_item *it, struct err *e)
{
	struct job *j = arg;

	/* A name that has just become a link has no ACL: see what it is. */
	if (!S_ISREG(it->st.st_mode) || look(j, it) < 0 || j->has_acl < 0)
		return PEEK_OPEN;
	if (need(j, &it->st) & ~rights_on(j, it)) {
		/* Without the file there is nothing to be edited by. */
		if (j->task->aim != AIM_SURVEY || may_be_key(j, it))
			return PEEK_OPEN;
	}
	return judge(j, w, it, e) == WALK_STOP ? PEEK_STOP : PEEK_DONE;
}

enum walk_peek judge_glance(void *arg, unsigned ctx, uint64_t listed)
{
	struct job *j = arg;

	(void)ctx;
	if (tally_is_short(&j->task->tally))
		return PEEK_LOOK;
	if (tally_has_todo(&j->task->tally, listed))
		return PEEK_OPEN;
	j->st.seen++;
	return PEEK_DONE;
}
