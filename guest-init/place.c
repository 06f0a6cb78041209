/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Paths below the new root.  Runs in the guest as PID 1.
 *
 * Shares may hold symbolic links that an earlier guest planted; every path is
 * resolved with the new root as "/", so that none leads into the initramfs.
 */
#include "guest-init/init.h"

#include "base/err.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

int place_open(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

bool place_is_shared(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == FUSE_SUPER_MAGIC;
}

/* A new entry belongs to whom its directory belongs to. */
static int make_one(int dir, const char *name, bool file)
{
	struct stat st;

	if (place_is_shared(dir)) {
		errno = EROFS;
		return -1;
	}
	if (file) {
		own_fd fd =
			openat(dir, name,
			       O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);

		if (fd < 0)
			return -1;
	} else if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST) {
		return -1;
	}
	if (fstat(dir, &st) < 0)
		return -1;
	if (!st.st_uid)
		return 0;
	return fchownat(dir, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW);
}

static int not_there(const char *path, struct err *e)
{
	if (errno == EROFS)
		return err_set(e, 0,
			       "%s: not there, and nothing is made inside a "
			       "shared directory",
			       path);
	return err_set(e, errno, "%s", path);
}

/* Goes down component by component, making what is missing. */
static int make_dirs(int root, const char *path, struct err *e)
{
	char prefix[PATH_MAX];
	size_t n = strlen(path), at = 0;
	own_fd dir = place_open(root, "/", O_DIRECTORY);

	if (n >= sizeof(prefix))
		return err_set(e, ENAMETOOLONG, "%s", path);
	memcpy(prefix, path, n + 1);
	while (dir >= 0) {
		size_t name;
		int next;

		while (prefix[at] == '/')
			at++;
		if (!prefix[at])
			return steal_fd(&dir);
		name = at;
		at += strcspn(prefix + at, "/");
		prefix[at] = '\0';
		next = place_open(root, prefix, O_DIRECTORY);
		if (next < 0 && errno == ENOENT &&
		    make_one(dir, prefix + name, false) == 0)
			next = place_open(root, prefix, O_DIRECTORY);
		if (next < 0)
			return not_there(path, e);
		close(dir);
		dir = next;
		if (at < n)
			prefix[at] = '/';
	}
	return err_set(e, errno, "the new root");
}

int place_dir(int root, const char *path, struct err *e)
{
	int fd = place_open(root, path, O_DIRECTORY);

	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return err_set(e, errno, "%s", path);
	return make_dirs(root, path, e);
}

int place_parent(int root, const char *path, const char **name, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX];
	size_t n = slash ? (size_t)(slash - path) : 0;

	*name = slash ? slash + 1 : path;
	if (!**name || n >= sizeof(parent))
		return err_set(e, EINVAL, "%s", path);
	memcpy(parent, path, n);
	memcpy(parent + n, n ? "" : "/", n ? 1 : 2);
	return place_dir(root, parent, e);
}

int place_file(int root, const char *path, struct err *e)
{
	int fd = place_open(root, path, 0);
	own_fd dir = -1;
	const char *name;

	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return err_set(e, errno, "%s", path);
	dir = place_parent(root, path, &name, e);
	if (dir < 0)
		return -1;
	if (make_one(dir, name, true) < 0)
		return not_there(path, e);
	fd = place_open(root, path, 0);
	if (fd < 0)
		return not_there(path, e);
	return fd;
}
