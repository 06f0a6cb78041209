/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of a ruleset's file.  For ruleset.c, rulecompose.c and
 * ruleprivate.c only. */
#ifndef HOST_RULESETINT_H
#define HOST_RULESETINT_H

#include "host/net/ruleset.h"

enum line_kind { LINE_RULE, LINE_HOST, LINE_NET, LINE_REFUSE };

/* `allow-host WHAT RULE`, `allow-net WHAT RULE`, `refuse-list WHAT`, or a
 * rule. */
struct line {
	enum line_kind kind;
	const char *what; /* n bytes of it */
	size_t n;
	const char *rule; /* the rest; of LINE_RULE all of it */
};

struct line ruleset_line(const char *text);
/* Whether anything but a comment is behind WHAT. */
bool ruleset_has_match(const struct line *l);
/* The next line at *p without its end, the caller's; NULL at the end, or
 * without memory. */
char *ruleset_next_line(const char **p, struct err *e);

/* Private networks, NULL behind the last one. */
extern const char *const ruleset_private4[], *const ruleset_private6[];

/* AF_INET or AF_INET6 of ADDRESS/PREFIX, 0 if it is neither. */
int ruleset_net_family(const char *net);
/* What net/NAME.list of the first folder that has it names. */
int ruleset_take_list(struct ruleset *r, const char *name,
		      const char *const *config_dirs, struct err *e);

#endif
