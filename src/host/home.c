/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Homes of aliases.  The person's own authority. */
#include "host/home.h"

#include "base/err.h"
#include "base/mountinfo.h"
#include "base/own.h"
#include "host/plan/planint.h"
#include "host/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HOMES "homes"

static int open_dir(int dir, const char *name)
{
	return openat(dir, name,
		      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The directory of all homes; -1 with errno. */
static int open_homes(const struct homes *h)
{
	return open_dir(h->state_dir, HOMES);
}

int home_find(const struct facts *f, const char *alias, char **path,
	      struct err *e)
{
	own_free char *at = plan_home_path(f, alias, e);
	struct stat st;

	*path = NULL;
	if (!at)
		return -1;
	if (lstat(at, &st) < 0)
		return errno == ENOENT ? 0 : err_set(e, errno, "%s", at);
	if (!S_ISDIR(st.st_mode))
		return 0;
	*path = steal_ptr(&at);
	return 1;
}

/* ---- a run ---- */

static struct plan_share *home_of(const struct plan *p)
{
	for (size_t i = 0; i < p->n_shares; i++)
		if (p->shares[i].home)
			return &p->shares[i];
	return NULL;
}

/* Whoever has the path open has the directory; see home_enter(). */
static int make(const struct homes *h, const char *alias, struct err *e)
{
	own_fd homes = -1;

	if (mkdirat(h->state_dir, HOMES, 0700) < 0 && errno != EEXIST)
		return err_set(e, errno, "making the directory of homes");
	homes = open_homes(h);
	if (homes < 0 || (mkdirat(homes, alias, 0700) < 0 && errno != EEXIST))
		return err_set(e, errno, "making it");
	return 0;
}

static int has_acls(const struct facts *f, int fd, const struct stat *st,
		    struct err *e)
{
	const struct plan_source look = {fd, st, true, "it"};
	struct plan_plain plain;
	int r = plan_is_plain(f, &look, &plain, e);

	if (r <= 0)
		return r;
	err_set(e, 0, "it is on %s, where no grant is made", plain.fs);
	return err_hint(e, "set XDG_STATE_HOME to a directory elsewhere");
}

static int open_made(const struct homes *h, struct plan_share *sh,
		     const char *alias, struct err *e)
{
	own_free char *src = NULL;
	own_fd fd = -1;
	struct stat st;

	if (home_settle(h, e) < 0 || make(h, alias, e) < 0)
		return -1;
	src = plan_home_path(h->facts, alias, e);
	if (!src)
		return -1;
	fd = plan_open(src, &st);
	if (fd < 0)
		return err_set(e, errno, "%s", src);
	if (!S_ISDIR(st.st_mode) || st.st_uid != h->facts->uid)
		return err_set(e, 0, "%s is not a directory of yours", src);
	if (has_acls(h->facts, fd, &st, e) < 0)
		return -1;
	free(sh->src);
	sh->src = steal_ptr(&src);
	sh->dev = st.st_dev;
	sh->ino = st.st_ino;
	own_close(&sh->fd);
	sh->fd = steal_fd(&fd);
	sh->mnt = mountinfo_id(sh->fd);
	return 0;
}

int home_open(const struct homes *h, struct plan *p, struct err *e)
{
	struct plan_share *sh = home_of(p);

	if (!sh || open_made(h, sh, p->opt->alias, e) == 0)
		return 0;
	return err_wrap(e, "cannot use the home of %s", p->opt->alias);
}

/* One name of a place; its descriptor is the next directory. */
static int make_one(int dir, const char *name, bool file)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve =
			RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	own_fd fd = -1;
	struct stat st;

	/* Its default ACL decides, and the umask where there is none. */
	if (file)
		fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC,
			    0666);
	if (file ? fd < 0 && errno != EEXIST
		 : mkdirat(dir, name, 0777) < 0 && errno != EEXIST)
		return -1;
	own_close(&fd);
	fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (file ? S_ISREG(st.st_mode) : S_ISDIR(st.st_mode))
		return steal_fd(&fd);
	errno = file ? EISDIR : ENOTDIR;
	return -1;
}

static int make_place(int home, const struct plan_place *place, struct err *e)
{
	own_free char *path = text_dup(place->path, e);
	own_fd at = fcntl(home, F_DUPFD_CLOEXEC, 0);
	char *rest = path;

	if (!path)
		return -1;
	while (rest && at >= 0) {
		const char *name = strsep(&rest, "/");
		own_fd next = make_one(at, name, place->file && !rest);

		own_close(&at);
		at = steal_fd(&next);
	}
	return at < 0 ? err_set(e, errno, "making a place for %s in it",
				place->path)
		      : 0;
}

int home_enter(const struct plan *p, struct err *e)
{
	const struct plan_share *sh = home_of(p);
	struct stat st;

	if (!sh)
		return 0;
	if (lstat(sh->src, &st) < 0 || st.st_dev != sh->dev ||
	    st.st_ino != sh->ino) {
		err_set(e, 0, "the home of %s was moved or deleted just now",
			p->opt->alias);
		return err_hint(e, "try again");
	}
	for (size_t i = 0; i < p->n_places; i++)
		if (make_place(sh->fd, &p->places[i], e) < 0)
			return err_wrap(e, "cannot use the home of %s",
					p->opt->alias);
	return 0;
}

/* ---- renaming ---- */

static int move(int homes, const struct state_move *m, struct err *e)
{
	if (renameat2(homes, m->from, homes, m->to, RENAME_NOREPLACE) < 0 &&
	    errno != ENOENT) {
		err_set(e, errno, "cannot move the home of %s from %s", m->to,
			m->from);
		return err_hint(e, "both are below %s of vmrun's state folder",
				HOMES);
	}
	if (fsync(homes) < 0)
		return err_set(e, errno, "cannot move the home of %s", m->to);
	return 0;
}

int home_settle(const struct homes *h, struct err *e)
{
	own_free struct state_move *list = NULL;
	own_fd homes = -1;
	size_t n;

	if (state_moves(h->state, &list, &n, e) < 0)
		return -1;
	if (!n)
		return 0;
	homes = open_homes(h);
	if (homes < 0 && errno != ENOENT)
		return err_set(e, errno, "homes of aliases");
	for (size_t i = 0; i < n; i++)
		if ((homes >= 0 && move(homes, &list[i], e) < 0) ||
		    state_moved(h->state, list[i].to, e) < 0)
			return -1;
	return 0;
}
