/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The new root, and the step into it.  Runs in the guest as PID 1. */
#include "guest-init/init.h"

#include "base/err.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct base {
	const char *source, *type, *at;
	unsigned long flags;
	const char *options;
};

#define QUIET (MS_NOSUID | MS_NODEV)

static const struct base early[] = {
	{"proc", "proc", "/proc", QUIET | MS_NOEXEC, NULL},
	{"sysfs", "sysfs", "/sys", QUIET | MS_NOEXEC, NULL},
	{"devtmpfs", "devtmpfs", "/dev", MS_NOSUID, "mode=0755"},
};

/*
 * Root's own tmpfs holds empty directories, links and a few small files; what
 * the user may write to are the others, each at the kernel's default size.
 */
static const struct base base[] = {
	{"tmpfs", "tmpfs", NEWROOT, QUIET, "mode=0755,size=32m"},
	{"proc", "proc", NEWROOT "/proc", QUIET | MS_NOEXEC, NULL},
	{"sysfs", "sysfs", NEWROOT "/sys", QUIET | MS_NOEXEC | MS_RDONLY, NULL},
	{"tmpfs", "tmpfs", NEWROOT "/tmp", QUIET, "mode=1777"},
	{"tmpfs", "tmpfs", NEWROOT "/run", QUIET, "mode=0755,size=32m"},
	{"tmpfs", "tmpfs", NEWROOT "/var/tmp", QUIET, "mode=1777"},
};

static int mount_base(const struct base *b, struct err *e)
{
	if (mkdir(b->at, 0755) < 0 && errno != EEXIST)
		return err_set(e, errno, "making %s", b->at);
	if (mount(b->source, b->at, b->type, b->flags, b->options) < 0)
		return err_set(e, errno, "mounting %s", b->at);
	return 0;
}

int root_early(struct err *e)
{
	for (size_t i = 0; i < sizeof(early) / sizeof(*early); i++)
		/* Some kernels mount devtmpfs by themselves. */
		if (mount_base(&early[i], e) < 0 && e->code != EBUSY)
			return -1;
	return 0;
}

/* XDG_RUNTIME_DIR, and our own place for the readiness socket. */
static int make_run(const struct launch *l, struct err *e)
{
	char path[64], opts[64];

	snprintf(path, sizeof(path), NEWROOT "/run/user/%u", l->uid);
	snprintf(opts, sizeof(opts), "mode=0700,uid=%u,gid=%u", l->uid, l->gid);
	if (mkdir(NEWROOT "/run/vmrun", 0755) < 0 ||
	    mkdir(NEWROOT "/run/user", 0755) < 0 || mkdir(path, 0700) < 0)
		return err_set(e, errno, "making /run");
	if (mount("tmpfs", path, "tmpfs", QUIET, opts) < 0)
		return err_set(e, errno, "mounting %s", path);
	/* Of serial lines, and of screen(1), which cannot make it. */
	if (mkdir(NEWROOT "/run/lock", 0) < 0 ||
	    chmod(NEWROOT "/run/lock", 01777) < 0 ||
	    mkdir(NEWROOT "/run/screen", 0) < 0 ||
	    chmod(NEWROOT "/run/screen", 01777) < 0)
		return err_set(e, errno, "making /run");
	return 0;
}

/* The old names, unless something is there; not in what is shared. */
static void link_old_names(int root)
{
	static const char *const links[][2] = {{"run", "../run"},
					       {"lock", "../run/lock"}};
	own_fd var = place_open(root, "/var", O_DIRECTORY);
	struct stat top, st;

	/* Of the root's own file system, not of a share or a --tmp. */
	if (var < 0 || fstat(var, &st) < 0 || fstat(root, &top) < 0 ||
	    st.st_dev != top.st_dev)
		return;
	for (size_t i = 0; i < 2; i++)
		if (symlinkat(links[i][1], var, links[i][0]) < 0 &&
		    errno != EEXIST)
			say("/var/%s: %s", links[i][0], strerror(errno));
}

static int make_base(const struct launch *l, struct err *e)
{
	for (size_t i = 0; i < sizeof(base) / sizeof(*base); i++) {
		if (mount_base(&base[i], e) < 0)
			return -1;
		if (i == 0 && (mkdir(NEWROOT "/var", 0755) < 0 ||
			       mkdir(NEWROOT "/etc", 0755) < 0 ||
			       mkdir(NEWROOT "/dev", 0755) < 0))
			return err_set(e, errno, "making the new root");
	}
	return make_run(l, e);
}

/*
 * The initramfs cannot be unmounted; the new root is moved on top of it, and
 * what was mounted in it goes away, so that no path leads there.
 */
static int step_in(struct err *e)
{
	for (size_t i = 0; i < sizeof(early) / sizeof(*early); i++)
		if (umount2(early[i].at, MNT_DETACH) < 0)
			return err_set(e, errno, "unmounting the first %s",
				       early[i].at);
	if (chdir(NEWROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 ||
	    chroot(".") < 0 || chdir("/") < 0)
		return err_set(e, errno, "stepping into the new root");
	return 0;
}

/*
 * What systemd sets elsewhere: everybody may ping, who watches files may watch
 * many (editors, bundlers), and there is room for many mappings (databases).
 */
static void settings(void)
{
	static const struct {
		const char *path, *value;
	} all[] = {
		{"/proc/sys/net/ipv4/ping_group_range", "0 2147483647"},
		{"/proc/sys/fs/inotify/max_user_watches", "524288"},
		{"/proc/sys/fs/inotify/max_user_instances", "1024"},
		{"/proc/sys/vm/max_map_count", "1048576"},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		own_fd fd = open(all[i].path, O_WRONLY | O_CLOEXEC);

		/* A kernel without that goes on without. */
		if (fd >= 0 &&
		    write(fd, all[i].value, strlen(all[i].value)) < 0)
			say("%s: %s", all[i].path, strerror(errno));
	}
}

int root_compose(struct init *in, struct err *e)
{
	const struct launch *l = &in->launch;
	own_fd root = -1;

	if (make_base(l, e) < 0 || dev_compose(l, in->modules, e) < 0)
		return -1;
	root = open(NEWROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_set(e, errno, "the new root");
	if (mounts_apply(root, l, in->modules, e) < 0 ||
	    etc_compose(root, l, e) < 0 || sockets_open(in, root, e) < 0)
		return -1;
	link_old_names(root);
	if (step_in(e) < 0)
		return -1;
	settings();
	names_set(l);
	if (l->n_nics)
		modules_load(in->modules, "net");
	if (net_configure(l, e) < 0)
		return -1;
	in->notify = notify_open();
	return 0;
}
