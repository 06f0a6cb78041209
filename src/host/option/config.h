/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Configuration files: `option = value` lines, the names are the long options'.
 *
 * A repeatable option may be there several times; a flag's value is true or
 * false; `#` and `;` start a comment at the start of a line.  There are no
 * sections and no quotes.  Every error names file and line.
 */
#ifndef HOST_CONFIG_H
#define HOST_CONFIG_H

#include <stddef.h>

struct err;
struct opt;

#define CONFIG_MAX (256u * 1024) /* bytes of a file */
#define CONFIG_LINE_MAX 8190	 /* bytes of a line */

/* Calls the table's set() for each line of n bytes; name is for messages. */
int config_parse(const char *name, const char *text, size_t n,
		 const struct opt *table, void *ctx, struct err *e);

/* The same from a file.  1 if it was read, 0 if there is none, or -1: a
 * link that leads to nothing is no file that is missing. */
int config_load(const char *path, const struct opt *table, void *ctx,
		struct err *e);

#endif
