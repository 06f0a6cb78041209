/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * --home: a directory of the state folder is the guest's home.  Part of vmrun;
 * only looks.
 *
 * It is named like the alias, so that the person finds it, and so that a lost
 * database does not lose it.  It may not be there yet: host/home.c makes it,
 * and the places in it where other things are mounted.
 */
#include "host/plan/planint.h"

#include "base/err.h"
#include "base/own.h"
#include "host/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

char *plan_home_path(const struct facts *f, const char *alias, struct err *e)
{
	own_free char *state = realpath(f->state_home, NULL);
	own_free char *homes =
		path_join(state ? state : f->state_home, "homes", e);

	if (!homes || !alias)
		return steal_ptr(&homes);
	return path_join(homes, alias, e);
}

bool plan_is_home(const struct facts *f, const char *path)
{
	struct err unused = ERR_INIT;
	own_free char *homes = plan_home_path(f, NULL, &unused);

	return homes && path_is_below(path, homes);
}

int plan_home(struct plan *p, struct err *e)
{
	own_free char *src = NULL;
	struct plan_share *share;
	struct stat st = {0};
	own_fd fd = -1;

	if (!p->opt->home)
		return 0;
	src = plan_home_path(p->facts, p->opt->alias, e);
	if (!src)
		return -1;
	if (plan_check_dst(p, p->home, e))
		return err_wrap(e, "--home");
	fd = plan_open(src, &st);
	if (fd < 0 && errno != ENOENT)
		return err_set(e, errno, "--home: cannot use %s", src);
	share = plan_add_share(p, src, p->home, steal_fd(&fd), &st, e);
	if (!share)
		return -1;
	share->use = SHARE_PERSON;
	share->rw = share->home = true;
	share->file = false;
	return 0;
}

static int add_place(struct plan *p, const char *path, bool file, struct err *e)
{
	struct plan_place *more =
		reallocarray(p->places, p->n_places + 1, sizeof(*more));

	if (!more)
		return err_set(e, ENOMEM, "no memory for a list");
	p->places = more;
	more[p->n_places].path = text_dup(path, e);
	more[p->n_places].file = file;
	return more[p->n_places].path ? (p->n_places++, 0) : -1;
}

/* What an earlier run of the alias has at this place is not followed. */
static int refuse_place(const struct plan_share *home, const char *path,
			bool file, struct err *e)
{
	char dst[TEXT_SHOWN], src[TEXT_SHOWN], shown[TEXT_SHOWN];

	text_show(shown, sizeof(shown), path);
	err_set(e, 0,
		"cannot put a %s at %s/%s of the guest: the alias has "
		"something else there",
		file ? "file" : "directory",
		text_show(dst, sizeof(dst), home->dst), shown);
	return err_hint(e, "look at it, and move it away: %s/%s",
			text_show(src, sizeof(src), home->src), shown);
}

int plan_home_place(struct plan *p, const struct plan_share *home,
		    const char *path, bool file, struct err *e)
{
	const struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};
	own_fd fd = -1;
	struct stat st;

	if (home->fd < 0)
		return add_place(p, path, file, e);
	fd = (int)syscall(SYS_openat2, home->fd, path, &how, sizeof(how));
	/* EACCES: a run that was killed had it; that is cleaned up first. */
	if (fd < 0 && (errno == ENOENT || errno == EACCES))
		return add_place(p, path, file, e);
	if (fd < 0 || fstat(fd, &st) ||
	    (file ? !S_ISREG(st.st_mode) : !S_ISDIR(st.st_mode)))
		return refuse_place(home, path, file, e);
	return 0;
}
