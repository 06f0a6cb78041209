/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mounts.  Runs in vmrun-stage: the person's uid, with the capabilities of the
 * sandbox's own user namespace, before any guest code runs.
 *
 * Theory of operation
 *
 * Everything is done by descriptor with the new mount calls: open_tree()
 * clones, mount_setattr() takes rights from the whole clone, move_mount()
 * attaches.  A clone is restricted before it is reachable, so there is no
 * moment at which a read-only source, or a mount below it, could be written
 * (remounting a bind leaves the mounts below it writable).  libmount would add
 * nothing but fstab and option parsing, so it is not used.
 *
 * Mounts are private: the host's later mounts would otherwise appear below the
 * sources, without any of the restrictions.  The price is that a file system
 * that the person unmounts stays in use until the VM ends.
 *
 * The stage's tmpfs lies on top of "/" and so needs no mount point; sources
 * are opened from a descriptor of the "/" beneath.  At the end the stage
 * pivots into its tmpfs, and the host's mounts leave the namespace.
 */
#include "stage/mounts.h"

#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "stage/cover.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#define CLOSED (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

void mounts_close(struct base *b)
{
	own_close(&b->host);
	own_close(&b->dir);
}

/* Sets message and remedy for a mount call; the kernel's words mislead. */
static int failed(struct err *e, const char *what, const char *path)
{
	int code = errno;
	char shown[256];

	log_escape(shown, sizeof(shown), path, strlen(path));
	err_set(e, code, "%s %s", what, shown);
	if (code == EPERM || code == EACCES)
		err_hint(e, "something here restricts user namespaces; "
			    "`vmrunctl doctor` knows what to look at");
	else if (code == ENOSPC)
		err_hint(e, "the limit of mounts is reached, see the sysctl "
			    "fs.mount-max; disk space is not the matter");
	else if (code == EINVAL)
		err_hint(e, "a mount there cannot be bound (unbindable, or "
			    "locked by another namespace)");
	else if (code == ENOSYS)
		err_hint(e, "Linux 5.12 or newer is needed");
	return -1;
}

/* A mount of a fresh file system, not attached anywhere. */
static int make_fs(const char *type, const char *const (*options)[2],
		   uint64_t attrs, struct err *e)
{
	own_fd fs = fsopen(type, FSOPEN_CLOEXEC);
	int fd;

	if (fs < 0)
		return failed(e, "cannot make a", type);
	for (; (*options)[0]; options++)
		if (fsconfig(fs, FSCONFIG_SET_STRING, (*options)[0],
			     (*options)[1], 0) < 0)
			return failed(e, "cannot set up a", type);
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return failed(e, "cannot make a", type);
	fd = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attrs);
	if (fd < 0)
		return failed(e, "cannot mount a", type);
	return fd;
}

static int restrict_mount(int fd, int recursive, uint64_t attrs)
{
	struct mount_attr a = {.attr_set = attrs};

	return mount_setattr(fd, "", (unsigned)(AT_EMPTY_PATH | recursive), &a,
			     sizeof(a));
}

int mounts_make_dir(int dir, const char *name, struct err *e)
{
	int fd;

	/* EROFS: in a system directory; it is there or cannot be opened. */
	if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST && errno != EROFS)
		return failed(e, "making", name);
	fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? failed(e, "opening", name) : fd;
}

/* Attaches a mount of make_fs() at dir/name, which is made. */
static int attach_new(int fs, int dir, const char *name, struct err *e)
{
	own_fd made = fs < 0 ? -1 : mounts_make_dir(dir, name, e);

	if (made < 0)
		return -1;
	if (move_mount(fs, "", made, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return failed(e, "cannot mount", name);
	return 0;
}

int mounts_proc(int dir, const char *name, struct err *e)
{
	const char *const options[][2] = {{NULL, NULL}};
	own_fd fs = make_fs("proc", options, CLOSED | MOUNT_ATTR_NOEXEC, e);

	return attach_new(fs, dir, name, e);
}

/* inodes: one is the root's.  huge: NULL or a policy as in tmpfs(5). */
static int make_memory(const struct setup *s, uint64_t size, const char *inodes,
		       const char *huge, struct err *e)
{
	char bytes[32], uid[16], gid[16];
	const char *const options[][2] = {
		{"mode", "0711"}, {"size", bytes}, {"nr_inodes", inodes},
		{"uid", uid},	  {"gid", gid},	   {huge ? "huge" : NULL, huge},
		{NULL, NULL}};

	snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)size);
	snprintf(uid, sizeof(uid), "%u", s->uid);
	snprintf(gid, sizeof(gid), "%u", s->gid);
	return make_fs("tmpfs", options, CLOSED | MOUNT_ATTR_NOEXEC, e);
}

int mounts_scratch(const struct setup *s, uint64_t size, int dir,
		   const char *name, struct err *e)
{
	own_fd fs = make_memory(s, size, "16", NULL, e);

	return attach_new(fs, dir, name, e);
}

int mounts_memory(const struct setup *s, uint64_t size, int dir,
		  const char *name, struct err *e)
{
	struct err none = ERR_INIT;
	own_fd fs = make_memory(s, size, "2", "advise", &none);

	if (fs < 0) /* a kernel without huge pages */
		fs = make_memory(s, size, "2", NULL, e);
	return attach_new(fs, dir, name, e);
}

int mounts_begin(struct base *b, struct err *e)
{
	/* Mount points only: room for no file, and inodes for few. */
	const char *const options[][2] = {{"mode", "0755"},
					  {"size", "64k"},
					  {"nr_inodes", "8192"},
					  {NULL, NULL}};

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return failed(e, "cannot make mounts private below", "/");
	b->host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (b->host < 0)
		return failed(e, "opening", "/");
	b->dir = make_fs("tmpfs", options, CLOSED | MOUNT_ATTR_NOEXEC, e);
	if (b->dir < 0)
		return -1;
	if (move_mount(b->dir, "", b->host, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return failed(e, "cannot mount on", "/");
	return mounts_proc(b->dir, "proc", e);
}

int mounts_open(const struct base *b, const char *path, struct err *e)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	char shown[256];
	long fd;

	fd = syscall(SYS_openat2, b->host, path + 1, &how, sizeof(how));
	if (fd >= 0)
		return (int)fd;
	log_escape(shown, sizeof(shown), path, strlen(path));
	if (errno != ELOOP)
		return err_set(e, errno, "%s", shown);
	err_set(e, 0, "%s changed while starting: a symbolic link is in it",
		shown);
	return err_hint(e, "start again");
}

int mounts_open_same(const struct base *b, const char *path, uint64_t dev,
		     uint64_t ino, struct stat *st, struct err *e)
{
	own_fd fd = mounts_open(b, path, e);
	char shown[256];

	if (fd < 0)
		return -1;
	log_escape(shown, sizeof(shown), path, strlen(path));
	if (fstat(fd, st) < 0)
		return err_set(e, errno, "%s", shown);
	if (st->st_dev != dev || st->st_ino != ino) {
		err_set(e, 0, "%s changed while starting: it is another file",
			shown);
		return err_hint(e, "start again");
	}
	return steal_fd(&fd);
}

int mounts_attach(int src, mode_t mode, uint64_t attrs, int dir,
		  const char *name, struct err *e)
{
	own_fd clone = open_tree(src, "",
				 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
					 AT_EMPTY_PATH | AT_RECURSIVE);
	int made;

	if (clone < 0)
		return failed(e, "cannot bind", name);
	if (restrict_mount(clone, AT_RECURSIVE, attrs) < 0)
		return failed(e, "cannot restrict", name);
	if (S_ISDIR(mode))
		made = mkdirat(dir, name, 0755);
	else
		made = mknodat(dir, name, S_IFREG | 0444, 0);
	/* EROFS: below another bind; then it is there or it cannot be. */
	if (made < 0 && errno != EEXIST && errno != EROFS)
		return failed(e, "making", name);
	if (move_mount(clone, "", dir, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return failed(e, "cannot mount", name);
	return 0;
}

static int share(const struct base *b, int tree, const struct setup_mount *m,
		 struct err *e)
{
	/*
	 * nosymfollow: the guest resolves links itself, so nobody on this side
	 * has a reason to follow one; neither has anybody to execute.
	 */
	uint64_t attrs = CLOSED | MOUNT_ATTR_NOSYMFOLLOW;
	char shown[256];
	struct stat st;
	own_fd fd = mounts_open_same(b, m->src, m->dev, m->ino, &st, e);

	log_escape(shown, sizeof(shown), m->src, strlen(m->src));
	if (fd < 0)
		return -1;
	if (m->file ? !S_ISREG(st.st_mode) : !S_ISDIR(st.st_mode))
		return err_set(e, m->file ? EINVAL : ENOTDIR, "%s", shown);
	if (m->readonly)
		attrs |= MOUNT_ATTR_RDONLY;
	if (!m->exec)
		attrs |= MOUNT_ATTR_NOEXEC;
	if (mounts_attach(fd, st.st_mode, attrs, tree, m->name, e) < 0)
		return err_wrap(e, "cannot share %s", shown);
	return 0;
}

int mounts_tree(const struct base *b, int dir, const struct setup *s,
		enum setup_tree which, struct err *e)
{
	char inodes[32];
	const char *const options[][2] = {{"mode", "0755"},
					  {"size", "64k"},
					  {"nr_inodes", inodes},
					  {NULL, NULL}};
	own_fd tree = -1;

	snprintf(inodes, sizeof(inodes), "%zu", s->n_mounts + 8);
	tree = make_fs("tmpfs", options, CLOSED | MOUNT_ATTR_NOEXEC, e);
	if (attach_new(tree, dir, "tree", e) < 0)
		return -1;
	for (size_t i = 0; i < s->n_mounts; i++)
		if (s->mounts[i].tree == which &&
		    share(b, tree, &s->mounts[i], e) < 0)
			return -1;
	if (cover_mounts(b, tree, s, which, e) < 0)
		return -1;
	if (restrict_mount(tree, 0, MOUNT_ATTR_RDONLY) < 0)
		return failed(e, "cannot restrict", "the shared tree");
	return 0;
}

int mounts_copy_tree(struct err *e)
{
	int fd = open_tree(AT_FDCWD, "/tree",
			   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	return fd < 0 ? failed(e, "cannot copy", "the shared tree") : fd;
}

int mounts_drop_tree(struct err *e)
{
	if (umount2("/tree", MNT_DETACH) < 0)
		return failed(e, "cannot detach", "the shared tree");
	return 0;
}

int mounts_switch(int root, struct err *e)
{
	/* Both names are ".": the old root ends on top of the new one, and is
	 * detached from there.  See pivot_root(2), NOTES. */
	if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0) {
		failed(e, "cannot change", "the root");
		if (e->code == EINVAL)
			err_hint(e, "pivot_root() does not work where / is the "
				    "initial ramfs");
		return -1;
	}
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return failed(e, "cannot detach", "the old root");
	return 0;
}

int mounts_end(struct base *b, struct err *e)
{
	if (restrict_mount(b->dir, 0, MOUNT_ATTR_RDONLY) < 0)
		return failed(e, "cannot restrict", "/");
	if (mounts_switch(b->dir, e) < 0)
		return -1;
	/* A descriptor would lead back to all of the host's files. */
	own_close(&b->host);
	return 0;
}
