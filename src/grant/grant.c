/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Grants: making a UID's entries.  Runs in vmrun and vmrunctl with the person's
 * own authority.
 */
#include "grant/grant.h"

#include "base/err.h"
#include "grant/job.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/xattr.h>

/* What U needs of this inode. */
static unsigned need(const struct job *j, const struct stat *st)
{
	unsigned n = j->mode == GRANT_RW ? ACL_R | ACL_W : ACL_R;

	if (S_ISDIR(st->st_mode) || (st->st_mode & 0111))
		n |= ACL_X;
	return n;
}

/* Remembers what U had, so that it can be put back. */
static int note_prior(struct job *j, const struct stat *st, struct err *e)
{
	struct prior *p = j->priors;
	int access = j->has_acl > 0 ? acl_entry_of(&j->acl, j->who) : -1;
	int dflt = j->has_dflt > 0 ? acl_entry_of(&j->dflt, j->who) : -1;

	if (!j->can_undo || (access < 0 && dflt < 0))
		return 0;
	if (j->n_priors == j->room) {
		j->room = j->room ? 2 * j->room : 256;
		p = reallocarray(j->priors, j->room, sizeof(*p));
		if (!p)
			return err_set(e, ENOMEM, "editing ACLs");
		j->priors = p;
	}
	p[j->n_priors++] = (struct prior){
		st->st_dev, st->st_ino, (signed char)access, (signed char)dflt};
	return 0;
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

/*
 * Writes what acl_add() made of an ACL.  LEFT_NONE when done; or why it is
 * left out; or -1 and e.
 */
static int put_change(struct job *j, const struct walk_item *it,
		      enum acl_kind kind, enum acl_change change,
		      const struct acl *a, struct err *e)
{
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
	if (!j->dry && aclio_write(&j->io, it, kind, a) < 0) {
		if (errno == EPERM)
			return LEFT_FOREIGN; /* immutable: see chattr(1) */
		return edit_failed(errno, e);
	}
	j->st->edited++;
	return LEFT_NONE;
}

/* Whether an inode that lacks something may be edited at all. */
static enum left_out may_edit(const struct job *j, const struct stat *st)
{
	if (st->st_uid != j->who->owner)
		return LEFT_FOREIGN;
	if (!S_ISDIR(st->st_mode) && st->st_nlink > 1)
		return LEFT_LINK;
	/* The kernel would clear the bit, see chmod(2). */
	if ((st->st_mode & S_ISGID) && !job_is_member(j, st->st_gid))
		return LEFT_SETGID;
	return LEFT_NONE;
}

/* The default ACL of a directory of the person's.  As put_change(). */
static int grant_default(struct job *j, const struct walk_item *it,
			 struct err *e)
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
	return put_change(j, it, ACL_DEFAULT, change, &j->dflt, e);
}

/* Reads the ACLs of an inode and counts what the guest cannot express. */
static int look(struct job *j, const struct walk *w, const struct walk_item *it,
		struct err *e)
{
	bool bad = false;

	j->has_dflt = 0;
	j->has_acl = aclio_read(&j->io, it, ACL_ACCESS, &j->acl);
	/* EOPNOTSUPP matters only if something has to be edited. */
	if (j->has_acl < 0 && j->has_acl != -EOPNOTSUPP)
		return err_set(e, -j->has_acl, "reading an ACL");
	if (j->has_acl <= 0)
		acl_from_mode(&j->acl, it->st.st_mode);
	else
		bad = !acl_is_expressible(&j->acl, j->who);
	if (j->mode == GRANT_RW && S_ISDIR(it->st.st_mode)) {
		j->has_dflt = aclio_read(&j->io, it, ACL_DEFAULT, &j->dflt);
		bad = bad || (j->has_dflt > 0 &&
			      !acl_is_expressible(&j->dflt, j->who));
	}
	return bad ? job_leave_out(j, w, it, LEFT_UNMAPPED, e) : 0;
}

/* Edits what has to be edited.  Returns as put_change(). */
static int grant_inode(struct job *j, const struct walk_item *it,
		       unsigned lacks, struct err *e)
{
	bool want_default = j->mode == GRANT_RW && S_ISDIR(it->st.st_mode) &&
			    it->st.st_uid == j->who->owner;
	int why = LEFT_NONE, later = LEFT_NONE;

	if (note_prior(j, &it->st, e) < 0)
		return -1;
	if (lacks)
		why = (int)may_edit(j, &it->st);
	if (why != LEFT_NONE)
		return why;
	if (lacks && j->has_acl < 0)
		return edit_failed(-j->has_acl, e);
	if (want_default)
		later = grant_default(j, it, e);
	/* Second, because grant_default() looks at j->acl as it was. */
	if (later >= 0 && lacks)
		why = put_change(
			j, it, ACL_ACCESS,
			acl_add(&j->acl, ACL_ACCESS, j->who, need(j, &it->st)),
			&j->acl, e);
	return why == LEFT_NONE ? later : why;
}

static enum walk_next visit_grant(void *arg, const struct walk *w,
				  const struct walk_item *it, struct err *e)
{
	struct job *j = arg;
	bool dir = S_ISDIR(it->st.st_mode);
	unsigned rights;
	int why;

	if (!dir && !S_ISREG(it->st.st_mode)) {
		err_set(e, EINVAL, "neither a directory nor a regular file");
		return WALK_STOP;
	}
	j->st->seen++;
	if (dir && it->is_path) /* the person may not look into it either */
		return job_leave_out(j, w, it, LEFT_FOREIGN, e) < 0 ? WALK_STOP
								    : WALK_SKIP;
	if (look(j, w, it, e) < 0)
		return WALK_STOP;
	rights = it->st.st_uid == j->who->uid ? it->st.st_mode >> 6 & 7
					      : acl_rights(&j->acl, j->who);
	why = grant_inode(j, it, need(j, &it->st) & ~rights, e);
	if (why < 0 || job_leave_out(j, w, it, (enum left_out)why, e) < 0) {
		j->failed = it->st;
		return WALK_STOP;
	}
	/* Where U cannot go, nothing below is of use to it. */
	if (why != LEFT_NONE && why != LEFT_DEFAULT && !(rights & ACL_X))
		return WALK_SKIP;
	return WALK_ON;
}

/* What a walk is for. */
enum grant_aim { AIM_GRANT, AIM_VERIFY, AIM_SURVEY };

static int grant_walk(const struct grant_tree *t, enum grant_aim aim,
		      const struct grant_who *who, struct grant_stats *st,
		      struct err *e)
{
	struct walk_counts c = {0};
	own_job j = job_new(who, st, e);
	const struct walk_ops ops = {
		.visit = visit_grant, .stop = t->stop, .arg = j};
	int r;

	if (!j)
		return -1;
	j->mode = t->mode;
	j->dry = aim == AIM_SURVEY;
	j->can_undo = aim == AIM_GRANT;
	r = walk_tree(t->root, &ops, &c, e);
	job_add_counts(st, &c);
	if (r < 0 && aim == AIM_GRANT)
		job_undo(t->root, j, e);
	return r;
}

int grant_apply(const struct grant_tree *t, const struct grant_who *who,
		struct grant_stats *st, struct err *e)
{
	return grant_walk(t, AIM_GRANT, who, st, e);
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
