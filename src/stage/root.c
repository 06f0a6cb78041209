/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Roots of the members.
 *
 * root_build() runs in vmrun-stage with the capabilities of the sandbox's user
 * namespace, root_enter() in each member before it becomes U.  All is built by
 * the stage and before any member runs, so that in a namespace that maps only
 * U the mounts are inherited: the kernel has locked them, with their flags.
 *
 * Nothing here is the guest's: what the guest sees is the shared tree alone.
 *
 * The plain sources are mounted in the root of the one member that is to see
 * them, which is in a user namespace of its own: so they are locked there too,
 * and that root has libraries and nothing else of /usr, because what serves
 * them is the person outside.
 */
#include "stage/root.h"

#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "stage/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#define PROC_ATTRS (SYSTEM | MOUNT_ATTR_NOEXEC)
#define SYSTEM (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

static void root_name(char *out, size_t outsz, size_t index)
{
	snprintf(out, outsz, "m%zu", index);
}

/* Binds the host's `path` at root/name if it is a directory. */
static int system_dir(const struct base *b, int root, const char *path,
		      const char *name, struct err *e)
{
	struct err none = ERR_INIT;
	own_fd fd = mounts_open(b, path, &none);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))
		return 0; /* this host does not have it: nobody misses it */
	return mounts_attach(fd, st.st_mode, SYSTEM, root, name, e);
}

/* /lib and the like: a link into /usr on most hosts, else a directory. */
static int system_link(const struct base *b, int root, const char *path,
		       struct err *e)
{
	char target[256];
	ssize_t n = readlinkat(b->host, path + 1, target, sizeof(target) - 1);

	if (n < 0)
		return system_dir(b, root, path, path + 1, e);
	target[n] = '\0';
	if (symlinkat(target, root, path + 1) < 0)
		return err_set(e, errno, "making %s", path);
	return 0;
}

/* The dynamic linker's index: without it some libraries are not found. */
static int linker_cache(const struct base *b, int root, struct err *e)
{
	struct err none = ERR_INIT;
	own_fd fd = mounts_open(b, "/etc/ld.so.cache", &none);
	own_fd etc = -1;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	etc = mounts_make_dir(root, "etc", e);
	if (etc < 0)
		return -1;
	return mounts_attach(fd, st.st_mode, SYSTEM | MOUNT_ATTR_NOEXEC, etc,
			     "ld.so.cache", e);
}

/* What every dynamically linked program needs. */
static int libraries(const struct base *b, int root, struct err *e)
{
	static const char *const links[] = {"/lib", "/lib32", "/lib64",
					    "/libx32"};

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (system_link(b, root, links[i], e) < 0)
			return -1;
	return linker_cache(b, root, e);
}

static int whole_system(const struct base *b, int root, struct err *e)
{
	if (system_dir(b, root, "/usr", "usr", e) < 0 ||
	    system_link(b, root, "/bin", e) < 0 ||
	    system_link(b, root, "/sbin", e) < 0)
		return -1;
	return libraries(b, root, e);
}

static int only_libraries(const struct base *b, int root, struct err *e)
{
	static const char *const dirs[] = {"/usr/lib", "/usr/lib32",
					   "/usr/lib64", "/usr/libx32"};
	own_fd usr = mounts_make_dir(root, "usr", e);

	if (usr < 0)
		return -1;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (system_dir(b, usr, dirs[i], dirs[i] + strlen("/usr/"), e) <
		    0)
			return -1;
	return libraries(b, root, e);
}

/*
 * The file server's mount points.  Of /proc it needs its own descriptors,
 * which it opens again through /proc/self/fd, and the limits in /proc/sys/fs;
 * it gets these and no more.  It is PID 1 of its namespace and does not fork,
 * so a fixed link is right.
 */
static int server_dirs(int root, struct err *e)
{
	own_fd proc = mounts_make_dir(root, "proc", e);
	own_fd self = -1;
	own_fd sys = -1;
	own_fd fs = -1;

	if (proc < 0 || (self = mounts_make_dir(proc, "1", e)) < 0 ||
	    (sys = mounts_make_dir(proc, "sys", e)) < 0 ||
	    (fs = mounts_make_dir(sys, "fs", e)) < 0)
		return -1;
	if (symlinkat("1", proc, "self") < 0)
		return err_set(e, errno, "making /proc/self");
	return 0;
}

/*
 * An uplink asks /proc/self/exe for its name, and mounts a root of its own on
 * /tmp.  It does not fork either.
 */
static int uplink_dirs(int root, struct err *e)
{
	own_fd proc = mounts_make_dir(root, "proc", e);
	own_fd self = -1;
	own_fd tmp = -1;

	if (proc < 0 || (self = mounts_make_dir(proc, "1", e)) < 0 ||
	    (tmp = mounts_make_dir(root, "tmp", e)) < 0)
		return -1;
	if (symlinkat("1", proc, "self") < 0)
		return err_set(e, errno, "making /proc/self");
	return 0;
}

/* Binds `path` of the root that is being left at root/name. */
static int carry_over(const char *path, uint64_t attrs, int root,
		      const char *name, struct err *e)
{
	own_fd fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return err_set(e, errno, "%s", path);
	return mounts_attach(fd, S_IFDIR, attrs, root, name, e);
}

/* In a file server's process: a /proc of its own pid namespace covers the
 * stage's for a moment, and parts of it are taken along. */
static int own_proc(int root, struct err *e)
{
	own_fd base = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (base < 0)
		return err_set(e, errno, "/");
	if (mounts_proc(base, "proc", e) < 0)
		return -1;
	return carry_over("/proc/1", PROC_ATTRS, root, "proc/1", e);
}

/* What a member's root still lacks. */
static int view_mounts(const struct setup_member *m, int root, int tree,
		       struct err *e)
{
	switch (m->view) {
	case SETUP_VIEW_VMM:
	case SETUP_VIEW_EMPTY:
		return 0;
	case SETUP_VIEW_UPLINK:
		return own_proc(root, e);
	case SETUP_VIEW_TREE:
	case SETUP_VIEW_PLAIN:
		break;
	}
	if (own_proc(root, e) < 0 ||
	    carry_over("/proc/sys/fs", PROC_ATTRS, root, "proc/sys/fs", e) < 0)
		return -1;
	if (m->view == SETUP_VIEW_PLAIN)
		return 0; /* root_build() put its tree there */
	if (move_mount(tree, "", root, "tree", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_set(e, errno, "cannot attach the tree");
	return 0;
}

/* Makes the directories on the way to dst, and binds the file there. */
static int add_file(const struct base *b, int root, const struct setup_file *f,
		    struct err *e)
{
	own_fd dir = fcntl(root, F_DUPFD_CLOEXEC, 0);
	own_fd fd = -1;
	const char *at = f->dst + 1;
	char name[SETUP_NAME_MAX + 1];
	struct stat st;

	if (dir < 0)
		return err_set(e, errno, "descriptors");
	for (;;) {
		size_t n = strcspn(at, "/");
		int next;

		snprintf(name, sizeof(name), "%.*s", (int)n, at);
		if (!at[n])
			break;
		next = mounts_make_dir(dir, name, e);
		if (next < 0)
			return -1;
		own_close(&dir);
		dir = next;
		at += n + 1;
	}
	fd = mounts_open_same(b, f->src, f->dev, f->ino, &st, e);
	if (fd < 0)
		return -1;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) &&
	    !S_ISSOCK(st.st_mode))
		return err_set(e, 0, "neither a file nor a directory");
	return mounts_attach(fd, st.st_mode, SYSTEM, dir, name, e);
}

/* A directory for the tree, which root_enter() attaches. */
static int tree_dir(int root, struct err *e)
{
	own_fd tree = mounts_make_dir(root, "tree", e);

	return tree < 0 ? -1 : 0;
}

static int build_view(const struct base *b, int root, const struct setup *s,
		      enum setup_view view, struct err *e)
{
	switch (view) {
	case SETUP_VIEW_TREE:
		if (whole_system(b, root, e) < 0 || server_dirs(root, e) < 0)
			return -1;
		return tree_dir(root, e);
	case SETUP_VIEW_PLAIN:
		if (only_libraries(b, root, e) < 0 || server_dirs(root, e) < 0)
			return -1;
		return mounts_tree(b, root, s, SETUP_TREE_PLAIN, e);
	case SETUP_VIEW_VMM:
		return whole_system(b, root, e);
	case SETUP_VIEW_EMPTY:
		return only_libraries(b, root, e);
	case SETUP_VIEW_UPLINK:
		return only_libraries(b, root, e) < 0 ? -1
						      : uplink_dirs(root, e);
	}
	return -1;
}

static int build(const struct base *b, int root, const struct setup *s,
		 const struct setup_member *m, struct err *e)
{
	if (build_view(b, root, s, m->view, e) < 0 ||
	    devices_attach(b, root, m->devices, e) < 0)
		return -1;
	if (m->pci[0] && devices_attach_pci(b, root, s, m, e) < 0)
		return err_wrap(e, "PCI device %s", m->pci);
	for (size_t i = 0; i < m->n_files; i++)
		if (add_file(b, root, &m->files[i], e) < 0) {
			char shown[256];

			log_escape(shown, sizeof(shown), m->files[i].src,
				   strlen(m->files[i].src));
			return err_wrap(e, "cannot show it %s", shown);
		}
	return 0;
}

int root_scratch(size_t index, struct err *e)
{
	char name[32], path[40];
	own_fd fd = -1;

	root_name(name, sizeof(name), index);
	snprintf(path, sizeof(path), "/%s/run", name);
	fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, "%s", path);
	return root_drop(index, "run", e) < 0 ? -1 : steal_fd(&fd);
}

int root_drop(size_t index, const char *what, struct err *e)
{
	char name[32], path[40];

	root_name(name, sizeof(name), index);
	snprintf(path, sizeof(path), "/%s/%s", name, what);
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
		return err_set(e, errno, "%s", path);
	return 0;
}

int root_build(const struct base *b, const struct setup *s, size_t index,
	       struct err *e)
{
	const struct setup_member *m = &s->members[index];
	own_fd root = -1;
	char name[32];

	root_name(name, sizeof(name), index);
	root = mounts_make_dir(b->dir, name, e);
	if (root < 0 || build(b, root, s, m, e) < 0 ||
	    (m->scratch && mounts_scratch(s, m->scratch, root, "run", e) < 0) ||
	    (m->memory && mounts_memory(s, m->memory, root, "ram", e) < 0))
		return err_wrap(e, "cannot make a root for %s", m->name);
	return 0;
}

/* Who am I now: the person's uid, in the member's own mount namespace. */
int root_enter(const struct setup_member *m, size_t index, int tree,
	       struct err *e)
{
	own_fd root = -1;
	char path[34] = "/";

	root_name(path + 1, sizeof(path) - 1, index);
	/* A copy: in a new user namespace the inherited mounts are locked in
	 * place, and pivot_root() wants one that is not. */
	root = open_tree(AT_FDCWD, path,
			 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (root < 0)
		return err_set(e, errno, "cannot copy the root of %s", m->name);
	if (move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_set(e, errno, "cannot enter the root of %s",
			       m->name);
	if (view_mounts(m, root, tree, e) < 0)
		return -1;
	return mounts_switch(root, e);
}
