/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmrunctl alias: listing, renaming and forgetting names of VMs. */
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/own.h"
#include "host/ctl/cmd-state.h"
#include "host/ctl/cmd.h"
#include "host/text.h"

#include <string.h>

static const char usage_text[] = "usage: vmrunctl alias list [--json]\n"
				 "       vmrunctl alias show [--json] NAME\n"
				 "       vmrunctl alias rename OLD NEW\n"
				 "       vmrunctl alias forget NAME\n";

static int bad_usage(const char *what, const char *word)
{
	char shown[TEXT_SHOWN];

	log_error("alias: %s%s", what, text_show(shown, sizeof(shown), word));
	log_error("hint: `vmrunctl alias --help` shows what can be given");
	return 125;
}

static int failed(struct err *e, const char *what)
{
	err_wrap(e, "cannot %s", what);
	log_err(LOG_LEVEL_ERR, e);
	return 125;
}

static struct json *alias_json(const struct state_alias *a)
{
	struct json *j = json_new_object();

	json_set_str(j, "alias", a->name);
	json_set_int(j, "uid", a->uid);
	json_set_int(j, "gid", a->gid);
	if (a->run)
		json_set_int(j, "vm", a->run);
	else
		json_set_null(j, "vm");
	json_set_int(j, "grants", (int64_t)a->n_grants);
	json_set_bool(j, "forgetting", a->status == IDENTITY_REVOKING);
	return j;
}

static int list_json(const struct state_alias *list, size_t n)
{
	struct json *all = json_new_array();
	int r;

	for (size_t i = 0; i < n; i++)
		json_add(all, alias_json(&list[i]));
	r = json_print(all, JSON_PRETTY, stdout);
	json_free(all);
	return r;
}

static int list_text(const struct state_alias *list, size_t n)
{
	if (n)
		printf("%-24s %-8s %-6s %s\n", "ALIAS", "UID", "VM", "GRANTS");
	for (size_t i = 0; i < n; i++) {
		char vm[24] = "-";

		if (list[i].run)
			snprintf(vm, sizeof(vm), "%lld",
				 (long long)list[i].run);
		printf("%-24s %-8u %-6s %zu%s\n", list[i].name,
		       (unsigned)list[i].uid, vm, list[i].n_grants,
		       list[i].status == IDENTITY_REVOKING
			       ? " (being forgotten)"
			       : "");
	}
	return 0;
}

static int alias_list(struct ctl_state *c, int argc, char **argv)
{
	own_free struct state_alias *list = NULL;
	struct err e = ERR_INIT;
	int json = argc == 2 && !strcmp(argv[1], "--json");
	size_t n;
	int r;

	if (argc > 1 + json)
		return bad_usage("list: unexpected argument ", argv[1]);
	if (state_aliases(c->state, &list, &n, &e) < 0)
		return failed(&e, "list the aliases");
	r = json ? list_json(list, n) : list_text(list, n);
	return r < 0 || fflush(stdout) == EOF;
}

static const char *phase_note(enum grant_phase phase)
{
	switch (phase) {
	case GRANT_BEGUN:
		return " (half made)";
	case GRANT_LAPSED:
		return " (to be made again)";
	case GRANT_WHOLE:
		break;
	}
	return "";
}

static void show_grants(const struct state_grant *g, size_t n, uid_t uid,
			struct json *j)
{
	struct json *list = json_new_array();
	char shown[4096];

	for (size_t i = 0; i < n; i++) {
		const char *access = g[i].access == ACCESS_RW ? "rw" : "ro";
		struct json *one;

		if (g[i].uid != uid)
			continue;
		if (!j) {
			printf("%s  %s%s\n", access,
			       text_show(shown, sizeof(shown), g[i].path),
			       phase_note(g[i].phase));
			continue;
		}
		one = json_new_object();
		json_set_str(one, "path", g[i].path);
		json_set_str(one, "access", access);
		json_set_bool(one, "whole", g[i].phase == GRANT_WHOLE);
		json_add(list, one);
	}
	if (j)
		json_set(j, "granted", list);
	else
		json_free(list);
}

static int show(struct ctl_state *c, const struct state_alias *a, int json,
		struct err *e)
{
	struct json *j = json ? alias_json(a) : NULL;
	struct state_grant *g;
	size_t n;
	int r = 0;

	if (state_ledger(c->state, &g, &n, e) < 0) {
		json_free(j);
		return -1;
	}
	if (!json)
		list_text(a, 1);
	show_grants(g, n, a->uid, j);
	if (json)
		r = json_print(j, JSON_PRETTY, stdout);
	json_free(j);
	state_grants_free(g, n);
	return r < 0 ? err_set(e, errno, "writing") : 0;
}

static int alias_show(struct ctl_state *c, int argc, char **argv)
{
	own_free struct state_alias *list = NULL;
	const struct state_alias *a = NULL;
	struct err e = ERR_INIT;
	int json = argc == 3 && !strcmp(argv[1], "--json");
	char shown[TEXT_SHOWN];
	size_t n;

	if (argc != 2 + json || argv[1 + json][0] == '-')
		return bad_usage("show: the name of one alias is needed", "");
	if (state_aliases(c->state, &list, &n, &e) < 0)
		return failed(&e, "show the alias");
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].name, argv[1 + json]))
			a = &list[i];
	if (!a) {
		err_set(&e, 0, "there is no alias %s",
			text_show(shown, sizeof(shown), argv[1 + json]));
		err_hint(&e, "`vmrunctl alias list` shows those that there "
			     "are");
		return failed(&e, "show it");
	}
	if (show(c, a, json, &e) < 0)
		return failed(&e, "show the alias");
	return fflush(stdout) == EOF;
}

static int alias_rename(struct ctl_state *c, int argc, char **argv)
{
	struct err e = ERR_INIT;

	if (argc != 3 || argv[1][0] == '-')
		return bad_usage("rename: two names are needed", "");
	if (!text_is_name(argv[2]))
		return bad_usage("rename: this is not a name: ", argv[2]);
	if (state_alias_rename(c->state, argv[1], argv[2], &e) < 0)
		return failed(&e, "rename the alias");
	return 0;
}

static int alias_forget(struct ctl_state *c, int argc, char **argv)
{
	struct state_identity id;
	struct err e = ERR_INIT;
	int r;

	if (argc != 2 || argv[1][0] == '-')
		return bad_usage("forget: the name of one alias is needed", "");
	if (ctl_take_alias(c, argv[1], "vmrunctl alias forget", &id, &e) < 0)
		return failed(&e, "forget the alias");
	r = state_set_status(c->state, id.run, IDENTITY_REVOKING, &e);
	if (r == 0) {
		id.status = IDENTITY_REVOKING;
		r = reclaim_run(&c->rc, &id, 0, &e);
	}
	own_close(&id.lock_fd);
	if (r == 0)
		return 0;
	failed(&e, "forget the alias");
	log_error("hint: what could be undone is undone; the same command "
		  "tries the rest again");
	return 125;
}

int cmd_alias(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(struct ctl_state *c, int argc, char **argv);
	} verbs[] = {
		{"list", alias_list},
		{"show", alias_show},
		{"rename", alias_rename},
		{"forget", alias_forget},
	};
	struct err e = ERR_INIT;
	struct ctl_state c;
	int status;

	if (argc < 2)
		return bad_usage("list, show, rename or forget?", "");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return fputs(usage_text, stdout) < 0;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(argv[1], verbs[i].name))
			continue;
		if (ctl_state_open(&c, &e) < 0)
			return failed(&e, "look after aliases");
		status = verbs[i].run(&c, argc - 1, argv + 1);
		ctl_state_close(&c);
		return status;
	}
	return bad_usage("no such command: ", argv[1]);
}
