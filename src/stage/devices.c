/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Device nodes.  Runs in vmrun-stage, before any guest code.
 *
 * A user namespace cannot make nodes, so the host's are bound, one by one.
 * Whether U may open one is still the node's own mode's business.
 */
#include "stage/devices.h"

#include "base/err.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

/* What a member may ask for; the numbers are the kernel's, for ever. */
static const struct device {
	const char *name;
	unsigned major, minor;
} devices[] = {
	{"null", 1, 3},	   /* stdin of everything */
	{"zero", 1, 5},	   /* memory for old allocators */
	{"random", 1, 8},  /* virtio-rng */
	{"urandom", 1, 9}, /* hash seeds, virtio-rng */
	{"kvm", 10, 232},  /* the VMM's processor */
};

static const struct device *find(const char *name)
{
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		if (!strcmp(devices[i].name, name))
			return &devices[i];
	return NULL;
}

static int attach(const struct base *b, int dir, const char *name,
		  struct err *e)
{
	const struct device *d = find(name);
	own_fd fd = -1;
	char path[64];
	struct stat st;

	if (!d)
		return err_set(e, 0, "no member may have the device %s", name);
	snprintf(path, sizeof(path), "/dev/%s", d->name);
	fd = mounts_open(b, path, e);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, "%s", path);
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(d->major, d->minor))
		return err_set(e, 0, "%s is not the device of that name", path);
	/* Read-only is about the node: its mode, its times.  What is behind a
	 * character device can be written all the same. */
	return mounts_attach(fd, st.st_mode,
			     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
				     MOUNT_ATTR_NOEXEC,
			     dir, name, e);
}

int devices_attach(const struct base *b, int root, char *const *names,
		   struct err *e)
{
	own_fd dir = -1;

	if (!*names)
		return 0;
	if (mkdirat(root, "dev", 0755) < 0)
		return err_set(e, errno, "making /dev");
	dir = openat(root, "dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(e, errno, "opening /dev");
	for (; *names; names++)
		if (attach(b, dir, *names, e) < 0)
			return -1;
	return 0;
}
