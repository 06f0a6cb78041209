/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sources in which the VM's UID cannot be given an entry of an ACL: a second
 * file server shows them, with the person's rights and nothing else to use
 * them on.  Part of vmrun; only looks.
 *
 * A network file system may have ACLs.  But another machine decides there too,
 * which may give this UID to a VM of its own; and so does the program behind a
 * FUSE mount.  So no grant is made there either.
 */
#include "host/plan/planint.h"

#include "base/err.h"
#include "host/plan/fstype.h"

#include <errno.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

/* What the kernel will let the server do, which is in no group but the
 * person's own. */
static mode_t rights(const struct facts *f, const struct stat *st)
{
	if (st->st_uid == f->uid)
		return st->st_mode >> 6 & 7;
	if (st->st_gid == f->gid)
		return st->st_mode >> 3 & 7;
	return st->st_mode & 7;
}

static int check_rights(const struct facts *f, const struct plan_source *s,
			const char *fs, struct err *e)
{
	mode_t need = S_ISDIR(s->st->st_mode) ? 5 : 4;

	if (s->rw)
		need |= 2;
	if ((rights(f, s->st) & need) == need)
		return 0;
	err_set(e, 0,
		"cannot share %s%s: its mode does not let you, and %s has no "
		"ACLs to change that",
		s->shown, s->rw ? " for writing" : "", fs);
	return err_hint(e, "mount it with other options: uid=%u, or umask=022",
			(unsigned)f->uid);
}

/* What the server makes there is the person's at once. */
static int check_writable(const struct plan_source *s,
			  const struct statvfs *vfs, const struct fs_type *type,
			  struct err *e)
{
	if (vfs->f_flag & ST_RDONLY) {
		err_set(e, 0,
			"cannot share %s for writing: it is mounted read-only",
			s->shown);
		return err_hint(e, "share it with --ro");
	}
	if (vfs->f_flag & ST_NOSUID || (type && !type->modes))
		return 0;
	err_set(e, 0,
		"cannot share %s for writing: it has no ACLs and is mounted "
		"without nosuid, so a set-user-ID file made there would run "
		"as you",
		s->shown);
	return err_hint(e, "mount it with the option nosuid");
}

/* Would the kernel take an entry here? */
static bool has_acls(int fd)
{
	char self[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return getxattr(self, "system.posix_acl_access", NULL, 0) >= 0 ||
	       errno != EOPNOTSUPP;
}

int plan_is_plain(const struct facts *f, const struct plan_source *s,
		  struct plan_plain *out, struct err *e)
{
	const struct fs_type *type;
	struct statvfs vfs;
	struct statfs fs;
	bool acls;

	if (fstatfs(s->fd, &fs) || fstatvfs(s->fd, &vfs))
		return err_set(e, errno, "cannot share %s", s->shown);
	type = fs_type_of((long)fs.f_type);
	out->fs = type ? type->name : "its file system";
	out->network = type && type->reach == FS_SHARED;
	acls = !out->network && has_acls(s->fd);
	out->read_only = acls && vfs.f_flag & ST_RDONLY;
	if (fs_takes_grants(type, acls, out->read_only, s->rw))
		return 0;
	if (s->rw && check_writable(s, &vfs, type, e))
		return -1;
	return check_rights(f, s, out->fs, e) ? -1 : 1;
}
