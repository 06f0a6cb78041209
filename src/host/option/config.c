/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Configuration files.  Part of vmrun; the only user of libinih. */
#include "host/option/config.h"

#include "base/err.h"
#include "base/io.h"
#include "base/opt.h"
#include "base/own.h"
#include "host/text.h"

#include <fcntl.h>
#include <ini.h>
#include <string.h>
#include <sys/stat.h>

#define CONFIG_OPTIONS_MAX 64

/*
 * Debian's libinih lets a program choose at run time; upstream's does not have
 * these, and then lines end at 200 bytes.  Longer ones are refused either way.
 */
/* NOLINTBEGIN(readability-redundant-declaration): in Debian's header */
extern bool ini_use_stack __attribute__((weak));
extern bool ini_allow_multiline __attribute__((weak));
extern bool ini_allow_inline_comments __attribute__((weak));
extern bool ini_stop_on_first_error __attribute__((weak));
extern int ini_max_line __attribute__((weak));
extern int ini_initial_alloc __attribute__((weak));
/* NOLINTEND(readability-redundant-declaration) */

struct config {
	const char *name;
	const struct opt *table;
	void *ctx;
	struct err *e;
	const char *p, *end; /* what the reader has not handed out yet */
	int line;	     /* number of the line handed out last */
	bool failed;	     /* e is set */
	int seen[CONFIG_OPTIONS_MAX]; /* line of each row, 0: not yet */
};

/* Sets e once; "FILE:LINE: " goes in front of what it holds. */
static int fail_at(struct config *c)
{
	if (!c->failed)
		err_wrap(c->e, "%s:%d", c->name, c->line);
	c->failed = true;
	return -1;
}

/*
 * Hands libinih the next line.  Leading blanks go, because libinih would take
 * an indented line for a continuation.
 */
static char *next_line(char *to, int room, void *arg)
{
	struct config *c = arg;
	const char *nl;
	size_t n;

	if (c->failed || c->p >= c->end)
		return NULL;
	c->line++;
	nl = memchr(c->p, '\n', (size_t)(c->end - c->p));
	n = (size_t)((nl ? nl : c->end) - c->p);
	for (; n && (*c->p == ' ' || *c->p == '\t'); n--)
		c->p++;
	if (n + 3 > (size_t)room || n > CONFIG_LINE_MAX) {
		err_set(c->e, 0, "the line is longer than %d bytes", room - 3);
		fail_at(c);
		return NULL;
	}
	if (n && *c->p == '[') {
		err_set(c->e, 0, "there are no [sections] in this file");
		fail_at(c);
		return NULL;
	}
	memcpy(to, c->p, n);
	memcpy(to + n, "\n", 2);
	c->p = nl ? nl + 1 : c->end;
	return to;
}

static int unknown_key(struct config *c, const char *key)
{
	const char *near = opt_suggest(c->table, key);
	char shown[TEXT_SHOWN];

	err_set(c->e, 0, "unknown option \"%s\"",
		text_show(shown, sizeof(shown), key));
	if (near)
		err_hint(c->e, "did you mean %s?", near);
	else if (!strncmp(key, "--", 2))
		err_hint(c->e, "write it without the dashes");
	return fail_at(c);
}

static int set_key(struct config *c, const struct opt *o, const char *value)
{
	int *seen = &c->seen[o - c->table];

	if (o->place == OPT_COMMAND_LINE) {
		err_set(c->e, 0, "\"%s\" is for the command line only",
			o->name);
		return fail_at(c);
	}
	if (o->times == OPT_ONCE && *seen) {
		err_set(c->e, 0, "\"%s\" was set on line %d already", o->name,
			*seen);
		return fail_at(c);
	}
	*seen = c->line;
	if (!o->arg && strcmp(value, "true") && strcmp(value, "false")) {
		err_set(c->e, 0, "\"%s\" is either true or false", o->name);
		return fail_at(c);
	}
	if (o->set(c->ctx, o, value, c->e)) {
		err_wrap(c->e, "%s", o->name);
		return fail_at(c);
	}
	return 0;
}

static int on_line(void *arg, const char *section, const char *key,
		   const char *value)
{
	struct config *c = arg;
	const struct opt *o;

	(void)section;
	if (c->failed)
		return 0;
	o = opt_find(c->table, key);
	return (o ? set_key(c, o, value) : unknown_key(c, key)) == 0;
}

static void choose_behaviour(void)
{
	if (&ini_use_stack)
		ini_use_stack = false;
	if (&ini_allow_multiline)
		ini_allow_multiline = false;
	if (&ini_allow_inline_comments)
		ini_allow_inline_comments = false;
	if (&ini_stop_on_first_error)
		ini_stop_on_first_error = true;
	if (&ini_max_line)
		ini_max_line = CONFIG_LINE_MAX + 3;
	if (&ini_initial_alloc)
		ini_initial_alloc = CONFIG_LINE_MAX + 3;
}

int config_parse(const char *name, const char *text, size_t n,
		 const struct opt *table, void *ctx, struct err *e)
{
	struct config c = {.name = name,
			   .table = table,
			   .ctx = ctx,
			   .e = e,
			   .p = text,
			   .end = text + n};
	int ret;

	if (memchr(text, '\0', n))
		return err_set(e, 0, "%s: this is not a text file", name);
	choose_behaviour();
	ret = ini_parse_stream(next_line, &c, on_line, &c);
	if (c.failed)
		return -1;
	if (ret > 0) {
		c.line = ret;
		err_set(e, 0, "this is not \"option = value\"");
		return fail_at(&c);
	}
	return ret ? err_set(e, ENOMEM, "%s", name) : 0;
}

int config_load(const char *path, const struct opt *table, void *ctx,
		struct err *e)
{
	own_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	own_free char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return io_find(path, e) < 0 ? -1 : 0;
	if (fd < 0)
		return errno == ENOTDIR
			       ? 0
			       : err_set(e, errno, "cannot read %s", path);
	if (fstat(fd, &st))
		return err_set(e, errno, "cannot read %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, 0, "cannot read %s: it is not a file", path);
	/* Who can write here decides what is shared with a guest. */
	if (st.st_mode & S_IWOTH) {
		err_set(e, 0, "%s: everybody can change this file", path);
		return err_hint(e, "chmod o-w %s", path);
	}
	text = malloc(CONFIG_MAX + 1);
	n = text ? io_read_full(fd, text, CONFIG_MAX + 1) : -1;
	if (n < 0)
		return err_set(e, errno, "cannot read %s", path);
	if ((size_t)n > CONFIG_MAX)
		return err_set(e, 0, "%s: the file is larger than %u bytes",
			       path, CONFIG_MAX);
	return config_parse(path, text, (size_t)n, table, ctx, e) ? -1 : 1;
}
