/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The new root's /dev: a few nodes instead of the kernel's whole list.  Runs in
 * the guest as PID 1.
 */
#include "guest-init/init.h"

#include "base/err.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define TTY_GID 5

static const char *const usual[] = {"null",   "zero",	 "full",
				    "random", "urandom", "tty"};

static const struct {
	const char *name, *target;
} links[] = {
	{"ptmx", "pts/ptmx"},	       {"fd", "/proc/self/fd"},
	{"stdin", "/proc/self/fd/0"},  {"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"},
};

/* The directories that a name like dri/card0 needs. */
static int make_parents(int dev, const char *name)
{
	char dir[LAUNCH_NAME_MAX + 1];

	for (const char *s = strchr(name, '/'); s; s = strchr(s + 1, '/')) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(s - name), name);
		if (mkdirat(dev, dir, 0755) < 0 && errno != EEXIST)
			return -1;
	}
	return 0;
}

/* The same device as the initramfs's /dev has under this name. */
static int copy_node(int from, int to, const char *name, mode_t mode, uid_t uid,
		     gid_t gid, struct err *e)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(e, errno, "device /dev/%s", name);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(e, 0, "/dev/%s is not a device", name);
	if (make_parents(to, name) < 0 ||
	    mknodat(to, name, (st.st_mode & S_IFMT) | mode, st.st_rdev) < 0)
		return err_set(e, errno, "making /dev/%s", name);
	if (fchownat(to, name, uid, gid, 0) < 0 ||
	    fchmodat(to, name, mode, 0) < 0)
		return err_set(e, errno, "giving /dev/%s to the user", name);
	return 0;
}

/* One that was asked for; "null" and such are there already. */
static int copy_wanted(int from, int to, const struct launch *l, int modules,
		       const char *name, struct err *e)
{
	char group[LAUNCH_NAME_MAX + 8];
	struct stat st;

	if (fstatat(to, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	snprintf(group, sizeof(group), "dev:%s", name);
	modules_load(modules, group);
	return copy_node(from, to, name, 0600, l->uid, l->gid, e);
}

/* Pseudo-terminals and shared memory, each a file system of its own. */
static int mount_inside(int dev, struct err *e)
{
	char pts[64];

	snprintf(pts, sizeof(pts), "newinstance,ptmxmode=0666,mode=620,gid=%d",
		 TTY_GID);
	if (mkdirat(dev, "pts", 0755) < 0 || mkdirat(dev, "shm", 0755) < 0)
		return err_set(e, errno, "making /dev");
	if (mount("devpts", NEWROOT "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		  pts) < 0)
		return err_set(e, errno, "mounting /dev/pts");
	if (mount("tmpfs", NEWROOT "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV,
		  "mode=1777") < 0)
		return err_set(e, errno, "mounting /dev/shm");
	return 0;
}

int dev_compose(const struct launch *l, int modules, struct err *e)
{
	own_fd from = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC), to = -1;

	if (from < 0)
		return err_set(e, errno, "/dev");
	if (mount("tmpfs", NEWROOT "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC,
		  "mode=0755,size=1m") < 0)
		return err_set(e, errno, "mounting /dev");
	to = open(NEWROOT "/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (to < 0)
		return err_set(e, errno, "/dev");
	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		if (copy_node(from, to, usual[i], 0666, 0,
			      strcmp(usual[i], "tty") ? 0 : TTY_GID, e) < 0)
			return -1;
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		if (symlinkat(links[i].target, to, links[i].name) < 0)
			return err_set(e, errno, "making /dev/%s",
				       links[i].name);
	if (mount_inside(to, e) < 0)
		return -1;
	for (char **v = l->devices; v && *v; v++)
		if (copy_wanted(from, to, l, modules, *v, e) < 0)
			return -1;
	return 0;
}
