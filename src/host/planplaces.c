/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Places that are not shared with a guest, whoever asks.  Part of vmrun; only
 * looks.
 *
 * A guest that can write a start-up file, a program on PATH or a key file owns
 * the account without any break-out; one that can read a key nearly so.
 */
#include "host/planint.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "host/text.h"

#include <string.h>

enum { ITSELF = 0, ABOVE = 1, BELOW = 2, ONLY_RW = 4 };

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
	{".config/autostart",
	 {"what your desktop starts by itself", ABOVE | BELOW | ONLY_RW}},
	{".config/systemd",
	 {"what your session starts by itself", ABOVE | BELOW | ONLY_RW}},
	{".bashrc", {"what your shell runs when it starts", BELOW | ONLY_RW}},
	{".bash_profile",
	 {"what your shell runs when it starts", BELOW | ONLY_RW}},
	{".bash_login",
	 {"what your shell runs when it starts", BELOW | ONLY_RW}},
	{".bash_logout",
	 {"what your shell runs when it ends", BELOW | ONLY_RW}},
	{".profile", {"what your shell runs when it starts", BELOW | ONLY_RW}},
	{".zshrc", {"what your shell runs when it starts", BELOW | ONLY_RW}},
	{".zshenv", {"what your shell runs when it starts", BELOW | ONLY_RW}},
	{".zprofile", {"what your shell runs when it starts", BELOW | ONLY_RW}},
	{".config/fish",
	 {"what your shell runs when it starts", BELOW | ONLY_RW}},
	{".xsession", {"what your session starts by itself", BELOW | ONLY_RW}},
	{".xsessionrc",
	 {"what your session starts by itself", BELOW | ONLY_RW}},
	{".xinitrc", {"what your session starts by itself", BELOW | ONLY_RW}},
	{".xprofile", {"what your session starts by itself", BELOW | ONLY_RW}},
	{".gitconfig", {"which programs git runs", BELOW | ONLY_RW}},
	{".vimrc", {"what your editor runs", BELOW | ONLY_RW}},
	{".config", {"the settings of your programs", ABOVE}},
	{".local/share", {"the data of your programs", ABOVE}},
	{".local/state", {"the state of your programs", ABOVE}},
};

static int check_home(const struct facts *f, const char *path,
		      const struct stat *st, bool rw, struct err *e)
{
	static const struct place home = {"your home directory", ABOVE};

	if (!f->home || !strcmp(f->home, "/"))
		return 0;
	if (check(path, st, rw, f->home, &home, e))
		return -1;
	for (size_t i = 0; i < sizeof(home_places) / sizeof(*home_places);
	     i++) {
		own_free char *place =
			path_join(f->home, home_places[i].path, e);

		if (!place ||
		    check(path, st, rw, place, &home_places[i].place, e))
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

	if (!dir || dir[0] != '/')
		return 0;
	return check(path, st, rw, dir, &rule, e);
}

/* For --rw: what the guest writes there, the person would run. */
static int check_search_path(const struct facts *f, const char *path,
			     const struct stat *st, bool rw, struct err *e)
{
	static const struct place rule = {"where your shell finds programs",
					  ABOVE | BELOW | ONLY_RW};
	const char *list = text_getenv(f->environ, "PATH");

	while (rw && list && *list) {
		size_t n = strcspn(list, ":");
		own_free char *dir = text_fmt(e, "%.*s", (int)n, list);
		struct stat at;

		if (!dir)
			return -1;
		if (dir[0] == '/' && !stat(dir, &at) && at.st_uid == f->uid &&
		    check(path, st, rw, dir, &rule, e))
			return -1;
		list += n + (list[n] == ':');
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
	if (check_home(f, path, st, rw, e))
		return -1;
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
		if (check_own(own[i].dir, own[i].what, path, st, rw, e))
			return -1;
	}
	if (check_runtime(f, path, st, rw, e))
		return -1;
	return check_search_path(f, path, st, rw, e);
}
