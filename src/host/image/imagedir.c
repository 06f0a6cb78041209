/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The folder of guest images.  Runs in vmrunctl, as the person. */
#include "host/image/imagedir.h"

#include "base/err.h"
#include "base/io.h"
#include "base/own.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#define TMP_PREFIX ".tmp-"

int imagedir_open(const char *data_home, struct err *e)
{
	own_free char *path = NULL;
	own_fd fd = -1;

	if (asprintf(&path, "%s/images", data_home) < 0)
		return err_set(e, ENOMEM, "%s", data_home);
	/* Parents get what the XDG specification asks for, 0700; the images'
	 * own folder is for all to read. */
	if (mkdir(path, 0755) < 0 && errno == ENOENT) {
		if (io_make_dirs(data_home, e) < 0)
			return -1;
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return err_set(e, errno, "making %s", path);
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, "%s", path);
	if (fchmod(fd, 0755) < 0)
		return err_set(e, errno, "%s", path);
	return steal_fd(&fd);
}

int imagedir_lock(int images, struct err *e)
{
	own_fd lock = openat(images, ".lock",
			     O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	own_fd fd = openat(images, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir d = NULL;
	struct dirent *de;

	if (lock < 0 || fd < 0)
		return err_set(e, errno, "locking the image folder");
	while (flock(lock, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_set(e, errno, "locking the image folder");
	d = fdopendir(fd);
	if (!d)
		return err_set(e, errno, "reading the image folder");
	steal_fd(&fd);
	while ((de = readdir(d)))
		if (!strncmp(de->d_name, TMP_PREFIX, strlen(TMP_PREFIX)) &&
		    imagedir_remove(images, de->d_name, e) < 0)
			return -1;
	return steal_fd(&lock);
}

int imagedir_temp(int images, char tmp[IMAGEDIR_TMP_MAX], struct err *e)
{
	uint64_t some;
	own_fd fd = -1;

	if (getrandom(&some, sizeof(some), 0) != (ssize_t)sizeof(some))
		return err_set(e, errno, "naming a temporary folder");
	snprintf(tmp, IMAGEDIR_TMP_MAX, TMP_PREFIX "%016" PRIx64, some);
	if (mkdirat(images, tmp, 0700) < 0)
		return err_set(e, errno, "making a temporary folder");
	fd = openat(images, tmp,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, "making a temporary folder");
	return steal_fd(&fd);
}

static int remove_inside(int dir, const char *name, struct err *e)
{
	own_fd fd = openat(dir, name,
			   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	own_dir d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;

	if (!d)
		return err_set(e, errno, "removing %s", name);
	steal_fd(&fd);
	while ((de = readdir(d)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, "..") &&
		    imagedir_remove(dirfd(d), de->d_name, e) < 0)
			return -1;
	return 0;
}

int imagedir_remove(int dir, const char *name, struct err *e)
{
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return err_set(e, errno, "removing %s", name);
	if (remove_inside(dir, name, e) < 0)
		return -1;
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0)
		return err_set(e, errno, "removing %s", name);
	return 0;
}

static int sync_dir(int dir, const char *name, struct err *e)
{
	own_fd fd = openat(dir, name,
			   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_set(e, errno, "writing the image to the disk");
	return 0;
}

/*
 * Some file systems cannot exchange two names (EINVAL): then the old one goes
 * out of the way first, and for a moment there is no image of that name.
 */
static int replace(int images, int tmp, const char *from, const char *name)
{
	if (renameat2(tmp, from, images, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST &&
	    renameat2(tmp, from, images, name, RENAME_EXCHANGE) == 0)
		return 0;
	if (errno != EINVAL)
		return -1;
	if (renameat(images, name, tmp, "old") < 0 && errno != ENOENT)
		return -1;
	return renameat(tmp, from, images, name);
}

int imagedir_publish(int images, int tmp, const char *from, const char *name,
		     struct err *e)
{
	if (sync_dir(tmp, from, e) < 0)
		return -1;
	if (replace(images, tmp, from, name) < 0)
		return err_set(e, errno, "putting the image in its place");
	return sync_dir(images, ".", e);
}

int imagedir_withdraw(int images, const char *name, struct err *e)
{
	char tmp[IMAGEDIR_TMP_MAX];
	own_fd fd = imagedir_temp(images, tmp, e);

	if (fd < 0)
		return -1;
	if (renameat(images, name, fd, "old") < 0) {
		err_set(e, errno, "image %s", name);
		unlinkat(images, tmp, AT_REMOVEDIR);
		return -1;
	}
	return imagedir_remove(images, tmp, e);
}
