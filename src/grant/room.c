/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Room for ACLs.  How many entries an inode takes depends on the kind of file
 * system, on its block size and on options of its, and whatever a table says,
 * some file system does it in another way: so it is tried.
 *
 * The person's own authority; the file is gone with its descriptor, also when
 * somebody kills us.
 */
#include "grant/room.h"

#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

/* So many entries have room everywhere: ext4 with blocks of 1 KiB takes 57 in
 * each of two ACLs. */
#define ENTRIES_FEW 64u
/* Blocks: with fewer, a refusal may be for want of any. */
#define FREE_MIN 64u

/* On ext4: a named entry takes 8 bytes, another one 4, and so does the head. */
static size_t bytes_of(const struct acl *a)
{
	size_t n = 4;

	for (size_t i = 0; i < a->n; i++)
		n += a->e[i].id == UINT32_MAX ? 4 : 8;
	return n;
}

/* Was that for want of room in the inode? */
static bool is_refused(int fd)
{
	int code = errno;
	struct statfs fs;

	if (code == E2BIG)
		return true;
	return code == ENOSPC && fstatfs(fd, &fs) == 0 &&
	       fs.f_bavail >= FREE_MIN;
}

bool room_for(struct aclio *io, int dir, const struct acl *access,
	      const struct acl *dflt)
{
	own_fd fd = -1;
	size_t n;

	if (access->n + (dflt ? dflt->n : 0) <= ENTRIES_FEW || dir < 0)
		return true;
	fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return true;
	/* Only directories have default ACLs: something of the same size. */
	if (dflt) {
		n = bytes_of(dflt) - 4; /* the name takes 4 */
		memset(io->bytes, 0, n);
		if (fsetxattr(fd, "user.r", io->bytes, n, 0) < 0 &&
		    is_refused(fd))
			return false;
	}
	n = acl_encode(access, io->bytes, sizeof(io->bytes));
	return fsetxattr(fd, "system.posix_acl_access", io->bytes, n, 0) == 0 ||
	       !is_refused(fd);
}
