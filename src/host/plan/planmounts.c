/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The guest's mount list: parents before what is inside of them, and nothing
 * that its init could not make.  Part of vmrun; only looks.
 *
 * The guest cannot make a directory inside a share: its root has no rights
 * there.  So a place below a share must exist in it, and that is looked up
 * here, where the message can say what to do.  In an alias's home vmrun makes
 * it before the start.
 */
#include "host/plan/planint.h"

#include "base/err.h"
#include "base/own.h"
#include "host/text.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

int plan_add_mount(struct plan *p, const struct launch_mount *m, struct err *e)
{
	own_free char *share = text_dup(m->share ? m->share : "", e);
	own_free char *dst = text_dup(m->dst, e);
	own_free char *target = text_dup(m->target ? m->target : "", e);
	struct launch_mount *more;

	if (!share || !dst || !target)
		return -1;
	if (p->n_mounts >= LAUNCH_MOUNTS_MAX)
		return err_set(e, 0, "the guest would get more than %u mounts",
			       LAUNCH_MOUNTS_MAX);
	more = reallocarray(p->mounts, p->n_mounts + 1, sizeof(*more));
	if (!more)
		return err_set(e, ENOMEM, "no memory for a list");
	p->mounts = more;
	more += p->n_mounts++;
	*more = *m;
	more->share = steal_ptr(&share);
	more->dst = steal_ptr(&dst);
	more->target = steal_ptr(&target);
	return 0;
}

int plan_add_link(struct plan *p, const char *dst, const char *target,
		  struct err *e)
{
	struct launch_mount m = {.kind = LAUNCH_SYMLINK};

	m.dst = (char *)(uintptr_t)dst;
	m.target = (char *)(uintptr_t)target;
	return plan_add_mount(p, &m, e);
}

const struct launch_mount *plan_mount_at(const struct plan *p, const char *dst)
{
	for (size_t i = 0; i < p->n_mounts; i++) {
		if (!strcmp(p->mounts[i].dst, dst))
			return &p->mounts[i];
	}
	return NULL;
}

enum launch_tree plan_tree_of(const struct plan_share *s)
{
	return s->use == SHARE_PLAIN ? LAUNCH_TREE_PLAIN : LAUNCH_TREE_GRANTED;
}

static int add_shares(struct plan *p, struct err *e)
{
	for (size_t i = 0; i < p->n_shares; i++) {
		const struct plan_share *s = &p->shares[i];
		struct launch_mount m = {.kind = LAUNCH_SHARE};

		/* --root's entries are in the list already. */
		if (!strcmp(s->dst, "/"))
			continue;
		m.tree = plan_tree_of(s);
		m.readonly = !s->rw;
		m.file = s->file;
		m.share = s->name;
		m.dst = s->dst;
		if (plan_add_mount(p, &m, e))
			return -1;
	}
	return 0;
}

static int add_disks(struct plan *p, struct err *e)
{
	for (size_t i = 0; i < p->n_disks; i++) {
		const char *dst = p->disks[i].dst;
		struct launch_mount m = {.kind = LAUNCH_DISK};

		/* Here other users than the application's write, too. */
		if (!strcmp(dst, "/tmp") || !strcmp(dst, "/var/tmp"))
			m.mode = 01777;
		else
			m.mode = 0700;
		m.disk = (uint32_t)i;
		m.dst = p->disks[i].dst;
		if (plan_add_mount(p, &m, e))
			return -1;
	}
	return 0;
}

/* An empty home, unless the person puts something there. */
static int add_home(struct plan *p, struct err *e)
{
	struct launch_mount m = {
		.kind = LAUNCH_TMPFS,
		.mode = 0700,
		.owned = true,
		.dst = p->home,
	};

	return plan_mount_at(p, p->home) ? 0 : plan_add_mount(p, &m, e);
}

static size_t depth(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

/* By depth; equals stay in their order (the list is short and nearly sorted).
 */
static void sort(struct launch_mount *m, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct launch_mount one = m[i];
		size_t d = depth(one.dst), j = i;

		for (; j && depth(m[j - 1].dst) > d; j--)
			m[j] = m[j - 1];
		m[j] = one;
	}
}

/* The mounts by name, so that thousands of store paths take no time. */
struct names {
	const struct launch_mount **by_dst;
	size_t n;
};

static int compare(const void *a, const void *b)
{
	const struct launch_mount *const *x = a, *const *y = b;

	return strcmp((*x)->dst, (*y)->dst);
}

/* The mount that m would be made in; NULL: the guest's own root. */
static const struct launch_mount *parent_of(const struct names *names,
					    const struct launch_mount *m,
					    struct err *e)
{
	own_free char *path = text_dup(m->dst, e);
	struct launch_mount key = {.dst = path};
	const struct launch_mount *want = &key, **hit;
	char *slash;

	while (path && (slash = strrchr(path, '/')) && slash != path) {
		*slash = '\0';
		hit = bsearch(&want, names->by_dst, names->n,
			      sizeof(*names->by_dst), compare);
		if (hit)
			return *hit;
	}
	return NULL;
}

/* The share that a path of the shared tree (N or N/sub) is in; or NULL. */
static const struct plan_share *share_of(const struct plan *p, const char *path)
{
	size_t n = strcspn(path, "/");

	for (size_t i = 0; i < p->n_shares; i++) {
		const struct plan_share *s = &p->shares[i];

		if (!strncmp(s->name, path, n) && !s->name[n])
			return s;
	}
	return NULL;
}

/* Looks at a place below a path of the shared tree, on this machine.  It may be
 * where something is mounted; inside of that the guest sees nothing. */
static int look_in_share(const struct plan *p, const char *share,
			 const char *rest, struct stat *st)
{
	const struct plan_share *s = share_of(p, share);
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS,
	};
	struct err e = ERR_INIT;
	size_t n = strcspn(share, "/");
	own_free char *below =
		text_fmt(&e, "./%s%s%s", share[n] ? share + n + 1 : "",
			 share[n] ? "/" : "", rest);
	own_fd dir = -1;
	char *name;

	if (!s || !below || !(name = strrchr(below, '/')))
		return -1;
	*name++ = '\0';
	if (!plan_shows_inner(s))
		how.resolve |= RESOLVE_NO_XDEV;
	dir = (int)syscall(SYS_openat2, s->fd, below, &how, sizeof(how));
	return dir < 0 ? -1 : fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW);
}

/* Is there something of m's type at its place inside the share `in`? */
static int check_place(struct plan *p, const struct launch_mount *m,
		       const struct launch_mount *in, struct err *e)
{
	const char *rest = m->dst + strlen(in->dst) + 1;
	const struct plan_share *share = share_of(p, in->share);
	char dst[TEXT_SHOWN], above[TEXT_SHOWN], missing[TEXT_SHOWN];
	struct stat st;

	text_show(dst, sizeof(dst), m->dst);
	text_show(above, sizeof(above), in->dst);
	if (in->file)
		return err_set(e, 0,
			       "nothing can be put at %s of the guest: %s is "
			       "a file there",
			       dst, above);
	if (share && share->home)
		return plan_home_place(p, share, rest, m->file, e);
	if (look_in_share(p, in->share, rest, &st)) {
		err_set(e, 0,
			"cannot put anything at %s of the guest: what is "
			"shared "
			"as %s has no %s",
			dst, above, text_show(missing, sizeof(missing), rest));
		return err_hint(e, "the guest cannot make it there; make it "
				   "first, or choose another place");
	}
	if (m->file ? S_ISREG(st.st_mode) : S_ISDIR(st.st_mode))
		return 0;
	return err_set(e, 0,
		       "cannot put a %s at %s of the guest: there is something "
		       "else already",
		       m->file ? "file" : "directory", dst);
}

static int check_mount(struct plan *p, const struct names *names,
		       const struct launch_mount *m, struct err *e)
{
	const struct launch_mount *in = parent_of(names, m, e);
	char dst[TEXT_SHOWN], target[TEXT_SHOWN];

	if (!in)
		return 0;
	switch (in->kind) {
	case LAUNCH_TMPFS:
	case LAUNCH_DISK:
		return 0;
	case LAUNCH_SYMLINK:
		err_set(e, 0,
			"nothing can be put at %s of the guest: %s is a link "
			"there",
			text_show(dst, sizeof(dst), m->dst), in->dst);
		return err_hint(e, "it leads to %s; use that name",
				text_show(target, sizeof(target), in->target));
	case LAUNCH_SHARE:
		/* A link cannot be made in a share, and need not be. */
		if (m->kind == LAUNCH_SYMLINK)
			return 0;
		return check_place(p, m, in, e);
	}
	return 0;
}

int plan_mounts(struct plan *p, struct err *e)
{
	own_free const struct launch_mount **by_dst = NULL;
	struct names names;

	if (add_shares(p, e) || add_disks(p, e) || add_home(p, e))
		return -1;
	sort(p->mounts, p->n_mounts);
	by_dst = calloc(p->n_mounts, sizeof(*by_dst));
	if (!by_dst)
		return err_set(e, ENOMEM, "no memory for a list");
	for (size_t i = 0; i < p->n_mounts; i++)
		by_dst[i] = &p->mounts[i];
	qsort(by_dst, p->n_mounts, sizeof(*by_dst), compare);
	names.by_dst = by_dst;
	names.n = p->n_mounts;
	for (size_t i = 0; i < p->n_mounts; i++) {
		if (check_mount(p, &names, &p->mounts[i], e))
			return -1;
	}
	return 0;
}
