/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ACLs of an inode that a walk is at.  See aclio.h. */
#include "grant/aclio.h"

#include "grant/walk.h"

#include <errno.h>
#include <sys/xattr.h>

static const char *const acl_xattr[] = {
	[ACL_ACCESS] = "system.posix_acl_access",
	[ACL_DEFAULT] = "system.posix_acl_default",
};

static ssize_t get_bytes(struct aclio *io, const struct walk_item *it,
			 enum acl_kind kind, size_t room)
{
	char path[WALK_PROC_MAX];

	if (it->fd < 0)
		return lgetxattr(it->name, acl_xattr[kind], io->bytes, room);
	/* An O_PATH descriptor is good for a path only, see open(2). */
	if (it->is_path)
		return getxattr(walk_proc(path, it->fd), acl_xattr[kind],
				io->bytes, room);
	return fgetxattr(it->fd, acl_xattr[kind], io->bytes, room);
}

int aclio_read(struct aclio *io, const struct walk_item *it, enum acl_kind kind,
	       struct acl *a)
{
	/* The kernel clears as much memory as we say there is room for. */
	ssize_t n = get_bytes(io, it, kind, 512);

	if (n < 0 && errno == ERANGE)
		n = get_bytes(io, it, kind, sizeof(io->bytes));
	if (n < 0)
		return errno == ENODATA ? 0 : -errno;
	return acl_decode(a, io->bytes, (size_t)n) < 0 ? -EINVAL : 1;
}

int aclio_write(struct aclio *io, const struct walk_item *it,
		enum acl_kind kind, const struct acl *a)
{
	const char *name = acl_xattr[kind];
	char path[WALK_PROC_MAX];
	size_t n;

	if (!a)
		return removexattr(walk_proc(path, it->fd), name);
	n = acl_encode(a, io->bytes, sizeof(io->bytes));
	if (it->is_path)
		return setxattr(walk_proc(path, it->fd), name, io->bytes, n, 0);
	return fsetxattr(it->fd, name, io->bytes, n, 0);
}
