/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of a ruleset's file.  For ruleset.c and rulecompose.c only. */
#ifndef HOST_RULESETINT_H
#define HOST_RULESETINT_H

#include "host/net/ruleset.h"

enum line_kind { LINE_RULE, LINE_HOST, LINE_NET };

/* `allow-host WHAT RULE`, `allow-net WHAT RULE`, or a rule. */
struct line {
	enum line_kind kind;
	const char *what; /* n bytes of it */
	size_t n;
	const char *rule; /* the rest; of LINE_RULE all of it */
};

struct line ruleset_line(const char *text);
/* The next line at *p without its end, the caller's; NULL at the end, or
 * without memory. */
char *ruleset_next_line(const char **p, struct err *e);

#endif
