/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Options and configuration files from arbitrary bytes.  The first byte says
 * which: 'c' a file's text; anything else, words that end with a NUL.
 */
#include "fuzz.h"

#include "base/buf.h"
#include "base/err.h"
#include "host/option/config.h"
#include "host/option/optset.h"
#include "host/text.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 64

/* A component that goes up. */
static int has_dots(const char *path)
{
	for (; *path; path += strspn(path, "/")) {
		size_t n = strcspn(path, "/");

		if (n == 2 && !strncmp(path, "..", 2))
			return 1;
		path += n;
	}
	return 0;
}

/* What the rest of vmrun takes for granted. */
static void check(const struct options *o)
{
	for (size_t i = 0; i < o->n_shares; i++) {
		const struct opt_share *s = &o->shares[i];
		struct err e = ERR_INIT;
		char *clean = NULL;

		if (s->kind == OPT_TMP ? *s->src || !*s->dst : !*s->src)
			abort();
		if (!*s->dst)
			continue;
		if (path_clean(s->dst, &clean, &e) || strcmp(clean, s->dst))
			abort();
		free(clean);
	}
	for (char **v = o->env; v && *v; v++) {
		if (!**v || **v == '=')
			abort();
	}
	for (char **v = o->devices; v && *v; v++) {
		if (**v == '/' || has_dots(*v))
			abort();
	}
	if (o->mem && o->mem < 128u << 20)
		abort();
	if ((o->profile && !text_is_name(o->profile)) ||
	    (o->image && !text_is_name(o->image)))
		abort();
}

static void file(const char *text, size_t n)
{
	struct options o;
	struct optset s = {.o = &o, .home = "/home/ann"};
	struct err e = ERR_INIT;
	int ret;

	optset_defaults(&o);
	ret = config_parse("f", text, n, optset_table, &s, &e);
	if (ret && (strncmp(e.msg, "f:", 2) || !e.msg[2]))
		abort();
	if (o.profile || o.dry_run || o.show_help || o.status_fd != -1)
		abort();
	check(&o);
	options_free(&o);
	optset_done(&s);
}

static void words(char *text, size_t n)
{
	static const char *const none[] = {NULL};
	static char name[] = "vmrun";
	char *argv[WORDS_MAX + 2] = {name};
	struct options o;
	struct err e = ERR_INIT;
	int argc = 1;

	for (char *p = text; p < text + n && argc <= WORDS_MAX;
	     p += strlen(p) + 1) {
		/* It would read, and close, the fuzzer's own descriptors. */
		if (!strncmp(p, "--args", 6))
			return;
		argv[argc++] = p;
	}
	if (options_parse(&o, argc, argv, "/home/ann", none, &e)) {
		if (!e.msg[0] || o.shares || o.env || o.argv)
			abort();
		return;
	}
	if (!o.argv || (!o.argv[0] && !o.show_help && !o.show_version))
		abort();
	check(&o);
	options_free(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text;

	if (!n)
		return 0;
	text = malloc(n);
	if (!text)
		return 0;
	memcpy(text, data + 1, n - 1);
	text[n - 1] = '\0';
	if (data[0] == 'c')
		file(text, n - 1);
	else
		words(text, n - 1);
	free(text);
	return 0;
}
