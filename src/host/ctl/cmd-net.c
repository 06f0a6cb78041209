/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmrunctl net: rulesets. */
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/own.h"
#include "host/ctl/cmd.h"
#include "host/net/ruleset.h"
#include "host/plan/plan.h"
#include "host/text.h"

#include <stdbool.h>
#include <string.h>

struct net_ctl {
	struct facts facts;
	const char *dirs[4]; /* where rulesets are, ended by NULL */
};

static int failed(const struct err *e)
{
	log_err(LOG_LEVEL_ERR, e);
	return 125;
}

static int usage(const char *what)
{
	log_error("net: usage: vmrunctl net %s", what);
	return 125;
}

static int net_list(const struct net_ctl *c, int argc, char **argv)
{
	bool json = argc == 2 && !strcmp(argv[1], "--json");
	struct json *all = json ? json_new_array() : NULL;
	struct ruleset_entry *list;
	struct err e = ERR_INIT;
	char shown[TEXT_SHOWN];
	int status = 0;
	size_t n;

	if (argc > 1 && !json)
		return usage("list [--json]");
	if (ruleset_list(c->dirs, &list, &n, &e) < 0)
		return failed(&e);
	for (size_t i = 0; i < n; i++) {
		struct json *one = json ? json_new_object() : NULL;

		json_set_str(one, "name", list[i].name);
		json_set_str(one, "file", list[i].path);
		json_add(all, one);
		if (!json)
			printf("%-16s %s\n", list[i].name,
			       text_show(shown, sizeof(shown), list[i].path));
	}
	if (json)
		status = json_print(all, JSON_PRETTY, stdout) < 0;
	json_free(all);
	ruleset_list_free(list, n);
	return fflush(stdout) ? 1 : status;
}

/* A file if it looks like a path, else the name of a ruleset. */
static int net_check(const struct net_ctl *c, int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct ruleset r;
	int status;

	if (argc != 2)
		return usage("check FILE|NAME");
	if (strchr(argv[1], '/'))
		status = ruleset_read(&r, argv[1], &e);
	else
		status = ruleset_find(&r, argv[1], c->dirs, &e);
	if (status < 0)
		return failed(&e);
	status = ruleset_check(&r, &e) < 0 ? failed(&e) : 0;
	ruleset_free(&r);
	return status;
}

int cmd_net(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct net_ctl *c, int argc, char **argv);
	} verbs[] = {{"list", net_list}, {"check", net_check}};
	struct net_ctl c = {.dirs = {NULL}};
	struct err e = ERR_INIT;

	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(*verbs);
	     i++) {
		int status;

		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		if (facts_probe(&c.facts, &e) < 0)
			return failed(&e);
		c.dirs[0] = c.facts.config_home;
		c.dirs[1] = VMRUN_SYSCONFDIR;
		c.dirs[2] = VMRUN_DATADIR;
		status = verbs[i].run(&c, argc - 1, argv + 1);
		facts_free(&c.facts);
		return status;
	}
	return usage("list|check ...");
}
