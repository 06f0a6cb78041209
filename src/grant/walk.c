/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walking a tree by descriptors: one thread's part.  See walk.h. */
#include "grant/walk.h"

#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "grant/walkint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#define NAMES_MAX 32768u
/* Names between two looks at ops->stop: some milliseconds. */
#define STOP_EVERY 256u

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
	w->cwd = 0;
}

/* Enters a directory; takes fd, even if it fails. */
static int push(struct walk *w, int fd, const struct walk_item *it,
		struct err *e)
{
	own_fd mine = fd;
	struct frame *f;

	if (w->depth == w->room) {
		size_t room = w->room ? 2 * w->room : 64;

		f = reallocarray(w->frames, room, sizeof(*f));
		if (!f)
			return err_set(e, ENOMEM, "walking a tree");
		w->frames = f;
		w->room = room;
	}
	f = &w->frames[w->depth];
	*f = (struct frame){.fd = -1,
			    .dev = it->st.st_dev,
			    .ino = it->st.st_ino,
			    .ctx = it->ctx};
	f->name = strdup(it->name);
	if (!f->name)
		return err_set(e, ENOMEM, "walking a tree");
	f->fd = steal_fd(&mine);
	w->depth++;
	w->cwd = 0;
	if (w->depth > w->open_max)
		frame_close(&w->frames[w->depth - 1 - w->open_max]);
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
		own_fd next =
			walk_open_below(fd, f->name, O_RDONLY | O_DIRECTORY);

		if (next < 0 || !is_frame(f, next))
			break;
		own_close(&fd);
		fd = steal_fd(&next);
		good++;
	}
	while (w->depth > good)
		pop(w);
	own_close(&w->frames[good - 1].fd);
	w->frames[good - 1].fd = steal_fd(&fd);
	return 0;
}

bool walk_is_young(const struct timespec *t, const struct timespec *begun)
{
	if (t->tv_sec != begun->tv_sec)
		return t->tv_sec > begun->tv_sec;
	return t->tv_nsec == 0 || t->tv_nsec >= begun->tv_nsec;
}

void walk_keep_youngest(struct timespec *t, const struct timespec *a)
{
	if (a->tv_sec > t->tv_sec ||
	    (a->tv_sec == t->tv_sec && a->tv_nsec > t->tv_nsec))
		*t = *a;
}

/* Whether names may have come to or gone from the last frame meanwhile. */
static void judge_stamp(struct walk *w)
{
	const struct frame *f = &w->frames[w->depth - 1];
	struct walk_left l = {
		.ctx = f->ctx, .below = f->below, .vanished = f->vanished};
	const struct timespec *stamp;

	if (w->ops->stamp == STAMP_NONE)
		return;
	if (fstat(f->fd, &l.st) < 0) {
		w->counts->disturbed = true;
		return;
	}
	stamp = w->ops->stamp == STAMP_CHANGE ? &l.st.st_ctim : &l.st.st_mtim;
	l.young = walk_is_young(stamp, &w->begun);
	if (w->ops->leave ? !w->ops->leave(w->arg, w, &l) : !l.young)
		return;
	w->counts->disturbed = true;
	walk_keep_youngest(&w->counts->changed, stamp);
}

/* Leaves the last frame and makes sure that the one above it is open. */
static int leave(struct walk *w, struct err *e)
{
	struct frame *up;
	own_fd fd = -1;

	judge_stamp(w);
	if (w->depth == 1 || w->frames[w->depth - 2].fd >= 0) {
		pop(w);
		return 0;
	}
	up = &w->frames[w->depth - 2];
	/* Not RESOLVE_BENEATH: up is where we want to go. */
	fd = openat(w->frames[w->depth - 1].fd, "..",
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pop(w);
	if (fd < 0 || !is_frame(up, fd)) {
		if (reenter(w, e) < 0)
			return -1;
		up = &w->frames[w->depth - 1];
	} else {
		up->fd = steal_fd(&fd);
	}
	if (lseek(up->fd, up->pos, SEEK_SET) < 0)
		return err_set(e, errno, "listing a directory");
	return 0;
}

/* -1 if the walk is to end, with e where it is for the first to tell. */
static int check_stop(struct walk *w, struct err *e)
{
	struct pollfd p = {.events = POLLIN};

	if (walk_pool_is_over(w))
		return err_set(e, ECANCELED, "interrupted");
	if (!w->ops->stop || w->since % STOP_EVERY)
		return 0;
	p.fd = *w->ops->stop;
	if (poll(&p, 1, 0) > 0)
		return err_set(e, ECANCELED, "interrupted");
	return 0;
}

/* The next name of the last frame.  1, 0 at the end, or -1 and e. */
static int next_name(struct walk *w, const struct walk_name **out,
		     struct err *e)
{
	struct frame *f = &w->frames[w->depth - 1];
	const struct walk_name *n;

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
			return walk_fault(w, errno, "listing a directory", e);
		f->len = (size_t)got;
		f->at = 0;
		if (got == 0)
			return 0;
	}
	n = (const struct walk_name *)(const void *)(f->names + f->at);
	f->at += n->reclen;
	f->pos = n->off;
	*out = n;
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
		if (w->ops->want_special)
			return false;
		w->counts->special++;
		return true;
	case DT_LNK:
		return true;
	default:
		return false;
	}
}

/* What the name alone tells. */
static enum walk_peek peek(struct walk *w, const struct walk_name *n,
			   struct err *e)
{
	struct frame *f = &w->frames[w->depth - 1];
	struct walk_item it = {.fd = -1,
			       .is_path = true,
			       .parent = f->fd,
			       .name = n->name,
			       .listed = n->ino,
			       .ctx = f->ctx};
	enum walk_peek first;

	if (n->type == DT_DIR || n->type == DT_UNKNOWN)
		return PEEK_OPEN;
	first = w->ops->glance ? w->ops->glance(w->arg, f->ctx, n->ino)
			       : PEEK_LOOK;
	if (first != PEEK_LOOK)
		return first;
	if (!w->can_peek || !w->ops->peek ||
	    (w->cwd != w->depth && fchdir(f->fd) < 0))
		return PEEK_OPEN;
	w->cwd = w->depth;
	if (w->ops->peek_bare) {
		it.st.st_mode = DTTOIF(n->type);
		return w->ops->peek(w->arg, w, &it, e);
	}
	if (walk_look(AT_FDCWD, n->name, &it) ||
	    IFTODT(it.st.st_mode) != n->type)
		return PEEK_OPEN;
	if (it.mnt != w->mnt) {
		w->counts->mounts++;
		return PEEK_DONE;
	}
	return w->ops->peek(w->arg, w, &it, e);
}

/* A walk that goes on past faults skips what is below: who made it so deep must
 * not be able to end it for everything else. */
static int too_deep(struct walk *w, unsigned most, struct err *e)
{
	char what[64];

	snprintf(what, sizeof(what), "more than %u directories deep", most);
	return walk_fault(w, ENAMETOOLONG, what, e);
}

/*
 * Enters a directory that was visited, or lets another thread do it.  Takes fd,
 * even if it fails.
 */
static int enter(struct walk *w, int fd, const struct walk_item *it,
		 struct err *e)
{
	const struct frame *f = &w->frames[w->depth - 1];
	unsigned most = w->ops->depth_max ? w->ops->depth_max : WALK_DEPTH_MAX;

	if (w->above_depth + w->depth >= most) {
		own_close(&fd);
		return too_deep(w, most, e);
	}
	/* With nothing else left here, giving it away would gain nothing. */
	if (f->at < f->len && walk_pool_wants(w) && walk_pool_give(w, fd, it))
		return 0;
	return push(w, fd, it, e);
}

static void add_below(struct walk *w, uint64_t ino)
{
	/* Spread, because sums of neighbours are alike. */
	ino = (ino + 1) * 0x9e3779b97f4a7c15u;
	w->frames[w->depth - 1].below += ino ^ ino >> 29;
}

/* visit() may have made it readable. */
static void open_again(struct walk_item *it, int *fd)
{
	int now = walk_open_below(*fd, ".", O_RDONLY | O_DIRECTORY);

	if (now < 0)
		return;
	own_close(fd);
	*fd = it->fd = now;
	it->is_path = false;
}

static int visit_name(struct walk *w, const struct walk_name *n, struct err *e)
{
	const struct frame *f = &w->frames[w->depth - 1];
	struct walk_item it = {.fd = -1,
			       .parent = f->fd,
			       .name = n->name,
			       .listed = n->ino,
			       .ctx = f->ctx};
	own_fd fd = -1;
	int r;

	if (!strcmp(n->name, ".") || !strcmp(n->name, ".."))
		return 0;
	w->since++;
	w->leaf = n->name;
	if (check_stop(w, e) < 0)
		return -1;
	if (is_passed_by(w, n->type))
		return 0;
	switch (peek(w, n, e)) {
	case PEEK_DONE:
		return 0;
	case PEEK_STOP:
		return -1;
	case PEEK_LOOK:
	case PEEK_OPEN:
		break;
	}
	r = walk_open_item(w, n, &it, e);
	fd = it.fd;
	if (r <= 0 || is_passed_by(w, IFTODT(it.st.st_mode)))
		return r;
	if (S_ISDIR(it.st.st_mode))
		add_below(w, it.st.st_ino);
	switch (w->ops->visit(w->arg, w, &it, e)) {
	case WALK_STOP:
		return -1;
	case WALK_SKIP:
		return 0;
	case WALK_ON:
		break;
	}
	if (!S_ISDIR(it.st.st_mode))
		return 0;
	if (it.is_path && w->ops->unlocks)
		open_again(&it, &fd);
	if (it.is_path) {
		w->counts->refused++;
		return 0;
	}
	return enter(w, steal_fd(&fd), &it, e);
}

int walk_visit_root(struct walk *w, struct walk_item *it, int *out,
		    struct err *e)
{
	own_fd fd = -1;
	int code;

	*it = (struct walk_item){.parent = -1, .name = "", .fd = w->root};
	code = walk_look(w->root, "", it);
	if (code)
		return err_set(e, code, "looking at the directory");
	if (check_stop(w, e) < 0)
		return -1;
	w->mnt = it->mnt;
	if (S_ISDIR(it->st.st_mode)) {
		fd = open_root(w->root);
		if (fd < 0 && (errno != EACCES || !w->ops->unlocks))
			return err_set(e, errno, "opening the directory");
	}
	it->is_path = fd < 0;
	if (fd >= 0) {
		it->fd = fd;
		it->is_path = !walk_can_enter(it);
	}
	switch (w->ops->visit(w->arg, w, it, e)) {
	case WALK_STOP:
		return -1;
	case WALK_SKIP:
		return 0;
	case WALK_ON:
		break;
	}
	if (!S_ISDIR(it->st.st_mode))
		return 0;
	if (fd < 0)
		fd = open_root(w->root);
	if (fd < 0)
		return err_set(e, errno, "opening the directory");
	*out = steal_fd(&fd);
	return 1;
}

int walk_run(struct walk *w, int fd, const struct walk_item *it, struct err *e)
{
	const struct walk_name *n = NULL;
	int r = push(w, fd, it, e);

	while (r == 0 && w->depth) {
		w->leaf = NULL;
		r = next_name(w, &n, e);
		if (r > 0 && n)
			r = visit_name(w, n, e);
		else if (r == 0)
			r = leave(w, e);
	}
	if (r < 0 && (w->depth > 1 || w->leaf || w->above[0])) {
		char where[256];

		err_wrap(e, "%s", walk_path(w, where, sizeof(where)));
	}
	while (w->depth)
		pop(w);
	free(w->frames);
	w->frames = NULL;
	w->room = 0;
	w->leaf = NULL;
	return r < 0 ? -1 : 0;
}

int walk_tree(int root, const struct walk_ops *ops, struct walk_counts *c,
	      struct err *e)
{
	struct walk_counts own = {0};
	struct walk w = {.ops = ops,
			 .arg = ops->arg,
			 .counts = c ? c : &own,
			 .open_max = WALK_OPEN / 2,
			 .root = root,
			 .above = ""};
	struct walk_item it;
	int fd = -1, r;

	clock_gettime(CLOCK_REALTIME_COARSE, &w.begun);
	if (ops->begun)
		w.begun = *ops->begun;
	r = walk_visit_root(&w, &it, &fd, e);
	return r > 0 ? walk_run(&w, fd, &it, e) : r;
}

/* Appends one name, escaped; false when there is no room for more. */
static bool add_name(char *out, size_t n, size_t *used, const char *name)
{
	if (*used + 2 >= n)
		return false;
	if (*used)
		out[(*used)++] = '/';
	log_escape(out + *used, n - *used, name, strlen(name));
	*used += strlen(out + *used);
	return true;
}

char *walk_path(const struct walk *w, char *out, size_t n)
{
	size_t used = 0;

	snprintf(out, n, ".");
	if (w->above[0] && !add_name(out, n, &used, w->above))
		return out;
	for (size_t i = 1; i <= w->depth; i++) {
		const char *name = i < w->depth ? w->frames[i].name : w->leaf;

		if (!name || !add_name(out, n, &used, name))
			break;
	}
	return out;
}

int walk_raw_path(const struct walk *w, char *out, size_t n)
{
	size_t used = strlen(w->above);

	snprintf(out, n, "%s", w->above);
	if (used >= n)
		return -1;
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
	return 0;
}
