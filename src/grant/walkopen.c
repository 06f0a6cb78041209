/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a name to a descriptor.  See walk.h. */
#include "base/err.h"
#include "base/own.h"
#include "grant/walkint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int walk_open_below(int dir, const char *name, uint64_t flags)
{
	const struct open_how how = {
		.flags = flags | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};
	long fd;

	do
		fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));
	while (fd < 0 && errno == EINTR);
	return (int)fd;
}

int walk_look(int dir, const char *name, struct walk_item *it)
{
	const uint64_t fixed = STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND;
	/* Not to wait for a server: what the kernel knows will do. */
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
	struct statx x;

	if (!name[0])
		flags = AT_EMPTY_PATH;
	if (statx(dir, name, flags,
		  STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_UID |
			  STATX_GID | STATX_INO | STATX_MTIME | STATX_CTIME |
			  STATX_MNT_ID,
		  &x) < 0)
		return errno;
	it->st.st_dev = makedev(x.stx_dev_major, x.stx_dev_minor);
	it->st.st_ino = x.stx_ino;
	it->st.st_mode = x.stx_mode;
	it->st.st_nlink = x.stx_nlink;
	it->st.st_uid = x.stx_uid;
	it->st.st_gid = x.stx_gid;
	it->st.st_mtim.tv_sec = x.stx_mtime.tv_sec;
	it->st.st_mtim.tv_nsec = x.stx_mtime.tv_nsec;
	it->st.st_ctim.tv_sec = x.stx_ctime.tv_sec;
	it->st.st_ctim.tv_nsec = x.stx_ctime.tv_nsec;
	it->mnt = x.stx_mnt_id;
	it->fixed = (x.stx_attributes & fixed) != 0;
	return 0;
}

int walk_fault(struct walk *w, int code, const char *what, struct err *e)
{
	char where[256];

	if (!w->ops->go_on)
		return err_set(e, code, "%s", what);
	if (w->counts->failed++ == 0)
		err_set(e, code, "%s: %s", walk_path(w, where, sizeof(where)),
			what);
	return 0;
}

/* What a name that could not be opened means.  0 to go on, -1 with e. */
static int cannot_open(struct walk *w, int code, struct err *e)
{
	switch (code) {
	case EXDEV:
		w->counts->mounts++;
		return 0;
	case EACCES:
	case EPERM:
		w->counts->refused++;
		return 0;
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case ESTALE:
		if (w->ops->leave)
			w->frames[w->depth - 1].vanished = true;
		else
			w->counts->disturbed = true;
		return 0;
	default:
		return walk_fault(w, code, "opening a file", e);
	}
}

/*
 * For reading if that is possible: a descriptor that takes fgetxattr() saves
 * two trips through /proc, which are most of the cost of a file.  O_NONBLOCK,
 * for the case that somebody has just put a FIFO there, or holds a lease.
 */
static int open_readable(struct walk *w, const struct walk_name *n,
			 struct walk_item *it)
{
	uint64_t flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
	own_fd fd = -1;

	if (n->type != DT_DIR && (n->type != DT_REG || w->ops->want_all))
		return -1;
	if (n->type == DT_DIR)
		flags |= O_DIRECTORY;
	fd = walk_open_below(it->parent, n->name, flags);
	if (fd < 0 || walk_look(fd, "", it) ||
	    IFTODT(it->st.st_mode) != n->type)
		return -1;
	return steal_fd(&fd);
}

/* Of a directory that was just opened; it is read from its beginning then. */
static bool is_empty(int fd)
{
	_Alignas(struct walk_name) char names[1024];
	bool empty = true;
	long got;

	while (empty &&
	       (got = syscall(SYS_getdents64, fd, names, sizeof(names))) > 0) {
		for (long at = 0; at < got;) {
			const struct walk_name *n = (const void *)(names + at);

			if (strcmp(n->name, ".") && strcmp(n->name, ".."))
				empty = false;
			at += n->reclen;
		}
	}
	return lseek(fd, 0, SEEK_SET) == 0 && empty && got == 0;
}

bool walk_can_enter(const struct walk_item *it)
{
	mode_t x = it->st.st_uid == geteuid() ? S_IXUSR : 0111;

	if ((it->st.st_mode & x) == x)
		return true;
	return faccessat(it->fd, ".", X_OK, AT_EACCESS) == 0 ||
	       is_empty(it->fd);
}

int walk_open_item(struct walk *w, const struct walk_name *n,
		   struct walk_item *it, struct err *e)
{
	int code;

	it->fd = open_readable(w, n, it);
	if (it->fd >= 0) {
		it->is_path = S_ISDIR(it->st.st_mode) && !walk_can_enter(it);
		return 1;
	}
	it->is_path = true;
	it->fd = walk_open_below(it->parent, n->name, O_PATH);
	if (it->fd < 0)
		return cannot_open(w, errno, e);
	code = walk_look(it->fd, "", it);
	if (code)
		return walk_fault(w, code, "looking at a file", e);
	/* A file system that does not tell types, or a name that was swapped
	 * and perhaps is back. */
	if (S_ISDIR(it->st.st_mode)) {
		int fd = walk_open_below(it->fd, ".", O_RDONLY | O_DIRECTORY);

		if (fd >= 0) {
			close(it->fd);
			it->fd = fd;
			it->is_path = !walk_can_enter(it);
		}
	}
	return 1;
}

const char *walk_proc(char out[WALK_PROC_MAX], int fd)
{
	snprintf(out, WALK_PROC_MAX, "/proc/self/fd/%d", fd);
	return out;
}
