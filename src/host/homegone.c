/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Deleting homes of aliases.  The person's own authority.
 *
 * A tree may be deeper than descriptors reach, and it may take long: so a
 * directory is renamed to `.gone.N`, what is in it is unlinked, its directories
 * become such `.gone.N` themselves, and then it is empty.  Whoever is killed
 * meanwhile leaves what the next one goes on with.  Nothing that is mounted
 * there is entered: the kernel renames no such directory.
 */
#include "host/home.h"

#include "base/err.h"
#include "base/own.h"
#include "host/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GONE ".gone."

struct gone {
	int homes;
	const char *alias; /* to_gone()'s */
	unsigned next;
};

static bool is_gone(const char *name)
{
	return !strncmp(name, GONE, sizeof(GONE) - 1);
}

static int open_dir(int dir, const char *name)
{
	return openat(dir, name,
		      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Becomes the next `.gone.N`.  -1 with errno. */
static int to_gone(struct gone *g, int dir, const char *name)
{
	char to[32];
	int r;

	do {
		snprintf(to, sizeof(to), GONE "%u", g->next++);
		r = renameat2(dir, name, g->homes, to, RENAME_NOREPLACE);
	} while (r < 0 && errno == EEXIST);
	return r;
}

/* A directory without our own rights gets them: it is about to go. */
static int open_gone(const struct gone *g, const char *name)
{
	int fd = open_dir(g->homes, name);

	if (fd >= 0 || errno != EACCES || fchmodat(g->homes, name, 0700, 0) < 0)
		return fd;
	return open_dir(g->homes, name);
}

/* Everything in one directory goes. */
static int clear(struct gone *g, int fd, struct err *e)
{
	own_dir d = fdopendir(fd);
	struct dirent *de;
	char shown[TEXT_SHOWN];

	if (!d) {
		close(fd);
		return err_set(e, errno, "deleting a home");
	}
	/* It has to be ours to write to, and so has what is moved. */
	fchmod(fd, 0700);
	while ((de = readdir(d))) {
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, "..") ||
		    unlinkat(fd, de->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno == EISDIR &&
		    (to_gone(g, fd, de->d_name) == 0 || errno == ENOENT))
			continue;
		if (errno == EACCES && fchmodat(fd, de->d_name, 0700, 0) == 0 &&
		    to_gone(g, fd, de->d_name) == 0)
			continue;
		return err_set(e, errno, "deleting a home: %s",
			       text_show(shown, sizeof(shown), de->d_name));
	}
	return 0;
}

static int clear_one(struct gone *g, const char *name, struct err *e)
{
	int fd = open_gone(g, name);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_set(e, errno, "deleting a home");
	if (clear(g, fd, e) < 0)
		return -1;
	/* What readdir() missed is found by the next turn. */
	if (unlinkat(g->homes, name, AT_REMOVEDIR) < 0 && errno != ENOENT &&
	    errno != ENOTEMPTY)
		return err_set(e, errno, "deleting a home");
	return 0;
}

/* All of them, until there is none; *n: how many the first turn met. */
static int clear_all(struct gone *g, bool dry, size_t *n, struct err *e)
{
	for (bool first = true;; first = false) {
		own_dir d = fdopendir(open_dir(g->homes, "."));
		struct dirent *de;
		size_t met = 0;

		if (!d)
			return err_set(e, errno, "deleting homes");
		while ((de = readdir(d))) {
			if (!is_gone(de->d_name))
				continue;
			met++;
			if (!dry && clear_one(g, de->d_name, e) < 0)
				return -1;
		}
		*n += first ? met : 0;
		if (!met || dry)
			return 0;
	}
}

static int forget_name(void *arg, struct err *e)
{
	struct gone *g = arg;

	if (to_gone(g, g->homes, g->alias) == 0)
		return 0;
	return err_set(e, errno, "deleting the home of %s", g->alias);
}

int home_delete(const struct homes *h, const char *alias, struct err *e)
{
	own_fd homes = open_dir(h->state_dir, "homes");
	struct gone g = {.homes = homes, .alias = alias};
	struct stat st;
	size_t n = 0;
	int r;

	if (homes < 0 || fstatat(homes, alias, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0
				       : err_set(e, errno, "deleting a home");
	r = state_without_alias(h->state, alias, forget_name, &g, e);
	if (r > 0)
		return err_set(e, 0, "there is an alias %s", alias);
	if (r < 0)
		return -1;
	return clear_all(&g, false, &n, e) < 0 ? -1 : 1;
}

static int forget_empty(void *arg, struct err *e)
{
	const struct gone *g = arg;

	(void)e;
	return unlinkat(g->homes, g->alias, AT_REMOVEDIR) < 0 ? 2 : 0;
}

static bool is_empty(int homes, const char *name)
{
	int fd = open_dir(homes, name);
	own_dir d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;
	int n = 0;

	while (d && (de = readdir(d)))
		n++;
	return d && n == 2;
}

static int nothing(void *arg, struct err *e)
{
	(void)arg;
	(void)e;
	return 0;
}

/* Homes that a start made which claimed nothing. */
static int sweep_empty(const struct homes *h, struct gone *g, bool dry,
		       size_t *n, struct err *e)
{
	own_dir d = fdopendir(open_dir(g->homes, "."));
	struct dirent *de;

	if (!d)
		return err_set(e, errno, "homes of aliases");
	while ((de = readdir(d))) {
		int r;

		if (!text_is_name(de->d_name) ||
		    !is_empty(g->homes, de->d_name))
			continue;
		g->alias = de->d_name;
		r = state_without_alias(h->state, de->d_name,
					dry ? nothing : forget_empty, g, e);
		if (r < 0)
			return -1;
		*n += r == 0;
	}
	return 0;
}

int home_sweep(const struct homes *h, bool dry, size_t *n, struct err *e)
{
	own_fd homes = open_dir(h->state_dir, "homes");
	struct gone g = {.homes = homes};

	*n = 0;
	if (homes < 0)
		return errno == ENOENT ? 0 : err_set(e, errno, "homes");
	if (clear_all(&g, dry, n, e) < 0)
		return -1;
	return sweep_empty(h, &g, dry, n, e);
}
