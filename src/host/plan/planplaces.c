/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Places that are not shared with a guest, whoever asks.  Part of vmrun; only
 * looks.
 *
 * A guest that can write a start-up file, a program on PATH or a key file owns
 * the account without any break-out; one that can read a key nearly so.
 */
#include "host/plan/planint.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "host/text.h"

#include <limits.h>
#include <string.h>

enum {
	ITSELF = 0,
	ABOVE = 1,
	BELOW = 2,
	ONLY_RW = 4,
	/* ABOVE: it may be a link into a directory that somebody shares. */
	STARTS = ABOVE | BELOW | ONLY_RW,
};

struct place {
	const char *what; /* for the message */
	unsigned rules;	  /* beside the place itself: what else is refused */
};

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Is st the directory `path` or one of the directories above it? */
static bool is_above(const struct stat *st, char *path, bool *itself)
{
	struct stat at;
	size_t n = strlen(path);

	*itself = !stat(path, &at) && same(st, &at);
	if (*itself)
		return true;
	while (n > 1) {
		char was;
		bool hit;

		while (path[n - 1] != '/')
			n--;
		n--;
		was = path[n];
		path[n] = '\0';
		hit = !stat(n ? path : "/", &at) && same(st, &at);
		path[n] = was;
		if (hit)
			return true;
	}
	return false;
}

static int refuse(const char *path, const char *how, const char *place,
		  const char *what, struct err *e)
{
	char a[TEXT_SHOWN], b[TEXT_SHOWN];

	text_show(a, sizeof(a), path);
	text_show(b, sizeof(b), place);
	if (!how)
		err_set(e, 0, "cannot share %s: it is %s", a, what);
	else
		err_set(e, 0, "cannot share %s: %s %s, %s", a, how, b, what);
	return err_hint(e, "share a directory that holds only what the "
			   "command needs");
}

/* One place against the source; `path` of both is canonical. */
static int check(const char *path, const struct stat *st, bool rw,
		 const char *place, const struct place *rule, struct err *e)
{
	own_free char *real = realpath(place, NULL);
	own_free char *text = text_dup(real ? real : place, e);
	own_free char *src = text_dup(path, e);
	struct stat at;
	bool itself;

	if (!text || !src)
		return -1;
	if (rule->rules & ONLY_RW && !rw)
		return 0;
	if (!strcmp(path, text))
		return refuse(path, NULL, text, rule->what, e);
	if (is_above(st, text, &itself) || path_is_below(text, path)) {
		if (itself)
			return refuse(path, NULL, text, rule->what, e);
		if (rule->rules & ABOVE)
			return refuse(path, "inside it is", text, rule->what,
				      e);
	}
	if (!(rule->rules & BELOW))
		return 0;
	if (path_is_below(path, text) ||
	    (!stat(text, &at) && is_above(&at, src, &itself)))
		return refuse(path, "it is inside", text, rule->what, e);
	return 0;
}

static const struct {
	const char *path;
	struct place place;
} system_places[] = {
	{"/", {"the whole file system", ITSELF}},
	{"/proc", {"the kernel's view of all processes", BELOW}},
	{"/sys", {"the kernel's view of the hardware", BELOW}},
	{"/dev", {"this machine's devices", BELOW}},
	{"/tmp",
	 {"where every program keeps its sockets and scratch files", ITSELF}},
	{"/var/tmp", {"where every program keeps its scratch files", ITSELF}},
	{"/run", {"where the services keep their sockets", ITSELF}},
};

static const struct {
	const char *path; /* below the home directory */
	struct place place;
} home_places[] = {
	{".ssh", {"your SSH keys", ABOVE | BELOW}},
	{".gnupg", {"your GnuPG keys", ABOVE | BELOW}},
	{".config/autostart", {"what your desktop starts by itself", STARTS}},
	{".config/systemd", {"what your session starts by itself", STARTS}},
	{".config/environment.d",
	 {"what your session starts by itself", STARTS}},
	{".bashrc", {"what your shell runs when it starts", STARTS}},
	{".bash_profile", {"what your shell runs when it starts", STARTS}},
	{".bash_aliases", {"what your shell runs when it starts", STARTS}},
	{".bash_login", {"what your shell runs when it starts", STARTS}},
	{".bash_logout", {"what your shell runs when it ends", STARTS}},
	{".profile", {"what your shell runs when it starts", STARTS}},
	{".zshrc", {"what your shell runs when it starts", STARTS}},
	{".zshenv", {"what your shell runs when it starts", STARTS}},
	{".zprofile", {"what your shell runs when it starts", STARTS}},
	{".zlogin", {"what your shell runs when it starts", STARTS}},
	{".zlogout", {"what your shell runs when it ends", STARTS}},
	{".inputrc", {"what your shell runs for a key", STARTS}},
	{".config/fish", {"what your shell runs when it starts", STARTS}},
	{".xsession", {"what your session starts by itself", STARTS}},
	{".xsessionrc", {"what your session starts by itself", STARTS}},
	{".xinitrc", {"what your session starts by itself", STARTS}},
	{".xprofile", {"what your session starts by itself", STARTS}},
	{".gitconfig", {"which programs git runs", STARTS}},
	{".config/git", {"which programs git runs", STARTS}},
	{".vimrc", {"what your editor runs", STARTS}},
	{".vim", {"what your editor runs", STARTS}},
	{".config/nvim", {"what your editor runs", STARTS}},
	{".emacs", {"what your editor runs", STARTS}},
	{".emacs.d", {"what your editor runs", STARTS}},
	{".config/emacs", {"what your editor runs", STARTS}},
	{".config", {"the settings of your programs", ABOVE}},
	{".local/share", {"the data of your programs", ABOVE}},
	{".local/share/systemd",
	 {"what your session starts by itself", STARTS}},
	{".local/share/dbus-1", {"what your session starts by itself", STARTS}},
	{".local/state", {"the state of your programs", ABOVE}},
};

/* The same place where XDG_CONFIG_HOME and XDG_DATA_HOME say. */
static int check_moved(const struct facts *f, size_t row, const char *path,
		       const struct stat *st, bool rw, struct err *e)
{
	static const char *const moved[][2] = {
		{".config/", "XDG_CONFIG_HOME"},
		{".local/share/", "XDG_DATA_HOME"},
	};

	for (size_t i = 0; i < sizeof(moved) / sizeof(*moved); i++) {
		const char *dir = text_getenv(f->environ, moved[i][1]);
		const char *rest = home_places[row].path;
		size_t n = strlen(moved[i][0]);
		own_free char *place = NULL;

		if (!dir || dir[0] != '/' || strncmp(rest, moved[i][0], n) != 0)
			continue;
		place = path_join(dir, rest + n, e);
		if (!place ||
		    check(path, st, rw, place, &home_places[row].place, e))
			return -1;
	}
	return 0;
}

static int check_home(const struct facts *f, const char *dir, const char *path,
		      const struct stat *st, bool rw, struct err *e)
{
	static const struct place home = {"your home directory", ABOVE};

	if (!dir || !dir[strspn(dir, "/")])
		return 0;
	if (check(path, st, rw, dir, &home, e))
		return -1;
	for (size_t i = 0; i < sizeof(home_places) / sizeof(*home_places);
	     i++) {
		own_free char *place = path_join(dir, home_places[i].path, e);

		if (!place ||
		    check(path, st, rw, place, &home_places[i].place, e) ||
		    check_moved(f, i, path, st, rw, e))
			return -1;
	}
	return 0;
}

/* A folder of ours, and the XDG folder that it is in. */
static int check_own(const char *own, const char *what, const char *path,
		     const struct stat *st, bool rw, struct err *e)
{
	const struct place ours = {what, ABOVE | BELOW};
	static const struct place xdg = {"where your programs keep what they "
					 "rely on",
					 ABOVE};
	own_free char *parent = NULL;
	char *slash;

	if (!own)
		return 0;
	if (check(path, st, rw, own, &ours, e))
		return -1;
	parent = text_dup(own, e);
	if (!parent)
		return -1;
	slash = strrchr(parent, '/');
	if (!slash || slash == parent)
		return 0;
	*slash = '\0';
	return check(path, st, rw, parent, &xdg, e);
}

static int check_runtime(const struct facts *f, const char *path,
			 const struct stat *st, bool rw, struct err *e)
{
	static const struct place rule = {
		"where your session keeps its sockets", ABOVE | BELOW};
	const char *dir = text_getenv(f->environ, "XDG_RUNTIME_DIR");
	char usual[64];

	if (dir && dir[0] == '/' && check(path, st, rw, dir, &rule, e))
		return -1;
	/* Also for who comes by su or cron, without the variable. */
	snprintf(usual, sizeof(usual), "/run/user/%u", (unsigned)f->uid);
	return check(path, st, rw, usual, &rule, e);
}

/* For --rw: what the guest writes there, the person would run. */
static int check_programs(const struct facts *f, const char *dir,
			  const char *path, const struct stat *st,
			  struct err *e)
{
	static const struct place rule = {"where your shell finds programs",
					  ABOVE | BELOW | ONLY_RW};
	struct stat at;

	if (dir[0] != '/' || stat(dir, &at) || at.st_uid != f->uid ||
	    !check(path, st, true, dir, &rule, e))
		return 0;
	return err_hint(e, "take that directory off PATH first "
			   "(`deactivate` an environment), and "
			   "name its programs by their path in "
			   "the guest; or share it with --ro");
}

static int check_search_path(const struct facts *f, const char *path,
			     const struct stat *st, struct err *e)
{
	/* A login shell has these on PATH, a timer's vmrun has not. */
	static const char *const usual[] = {"bin", ".local/bin"};
	const char *list = text_getenv(f->environ, "PATH");
	const char *home = f->login_home ? f->login_home : f->home;

	while (list && *list) {
		size_t n = strcspn(list, ":");
		own_free char *dir = text_fmt(e, "%.*s", (int)n, list);

		if (!dir || check_programs(f, dir, path, st, e))
			return -1;
		list += n + (list[n] == ':');
	}
	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++) {
		own_free char *dir = path_join(home, usual[i], e);

		if (!dir || check_programs(f, dir, path, st, e))
			return -1;
	}
	return 0;
}

int places_check(const struct facts *f, const char *path, const struct stat *st,
		 bool rw, struct err *e)
{
	const struct {
		const char *dir, *what;
	} own[] = {
		{f->config_home, "vmrun's own settings"},
		{f->data_home, "vmrun's own data"},
		{f->state_home, "vmrun's own state"},
		{f->runtime, "vmrun's own sockets"},
	};

	for (size_t i = 0; i < sizeof(system_places) / sizeof(*system_places);
	     i++) {
		if (check(path, st, rw, system_places[i].path,
			  &system_places[i].place, e))
			return -1;
	}
	if (check_home(f, f->home, path, st, rw, e))
		return -1;
	/* What starts by itself is there, whatever HOME says. */
	if (check_home(f, f->login_home, path, st, rw, e))
		return -1;
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
		if (check_own(own[i].dir, own[i].what, path, st, rw, e))
			return -1;
	}
	if (check_runtime(f, path, st, rw, e))
		return -1;
	return rw ? check_search_path(f, path, st, e) : 0;
}

/* A path while its links are followed: what is behind, and what is ahead. */
struct way {
	char done[PATH_MAX], rest[2 * PATH_MAX];
	unsigned links;
};

/*
 * Who can have made a link in the directory `dir`?  root, or the person in the
 * home directory, which no guest ever gets.  Elsewhere it may have been a
 * guest that had the directory, or anybody in one like /tmp.
 */
static bool is_trusted_link(const struct facts *f, const char *dir,
			    const char *link)
{
	struct stat at, home;

	if (f->home && path_is_at_or_below(f->home, link))
		return true; /* on the way to the home directory */
	if (stat(dir, &at) < 0)
		return false;
	if (at.st_uid == 0 && !(at.st_mode & (S_IWGRP | S_IWOTH)))
		return true;
	return f->home && !stat(f->home, &home) && same(&at, &home);
}

/* w->done is a link; its directory is the first `dir_len` bytes. */
static int follow(const struct facts *f, struct way *w, size_t dir_len,
		  struct err *e)
{
	char dir[PATH_MAX] = "/", target[PATH_MAX], shown[TEXT_SHOWN];
	size_t left = strlen(w->rest) + 1;
	ssize_t n;

	text_show(shown, sizeof(shown), w->done);
	if (dir_len)
		snprintf(dir, sizeof(dir), "%.*s", (int)dir_len, w->done);
	if (!is_trusted_link(f, dir, w->done)) {
		err_set(e, 0, "%s, on the way to it, is a symbolic link",
			shown);
		return err_hint(e, "a guest may have made it; if it leads "
				   "where you want, name that place instead");
	}
	n = readlink(w->done, target, sizeof(target));
	if (n <= 0 || ++w->links > 40 || (size_t)n + 1 + left > sizeof(w->rest))
		return err_set(e, n < 0 ? errno : ELOOP, "%s", shown);
	memmove(w->rest + n + 1, w->rest, left);
	memcpy(w->rest, target, (size_t)n);
	w->rest[n] = '/';
	w->done[target[0] == '/' ? 0 : dir_len] = '\0';
	return 0;
}

/* The next name of w->rest goes to w->done. */
static int step(const struct facts *f, struct way *w, struct err *e)
{
	size_t n = strcspn(w->rest, "/"), had = strlen(w->done);
	char name[NAME_MAX + 1];
	char shown[TEXT_SHOWN];
	struct stat st;

	if (n > NAME_MAX || had + n + 2 > sizeof(w->done))
		return err_set(e, ENAMETOOLONG, "%s",
			       text_show(shown, sizeof(shown), w->rest));
	snprintf(name, sizeof(name), "%.*s", (int)n, w->rest);
	n += w->rest[n] == '/';
	memmove(w->rest, w->rest + n, strlen(w->rest + n) + 1);
	if (!strcmp(name, "..") && had)
		*strrchr(w->done, '/') = '\0';
	if (!name[0] || !strcmp(name, ".") || !strcmp(name, ".."))
		return 0;
	snprintf(w->done + had, sizeof(w->done) - had, "/%s", name);
	if (lstat(w->done, &st) < 0)
		return err_set(e, errno, "%s",
			       text_show(shown, sizeof(shown), w->done));
	return S_ISLNK(st.st_mode) ? follow(f, w, had, e) : 0;
}

char *places_resolve(const struct facts *f, const char *path, struct err *e)
{
	struct way w = {.done = ""};

	if (strlen(path) >= sizeof(w.rest)) {
		err_set(e, ENAMETOOLONG, "the path");
		return NULL;
	}
	memcpy(w.rest, path, strlen(path) + 1);
	while (w.rest[0])
		if (step(f, &w, e) < 0)
			return NULL;
	return text_dup(w.done[0] ? w.done : "/", e);
}
