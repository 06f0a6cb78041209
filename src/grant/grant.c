/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Grants: making and removing a UID's entries.  Runs in vmrun and vmrunctl with
 * the person's own authority.
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
#include "base/own.h"
#include "grant/acl.h"
#include "grant/walk.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

/* Why an inode is left out, the worst last: that one becomes the example. */
enum left_out {
	LEFT_NONE,
	LEFT_FOREIGN,
	LEFT_LINK,
	LEFT_SETGID,
	LEFT_DEFAULT, /* granted, but not what will be made in it: masked */
	LEFT_MASKED,
	LEFT_UNMAPPED, /* granted, but the guest will not be able to read it */
};

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

/* What U had on an inode before; -1: no entry. */
struct prior {
	dev_t dev;
	ino_t ino;
	signed char access, dflt;
};

/* A walk that edits.  Large: on the heap. */
struct job {
	const struct grant_who *who;
	enum grant_mode mode;
	bool dry; /* survey */
	struct grant_stats *st;
	enum left_out worst;
	uint64_t left;	      /* revoke: could not be undone */
	struct err first;     /* the first of these */
	struct prior *priors; /* owned */
	size_t n_priors, room;
	struct stat failed; /* st_nlink 0: not known; where granting stopped */
	bool undoing, undone; /* until `failed` is met */
	gid_t *groups;	      /* owned: what vmrun is a member of */
	int n_groups;
	struct acl acl, dflt;  /* of the inode being visited */
	int has_acl, has_dflt; /* as read_acl() returned */
	unsigned char bytes[ACL_BYTES_MAX];
};

static const char *const acl_xattr[] = {
	[ACL_ACCESS] = "system.posix_acl_access",
	[ACL_DEFAULT] = "system.posix_acl_default",
};

static ssize_t get_bytes(struct job *j, const struct walk_item *it,
			 enum acl_kind kind, size_t room)
{
	char path[WALK_PROC_MAX];

	/* An O_PATH descriptor is good for a path only, see open(2). */
	if (it->is_path)
		return getxattr(walk_proc(path, it->fd), acl_xattr[kind],
				j->bytes, room);
	return fgetxattr(it->fd, acl_xattr[kind], j->bytes, room);
}

/* 1 and the ACL; 0 if there is none; else a negated errno. */
static int read_acl(struct job *j, const struct walk_item *it,
		    enum acl_kind kind, struct acl *a)
{
	/* The kernel clears as much memory as we say there is room for. */
	ssize_t n = get_bytes(j, it, kind, 512);

	if (n < 0 && errno == ERANGE)
		n = get_bytes(j, it, kind, sizeof(j->bytes));
	if (n < 0)
		return errno == ENODATA ? 0 : -errno;
	return acl_decode(a, j->bytes, (size_t)n) < 0 ? -EINVAL : 1;
}

/* Writes the ACL, or removes it (NULL).  0, or -1 with errno. */
static int write_acl(struct job *j, const struct walk_item *it,
		     enum acl_kind kind, const struct acl *a)
{
	const char *name = acl_xattr[kind];
	char path[WALK_PROC_MAX];
	size_t n;

	if (!a)
		return removexattr(walk_proc(path, it->fd), name);
	n = acl_encode(a, j->bytes, sizeof(j->bytes));
	if (it->is_path)
		return setxattr(walk_proc(path, it->fd), name, j->bytes, n, 0);
	return fsetxattr(it->fd, name, j->bytes, n, 0);
}

static void job_free(struct job **j)
{
	if (*j) {
		free((*j)->priors);
		free((*j)->groups);
		free(*j);
	}
}

#define own_job __attribute__((cleanup(job_free))) struct job *

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

/* NULL and e: out of memory, or an identity that cannot be right. */
static struct job *job_new(const struct grant_who *who, struct grant_stats *st,
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

static bool is_member(const struct job *j, gid_t gid)
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

/* Counts an inode that is left out; an error if it is the root itself. */
static int leave_out(struct job *j, const struct walk *w,
		     const struct walk_item *it, enum left_out why,
		     struct err *e)
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

	if (j->dry || (access < 0 && dflt < 0))
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
	if (!j->dry && write_acl(j, it, kind, a) < 0) {
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
	if ((st->st_mode & S_ISGID) && !is_member(j, st->st_gid))
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
	j->has_acl = read_acl(j, it, ACL_ACCESS, &j->acl);
	/* EOPNOTSUPP matters only if something has to be edited. */
	if (j->has_acl < 0 && j->has_acl != -EOPNOTSUPP)
		return err_set(e, -j->has_acl, "reading an ACL");
	if (j->has_acl <= 0)
		acl_from_mode(&j->acl, it->st.st_mode);
	else
		bad = !acl_is_expressible(&j->acl, j->who);
	if (j->mode == GRANT_RW && S_ISDIR(it->st.st_mode)) {
		j->has_dflt = read_acl(j, it, ACL_DEFAULT, &j->dflt);
		bad = bad || (j->has_dflt > 0 &&
			      !acl_is_expressible(&j->dflt, j->who));
	}
	return bad ? leave_out(j, w, it, LEFT_UNMAPPED, e) : 0;
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
		return leave_out(j, w, it, LEFT_FOREIGN, e) < 0 ? WALK_STOP
								: WALK_SKIP;
	if (look(j, w, it, e) < 0)
		return WALK_STOP;
	rights = it->st.st_uid == j->who->uid ? it->st.st_mode >> 6 & 7
					      : acl_rights(&j->acl, j->who);
	why = grant_inode(j, it, need(j, &it->st) & ~rights, e);
	if (why < 0 || leave_out(j, w, it, (enum left_out)why, e) < 0) {
		j->failed = it->st;
		return WALK_STOP;
	}
	/* Where U cannot go, nothing below is of use to it. */
	if (why != LEFT_NONE && why != LEFT_DEFAULT && !(rights & ACL_X))
		return WALK_SKIP;
	return WALK_ON;
}

static void add_counts(struct grant_stats *st, const struct walk_counts *c)
{
	st->mounts += c->mounts;
	st->special += c->special;
	st->foreign += c->refused;
}

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
	int have = read_acl(j, it, kind, &j->acl);
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
	if (write_acl(j, it, kind, change == ACL_GONE ? NULL : &j->acl) < 0)
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
	add_counts(j->st, &c);
	if (j->left) {
		*e = j->first;
		return -1;
	}
	return 0;
}

/* e says why the grant failed, and goes on saying that. */
static void undo(int root, struct job *j, struct err *e)
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

static int grant_walk(int root, enum grant_mode mode, bool dry,
		      const struct grant_who *who, struct grant_stats *st,
		      struct err *e)
{
	struct walk_counts c = {0};
	own_job j = job_new(who, st, e);
	const struct walk_ops ops = {.visit = visit_grant, .arg = j};
	int r;

	if (!j)
		return -1;
	j->mode = mode;
	j->dry = dry;
	r = walk_tree(root, &ops, &c, e);
	add_counts(st, &c);
	if (r < 0 && !dry)
		undo(root, j, e);
	return r;
}

int grant_apply(int root, enum grant_mode mode, const struct grant_who *who,
		struct grant_stats *st, struct err *e)
{
	return grant_walk(root, mode, false, who, st, e);
}

int grant_survey(int root, enum grant_mode mode, const struct grant_who *who,
		 struct grant_stats *st, struct err *e)
{
	return grant_walk(root, mode, true, who, st, e);
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
