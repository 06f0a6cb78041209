/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which rulesets there are.  The person's own authority; only looks. */
#include "host/net/ruleset.h"

#include "base/err.h"
#include "base/own.h"
#include "host/text.h"

#include <errno.h>
#include <string.h>

#define SUFFIX ".nft"

static int by_name(const void *a, const void *b)
{
	const struct ruleset_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static bool has(const struct ruleset_entry *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].name, name))
			return true;
	return false;
}

/* The name that a file gives to a ruleset, the caller's, or NULL. */
static char *name_of(const char *file)
{
	size_t n = strlen(file), tail = strlen(SUFFIX);
	char *name;

	if (n <= tail || strcmp(file + n - tail, SUFFIX) != 0)
		return NULL;
	name = strndup(file, n - tail);
	if (name && ruleset_is_name(name))
		return name;
	free(name);
	return NULL;
}

static int take(struct ruleset_entry **list, size_t *n, const char *folder,
		const char *file, struct err *e)
{
	own_free char *name = name_of(file);
	struct ruleset_entry *more;

	if (!name || has(*list, *n, name))
		return 0;
	more = reallocarray(*list, *n + 1, sizeof(*more));
	if (!more)
		return err_set(e, ENOMEM, "%s", folder);
	*list = more;
	more += *n;
	more->path = path_join(folder, file, e);
	if (!more->path)
		return -1;
	more->name = steal_ptr(&name);
	++*n;
	return 0;
}

/* A folder that is not there has none. */
static int look(struct ruleset_entry **list, size_t *n, const char *config_dir,
		struct err *e)
{
	own_free char *folder = path_join(config_dir, "net", e);
	own_dir d = folder ? opendir(folder) : NULL;
	const struct dirent *f;

	if (!folder)
		return -1;
	if (!d)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : err_set(e, errno, "%s", folder);
	for (errno = 0; (f = readdir(d)); errno = 0)
		if (take(list, n, folder, f->d_name, e) < 0)
			return -1;
	return errno ? err_set(e, errno, "%s", folder) : 0;
}

int ruleset_list(const char *const *config_dirs, struct ruleset_entry **list,
		 size_t *n, struct err *e)
{
	*list = NULL;
	*n = 0;
	for (; *config_dirs; config_dirs++) {
		if (look(list, n, *config_dirs, e) == 0)
			continue;
		ruleset_list_free(*list, *n);
		*list = NULL;
		*n = 0;
		return -1;
	}
	if (*n)
		qsort(*list, *n, sizeof(**list), by_name);
	return 0;
}

void ruleset_list_free(struct ruleset_entry *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(list[i].name);
		free(list[i].path);
	}
	free(list);
}
