/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Covering what is mounted inside a source.  Runs in vmrun-stage: the person's
 * uid, with the capabilities of the sandbox's own user namespace.
 *
 * The kernel does not let a new user namespace leave out a mount that it has
 * inherited: that would show what is below it.  So sources are cloned with all
 * that is mounted in them, and each of these gets something empty on top; the
 * guest's side can no more take that away than the mount below it.
 *
 * What to cover is asked of the clone itself, which nobody else can mount
 * anything in: so nothing comes in between.
 */
#include "stage/cover.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mountinfo.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#define EMPTY_DIR "empty"
#define EMPTY_FILE "empty-file"

/* A source whose mounts are to be covered, by the number of its clone. */
struct source {
	uint64_t mnt;
	const struct setup_mount *m;
};

/* The sources, and how many; -1: one of them is not what was attached. */
static int find_sources(int tree, const struct setup *s, enum setup_tree which,
			struct source *out, size_t *n, struct err *e)
{
	for (size_t i = 0; i < s->n_mounts; i++) {
		const struct setup_mount *m = &s->mounts[i];
		own_fd fd = -1;
		struct stat st;

		if (m->tree != which || m->file || m->inner)
			continue;
		fd = openat(tree, m->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) < 0)
			return err_set(e, errno, "looking at a source");
		if (st.st_dev != m->dev || st.st_ino != m->ino) {
			err_set(e, 0, "something was mounted on a source");
			return err_hint(e, "start again");
		}
		out[*n].m = m;
		out[*n].mnt = mountinfo_id(fd);
		if (!out[(*n)++].mnt)
			return err_set(e, ENOSYS, "asking for a mount");
	}
	return 0;
}

/* What is there, without following a link. */
static int open_point(const struct base *b, const char *point)
{
	const struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, b->dir, point + 1, &how, sizeof(how));
}

/*
 * Where to put the cover for a mount of a source: on it; where the person may
 * not go that far, on the last directory on the way that he may name.
 */
static int open_target(const struct base *b, const struct source *src,
		       const char *point, struct stat *st, struct err *e)
{
	own_free char *path = strdup(point);
	own_fd fd = -1;
	char *slash;

	if (!path)
		return err_set(e, ENOMEM, "covering a mount");
	fd = open_point(b, path);
	while (fd < 0 && errno == EACCES && (slash = strrchr(path, '/'))) {
		*slash = '\0';
		fd = open_point(b, path);
	}
	if (fd < 0 || fstat(fd, st) < 0)
		return err_set(e, errno, "opening");
	if (st->st_dev == src->m->dev && st->st_ino == src->m->ino)
		return err_set(e, EACCES, "opening");
	return steal_fd(&fd);
}

/* A clone of the empty directory or file, which is made. */
static int open_empty(const struct base *b, mode_t mode, struct err *e)
{
	struct mount_attr attrs = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
			    MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
			    MOUNT_ATTR_NOSYMFOLLOW};
	const char *name = S_ISDIR(mode) ? EMPTY_DIR : EMPTY_FILE;
	own_fd fd = -1;
	int made;

	if (S_ISDIR(mode))
		made = mkdirat(b->dir, name, 0555);
	else
		made = mknodat(b->dir, name, S_IFREG | 0444, 0);
	if (made < 0 && errno != EEXIST)
		return err_set(e, errno, "making something empty");
	fd = open_tree(b->dir, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0 ||
	    mount_setattr(fd, "", AT_EMPTY_PATH, &attrs, sizeof(attrs)) < 0)
		return err_set(e, errno, "binding something empty");
	return steal_fd(&fd);
}

static int cover(const struct base *b, const struct source *src,
		 const char *point, struct err *e)
{
	struct stat st;
	own_fd target = open_target(b, src, point, &st, e);
	own_fd empty = -1;

	if (target < 0)
		return -1;
	empty = open_empty(b, st.st_mode, e);
	if (empty < 0)
		return -1;
	if (move_mount(empty, "", target, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_set(e, errno, "mounting");
	return 0;
}

/* Mounts on mounts go with those: only what is directly in a source counts. */
static int cover_all(const struct base *b, char *text, const struct source *src,
		     size_t n, struct err *e)
{
	struct mountinfo line;
	char shown[256];
	int r;

	while ((r = mountinfo_next(&text, &line)) > 0) {
		for (size_t i = 0; i < n; i++) {
			if (src[i].mnt != line.parent)
				continue;
			if (cover(b, &src[i], line.point, e) == 0)
				break;
			log_escape(shown, sizeof(shown), line.point,
				   strlen(line.point));
			err_wrap(e, "cannot hide the mount at %s of %s", shown,
				 src[i].m->src);
			return err_hint(e, "start again; if that does not "
					   "help, unmount it");
		}
	}
	return r < 0 ? err_set(e, EINVAL, "/proc/self/mountinfo") : 0;
}

int cover_mounts(const struct base *b, int tree, const struct setup *s,
		 enum setup_tree which, struct err *e)
{
	own_free struct source *src = calloc(s->n_mounts + 1, sizeof(*src));
	struct buf text;
	size_t n = 0;
	int r;

	if (!src)
		return err_set(e, ENOMEM, "covering mounts");
	if (find_sources(tree, s, which, src, &n, e) < 0)
		return -1;
	if (!n)
		return 0;
	buf_init(&text, MOUNTINFO_MAX);
	r = io_read_text(b->dir, "proc/self/mountinfo", &text, e);
	if (r == 0)
		r = cover_all(b, (char *)text.data, src, n, e);
	buf_free(&text);
	return r;
}
