/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Command line options from a table.
 *
 * One table drives parsing, --help, configuration files and the test that the
 * manual has every option.  Parsing stops at the first word that is no option,
 * or after `--`.  Long names are never abbreviated: a script would break on
 * the day on which an abbreviation becomes ambiguous.
 */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include <stddef.h>
#include <stdio.h>

struct err;

enum opt_place {
	OPT_EVERYWHERE,	  /* command line and configuration files */
	OPT_COMMAND_LINE, /* makes no sense in a file */
};

enum opt_times {
	OPT_ONCE,   /* the last one wins */
	OPT_REPEAT, /* they add up */
};

/*
 * A row.  Without a name it is a heading of --help (its text is `help`);
 * without both it ends the table.
 */
struct opt {
	const char *name;  /* without the dashes */
	const char *alias; /* second long name, or NULL */
	char letter;	   /* 0: none */
	const char *arg;   /* what --help calls the value; NULL: a flag */
	const char *help;  /* short; a newline starts a new line */
	enum opt_place place;
	enum opt_times times;
	/*
	 * Takes the value; a flag's is "true" or "false".  ctx is the caller's.
	 * The message need not name the option.
	 */
	int (*set)(void *ctx, const struct opt *o, const char *value,
		   struct err *e);
	size_t at; /* for set(): where in the caller's struct it goes */
};

/*
 * Parses words (NULL-terminated, without the program's name).  0 and in *used
 * how many words were options, `--` included; or -1 and e, with a suggestion
 * for a name that nearly exists.
 */
int opt_parse(const struct opt *table, char *const *words, void *ctx, int *used,
	      struct err *e);

/* The row of that long name or alias, or NULL. */
const struct opt *opt_find(const struct opt *table, const char *name);

/* The long name that was probably meant, or NULL if none is near. */
const char *opt_suggest(const struct opt *table, const char *word);

/* Prints the table for people. */
void opt_help(const struct opt *table, FILE *f);

#endif
