/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The option parser: what is refused, with which words, and what is taken. */
#include "base/opt.h"

#include "base/err.h"
#include "tap.h"

#include <stdint.h>
#include <stdlib.h>

/* What the rows saw, in order: "name=value;". */
static char seen[512];

static int note(void *ctx, const struct opt *o, const char *value,
		struct err *e)
{
	size_t n;

	if (!strcmp(value, "refuse-me"))
		return err_set(e, 0, "\"%s\" is no good", value);
	n = strlen(seen);
	snprintf(seen + n, sizeof(seen) - n, "%s%s=%s;", (const char *)ctx,
		 o->name, value);
	return 0;
}

static const struct opt table[] = {
	{.help = "Things:"},
	{"file", NULL, 'f', "FILE", "a file", OPT_EVERYWHERE, OPT_REPEAT, note,
	 0},
	{"cwd", "chdir", 0, "DIR", "a place\nto be", OPT_EVERYWHERE, OPT_ONCE,
	 note, 0},
	{"dry-run", NULL, 0, NULL, "do nothing", OPT_COMMAND_LINE, OPT_ONCE,
	 note, 0},
	{"verbose", NULL, 'v', NULL, "talk", OPT_EVERYWHERE, OPT_REPEAT, note,
	 0},
	{.name = NULL, .help = NULL},
};

static struct err e;
static int used;

/* The words are separated by single blanks. */
static int parse(const char *line)
{
	char *text = strdup(line), *words[32], *rest = text;
	size_t n = 0;
	int ret;

	while (rest)
		words[n++] = strsep(&rest, " ");
	words[*line ? n : 0] = NULL;
	seen[0] = '\0';
	e = (struct err)ERR_INIT;
	used = -1;
	ret = opt_parse(table, words, (void *)(uintptr_t) "", &used, &e);
	free(text);
	return ret;
}

static void refused(const char *line, const char *message, const char *hint)
{
	tap_ok(parse(line) == -1, "refused: %s",
	       line[1] == '\033' ? "-\\033" : line);
	tap_str(e.msg, message, "and says why");
	tap_str(e.hint, hint, "and what to do");
}

static void taken(const char *line, const char *want, int want_used)
{
	tap_ok(parse(line) == 0 && used == want_used, "taken: %s (%d words)",
	       line, want_used);
	tap_str(seen, want, "with these values");
}

static void test_refused(void)
{
	const char *all = "see --help for all options";

	refused("--nonsense", "unknown option --nonsense", all);
	refused("--nonsense=x", "unknown option --nonsense", all);
	refused("--dry", "unknown option --dry", "did you mean --dry-run?");
	refused("--verbos", "unknown option --verbos",
		"did you mean --verbose?");
	refused("--vrebose", "unknown option --vrebose",
		"did you mean --verbose?");
	refused("--chdri x", "unknown option --chdri", "did you mean --chdir?");
	refused("--x", "unknown option --x", all);
	refused("-x", "unknown option -x", all);
	refused("-vx", "unknown option -x", all);
	refused("-\033", "unknown option -?", all);
	refused("--file", "--file needs a value: --file FILE", "");
	refused("-f", "-f needs a value: -f FILE", "");
	refused("--verbose=true", "--verbose takes no value", "");
	refused("--file refuse-me", "--file: \"refuse-me\" is no good", "");
	refused("--chdir=refuse-me", "--chdir: \"refuse-me\" is no good", "");
	refused("-frefuse-me", "-f: \"refuse-me\" is no good", "");
	refused("--=x", "unknown option --", all);
}

static void test_taken(void)
{
	taken("", "", 0);
	taken("cmd --file x", "", 0);
	taken("- --file x", "", 0);
	taken("-- --file x", "", 1);
	taken("--file a b", "file=a;", 2);
	taken("--file=a -- b", "file=a;", 2);
	taken("--file= b", "file=;", 1);
	taken("--file -- b", "file=--;", 2);
	taken("--file=a=b --chdir c --cwd d e", "file=a=b;cwd=c;cwd=d;", 5);
	taken("-fa -f b -vvf c d",
	      "file=a;file=b;verbose=true;verbose=true;file=c;", 5);
	taken("-v --dry-run", "verbose=true;dry-run=true;", 2);
}

static void test_suggest(void)
{
	tap_ok(!opt_suggest(table, ""), "nothing is meant by no name");
	tap_ok(!opt_suggest(table, "cxx"), "a short name is not guessed at "
					   "from two edits");
	tap_str(opt_suggest(table, "cw"), "cwd", "one edit is");
	tap_ok(!opt_find(table, "fil") && !opt_find(table, "file "),
	       "a name is found whole or not at all");
	tap_ok(opt_find(table, "chdir") == &table[2], "an alias is found");
}

static void test_help(void)
{
	static const char want[] = "\nThings:\n"
				   "  -f, --file FILE            a file\n"
				   "      --cwd, --chdir DIR     a place\n"
				   "                             to be\n"
				   "      --dry-run              do nothing\n"
				   "  -v, --verbose              talk\n";
	char text[1024] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");

	if (!f) {
		tap_ok(0, "a file in memory");
		return;
	}
	opt_help(table, f);
	fclose(f);
	tap_str(text, want, "--help is the table");
}

int main(void)
{
	test_refused();
	test_taken();
	test_suggest();
	test_help();
	return tap_done();
}
