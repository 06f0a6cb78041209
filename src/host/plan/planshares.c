/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The person's --rw, --ro and --tmp: each source is opened once, and judged by
 * what was opened.  Part of vmrun; the person's own authority, only looks.
 *
 * Links in the middle of a source are resolved, once, if no guest can have made
 * them; a source that is itself a link is refused, because a later change of
 * the link would change what the same command shares.
 */
#include "host/plan/planint.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mountinfo.h"
#include "base/own.h"
#include "host/plan/store.h"
#include "host/text.h"
#include "host/vm/vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <string.h>
#include <sys/syscall.h>

#define TMP_DEFAULT (UINT64_C(4) << 30)

/* A source while it is looked at. */
struct source {
	const struct opt_share *asked;
	char *path; /* canonical; owned */
	struct stat st;
	int fd;		    /* O_PATH; owned */
	enum share_use use; /* judge()'s answer, and why: */
	struct plan_plain plain;
	char shown[TEXT_SHOWN]; /* as written, for messages */
};

static void source_close(struct source *s)
{
	own_close(&s->fd);
	free(s->path);
}

static const char *option_of(const struct opt_share *o)
{
	return o->kind == OPT_RW ? "--rw" : "--ro";
}

int plan_open(const char *path, struct stat *st)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	own_fd fd =
		(int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	if (fd < 0 || fstat(fd, st))
		return -1;
	return steal_fd(&fd);
}

bool plan_open_to_all(const struct stat *st)
{
	mode_t need = S_ISDIR(st->st_mode) ? S_IROTH | S_IXOTH : S_IROTH;

	return (st->st_mode & need) == need;
}

char *plan_absolute(const struct facts *f, const char *src, struct err *e)
{
	char *path;
	size_t n;

	if (src[0] == '/') {
		path = text_dup(src, e);
	} else if (f->cwd) {
		path = path_join(f->cwd, src, e);
	} else {
		err_set(e, 0, "the current directory is not known");
		err_hint(e, "write an absolute path");
		return NULL;
	}
	n = path ? strlen(path) : 0;
	while (n > 1 && path[n - 1] == '/')
		path[--n] = '\0';
	return path;
}

static int refuse_link(const struct source *s, const char *path, struct err *e)
{
	own_free char *target = realpath(path, NULL);
	char shown[TEXT_SHOWN];

	err_set(e, 0, "cannot share %s: it is a symbolic link", s->shown);
	if (!target)
		return err_hint(e, "it leads nowhere");
	return err_hint(e, "share what it leads to: %s %s", option_of(s->asked),
			text_show(shown, sizeof(shown), target));
}

/* 1: found; 0: missing, and that is all right; -1. */
static int find(const struct facts *f, struct source *s, struct err *e)
{
	own_free char *path = plan_absolute(f, s->asked->src, e);
	struct stat st;

	if (!path)
		return err_wrap(e, "cannot share %s", s->shown);
	if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW)) {
		bool missing = errno == ENOENT || errno == ENOTDIR;

		if (missing && s->asked->try)
			return 0;
		err_set(e, errno, "cannot share %s", s->shown);
		if (missing)
			err_hint(e,
				 "create it, or use %s-try to go on "
				 "without it",
				 option_of(s->asked));
		return -1;
	}
	if (S_ISLNK(st.st_mode))
		return refuse_link(s, path, e);
	s->path = places_resolve(f, path, e);
	if (!s->path)
		return err_wrap(e, "cannot share %s", s->shown);
	s->fd = plan_open(s->path, &s->st);
	if (s->fd < 0)
		return err_set(e, errno, "cannot share %s", s->shown);
	if (s->st.st_dev != st.st_dev || s->st.st_ino != st.st_ino)
		return err_set(e, 0,
			       "cannot share %s: it was replaced while vmrun "
			       "looked at it",
			       s->shown);
	return 1;
}

static int refuse_foreign(const struct source *s, const struct facts *f,
			  struct err *e)
{
	char owner[64];
	const struct passwd *pw = getpwuid(s->st.st_uid);

	if (pw)
		text_show(owner, sizeof(owner), pw->pw_name);
	else
		snprintf(owner, sizeof(owner), "uid %u",
			 (unsigned)s->st.st_uid);
	if (s->asked->kind == OPT_RW) {
		err_set(e, 0,
			"cannot share %s for writing: it belongs to %s, not to "
			"%s",
			s->shown, owner, f->user);
		return err_hint(e, "share it with --ro, or a directory of "
				   "your own with --rw");
	}
	err_set(e, 0,
		"cannot share %s: it belongs to %s, and its mode does not let "
		"others read it",
		s->shown, owner);
	return err_hint(e, "share something that is yours, or that everybody "
			   "may read");
}

static int judge(const struct facts *f, struct source *s, struct err *e)
{
	bool rw = s->asked->kind == OPT_RW, owned = s->st.st_uid == f->uid;
	const struct plan_source look = {s->fd, &s->st, rw, s->shown};
	int is_plain;

	if (!S_ISDIR(s->st.st_mode) && !S_ISREG(s->st.st_mode))
		return err_set(e, 0,
			       "cannot share %s: it is neither a directory nor "
			       "a regular file",
			       s->shown);
	if (places_check(f, s->path, &s->st, rw, e))
		return -1;
	s->use = SHARE_OPEN;
	/* What everybody may read needs nobody's rights. */
	if (!rw && plan_open_to_all(&s->st) && (!owned || store_is(s->path)))
		return 0;
	is_plain = plan_is_plain(f, &look, &s->plain, e);
	if (is_plain < 0)
		return -1;
	if (is_plain)
		s->use = SHARE_PLAIN;
	else if (owned)
		s->use = SHARE_PERSON;
	else
		return refuse_foreign(s, f, e);
	return 0;
}

char *plan_default_dst(const struct facts *f, const char *src, struct err *e)
{
	own_free char *home = f->home ? realpath(f->home, NULL) : NULL;

	if (home && path_is_below(src, home))
		return path_join(f->home, src + strlen(home), e);
	return text_dup(src, e);
}

/* Places of the guest that its init fills: whole trees, and single names. */
static const char *const made_trees[] = {
	"/proc",
	"/sys",
	"/dev",
	"/run/user",
	"/run/vmrun",
	"/etc/passwd",
	"/etc/group",
	"/etc/hosts",
	"/etc/hostname",
	"/etc/resolv.conf",
	"/etc/machine-id",
	"/etc/nsswitch.conf",
};
static const char *const made_dirs[] = {"/etc", "/run"};

static struct plan_disk *disk_at(const struct plan *p, const char *dst)
{
	for (size_t i = 0; i < p->n_disks; i++) {
		if (!strcmp(p->disks[i].dst, dst))
			return &p->disks[i];
	}
	return NULL;
}

static bool is_taken(const struct plan *p, const char *dst)
{
	if (disk_at(p, dst))
		return true;
	for (size_t i = 0; i < p->n_shares; i++) {
		if (!strcmp(p->shares[i].dst, dst))
			return true;
	}
	return false;
}

int plan_check_dst(const struct plan *p, const char *dst, struct err *e)
{
	char shown[TEXT_SHOWN];

	text_show(shown, sizeof(shown), dst);
	if (!strcmp(dst, "/")) {
		err_set(e, 0, "nothing can be put at / of the guest");
		return err_hint(e, "to use another userland: --root DIR");
	}
	for (size_t i = 0; i < sizeof(made_trees) / sizeof(*made_trees); i++) {
		if (path_is_at_or_below(dst, made_trees[i]))
			return err_set(e, 0,
				       "nothing can be put at %s of the guest, "
				       "which makes %s itself",
				       shown, made_trees[i]);
	}
	for (size_t i = 0; i < sizeof(made_dirs) / sizeof(*made_dirs); i++) {
		if (strcmp(dst, made_dirs[i]))
			continue;
		err_set(e, 0,
			"nothing can be put at %s of the guest, which makes "
			"that itself",
			shown);
		return err_hint(e, "use other names below %s", shown);
	}
	if (is_taken(p, dst))
		return err_set(e, 0,
			       "two things cannot both be at %s of the guest",
			       shown);
	return 0;
}

/* Word for word what was asked before, as by a profile and again by hand. */
static bool is_repeated(const struct plan *p, const struct source *s,
			const char *dst)
{
	for (size_t i = 0; i < p->n_shares; i++) {
		const struct plan_share *o = &p->shares[i];

		if (!o->system && o->rw == (s->asked->kind == OPT_RW) &&
		    o->dev == s->st.st_dev && o->ino == s->st.st_ino &&
		    !strcmp(o->src, s->path) && !strcmp(o->dst, dst))
			return true;
	}
	return false;
}

/*
 * The same source at two places or with two kinds of access, or one inside
 * another, would undo each other.
 */
static int check_overlap(const struct plan *p, const struct source *s,
			 struct err *e)
{
	char other[TEXT_SHOWN];

	for (size_t i = 0; i < p->n_shares; i++) {
		const struct plan_share *o = &p->shares[i];

		if (o->system)
			continue;
		text_show(other, sizeof(other), o->src);
		if (o->dev == s->st.st_dev && o->ino == s->st.st_ino)
			return err_set(e, 0, "%s is shared twice", s->shown);
		if (!path_is_below(o->src, s->path) &&
		    !path_is_below(s->path, o->src))
			continue;
		/* Neither shows, nor grants, what is in the other. */
		if (o->mnt != mountinfo_id(s->fd))
			continue;
		err_set(e, 0,
			"cannot share both %s and %s: one is inside the "
			"other",
			other, s->shown);
		return err_hint(e, "share only the outer one, or move the "
				   "inner one elsewhere");
	}
	return 0;
}

struct plan_share *plan_add_share(struct plan *p, const char *src,
				  const char *dst, int fd,
				  const struct stat *st, struct err *e)
{
	own_fd mine = fd;
	own_free char *s = text_dup(src, e), *d = text_dup(dst, e);
	own_free char *name = text_fmt(e, "%zu", p->n_shares);
	struct plan_share *more, *to;

	if (!s || !d || !name)
		return NULL;
	more = reallocarray(p->shares, p->n_shares + 1, sizeof(*more));
	if (!more) {
		err_set(e, ENOMEM, "no memory for a list");
		return NULL;
	}
	p->shares = more;
	to = &more[p->n_shares++];
	memset(to, 0, sizeof(*to));
	to->src = steal_ptr(&s);
	to->dst = steal_ptr(&d);
	to->name = steal_ptr(&name);
	to->dev = st->st_dev;
	to->ino = st->st_ino;
	to->use = SHARE_OPEN;
	to->file = S_ISREG(st->st_mode);
	to->fd = steal_fd(&mine);
	to->mnt = to->fd < 0 ? 0 : mountinfo_id(to->fd);
	return to;
}

/* Is it there already, at its own place? */
static bool has_src(const struct plan *p, const char *src)
{
	for (size_t i = 0; i < p->n_shares; i++) {
		if (!strcmp(p->shares[i].src, src) &&
		    !strcmp(p->shares[i].dst, src))
			return true;
	}
	return false;
}

static bool has_word(char *const *v, const char *word)
{
	for (; v && *v; v++) {
		if (!strcmp(*v, word))
			return true;
	}
	return false;
}

/* An item of a store that is a link; where it leads is an item of its own. */
static int add_store_link(struct plan *p, const char *path, struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target));

	if (n < 0 || (size_t)n >= sizeof(target))
		return err_set(e, n < 0 ? errno : ENAMETOOLONG,
			       "cannot share %s", path);
	target[n] = '\0';
	return plan_mount_at(p, path) ? 0 : plan_add_link(p, path, target, e);
}

static int add_store_item(struct plan *p, const char *path, struct err *e)
{
	struct plan_share *share;
	struct stat st;
	int fd;

	if (has_src(p, path))
		return 0;
	fd = plan_open(path, &st);
	if (fd < 0 && errno == ELOOP)
		return add_store_link(p, path, e);
	if (fd < 0)
		return err_set(e, errno, "cannot share %s", path);
	share = plan_add_share(p, path, path, fd, &st, e);
	if (!share)
		return -1;
	share->exec = share->system = true;
	return 0;
}

/* What a store path needs, at the same places, and its programs' directory. */
static int add_closure(struct plan *p, const struct source *s,
		       char ***store_bins, struct err *e)
{
	own_free char *bin = store_bin(s->path);
	char **paths = NULL;
	int ret = store_closure(s->path, &paths, e);

	if (!ret && bin && !has_word(*store_bins, bin))
		ret = text_add(store_bins, bin, e);
	for (size_t i = 0; !ret && paths[i]; i++)
		ret = add_store_item(p, paths[i], e);
	strv_free(paths);
	return ret;
}

static int add_source(struct plan *p, struct source *s, char ***store_bins,
		      struct err *e)
{
	const struct opt_share *o = s->asked;
	bool store = o->kind == OPT_RO && store_is(s->path);
	own_free char *dst = o->dst[0] ? text_dup(o->dst, e)
				       : plan_default_dst(p->facts, s->path, e);
	struct plan_share *share;

	if (!dst)
		return -1;
	/* The same item twice, or as a part of another's closure. */
	if (store && !o->dst[0] && has_src(p, s->path))
		return add_closure(p, s, store_bins, e);
	if (is_repeated(p, s, dst))
		return 0;
	if (check_overlap(p, s, e) || plan_check_dst(p, dst, e))
		return -1;
	share = plan_add_share(p, s->path, dst, steal_fd(&s->fd), &s->st, e);
	if (!share)
		return -1;
	share->use = s->use;
	share->plain = s->plain;
	share->rw = o->kind == OPT_RW;
	share->exec = share->system = store;
	return store ? add_closure(p, s, store_bins, e) : 0;
}

static int add_asked(struct plan *p, const struct opt_share *o,
		     char ***store_bins, struct err *e)
{
	struct source s = {.asked = o, .fd = -1};
	int ret;

	text_show(s.shown, sizeof(s.shown), o->src);
	ret = find(p->facts, &s, e);
	if (ret > 0) {
		ret = judge(p->facts, &s, e);
		if (!ret)
			ret = add_source(p, &s, store_bins, e);
	}
	source_close(&s);
	return ret;
}

static int add_disk(struct plan *p, const struct opt_share *o, struct err *e)
{
	uint64_t size = o->size ? o->size : TMP_DEFAULT;
	struct plan_disk *more = disk_at(p, o->dst);
	char *dst;

	/* The options come in the order of who wins: the command line last. */
	if (more) {
		more->size = size;
		return 0;
	}
	if (p->n_disks >= VMM_DISKS_MAX)
		return err_set(e, 0, "there are more than %u --tmp directories",
			       VMM_DISKS_MAX);
	if (plan_check_dst(p, o->dst, e))
		return -1;
	dst = text_dup(o->dst, e);
	more = reallocarray(p->disks, p->n_disks + 1, sizeof(*more));
	if (!dst || !more) {
		free(dst);
		p->disks = more ? more : p->disks;
		return err_set(e, ENOMEM, "no memory for a list");
	}
	p->disks = more;
	more[p->n_disks].dst = dst;
	more[p->n_disks++].size = size;
	return 0;
}

int plan_shares(struct plan *p, char ***store_bins, struct err *e)
{
	const struct options *o = p->opt;

	for (size_t i = 0; i < o->n_shares; i++) {
		const struct opt_share *s = &o->shares[i];
		int ret = s->kind == OPT_TMP ? add_disk(p, s, e)
					     : add_asked(p, s, store_bins, e);

		if (ret)
			return -1;
	}
	return 0;
}
