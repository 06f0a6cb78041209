/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmrunctl alias: listing, renaming and forgetting names of VMs. */
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/own.h"
#include "host/ctl/cmd-state.h"
#include "host/ctl/cmd.h"
#include "host/home.h"
#include "host/plan/planint.h"
#include "host/text.h"

#include <string.h>

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
	return r < 0 ? 125 : 0;
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

static int show_home(struct ctl_state *c, const struct state_alias *a,
		     struct json *j, struct err *e)
{
	own_free char *home = NULL;
	char shown[4096];

	if (home_find(&c->facts, a->name, &home, e) < 0)
		return -1;
	if (j)
		json_set_str(j, "home", home);
	else if (home)
		printf("home  %s\n", text_show(shown, sizeof(shown), home));
	return 0;
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
	state_grants_free(g, n);
	r = show_home(c, a, j, e);
	if (r == 0 && json && json_print(j, JSON_PRETTY, stdout) < 0)
		r = err_set(e, errno, "writing");
	json_free(j);
	return r;
}

static int alias_show(struct ctl_state *c, int argc, char **argv)
{
	struct state_alias a;
	struct err e = ERR_INIT;
	int json = argc == 3 && !strcmp(argv[1], "--json");

	if (argc != 2 + json || argv[1 + json][0] == '-')
		return bad_usage("show: the name of one alias is needed", "");
	if (ctl_find_alias(c, argv[1 + json], &a, &e) < 0)
		return failed(&e, "show it");
	if (show(c, &a, json, &e) < 0)
		return failed(&e, "show the alias");
	return 0;
}

/* The homes' directory if this alias has one in it, else NULL. */
static int homes_of(struct ctl_state *c, const char *from, const char *to,
		    char **homes, struct err *e)
{
	const struct homes h = {c->state, c->dir, &c->facts};
	own_free char *old = NULL, *new = NULL;
	char shown[TEXT_SHOWN];

	*homes = NULL;
	if (home_settle(&h, e) < 0 || home_find(&c->facts, from, &old, e) < 0 ||
	    home_find(&c->facts, to, &new, e) < 0)
		return -1;
	if (!old)
		return 0;
	if (!new) {
		*homes = plan_home_path(&c->facts, NULL, e);
		return *homes ? 0 : -1;
	}
	err_set(e, 0, "there is a home of an earlier %s", to);
	return err_hint(e,
			"move %s away, or delete it: `vmrunctl alias forget "
			"--delete-home %s`",
			text_show(shown, sizeof(shown), new), to);
}

static int alias_rename(struct ctl_state *c, int argc, char **argv)
{
	const struct homes h = {c->state, c->dir, &c->facts};
	own_free char *homes = NULL;
	struct err e = ERR_INIT;

	if (argc != 3 || argv[1][0] == '-')
		return bad_usage("rename: two names are needed", "");
	if (!text_is_name(argv[2]))
		return bad_usage("rename: this is not a name: ", argv[2]);
	if (homes_of(c, argv[1], argv[2], &homes, &e) < 0 ||
	    state_alias_rename(c->state, argv[1], argv[2], homes, &e) < 0 ||
	    home_settle(&h, &e) < 0)
		return failed(&e, "rename the alias");
	return 0;
}

static int forget(struct ctl_state *c, const char *name, struct err *e)
{
	struct state_identity id;
	int r;

	if (ctl_take_alias(c, name, "vmrunctl alias forget", &id, e) < 0)
		return -1;
	r = state_set_status(c->state, id.run, IDENTITY_REVOKING, e);
	if (r == 0) {
		id.status = IDENTITY_REVOKING;
		r = reclaim_run(&c->rc, &id, 0, e);
	}
	own_close(&id.lock_fd);
	if (r < 0 && !e->hint[0])
		err_hint(e, "what could be undone is undone; the same command "
			    "tries the rest again");
	return r;
}

static bool is_alias(struct ctl_state *c, const char *name)
{
	struct err unused = ERR_INIT;
	struct state_alias a;

	/* Who cannot tell lets the other message come. */
	return state_alias_find(c->state, name, &a, &unused) != 0;
}

/* Nothing is lost by forgetting a name; where it is kept is said. */
static int tell_kept(const char *name, const char *home)
{
	char shown[4096];

	printf("its home is kept: %s\n"
	       "`vmrunctl alias forget --delete-home %s` deletes it\n",
	       text_show(shown, sizeof(shown), home), name);
	return 0;
}

static int alias_forget(struct ctl_state *c, int argc, char **argv)
{
	const struct homes h = {c->state, c->dir, &c->facts};
	int delete = argc == 3 && !strcmp(argv[1], "--delete-home");
	const char *name = argc == 2 + delete ? argv[1 + delete] : "";
	own_free char *home = NULL;
	struct err e = ERR_INIT;

	if (!text_is_name(name))
		return bad_usage("forget: the name of one alias is needed", "");
	if (home_find(&c->facts, name, &home, &e) < 0)
		return failed(&e, "forget the alias");
	/* Of one that is forgotten already the home may be left. */
	if ((!delete || !home || is_alias(c, name)) &&
	    forget(c, name, &e) < 0) {
		failed(&e, "forget the alias");
		return home && !is_alias(c, name) ? tell_kept(name, home),
		       125			  : 125;
	}
	if (!home)
		return 0;
	if (!delete)
		return tell_kept(name, home);
	return home_delete(&h, name, &e) < 0 ? failed(&e, "delete its home")
					     : 0;
}

int cmd_alias(int argc, char **argv)
{
	static const struct {
		const char *name;
		enum ctl_how how;
		int (*run)(struct ctl_state *c, int argc, char **argv);
	} verbs[] = {
		{"list", CTL_LOOK, alias_list},
		{"show", CTL_LOOK, alias_show},
		{"rename", CTL_CHANGE, alias_rename},
		{"forget", CTL_CHANGE, alias_forget},
	};
	struct err e = ERR_INIT;
	struct ctl_state c;
	int status;

	if (argc < 2)
		return bad_usage("list, show, rename or forget?", "");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(argv[1], verbs[i].name))
			continue;
		if (ctl_state_open(&c, verbs[i].how, &e) < 0)
			return failed(&e, "look after aliases");
		status = verbs[i].run(&c, argc - 1, argv + 1);
		ctl_state_close(&c);
		return status;
	}
	return bad_usage("no such command: ", argv[1]);
}
