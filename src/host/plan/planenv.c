/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The application's environment and its working directory.  Part of vmrun;
 * pure but for one look at the shell.
 *
 * The guest gets a clean environment: variables of the host name sockets,
 * sessions and keys that are not there and not its business.
 */
#include "host/plan/planint.h"

#include "base/err.h"
#include "base/own.h"
#include "host/text.h"

#include <string.h>

static const char default_path[] =
	"/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games:"
	"/usr/local/sbin:/usr/sbin:/sbin";

/* What is passed on without being asked for: language, time, colours. */
static bool is_passed_on(const char *row)
{
	static const char *const names[] = {
		"LANG", "LANGUAGE", "TERM", "COLORTERM", "TZ", "NO_COLOR"};
	size_t n = strcspn(row, "=");

	if (!strncmp(row, "LC_", 3) && row[n])
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strlen(names[i]) == n && !strncmp(row, names[i], n) &&
		    row[n])
			return true;
	}
	return false;
}

/* A NAME=value row as text_setenv() wants it. */
static int set_row(char ***env, const char *row, struct err *e)
{
	size_t n = strcspn(row, "=");
	own_free char *name = text_fmt(e, "%.*s", (int)n, row);

	return name ? text_setenv(env, name, row + n + 1, e) : -1;
}

/* dir in front of the list that the variable holds, or alone. */
static int put_in_front(char ***env, const char *name, const char *dir,
			struct err *e)
{
	const char *old = text_getenv(*env, name);
	own_free char *list =
		old && *old ? text_fmt(e, "%s:%s", dir, old) : text_dup(dir, e);

	return list ? text_setenv(env, name, list, e) : -1;
}

static int add_basics(struct plan *p, struct err *e)
{
	const struct facts *f = p->facts;

	for (char **row = f->environ; row && *row; row++) {
		if (is_passed_on(*row) && set_row(&p->env, *row, e))
			return -1;
	}
	if (text_setenv(&p->env, "HOME", p->home, e) ||
	    text_setenv(&p->env, "USER", f->user, e) ||
	    text_setenv(&p->env, "LOGNAME", f->user, e) ||
	    text_setenv(&p->env, "SHELL", p->shell, e) ||
	    text_setenv(&p->env, "PATH", default_path, e))
		return -1;
	return text_setenv(&p->env, "container", "vmrun", e);
}

static int add_asked(struct plan *p, struct err *e)
{
	for (char **row = p->opt->env; row && *row; row++) {
		const char *value;

		if (strchr(*row, '=')) {
			if (set_row(&p->env, *row, e))
				return -1;
			continue;
		}
		value = text_getenv(p->facts->environ, *row);
		if (value && text_setenv(&p->env, *row, value, e))
			return -1;
	}
	return 0;
}

/*
 * The person's shell if the guest has it at that place.  A --root is another
 * system: there is /bin/sh, or nothing that could be known from here.
 */
static char *guest_shell(const struct plan *p, struct err *e)
{
	const char *shell = p->facts->shell;

	if (!p->opt->root && shell &&
	    (path_is_below(shell, "/usr") || path_is_below(shell, "/bin")) &&
	    !access(shell, X_OK))
		return text_dup(shell, e);
	return text_dup("/bin/sh", e);
}

int plan_env(struct plan *p, char *const *store_bins, struct err *e)
{
	p->shell = guest_shell(p, e);
	if (!p->shell || add_basics(p, e))
		return -1;
	/* Last: the host's path of a forwarded socket is of no use there. */
	if (add_asked(p, e) || plan_sockets_env(p, e))
		return -1;
	for (; store_bins && *store_bins; store_bins++) {
		if (put_in_front(&p->env, "PATH", *store_bins, e))
			return -1;
	}
	for (char **row = p->opt->path_add; row && *row; row++) {
		size_t n = strcspn(*row, "=");
		own_free char *name = text_fmt(e, "%.*s", (int)n, *row);

		if (!name || put_in_front(&p->env, name, *row + n + 1, e))
			return -1;
	}
	return 0;
}

/* A directory that the guest makes on the way to something that was shared. */
static bool is_made(const struct plan *p, const char *dir)
{
	for (size_t i = 0; i < p->n_shares; i++)
		if (!p->shares[i].system &&
		    path_is_at_or_below(p->shares[i].dst, dir))
			return true;
	return false;
}

/*
 * In the home directory the command may write to what was made, and nothing
 * keeps it: unless something is shared at that place, or around it.
 */
static bool is_forgotten(const struct plan *p, const char *dir)
{
	for (size_t i = 0; i < p->n_shares; i++)
		if (!p->shares[i].system &&
		    path_is_at_or_below(dir, p->shares[i].dst))
			return false;
	return path_is_below(dir, p->home);
}

/* Where the person stands now, if the guest has that directory. */
int plan_cwd(struct plan *p, struct err *e)
{
	const char *cwd = p->facts->cwd;
	const struct plan_share *best = NULL;
	own_free char *there = NULL;

	if (p->opt->cwd) {
		p->cwd = text_dup(p->opt->cwd, e);
		return p->cwd ? 0 : -1;
	}
	for (size_t i = 0; cwd && i < p->n_shares; i++) {
		const struct plan_share *s = &p->shares[i];

		if (s->file || !strcmp(s->dst, "/") ||
		    !path_is_at_or_below(cwd, s->src))
			continue;
		if (!best || strlen(s->src) > strlen(best->src))
			best = s;
	}
	if (cwd) {
		there = plan_default_dst(p->facts, cwd, e);
		if (!there)
			return -1;
	}
	if (best) {
		p->cwd = path_join(best->dst, cwd + strlen(best->src), e);
	} else if (there && is_made(p, there)) {
		/* Relative names of what is shared below it are right there. */
		p->cwd = text_dup(there, e);
		p->cwd_forgotten = is_forgotten(p, there);
	} else {
		p->cwd = text_dup(p->home, e);
	}
	return p->cwd ? 0 : -1;
}
