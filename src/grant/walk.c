/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walking a tree by descriptors.  See walk.h. */
#include "grant/walk.h"

#include "base/err.h"
#include "base/log.h"
#include "base/own.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#define NAMES_MAX 32768u
/* Names between two looks at ops->stop: some milliseconds. */
#define STOP_EVERY 256u

/* A directory on the way from the root to where the walk is. */
struct frame {
	int fd; /* -1: closed for the time being */
	dev_t dev;
	ino_t ino;
	off_t pos;   /* after the last name that was taken */
	char *name;  /* owned; "" for the root */
	char *names; /* owned: getdents64() records; NULL if closed */
	size_t len, at;
};

struct walk {
	const struct walk_ops *ops;
	struct walk_counts *counts;
	struct frame *frames; /* owned */
	size_t depth, room;   /* used and allocated */
	const char *leaf; /* name being visited below the last frame, or NULL */
	unsigned since;	  /* names since the last look at ops->stop */
	int root;	  /* borrowed */
};

/* As the kernel gives it, see getdents64(2). */
struct name {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

static int open_below(int dir, const char *name, uint64_t flags)
{
	const struct open_how how = {
		.flags = flags | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};
	long fd;

	do
		fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));
	while (fd < 0 && errno == EINTR);
	return (int)fd;
}

static void frame_close(struct frame *f)
{
	own_close(&f->fd);
	free(f->names);
	f->names = NULL;
	f->len = f->at = 0;
}

static void pop(struct walk *w)
{
	struct frame *f = &w->frames[--w->depth];

	frame_close(f);
	free(f->name);
}

/* Enters a directory; takes fd, even if it fails. */
static int push(struct walk *w, int fd, const char *name, const struct stat *st,
		struct err *e)
{
	own_fd mine = fd;
	struct frame *f;

	if (w->depth >= WALK_DEPTH_MAX)
		return err_set(e, ENAMETOOLONG, "more than %u directories deep",
			       WALK_DEPTH_MAX);
	if (w->depth == w->room) {
		size_t room = w->room ? 2 * w->room : 64;

		f = reallocarray(w->frames, room, sizeof(*f));
		if (!f)
			return err_set(e, ENOMEM, "walking a tree");
		w->frames = f;
		w->room = room;
	}
	f = &w->frames[w->depth];
	*f = (struct frame){.fd = -1, .dev = st->st_dev, .ino = st->st_ino};
	f->name = strdup(name);
	if (!f->name)
		return err_set(e, ENOMEM, "walking a tree");
	f->fd = steal_fd(&mine);
	w->depth++;
	if (w->depth > WALK_OPEN)
		frame_close(&w->frames[w->depth - 1 - WALK_OPEN]);
	return 0;
}

static bool is_frame(const struct frame *f, int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_dev == f->dev &&
	       st.st_ino == f->ino;
}

static int open_root(int root)
{
	return openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/*
 * Finds the way again after somebody moved directories about: down from the
 * root by the names.  Frames below the last that is still there are given up.
 */
static int reenter(struct walk *w, struct err *e)
{
	own_fd fd = open_root(w->root);
	size_t good = 1;

	w->counts->disturbed = true;
	if (fd < 0 || !is_frame(&w->frames[0], fd))
		return err_set(e, fd < 0 ? errno : ESTALE, "walking a tree");
	while (good < w->depth) {
		const struct frame *f = &w->frames[good];
		own_fd next = open_below(fd, f->name, O_RDONLY | O_DIRECTORY);

		if (next < 0 || !is_frame(f, next))
			break;
		own_close(&fd);
		fd = steal_fd(&next);
		good++;
	}
	while (w->depth > good)
		pop(w);
	w->frames[good - 1].fd = steal_fd(&fd);
	return 0;
}

/* Leaves the last frame and makes sure that the one above it is open. */
static int leave(struct walk *w, struct err *e)
{
	struct frame *up;
	own_fd fd = -1;

	if (w->depth == 1) {
		pop(w);
		return 0;
	}
	up = &w->frames[w->depth - 2];
	if (up->fd < 0) {
		/* Not RESOLVE_BENEATH: up is where we want to go. */
		fd = openat(w->frames[w->depth - 1].fd, "..",
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || !is_frame(up, fd)) {
			pop(w);
			if (reenter(w, e) < 0)
				return -1;
			up = &w->frames[w->depth - 1];
		} else {
			up->fd = steal_fd(&fd);
			pop(w);
		}
		if (lseek(up->fd, up->pos, SEEK_SET) < 0)
			return err_set(e, errno, "listing a directory");
		return 0;
	}
	pop(w);
	return 0;
}

/* An error of the walk itself: -1, or 0 if it is only to be counted. */
static int fault(struct walk *w, int code, const char *what, struct err *e)
{
	char where[256];

	if (!w->ops->go_on)
		return err_set(e, code, "%s", what);
	if (w->counts->failed++ == 0)
		err_set(e, code, "%s: %s", walk_path(w, where, sizeof(where)),
			what);
	return 0;
}

static bool is_stopped(struct walk *w)
{
	struct pollfd p = {.events = POLLIN};

	if (!w->ops->stop || w->since++ % STOP_EVERY)
		return false;
	p.fd = *w->ops->stop;
	return poll(&p, 1, 0) > 0;
}

/* The next name of the last frame.  1, 0 at the end, or -1 and e. */
static int next_name(struct walk *w, const struct name **out, struct err *e)
{
	struct frame *f = &w->frames[w->depth - 1];
	const struct name *n;

	if (is_stopped(w))
		return err_set(e, ECANCELED, "interrupted");
	if (f->at >= f->len) {
		long got;

		if (!f->names)
			f->names = malloc(NAMES_MAX);
		if (!f->names)
			return err_set(e, ENOMEM, "walking a tree");
		got = syscall(SYS_getdents64, f->fd, f->names, NAMES_MAX);
		if (got < 0 && errno == ENOENT)
			got = 0; /* removed while we were in it */
		if (got < 0)
			return fault(w, errno, "listing a directory", e);
		f->len = (size_t)got;
		f->at = 0;
		if (got == 0)
			return 0;
	}
	n = (const struct name *)(const void *)(f->names + f->at);
	f->at += n->reclen;
	f->pos = n->off;
	*out = n;
	return 1;
}

/* What a name that could not be opened means.  0 to go on, -1 with e. */
static int cannot_open(struct walk *w, int code, struct err *e)
{
	switch (code) {
	case EXDEV:
		w->counts->mounts++;
		return 0;
	case EACCES:
	case EPERM:
		w->counts->refused++;
		return 0;
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case ESTALE:
		w->counts->disturbed = true;
		return 0;
	default:
		return fault(w, code, "opening a file", e);
	}
}

/*
 * For reading if that is possible: a descriptor that takes fgetxattr() saves
 * two trips through /proc, which are most of the cost of a file.  O_NONBLOCK,
 * for the case that somebody has just put a FIFO there, or holds a lease.
 */
static int open_readable(struct walk *w, int parent, const struct name *n,
			 struct stat *st)
{
	uint64_t flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
	own_fd fd = -1;

	if (n->type != DT_DIR && (n->type != DT_REG || w->ops->want_all))
		return -1;
	if (n->type == DT_DIR)
		flags |= O_DIRECTORY;
	fd = open_below(parent, n->name, flags);
	if (fd < 0 || fstat(fd, st) < 0 || IFTODT(st->st_mode) != n->type)
		return -1;
	return steal_fd(&fd);
}

/* Opens the name into *it.  1; 0 if it is to be passed by; -1 and e. */
static int open_item(struct walk *w, const struct name *n, int parent,
		     struct walk_item *it, struct err *e)
{
	it->parent = parent;
	it->name = n->name;
	it->is_path = false;
	it->fd = open_readable(w, parent, n, &it->st);
	if (it->fd >= 0)
		return 1;
	it->is_path = true;
	it->fd = open_below(parent, n->name, O_PATH);
	if (it->fd < 0)
		return cannot_open(w, errno, e);
	if (fstat(it->fd, &it->st) < 0)
		return fault(w, errno, "looking at a file", e);
	/* A file system that does not tell types, or a name that was swapped
	 * and perhaps is back. */
	if (S_ISDIR(it->st.st_mode)) {
		int fd = open_below(it->fd, ".", O_RDONLY | O_DIRECTORY);

		if (fd >= 0) {
			close(it->fd);
			it->fd = fd;
			it->is_path = false;
		}
	}
	return 1;
}

/* Passed by without being opened, where the type is known beforehand. */
static bool is_passed_by(struct walk *w, unsigned type)
{
	if (w->ops->want_all)
		return false;
	switch (type) {
	case DT_FIFO:
	case DT_SOCK:
	case DT_CHR:
	case DT_BLK:
		w->counts->special++;
		return true;
	case DT_LNK:
		return true;
	default:
		return false;
	}
}

static int visit_name(struct walk *w, const struct name *n, struct err *e)
{
	struct walk_item it = {.fd = -1};
	own_fd fd = -1;
	int r;

	if (!strcmp(n->name, ".") || !strcmp(n->name, "..") ||
	    is_passed_by(w, n->type))
		return 0;
	w->leaf = n->name;
	r = open_item(w, n, w->frames[w->depth - 1].fd, &it, e);
	fd = it.fd;
	if (r <= 0 || is_passed_by(w, IFTODT(it.st.st_mode)))
		return r;
	switch (w->ops->visit(w->ops->arg, w, &it, e)) {
	case WALK_STOP:
		return -1;
	case WALK_SKIP:
		return 0;
	case WALK_ON:
		break;
	}
	if (!S_ISDIR(it.st.st_mode))
		return 0;
	if (it.is_path) {
		w->counts->refused++;
		return 0;
	}
	return push(w, steal_fd(&fd), n->name, &it.st, e);
}

/* The root itself; a directory is entered. */
static int visit_root(struct walk *w, struct err *e)
{
	struct walk_item it = {.parent = -1, .name = "", .fd = w->root};
	own_fd fd = -1;

	if (fstat(w->root, &it.st) < 0)
		return err_set(e, errno, "looking at the directory");
	it.is_path = !S_ISDIR(it.st.st_mode);
	if (!it.is_path) {
		fd = open_root(w->root);
		if (fd < 0)
			return err_set(e, errno, "opening the directory");
		it.fd = fd;
	}
	switch (w->ops->visit(w->ops->arg, w, &it, e)) {
	case WALK_STOP:
		return -1;
	case WALK_SKIP:
		return 0;
	case WALK_ON:
		break;
	}
	if (it.is_path)
		return 0;
	return push(w, steal_fd(&fd), "", &it.st, e);
}

int walk_tree(int root, const struct walk_ops *ops, struct walk_counts *c,
	      struct err *e)
{
	struct walk_counts own = {0};
	struct walk w = {.ops = ops, .counts = c ? c : &own, .root = root};
	const struct name *n = NULL;
	int r = visit_root(&w, e);

	while (r == 0 && w.depth) {
		w.leaf = NULL;
		r = next_name(&w, &n, e);
		if (r > 0)
			r = visit_name(&w, n, e);
		else if (r == 0)
			r = leave(&w, e);
	}
	if (r < 0 && (w.depth > 1 || w.leaf)) {
		char where[256];

		err_wrap(e, "%s", walk_path(&w, where, sizeof(where)));
	}
	while (w.depth)
		pop(&w);
	free(w.frames);
	return r < 0 ? -1 : 0;
}

char *walk_path(const struct walk *w, char *out, size_t n)
{
	size_t used = 0;

	snprintf(out, n, ".");
	for (size_t i = 1; i <= w->depth; i++) {
		const char *name = i < w->depth ? w->frames[i].name : w->leaf;

		if (!name || used + 2 >= n)
			break;
		if (used)
			out[used++] = '/';
		log_escape(out + used, n - used, name, strlen(name));
		used += strlen(out + used);
	}
	return out;
}

int walk_raw_path(const struct walk *w, char *out, size_t n)
{
	size_t used = 0;

	for (size_t i = 1; i <= w->depth; i++) {
		const char *name = i < w->depth ? w->frames[i].name : w->leaf;
		int len;

		if (!name)
			break;
		len = snprintf(out + used, n - used, "%s%s", used ? "/" : "",
			       name);
		if ((size_t)len >= n - used)
			return -1;
		used += (size_t)len;
	}
	out[used] = '\0';
	return 0;
}

const char *walk_proc(char out[WALK_PROC_MAX], int fd)
{
	snprintf(out, WALK_PROC_MAX, "/proc/self/fd/%d", fd);
	return out;
}
