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
	return 0;
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

void clock_set(uint64_t ns)
{
	struct timespec t = {
		.tv_sec = (time_t)(ns / 1000000000u),
		.tv_nsec = (long)(ns % 1000000000u),
	};

	if (ns && clock_settime(CLOCK_REALTIME, &t) < 0)
		say("clock: %s", strerror(errno));
}

int root_compose(struct init *in, struct err *e)
{
	const struct launch *l = &in->launch;
	own_fd root = -1;

	clock_set(l->clock_ns);
	if (make_base(l, e) < 0 || dev_compose(l, in->modules, e) < 0)
		return -1;
	root = open(NEWROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_set(e, errno, "the new root");
	if (mounts_apply(root, l, in->modules, e) < 0 ||
	    etc_compose(root, l, e) < 0 || sockets_open(in, root, e) < 0 ||
	    step_in(e) < 0)
		return -1;
	names_set(l);
	if (l->n_nics)
		modules_load(in->modules, "net");
	if (net_configure(l, e) < 0)
		return -1;
	in->notify = notify_open();
	return 0;
}
