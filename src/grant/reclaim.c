/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Giving files back: what a VM's UID owns becomes the person's again.
 *
 * Runs in a user namespace that maps the person's ids and the subordinate
 * ranges, with capabilities there, after every process of U is gone.
 */
#include "grant/grant.h"

#include "base/err.h"
#include "base/own.h"
#include "grant/aclio.h"
#include "grant/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/fsuid.h>
#include <unistd.h>

/* What visit() leaves for the names in a directory. */
enum { NAMES_NEW, NAMES_OLD };

/* Large: on the heap. */
struct reclaim {
	uid_t uid, owner;
	gid_t gid, owner_gid;
	struct grant_who who;	      /* uid and gid only */
	const struct grant_who *keep; /* NULL: U is over */
	int64_t since_ns;
	struct grant_stats *st;
	uint64_t failed;
	struct err first;
	struct acl acl;
	struct acl from; /* what new names in the directory get */
	struct aclio io;
};

static void failed(struct reclaim *r, const struct walk *w, int code,
		   const char *what)
{
	char where[256];

	if (r->failed++ == 0)
		err_set(&r->first, code, "%s: %s",
			walk_path(w, where, sizeof(where)), what);
}

/*
 * A file of U's in a group that is not mapped here: our capabilities do not
 * reach it (capable_wrt_inode_uidgid() in the kernel).  Its owner may put it
 * into a group of its own, so become the owner for that.
 */
static int take_group(const struct reclaim *r, int fd)
{
	int was_uid = setfsuid(r->uid), was_gid = setfsgid(r->gid);
	int done, code;

	done = fchownat(fd, "", (uid_t)-1, r->gid, AT_EMPTY_PATH);
	code = errno;
	setfsgid((gid_t)was_gid);
	setfsuid((uid_t)was_uid);
	errno = code;
	return done;
}

static int give(const struct reclaim *r, const struct walk_item *it)
{
	uid_t uid = it->st.st_uid == r->uid ? r->owner : (uid_t)-1;
	gid_t gid = it->st.st_gid == r->gid ? r->owner_gid : (gid_t)-1;

	if (fchownat(it->fd, "", uid, gid, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno != EPERM || it->st.st_uid != r->uid ||
	    it->st.st_gid == r->gid || take_group(r, it->fd) < 0)
		return -1;
	return fchownat(it->fd, "", r->owner, r->owner_gid, AT_EMPTY_PATH);
}

/*
 * The permissions that it goes back with: no setuid, no setgid.  A directory
 * in another group than U's has its setgid bit from the directory above, which
 * is the person's wish: it stays.  A directory that the guest closed to itself
 * is opened to its owner, who must be able to revoke what is below, and to
 * delete it.
 */
static mode_t given_mode(const struct reclaim *r, const struct stat *st)
{
	mode_t mode = st->st_mode & 07777;
	mode_t bits = S_ISUID | S_ISGID;

	if (S_ISDIR(st->st_mode) && st->st_gid != r->gid)
		bits = S_ISUID;
	if (S_ISDIR(st->st_mode) && st->st_uid == r->uid)
		mode |= S_IRWXU;
	return mode & ~bits;
}

static bool is_special(mode_t mode)
{
	return S_ISCHR(mode) || S_ISBLK(mode) || S_ISFIFO(mode) ||
	       S_ISSOCK(mode);
}

/* Before the owner changes: whoever is killed in between begins again. */
static int keep_rights(struct reclaim *r, const struct walk_item *it)
{
	int have;

	if (!r->keep || it->st.st_uid != r->uid ||
	    (!S_ISREG(it->st.st_mode) && !S_ISDIR(it->st.st_mode)))
		return 0;
	have = aclio_read(&r->io, it, ACL_ACCESS, &r->acl);
	/* EINVAL: see sweep_one(); it has inherited U's entry, too. */
	if (have == -EOPNOTSUPP || have == -EINVAL)
		return 0;
	if (have < 0) {
		errno = -have;
		return -1;
	}
	if (!have)
		acl_from_mode(&r->acl, it->st.st_mode);
	if (acl_keep(&r->acl, r->keep) == ACL_FULL) {
		errno = E2BIG;
		return -1;
	}
	return aclio_write(&r->io, it, ACL_ACCESS, &r->acl);
}

/*
 * What U gave to others by the ACL of a file of its own goes.  An ACL that
 * cannot be read here (EINVAL) names an id that this namespace does not have,
 * nor has the file server's: it was inherited, and U has never written it.
 */
static int sweep_one(struct reclaim *r, const struct walk_item *it,
		     enum acl_kind kind)
{
	const struct walk_item dir = {.fd = it->parent, .name = ""};
	enum acl_change change;
	struct acl_named any = {0};
	int from = 0;
	int have = aclio_read(&r->io, it, kind, &r->acl);

	if (have <= 0) {
		errno = -have;
		return have && have != -EOPNOTSUPP && have != -EINVAL ? -1 : 0;
	}
	if (kind == ACL_ACCESS && !acl_next_named(&r->acl, &any))
		return 0;
	if (it->parent >= 0)
		from = aclio_read(&r->io, &dir, ACL_DEFAULT, &r->from);
	change = acl_sweep(&r->acl, kind, from > 0 ? &r->from : NULL, &r->who);
	if (change == ACL_SAME)
		return 0;
	return aclio_write(&r->io, it, kind,
			   change == ACL_GONE ? NULL : &r->acl);
}

static int sweep(struct reclaim *r, const struct walk_item *it)
{
	if (it->st.st_uid != r->uid || S_ISLNK(it->st.st_mode))
		return 0;
	if (sweep_one(r, it, ACL_ACCESS) < 0)
		return -1;
	return S_ISDIR(it->st.st_mode) ? sweep_one(r, it, ACL_DEFAULT) : 0;
}

static bool is_ours(const struct reclaim *r, const struct stat *st)
{
	return st->st_uid == r->uid || st->st_gid == r->gid;
}

static enum walk_peek glance_reclaim(void *arg, unsigned ctx, uint64_t listed)
{
	(void)arg;
	(void)listed;
	return ctx == NAMES_OLD ? PEEK_DONE : PEEK_LOOK;
}

static enum walk_peek peek_reclaim(void *arg, const struct walk *w,
				   const struct walk_item *it, struct err *e)
{
	(void)w;
	(void)e;
	return is_ours(arg, &it->st) ? PEEK_OPEN : PEEK_DONE;
}

/* Were names made in the directory, or taken out, before `since` only? */
static bool has_old_names(const struct reclaim *r, const struct stat *st)
{
	return r->since_ns && st->st_uid != r->uid &&
	       st->st_ctim.tv_sec * INT64_C(1000000000) + st->st_ctim.tv_nsec <
		       r->since_ns;
}

static enum walk_next visit_reclaim(void *arg, const struct walk *w,
				    struct walk_item *it, struct err *e)
{
	struct reclaim *r = arg;
	char path[WALK_PROC_MAX];
	mode_t was = it->st.st_mode & 07777;
	mode_t mode;

	(void)e;
	r->st->seen++;
	if (S_ISDIR(it->st.st_mode))
		it->ctx = has_old_names(r, &it->st) ? NAMES_OLD : NAMES_NEW;
	if (!is_ours(r, &it->st))
		return WALK_ON;
	if (is_special(it->st.st_mode)) {
		if (it->st.st_uid != r->uid || it->parent < 0)
			return WALK_ON;
		if (unlinkat(it->parent, it->name, 0) < 0)
			failed(r, w, errno, "removing");
		else
			r->st->special++;
		return WALK_ON;
	}
	/* First the bits: as the person's they would be worth something. */
	mode = S_ISLNK(it->st.st_mode) ? was : given_mode(r, &it->st);
	if (mode != was && chmod(walk_proc(path, it->fd), mode) < 0)
		failed(r, w, errno, "setting the mode");
	else if (sweep(r, it) < 0)
		failed(r, w, errno, "removing entries of its ACL");
	else if (keep_rights(r, it) < 0)
		failed(r, w, errno, "keeping the rights of its owner");
	else if (give(r, it) < 0)
		failed(r, w, errno, "changing the owner");
	else
		r->st->edited++;
	return WALK_ON;
}

static int reclaim_tree(int root, struct reclaim *r, struct grant_stats *st,
			struct err *e)
{
	const struct walk_ops ops = {.visit = visit_reclaim,
				     .peek = peek_reclaim,
				     .glance = glance_reclaim,
				     .want_all = true,
				     .unlocks = true,
				     .go_on = true};
	void *args[] = {r};

	memset(st, 0, sizeof(*st));
	r->st = st;
	r->who.uid = r->uid;
	r->who.gid = r->gid;
	for (int pass = 0; pass < 3; pass++) {
		struct walk_counts c = {0};
		struct err we = ERR_INIT;

		st->seen = 0;
		r->failed = 0;
		if (walk_threads(root, &ops, args, 1, &c, &we) < 0)
			c.failed++;
		if (c.failed && !r->failed)
			r->first = we;
		r->failed += c.failed;
		st->mounts = c.mounts;
		st->foreign = c.refused;
		if (!c.disturbed)
			break;
	}
	if (!r->failed)
		return 0;
	*e = r->first;
	return -1;
}

int grant_reclaim(int root, uid_t uid, gid_t gid, uid_t owner, gid_t owner_gid,
		  struct grant_stats *st, struct err *e)
{
	own_free struct reclaim *r = calloc(1, sizeof(*r));

	if (!r)
		return err_set(e, ENOMEM, "giving files back");
	r->uid = uid;
	r->gid = gid;
	r->owner = owner;
	r->owner_gid = owner_gid;
	return reclaim_tree(root, r, st, e);
}

int grant_reclaim_kept(int root, const struct grant_who *who, int64_t since_ns,
		       struct grant_stats *st, struct err *e)
{
	own_free struct reclaim *r = calloc(1, sizeof(*r));

	if (!r)
		return err_set(e, ENOMEM, "giving files back");
	r->uid = who->uid;
	r->gid = who->gid;
	r->owner = who->owner;
	r->owner_gid = who->owner_gid;
	r->keep = who;
	r->since_ns = since_ns;
	return reclaim_tree(root, r, st, e);
}
