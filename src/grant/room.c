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
#include "grant/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

/* So many entries have room everywhere: ext4 with blocks of 1 KiB takes 57 in
 * each of two ACLs. */
#define ENTRIES_FEW 64u
/* The same in bytes, for what other attributes take. */
#define BYTES_FEW 512u
/* Blocks: with fewer, a refusal may be for want of any. */
#define FREE_MIN 64u

/* The other attributes of an inode. */
struct others {
	char *names; /* one after the other, each with its NUL; owned */
	size_t len;
	size_t bytes; /* that they take, on ext4 */
};

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

static ssize_t list(const struct walk_item *it, char *to, size_t room)
{
	char path[WALK_PROC_MAX];

	if (it->fd < 0)
		return llistxattr(it->name, to, room);
	if (it->is_path)
		return listxattr(walk_proc(path, it->fd), to, room);
	return flistxattr(it->fd, to, room);
}

static ssize_t size_of(const struct walk_item *it, const char *name)
{
	char path[WALK_PROC_MAX];

	if (it->fd < 0)
		return lgetxattr(it->name, name, NULL, 0);
	if (it->is_path)
		return getxattr(walk_proc(path, it->fd), name, NULL, 0);
	return fgetxattr(it->fd, name, NULL, 0);
}

static bool is_acl(const char *name)
{
	return !strncmp(name, "system.posix_acl_", 17);
}

/* A security module's labels are on the file that we try with, too. */
static bool is_given(const char *name)
{
	return !strncmp(name, "security.", 9) &&
	       strcmp(name, "security.capability") != 0;
}

/* Most inodes have none, and one system call is all that they cost. */
static void find_others(const struct walk_item *it, struct others *o)
{
	char few[256];
	ssize_t n = list(it, few, sizeof(few));
	const char *names = few;

	if (n < 0 && errno == ERANGE) {
		o->names = malloc(XATTR_LIST_MAX);
		n = o->names ? list(it, o->names, XATTR_LIST_MAX) : -1;
		names = o->names;
	}
	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t size;

		if (is_acl(names + at) || is_given(names + at))
			continue;
		size = size_of(it, names + at);
		o->bytes +=
			24 + strlen(names + at) + (size > 0 ? (size_t)size : 0);
	}
	o->len = n < 0 ? 0 : (size_t)n;
	if (!o->bytes || names != few)
		return;
	o->names = malloc(o->len);
	if (o->names)
		memcpy(o->names, few, o->len);
}

/* The same, whatever they are, as the owner's own attributes. */
static int put_others(const struct room *r, const struct others *o, int fd)
{
	for (size_t at = 0; o->names && at < o->len;
	     at += strlen(o->names + at) + 1) {
		const char *dot = strchr(o->names + at, '.');
		char name[XATTR_NAME_MAX + 1];
		ssize_t n;

		if (!dot || is_acl(o->names + at) || is_given(o->names + at))
			continue;
		n = size_of(r->it, o->names + at);
		if (n < 0 || (size_t)n > sizeof(r->io->bytes))
			continue;
		memset(r->io->bytes, 0, (size_t)n);
		snprintf(name, sizeof(name), "user%s", dot);
		if (fsetxattr(fd, name, r->io->bytes, (size_t)n, 0) < 0)
			return -1;
	}
	return 0;
}

/* Another directory of the file system would do as well. */
static int open_parent(const struct walk_item *it)
{
	char proc[WALK_PROC_MAX], path[PATH_MAX];
	own_fd dir = -1;
	struct stat st;
	char *slash;
	ssize_t n;

	if (S_ISDIR(it->st.st_mode))
		return fcntl(it->fd, F_DUPFD_CLOEXEC, 0);
	if (it->parent >= 0)
		return fcntl(it->parent, F_DUPFD_CLOEXEC, 0);
	n = readlink(walk_proc(proc, it->fd), path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return -1;
	slash[slash == path] = '\0';
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) < 0 || st.st_dev != it->st.st_dev)
		return -1;
	return steal_fd(&dir);
}

/* 1: there is room; 0: none; -1: that cannot be known. */
static int try(const struct room *r, const struct others *o)
{
	own_fd dir = open_parent(r->it);
	own_fd fd = dir < 0 ? -1
			    : openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC,
				     0600);
	size_t n;

	if (fd < 0 || put_others(r, o, fd) < 0)
		return -1;
	/* Only directories have default ACLs: something of the same size. */
	if (r->dflt) {
		n = bytes_of(r->dflt) - 4; /* the name takes 4 */
		memset(r->io->bytes, 0, n);
		if (fsetxattr(fd, "user.\1", r->io->bytes, n, 0) < 0)
			return is_refused(fd) ? 0 : -1;
	}
	n = acl_encode(r->access, r->io->bytes, sizeof(r->io->bytes));
	if (fsetxattr(fd, "system.posix_acl_access", r->io->bytes, n, 0) == 0)
		return 1;
	return is_refused(fd) ? 0 : -1;
}

bool room_is_enough(const struct room *r)
{
	size_t n = r->access->n + (r->dflt ? r->dflt->n : 0);
	struct others o = {0};
	int got;

	find_others(r->it, &o);
	if (o.bytes ? 8 * n + o.bytes <= BYTES_FEW
		    : n <= ENTRIES_FEW || n <= *r->roomy) {
		free(o.names);
		return true;
	}
	got = try(r, &o);
	free(o.names);
	if (got > 0 && !o.bytes)
		*r->roomy = n;
	return got != 0;
}
