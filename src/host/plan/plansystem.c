/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The userland that the guest sees: this machine's /usr and a list of names
 * from /etc, or the directory that --root gives.  Part of vmrun; only looks.
 *
 * Everything here is read-only and shared as it is: what the mode does not
 * open to everybody stays closed to the guest too.  No grant is made, but for
 * a --root that the person owns.
 */
#include "host/plan/planint.h"

#include "base/err.h"
#include "base/own.h"
#include "host/text.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* The links (or, on older systems, directories) beside /usr. */
static const char *const beside_usr[] = {
	"bin", "sbin", "lib", "lib32", "lib64", "libx32",
};

/*
 * What programs of /usr expect below /etc and what holds no secret.  Whatever
 * is missing, or not open to everybody, is left out.  Each name costs a mount
 * on both sides, so what programs can do without is not here.
 */
/* clang-format off: by topic */
static const char *const from_etc[] = {
	/* the linker, and Debian's choices between programs */
	"alternatives",
	"ld.so.cache",
	/* certificates */
	"pki/ca-trust/extracted",
	"pki/tls/certs",
	"ssl/certs",
	"ssl/openssl.cnf",
	/* language and time */
	"default/locale",
	"inputrc",
	"locale.alias",
	"locale.conf",
	"localtime",
	"terminfo",
	"timezone",
	/* shells and interpreters */
	"bash.bashrc",
	"bashrc",
	"perl",
	"profile",
	"profile.d",
	"vim",
	"zsh",
	/* names of numbers and types */
	"mime.types",
	"protocols",
	"services",
	/* graphics and sound */
	"OpenCL",
	"X11/xkb",
	"alsa",
	"fonts",
	"glvnd",
	"gtk-3.0",
	"gtk-4.0",
	"pulse",
	"vulkan",
	"xdg",
};
/* clang-format on */

/*
 * Where files of /usr are links to, or programs of /usr look first; glob(7).
 * What is not installed costs nothing.
 */
static const char *const from_elsewhere[] = {
	"/etc/R",
	"/etc/fpc*.cfg",
	"/etc/gnucobol",
	"/etc/java-*",
	"/etc/libreoffice",
	"/etc/manpath.config",
	"/etc/maven",
	"/etc/os-release",
	"/etc/php",
	"/etc/sgml",
	"/etc/texmf",
	"/etc/xml",
	"/var/cache/fontconfig",
	"/var/lib/ghc",
	"/var/lib/texmf",
};

/* Made by the guest's init, and so not taken from --root. */
static const char *const made_in_guest[] = {
	"passwd",      "group",	     "hosts",	      "hostname",
	"resolv.conf", "machine-id", "nsswitch.conf", "mtab",
};

static const char *const not_from_root[] = {
	".",   "..",  "proc", "sys", "dev",
	"tmp", "run", "home", "etc", "lost+found",
};

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(name, list[i]))
			return true;
	}
	return false;
}

#define ONE_OF(name, list) is_one_of(name, list, sizeof(list) / sizeof(*(list)))

/* The person's own share or --tmp is at or above this place: it wins. */
static bool is_taken(const struct plan *p, const char *dst)
{
	for (size_t i = 0; i < p->n_shares; i++) {
		if (!p->shares[i].system &&
		    path_is_at_or_below(dst, p->shares[i].dst))
			return true;
	}
	for (size_t i = 0; i < p->n_disks; i++) {
		if (path_is_at_or_below(dst, p->disks[i].dst))
			return true;
	}
	return false;
}

/* Shares `src` at dst if it is there and open to everybody. */
static int share_open(struct plan *p, const char *src, const char *dst,
		      struct err *e)
{
	struct plan_share *share;
	struct stat st;
	own_fd fd = plan_open(src, &st);

	if (fd < 0 || !plan_open_to_all(&st) ||
	    !(S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)))
		return 0;
	share = plan_add_share(p, src, dst, steal_fd(&fd), &st, e);
	if (!share)
		return -1;
	share->system = share->exec = true;
	return 0;
}

/*
 * A name of the host at the same place.  A link becomes a link where it stays
 * inside of /usr, and what it leads to otherwise: that may be anywhere.
 */
static int share_name(struct plan *p, const char *path, struct err *e)
{
	own_free char *real = NULL;
	struct stat st;

	if (is_taken(p, path) || lstat(path, &st))
		return 0;
	if (!S_ISLNK(st.st_mode))
		return share_open(p, path, path, e);
	real = realpath(path, NULL);
	if (!real)
		return 0;
	if (path_is_below(real, "/usr"))
		return plan_add_link(p, path, real, e);
	return share_open(p, real, path, e);
}

/*
 * Something of the person's own is to be made below it, which is not possible
 * in what is shared: then it is left out.
 */
static bool has_new_below(const struct plan *p, const char *path)
{
	for (size_t i = 0; i < p->n_shares; i++)
		if (!p->shares[i].system &&
		    path_is_below(p->shares[i].dst, path) &&
		    access(p->shares[i].dst, F_OK) < 0)
			return true;
	for (size_t i = 0; i < p->n_disks; i++)
		if (path_is_below(p->disks[i].dst, path) &&
		    access(p->disks[i].dst, F_OK) < 0)
			return true;
	return false;
}

static int share_names(struct plan *p, const char *pattern, struct err *e)
{
	glob_t found;
	int ret = 0;

	if (glob(pattern, 0, NULL, &found) == GLOB_NOSPACE)
		return err_set(e, ENOMEM, "%s", pattern);
	for (size_t i = 0; i < found.gl_pathc && !ret; i++)
		if (!has_new_below(p, found.gl_pathv[i]))
			ret = share_name(p, found.gl_pathv[i], e);
	globfree(&found);
	return ret;
}

/* /bin and its kin, as they are here: usually a link to usr/bin. */
static int share_beside_usr(struct plan *p, const char *name, struct err *e)
{
	own_free char *path = text_fmt(e, "/%s", name);
	char target[PATH_MAX];
	ssize_t n;

	if (!path)
		return -1;
	if (is_taken(p, path))
		return 0;
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return share_open(p, path, path, e);
	target[n] = '\0';
	return plan_add_link(p, path, target, e);
}

static int host_userland(struct plan *p, struct err *e)
{
	if (!is_taken(p, "/usr") && share_open(p, "/usr", "/usr", e))
		return -1;
	for (size_t i = 0; i < sizeof(beside_usr) / sizeof(*beside_usr); i++) {
		if (share_beside_usr(p, beside_usr[i], e))
			return -1;
	}
	for (size_t i = 0; i < sizeof(from_etc) / sizeof(*from_etc); i++) {
		own_free char *path = text_fmt(e, "/etc/%s", from_etc[i]);

		if (!path || share_name(p, path, e))
			return -1;
	}
	for (size_t i = 0; i < sizeof(from_elsewhere) / sizeof(*from_elsewhere);
	     i++)
		if (share_names(p, from_elsewhere[i], e))
			return -1;
	return share_name(p, "/opt", e);
}

/* One name of --root's tree; `below` is its path there. */
static int root_entry(struct plan *p, const struct plan_share *root, int dir,
		      const char *name, const char *below, struct err *e)
{
	own_free char *dst = text_fmt(e, "/%s", below);
	own_free char *share = text_fmt(e, "%s/%s", root->name, below);
	struct launch_mount m = {.kind = LAUNCH_SHARE,
				 .tree = plan_tree_of(root),
				 .readonly = true};
	char target[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (!dst || !share)
		return -1;
	if (is_taken(p, dst) || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	if (S_ISLNK(st.st_mode)) {
		n = readlinkat(dir, name, target, sizeof(target) - 1);
		if (n <= 0)
			return 0;
		target[n] = '\0';
		return plan_add_link(p, dst, target, e);
	}
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return 0;
	m.file = S_ISREG(st.st_mode);
	m.share = share;
	m.dst = dst;
	return plan_add_mount(p, &m, e);
}

static int root_entries(struct plan *p, const struct plan_share *root,
			const char *sub, const char *const *skip, size_t n_skip,
			struct err *e)
{
	int fd = openat(root->fd, sub,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	own_dir dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!dir) {
		if (errno == ENOENT && strcmp(sub, "."))
			return 0;
		return err_set(e, errno, "cannot read %s/%s", root->src, sub);
	}
	while ((d = readdir(dir))) {
		own_free char *below =
			!strcmp(sub, ".")
				? text_dup(d->d_name, e)
				: text_fmt(e, "%s/%s", sub, d->d_name);

		if (!below)
			return -1;
		if (is_one_of(d->d_name, skip, n_skip) ||
		    !strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		if (root_entry(p, root, dirfd(dir), d->d_name, below, e))
			return -1;
	}
	return 0;
}

/* The person's own --root: a grant is made, where that can be. */
static int judge_root(const struct facts *f, struct plan_share *share,
		      const struct stat *st, struct err *e)
{
	char shown[TEXT_SHOWN];
	const struct plan_source s = {
		share->fd, st, false,
		text_show(shown, sizeof(shown), share->src)};
	int plain = plan_is_plain(f, &s, &share->plain, e);

	share->use = plain ? SHARE_PLAIN : SHARE_PERSON;
	return plain < 0 ? err_wrap(e, "--root") : 0;
}

/* --root: the directory once, its entries as mounts from below it. */
static int other_userland(struct plan *p, struct err *e)
{
	const struct facts *f = p->facts;
	struct plan_share *share;
	struct stat st;
	const char *from = p->opt->root[0] == '/' || !f->cwd ? "/" : f->cwd;
	own_free char *path = path_join(from, p->opt->root, e);
	own_free char *real = path ? places_resolve(f, path, e) : NULL;
	own_fd fd = real ? plan_open(real, &st) : -1;
	char shown[TEXT_SHOWN];

	text_show(shown, sizeof(shown), p->opt->root);
	if (!real)
		return err_wrap(e, "--root");
	if (fd < 0)
		return err_set(e, errno, "--root: cannot use %s", shown);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, 0, "--root: %s is not a directory", shown);
	if (places_check(f, real, &st, false, e))
		return err_wrap(e, "--root");
	if (st.st_uid != f->uid && !plan_open_to_all(&st))
		return err_set(e, 0,
			       "--root: %s belongs to somebody else, and its "
			       "mode does not let others read it",
			       shown);
	share = plan_add_share(p, real, "/", steal_fd(&fd), &st, e);
	if (!share)
		return -1;
	share->system = share->exec = true;
	if (st.st_uid == f->uid && judge_root(f, share, &st, e))
		return -1;
	if (root_entries(p, share, ".", not_from_root,
			 sizeof(not_from_root) / sizeof(*not_from_root), e))
		return -1;
	return root_entries(p, share, "etc", made_in_guest,
			    sizeof(made_in_guest) / sizeof(*made_in_guest), e);
}

/* A grant for --root and one inside of it would undo each other. */
static int check_root_overlap(const struct plan *p, struct err *e)
{
	const struct plan_share *root = NULL;

	for (size_t i = 0; i < p->n_shares; i++) {
		if (!strcmp(p->shares[i].dst, "/"))
			root = &p->shares[i];
	}
	for (size_t i = 0; root && i < p->n_shares; i++) {
		const struct plan_share *s = &p->shares[i];

		if (s == root || s->use != SHARE_PERSON ||
		    root->use != SHARE_PERSON || s->mnt != root->mnt)
			continue;
		if (path_is_at_or_below(s->src, root->src) ||
		    path_is_below(root->src, s->src))
			return err_set(e, 0,
				       "cannot use both %s as --root and share "
				       "%s: one is inside the other",
				       root->src, s->src);
	}
	return 0;
}

/* For the guest's waypipe, whatever its userland is: edge/waypipe/poll.c */
static int share_preload(struct plan *p, struct err *e)
{
	own_free char *path = NULL;

	if (!p->facts->libexec || !plan_wants_windows(p->opt) ||
	    is_taken(p, PLAN_PRELOAD))
		return 0;
	path = text_fmt(e, "%s/vmrun-waypipe.so", p->facts->libexec);
	return path ? share_open(p, path, PLAN_PRELOAD, e) : -1;
}

int plan_system(struct plan *p, struct err *e)
{
	if (share_preload(p, e))
		return -1;
	if (!p->opt->root)
		return host_userland(p, e);
	if (other_userland(p, e))
		return -1;
	return check_root_overlap(p, e);
}
