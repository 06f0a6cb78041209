/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nix and Guix stores.  Runs in vmrun, as the person. */
#include "host/plan/store.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "host/text.h"
#include "proc/spawn.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define HASH_LEN 32 /* of an item's name, in either kind of base 32 */

struct store {
	const char *root;      /* with the slash */
	const char *tool;      /* program */
	const char *args[3];   /* before the item */
	const char *places[5]; /* where it is besides $PATH; ~ is the home */
	const char *hint;
};

/* clang-format off */
static const struct store stores[] = {
	{ "/nix/store/", "nix-store", { "--query", "--requisites", NULL },
	  { "~/.nix-profile/bin", "/nix/var/nix/profiles/default/bin",
	    "/run/current-system/sw/bin", "/usr/bin", NULL },
	  "install Nix's tools (nix-bin), or put nix-store into $PATH" },
	{ "/gnu/store/", "guix", { "gc", "--requisites", NULL },
	  { "~/.config/guix/current/bin",
	    "/var/guix/profiles/per-user/root/current-guix/bin",
	    "/run/current-system/profile/bin", "/usr/bin", NULL },
	  "install Guix, or put guix into $PATH" },
};
/* clang-format on */

static const struct store *store_of(const char *path)
{
	for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++)
		if (!strncmp(path, stores[i].root, strlen(stores[i].root)))
			return &stores[i];
	return NULL;
}

/*
 * The length of the item's path at the beginning of `path`, 0 if there is
 * none.  What is beside the items in a store (.links, trash) is no item.
 */
static size_t item_len(const char *path)
{
	static const char hash[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	static const char name[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789+-._?=";
	const struct store *s = store_of(path);
	const char *at;
	size_t n;

	if (!s)
		return 0;
	at = path + strlen(s->root);
	if (strspn(at, hash) != HASH_LEN || at[HASH_LEN] != '-')
		return 0;
	at += HASH_LEN + 1;
	n = strspn(at, name);
	if (!n || n > 211 || (at[n] && at[n] != '/'))
		return 0;
	return (size_t)(at + n - path);
}

bool store_is(const char *path)
{
	size_t n = item_len(path);
	const char *at = path + n;

	if (!n)
		return false;
	/* Not canonical: who knows where that is. */
	while (*at) {
		size_t len = strcspn(++at, "/");

		if (!len || (len == 1 && at[0] == '.') ||
		    (len == 2 && at[0] == '.' && at[1] == '.'))
			return false;
		at += len;
	}
	return true;
}

char *store_item(const char *path)
{
	return store_is(path) ? strndup(path, item_len(path)) : NULL;
}

static int take_line(const char *item, const char *line, size_t n,
		     char ***paths, struct err *e)
{
	const struct store *s = store_of(item);
	char path[PATH_MAX];
	char shown[TEXT_SHOWN];

	snprintf(path, sizeof(path), "%.*s", (int)n, line);
	if (n < sizeof(path) && !memchr(line, 0, n) && store_of(path) == s &&
	    item_len(path) == n)
		return text_add(paths, path, e);
	return err_set(e, 0, "%s gave a line that names no item: %s", s->tool,
		       text_show(shown, sizeof(shown), path));
}

int store_parse(const char *item, const void *text, size_t n, char ***paths,
		struct err *e)
{
	const char *at = text, *end = at + n;
	size_t count = 0;
	bool found = false;
	int r = 0;

	*paths = NULL;
	while (r == 0 && at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((nl ? nl : end) - at);

		if (++count > STORE_ITEMS_MAX)
			r = err_set(e, 0, "the closure has more than %u items",
				    STORE_ITEMS_MAX);
		else
			r = take_line(item, at, len, paths, e);
		if (len == strlen(item) && !memcmp(at, item, len))
			found = true;
		at += len + 1;
	}
	if (r == 0 && !found)
		r = err_set(e, 0, "the closure does not contain the item");
	if (r < 0) {
		strv_free(*paths);
		*paths = NULL;
	}
	return r;
}

/* DIR/TOOL if it can be executed, else NULL.  ~/ is the home. */
static char *tool_in(const char *dir, size_t n, const char *tool)
{
	const char *home = getenv("HOME");
	bool tilde = n > 1 && dir[0] == '~' && dir[1] == '/';
	char *path;
	int r;

	if (tilde && (!home || home[0] != '/'))
		return NULL;
	if (!tilde && (!n || dir[0] != '/'))
		return NULL;
	r = asprintf(&path, "%s%.*s/%s", tilde ? home : "",
		     (int)(tilde ? n - 1 : n), tilde ? dir + 1 : dir, tool);
	if (r < 0)
		return NULL;
	if (access(path, X_OK) == 0)
		return path;
	free(path);
	return NULL;
}

static char *find_tool(const struct store *s)
{
	const char *at = getenv("PATH");
	char *path;

	while (at && *at) {
		size_t n = strcspn(at, ":");

		path = tool_in(at, n, s->tool);
		if (path)
			return path;
		at += n + (at[n] == ':');
	}
	for (size_t i = 0; s->places[i]; i++) {
		path = tool_in(s->places[i], strlen(s->places[i]), s->tool);
		if (path)
			return path;
	}
	return NULL;
}

/* Who we are and which store; nothing else of the person's environment. */
static char **tool_env(struct err *e)
{
	static const char *const keep[] = {"HOME=", "USER=",   "LOGNAME=",
					   "PATH=", "TMPDIR=", "XDG_",
					   "NIX_",  "GUIX_"};
	char **env = NULL;
	int r = text_add(&env, "LC_ALL=C", e);

	for (char **v = environ; v && *v; v++)
		for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++)
			if (r == 0 && !strncmp(*v, keep[i], strlen(keep[i])))
				r = text_add(&env, *v, e);
	if (r == 0)
		return env;
	strv_free(env);
	return NULL;
}

static int ask_tool(const struct store *s, const char *tool, const char *item,
		    struct buf *out, struct err *e)
{
	/* An item's path begins with a slash: no option. */
	char *argv[] = {
		(char *)(uintptr_t)s->tool, (char *)(uintptr_t)s->args[0],
		(char *)(uintptr_t)s->args[1], (char *)(uintptr_t)item, NULL};
	char **env = tool_env(e);
	struct proc_spec spec = {.path = tool, .argv = argv, .envp = env};
	int status;

	if (!env)
		return -1;
	status = proc_capture(&spec, out, e);
	strv_free(env);
	if (status < 0)
		return -1;
	if (status == 0)
		return 0;
	if (WIFEXITED(status))
		err_set(e, 0, "%s ended with status %d", tool,
			WEXITSTATUS(status));
	else
		err_set(e, 0, "%s was killed by signal %d", tool,
			WTERMSIG(status));
	return err_hint(e, "`%s %s %s %s` says why", s->tool, s->args[0],
			s->args[1], item);
}

int store_closure(const char *path, char ***paths, struct err *e)
{
	own_free char *item = store_item(path);
	own_free char *tool = NULL;
	const struct store *s;
	struct buf out;
	int r;

	*paths = NULL;
	if (!item)
		return err_set(e, 0, "%s is not in a store", path);
	s = store_of(item);
	tool = find_tool(s);
	if (!tool) {
		err_set(e, 0, "%s: %s, which knows what it needs, is not here",
			item, s->tool);
		return err_hint(e, "%s", s->hint);
	}
	buf_init(&out, STORE_OUTPUT_MAX);
	r = ask_tool(s, tool, item, &out, e);
	if (r == 0)
		r = store_parse(item, out.data ? (void *)out.data : "", out.len,
				paths, e);
	buf_free(&out);
	return r < 0 ? err_wrap(e, "what %s needs", item) : 0;
}

char *store_bin(const char *path)
{
	own_free char *item = store_item(path);
	struct stat st;
	char *bin;

	if (!item || asprintf(&bin, "%s/bin", item) < 0)
		return NULL;
	if (stat(bin, &st) == 0 && S_ISDIR(st.st_mode))
		return bin;
	free(bin);
	return NULL;
}
