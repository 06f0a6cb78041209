/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmrun's option table, and what its rows write to.  For options.c only. */
#ifndef HOST_OPTSET_H
#define HOST_OPTSET_H

#include "base/opt.h"
#include "host/options.h"

#define OPTSET_ARGS_MAX (1024u * 1024) /* bytes of one --args descriptor */

/* The words of one --args, kept because the command line is parsed twice. */
struct optset_args {
	struct optset_args *next;
	char **words; /* NULL-terminated, pointing into text */
	char *text;
};

/* The ctx of optset_table's rows. */
struct optset {
	struct options *o;
	const char *home;		/* may be NULL: `~/` stays as it is */
	struct optset_args *args;	/* all that were read; owned */
	struct optset_args **next_args; /* the one to use next, or to append */
	bool in_args; /* an --args inside of --args is refused */
};

extern const struct opt optset_table[];

/* Defaults into *o, which holds nothing that needs freeing. */
void optset_defaults(struct options *o);
void optset_done(struct optset *s);

#endif
