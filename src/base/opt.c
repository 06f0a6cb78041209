/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Command line options from a table.  Used by vmrun; no authority. */
#include "base/opt.h"

#include "base/err.h"

#include <stdbool.h>
#include <string.h>

#define OPT_WORD_MAX 64 /* longer names are not compared for likeness */
#define OPT_HELP_COLUMN 29

static bool is_end(const struct opt *o)
{
	return !o->name && !o->help;
}

static bool is_named(const struct opt *o, const char *name, size_t n)
{
	const char *names[] = {o->name, o->alias};

	for (size_t i = 0; i < 2; i++) {
		if (names[i] && strlen(names[i]) == n &&
		    !memcmp(names[i], name, n))
			return true;
	}
	return false;
}

static const struct opt *find_name(const struct opt *table, const char *name,
				   size_t n)
{
	for (const struct opt *o = table; !is_end(o); o++) {
		if (is_named(o, name, n))
			return o;
	}
	return NULL;
}

static const struct opt *find_letter(const struct opt *table, char letter)
{
	for (const struct opt *o = table; !is_end(o); o++) {
		if (o->name && o->letter == letter && letter)
			return o;
	}
	return NULL;
}

const struct opt *opt_find(const struct opt *table, const char *name)
{
	return find_name(table, name, strlen(name));
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Edits (insert, drop, replace, swap neighbours) that turn a into b. */
static unsigned distance(const char *a, const char *b)
{
	unsigned d[3][OPT_WORD_MAX + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > OPT_WORD_MAX || lb > OPT_WORD_MAX)
		return OPT_WORD_MAX;
	for (size_t j = 0; j <= lb; j++)
		d[0][j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned *now = d[i % 3], *up = d[(i + 2) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned differs = a[i - 1] != b[j - 1];

			now[j] = least(up[j - 1] + differs,
				       least(up[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				now[j] = least(now[j],
					       d[(i + 1) % 3][j - 2] + 1);
		}
	}
	return d[la % 3][lb];
}

const char *opt_suggest(const struct opt *table, const char *word)
{
	size_t n = strlen(word), starts = 0;
	const char *best = NULL, *longer = NULL;
	unsigned best_d = OPT_WORD_MAX;

	for (const struct opt *o = table; !is_end(o); o++) {
		const char *names[] = {o->name, o->alias};

		for (size_t i = 0; i < 2 && names[0]; i++) {
			unsigned d;

			if (!names[i])
				continue;
			if (n && !strncmp(names[i], word, n)) {
				longer = names[i];
				starts++;
			}
			d = distance(word, names[i]);
			if (d < best_d) {
				best_d = d;
				best = names[i];
			}
		}
	}
	if (best_d == 1)
		return best;
	if (starts == 1)
		return longer;
	/* Two edits turn any short word into any other. */
	return best_d == 2 && n >= 5 ? best : NULL;
}

static int unknown(const struct opt *table, const char *name, size_t n,
		   struct err *e)
{
	char word[OPT_WORD_MAX + 1];
	const char *near;

	err_set(e, 0, "unknown option --%.*s", (int)(n > 200 ? 200 : n), name);
	if (n <= OPT_WORD_MAX) {
		memcpy(word, name, n);
		word[n] = '\0';
		near = opt_suggest(table, word);
		if (near)
			return err_hint(e, "did you mean --%s?", near);
	}
	return err_hint(e, "see --help for all options");
}

/* Words still to be read, and the one that was read last. */
struct words {
	char *const *w;
	int i;
};

static int set_value(const struct opt *o, const char *shown, const char *value,
		     void *ctx, struct err *e)
{
	if (o->set(ctx, o, value, e))
		return err_wrap(e, "%s", shown);
	return 0;
}

static int parse_long(const struct opt *table, struct words *ws, void *ctx,
		      struct err *e)
{
	const char *name = ws->w[ws->i] + 2;
	size_t n = strcspn(name, "=");
	const char *value = name[n] ? name + n + 1 : NULL;
	const struct opt *o = find_name(table, name, n);
	char shown[OPT_WORD_MAX + 3];

	if (!o)
		return unknown(table, name, n, e);
	snprintf(shown, sizeof(shown), "--%.*s", (int)n, name);
	if (!o->arg) {
		if (value)
			return err_set(e, 0, "%s takes no value", shown);
		return set_value(o, shown, "true", ctx, e);
	}
	if (!value)
		value = ws->w[++ws->i];
	if (!value)
		return err_set(e, 0, "%s needs a value: %s %s", shown, shown,
			       o->arg);
	return set_value(o, shown, value, ctx, e);
}

/* One word of single letters: -v, -vq, -m512, -m 512. */
static int parse_letters(const struct opt *table, struct words *ws, void *ctx,
			 struct err *e)
{
	const char *p = ws->w[ws->i] + 1;

	for (; *p; p++) {
		const struct opt *o = find_letter(table, *p);
		const char *value = p + 1;
		char shown[3] = {'-', *p, '\0'};

		if (!o) {
			if (*p < 0x21 || *p > 0x7e)
				shown[1] = '?';
			err_set(e, 0, "unknown option %s", shown);
			return err_hint(e, "see --help for all options");
		}
		if (!o->arg) {
			if (set_value(o, shown, "true", ctx, e))
				return -1;
			continue;
		}
		if (!*value)
			value = ws->w[++ws->i];
		if (!value)
			return err_set(e, 0, "%s needs a value: %s %s", shown,
				       shown, o->arg);
		return set_value(o, shown, value, ctx, e);
	}
	return 0;
}

int opt_parse(const struct opt *table, char *const *words, void *ctx, int *used,
	      struct err *e)
{
	struct words ws = {words, 0};

	for (; words[ws.i]; ws.i++) {
		const char *w = words[ws.i];
		int failed;

		if (w[0] != '-' || !w[1])
			break;
		if (!strcmp(w, "--")) {
			ws.i++;
			break;
		}
		failed = w[1] == '-' ? parse_long(table, &ws, ctx, e)
				     : parse_letters(table, &ws, ctx, e);
		if (failed)
			return -1;
	}
	*used = ws.i;
	return 0;
}

/* The text, each line of it at the help column; the cursor is at `at`. */
static void help_text(const char *text, int at, FILE *f)
{
	while (*text) {
		int n = (int)strcspn(text, "\n");

		if (at >= OPT_HELP_COLUMN) {
			fputc('\n', f);
			at = 0;
		}
		fprintf(f, "%*s%.*s\n", OPT_HELP_COLUMN - at, "", n, text);
		text += n;
		text += *text == '\n';
		at = 0;
	}
}

void opt_help(const struct opt *table, FILE *f)
{
	for (const struct opt *o = table; !is_end(o); o++) {
		int at;

		if (!o->name) {
			fprintf(f, "\n%s\n", o->help);
			continue;
		}
		at = o->letter ? fprintf(f, "  -%c, ", o->letter)
			       : fprintf(f, "      ");
		at += fprintf(f, "--%s", o->name);
		if (o->alias)
			at += fprintf(f, ", --%s", o->alias);
		if (o->arg)
			at += fprintf(f, " %s", o->arg);
		help_text(o->help, at, f);
	}
}
