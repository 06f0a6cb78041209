/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The launch record's mount list.  Runs in the guest as PID 1. */
#include "guest-init/init.h"

#include "base/err.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A path that names what a descriptor is open on, for mount(2). */
struct fd_path {
	char s[32];
};

static struct fd_path fd_path(int fd)
{
	struct fd_path p;

	snprintf(p.s, sizeof(p.s), "/proc/self/fd/%d", fd);
	return p;
}

/* Where a file system is attached: a directory below root. */
static int attach_new(int root, const struct launch_mount *m, const char *type,
		      const char *source, const char *options, struct err *e)
{
	unsigned long flags = MS_NOSUID | MS_NODEV;
	own_fd at = place_dir(root, m->dst, e);

	if (at < 0)
		return -1;
	if (m->readonly)
		flags |= MS_RDONLY;
	if (mount(source, fd_path(at).s, type, flags, options) < 0)
		return err_set(e, errno, "mounting %s at %s", source, m->dst);
	return 0;
}

static int apply_tmpfs(int root, const struct launch *l,
		       const struct launch_mount *m, struct err *e)
{
	char opts[128], size[40] = "";

	if (m->size)
		snprintf(size, sizeof(size), ",size=%llu",
			 (unsigned long long)m->size);
	snprintf(opts, sizeof(opts), "mode=%o,uid=%u,gid=%u%s", m->mode,
		 m->owned ? l->uid : 0, m->owned ? l->gid : 0, size);
	return attach_new(root, m, "tmpfs", "tmpfs", opts, e);
}

static int apply_disk(int root, const struct launch *l,
		      const struct launch_mount *m, struct err *e)
{
	char source[16];
	own_fd top = -1;

	if (m->disk > 25)
		return err_set(e, EINVAL, "disk %u for %s", m->disk, m->dst);
	snprintf(source, sizeof(source), "/dev/vd%c", 'a' + (int)m->disk);
	if (attach_new(root, m, "ext4", source, NULL, e) < 0)
		return -1;
	top = place_open(root, m->dst, O_DIRECTORY);
	if (top < 0)
		return err_set(e, errno, "%s", m->dst);
	if (m->readonly)
		return 0;
	/* The directory is promised to be empty, and is never repaired. */
	unlinkat(top, "lost+found", AT_REMOVEDIR);
	if (chown(fd_path(top).s, l->uid, l->gid) < 0 ||
	    chmod(fd_path(top).s, m->mode) < 0)
		return err_set(e, errno, "giving %s to the user", m->dst);
	return 0;
}

/* A clone of one entry of the shared tree, its flags already set. */
static int clone_share(int tree, const struct launch_mount *m, struct err *e)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
	};
	own_fd src = -1, fd = -1;
	struct stat st;

	src = (int)syscall(SYS_openat2, tree, m->share, &how, sizeof(how));
	if (src < 0 || fstat(src, &st) < 0)
		return err_set(e, errno, "what is shared for %s", m->dst);
	if (S_ISDIR(st.st_mode) == m->file)
		return err_set(e, m->file ? EISDIR : ENOTDIR,
			       "what is shared for %s", m->dst);
	if (m->readonly)
		attr.attr_set |= MOUNT_ATTR_RDONLY;
	fd = (int)syscall(SYS_open_tree, src, "",
			  AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE |
				  OPEN_TREE_CLOEXEC);
	if (fd < 0 ||
	    syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE,
		    &attr, sizeof(attr)) < 0)
		return err_set(e, errno, "sharing %s", m->dst);
	return steal_fd(&fd);
}

static int apply_share(int root, int tree, const struct launch_mount *m,
		       struct err *e)
{
	own_fd fd = clone_share(tree, m, e), at = -1;

	if (fd < 0)
		return -1;
	at = m->file ? place_file(root, m->dst, e) : place_dir(root, m->dst, e);
	if (at < 0)
		return -1;
	if (syscall(SYS_move_mount, fd, "", at, "",
		    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_set(e, errno, "sharing %s", m->dst);
	return 0;
}

static int apply_symlink(int root, const struct launch_mount *m, struct err *e)
{
	const char *name;
	own_fd dir = place_parent(root, m->dst, &name, e);
	char old[PATH_MAX];
	ssize_t n;

	if (dir < 0)
		return -1;
	n = readlinkat(dir, name, old, sizeof(old));
	if (n >= 0 && (size_t)n == strlen(m->target) &&
	    !memcmp(old, m->target, (size_t)n))
		return 0;
	if (place_is_shared(dir))
		return err_set(e, 0,
			       "%s: no link is made inside a shared directory",
			       m->dst);
	if (symlinkat(m->target, dir, name) < 0)
		return err_set(e, errno, "linking %s to %s", m->dst, m->target);
	return 0;
}

static int apply_one(int root, const int *tree, const struct launch *l,
		     const struct launch_mount *m, struct err *e)
{
	switch (m->kind) {
	case LAUNCH_SHARE:
		return apply_share(root, tree[m->tree], m, e);
	case LAUNCH_TMPFS:
		return apply_tmpfs(root, l, m, e);
	case LAUNCH_DISK:
		return apply_disk(root, l, m, e);
	case LAUNCH_SYMLINK:
		return apply_symlink(root, m, e);
	}
	return err_set(e, EINVAL, "%s", m->dst);
}

static bool list_has(const struct launch *l, enum launch_mount_kind kind,
		     enum launch_tree tree)
{
	for (size_t i = 0; i < l->n_mounts; i++)
		if (l->mounts[i].kind == kind && l->mounts[i].tree == tree)
			return true;
	return false;
}

/* The shared trees: whole, at places that are taken away again afterwards. */
static const struct {
	const char *tag, *at;
} trees[] = {
	[LAUNCH_TREE_GRANTED] = {"vmrun", SHARE_AT},
	[LAUNCH_TREE_PLAIN] = {"vmrun-plain", PLAIN_AT},
};

static int open_tree_root(enum launch_tree tree, struct err *e)
{
	const char *at = trees[tree].at;
	int fd;

	if (mkdir(at, 0700) < 0 && errno != EEXIST)
		return err_set(e, errno, "%s", at);
	if (mount(trees[tree].tag, at, "virtiofs", MS_NOSUID | MS_NODEV, NULL) <
	    0)
		return err_set(e, errno, "mounting the shared tree");
	fd = open(at, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, "%s", at);
	return fd;
}

/* Its mounts stay where they were moved to; no path leads to it any more. */
static int hide_tree(enum launch_tree tree, struct err *e)
{
	if (umount2(trees[tree].at, MNT_DETACH) < 0)
		return err_set(e, errno, "hiding the shared tree");
	return 0;
}

int mounts_apply(int root, const struct launch *l, int modules, struct err *e)
{
	int tree[] = {-1, -1};
	int r = 0;

	if (list_has(l, LAUNCH_DISK, LAUNCH_TREE_GRANTED))
		modules_load(modules, "disk");
	for (unsigned t = 0; t <= LAUNCH_TREE_PLAIN && r == 0; t++) {
		if (!list_has(l, LAUNCH_SHARE, (enum launch_tree)t))
			continue;
		tree[t] = open_tree_root((enum launch_tree)t, e);
		r = tree[t] < 0 ? -1 : 0;
	}
	for (size_t i = 0; i < l->n_mounts && r == 0; i++)
		r = apply_one(root, tree, l, &l->mounts[i], e);
	for (unsigned t = 0; t <= LAUNCH_TREE_PLAIN; t++) {
		if (tree[t] < 0)
			continue;
		close(tree[t]);
		if (r == 0)
			r = hide_tree((enum launch_tree)t, e);
	}
	return r;
}
