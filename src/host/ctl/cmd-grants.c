/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vmrunctl grants: the ledger, compared with the disk.
 *
 * Two ways to differ: the database has a grant that the disk lacks (files that
 * came into the tree, an ACL that somebody changed), and the disk has traces of
 * a UID that nothing grants.
 */
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/own.h"
#include "grant/grant.h"
#include "host/ctl/cmd-state.h"
#include "host/ctl/cmd.h"
#include "host/reclaim.h"
#include "host/sweep.h"
#include "host/text.h"

#include <string.h>

struct view {
	struct ctl_state c;
	struct state_grant *g;
	size_t n;
	const char *alias; /* only of this one; NULL: all */
	char *path;	   /* only at, above or below; owned; NULL: all */
	struct json *out;  /* an array; NULL: text */
};

static int failed(struct err *e, const char *what)
{
	err_wrap(e, "cannot %s", what);
	log_err(LOG_LEVEL_ERR, e);
	return 125;
}

static bool is_wanted(const struct view *v, const struct state_grant *g)
{
	if (v->alias && (!g->alias || strcmp(g->alias, v->alias) != 0))
		return false;
	return !v->path || path_is_at_or_below(g->path, v->path) ||
	       path_is_below(v->path, g->path);
}

/* What is wrong with a grant, in words; "" if nothing is. */
static void compare(const struct view *v, const struct state_grant *g,
		    char *out, size_t n)
{
	struct grant_tree t = {.mode = g->access == ACCESS_RW ? GRANT_RW
							      : GRANT_RO,
			       .spare_keys = true,
			       .device = true};
	struct grant_stats st = {0};
	struct err e = ERR_INIT;
	struct grant_who who;
	own_fd root = -1;
	int found = reclaim_open(g, &root, &e);

	out[0] = '\0';
	t.root = root;
	reclaim_who(&v->c.facts, g->uid, g->gid, &who);
	if (found == 0)
		snprintf(out, n, "is no longer what was granted");
	else if (found < 0 || grant_survey(&t, &who, &st, &e) < 0)
		snprintf(out, n, "cannot be compared: %.200s", e.msg);
	else if (g->phase == GRANT_BEGUN && g->run == 0 &&
		 !reclaim_is_device(root))
		snprintf(out, n, "is half made");
	else if (st.edited)
		snprintf(out, n,
			 "lacks %llu of the entries that it should have",
			 (unsigned long long)st.edited);
}

static int show_grant(struct view *v, const struct state_grant *g)
{
	const char *access = g->access == ACCESS_RW ? "rw" : "ro";
	char who[CTL_WHO], drift[512], shown[4096];
	struct json *j;

	compare(v, g, drift, sizeof(drift));
	if (!v->out) {
		printf("%s  %-32s %s\n", access, ctl_who(g, who),
		       text_show(shown, sizeof(shown), g->path));
		if (drift[0])
			printf("    drift: %s\n", drift);
		return drift[0] != '\0';
	}
	j = json_new_object();
	json_set_str(j, "path", g->path);
	json_set_str(j, "access", access);
	json_set_int(j, "uid", g->uid);
	json_set_str(j, "alias", g->alias);
	if (g->run)
		json_set_int(j, "vm", g->run);
	else
		json_set_null(j, "vm");
	json_set_str(j, "drift", drift[0] ? drift : NULL);
	json_add(v->out, j);
	return drift[0] != '\0';
}

/* Traces in the trees on show that nothing grants. */
static void show_stranger(struct view *v, uid_t uid,
			  const struct sweep_trace *t)
{
	char shown[4096];
	struct json *j;

	if (!v->out) {
		printf("??  UID %-28u %s\n", (unsigned)uid,
		       text_show(shown, sizeof(shown), t->example));
		printf("    drift: owns %llu files and has %llu ACL entries "
		       "that nothing grants\n",
		       (unsigned long long)t->owned,
		       (unsigned long long)t->entries);
		return;
	}
	j = json_new_object();
	json_set_str(j, "path", t->example);
	json_set_null(j, "access");
	json_set_int(j, "uid", uid);
	json_set_int(j, "owned", (int64_t)t->owned);
	json_set_int(j, "entries", (int64_t)t->entries);
	json_set_str(j, "drift", "nothing grants these");
	json_add(v->out, j);
}

static void look(struct sweep *s, const char *path, int *drift)
{
	struct err why = ERR_INIT;

	if (sweep_look(s, path, &why) >= 0)
		return;
	log_err(LOG_LEVEL_WARN, &why);
	*drift = 1;
}

/* Is the path that was asked for looked at with something granted? */
static bool is_held(const struct view *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (path_is_at_or_below(v->path, v->g[i].path))
			return true;
	return false;
}

static int strangers(struct view *v, struct err *e)
{
	const char *last = NULL;
	struct sweep s;
	int drift = 0;

	if (sweep_init(&s, &v->c.range, e) < 0)
		return -1;
	s.ledger = v->g;
	s.n_ledger = v->n;
	/* Itself; what is below may be all there is. */
	s.only_root = true;
	if (v->path && !is_held(v))
		look(&s, v->path, &drift);
	s.only_root = false;
	/* By path: what is below the last one was seen with it. */
	for (size_t i = 0; i < v->n; i++) {
		if (!is_wanted(v, &v->g[i]) ||
		    (last && path_is_at_or_below(v->g[i].path, last)))
			continue;
		last = v->g[i].path;
		look(&s, last, &drift);
	}
	for (uint32_t i = 0; i < s.range.count; i++)
		if (s.trace[i].example) {
			show_stranger(v, s.range.uid_first + i, &s.trace[i]);
			drift = 1;
		}
	sweep_free(&s);
	return drift;
}

/* 1 if the disk differs, 0 if not, -1 and e. */
static int show(struct view *v, struct err *e)
{
	int drift = 0, r;

	if (state_ledger(v->c.state, &v->g, &v->n, e) < 0)
		return -1;
	for (size_t i = 0; i < v->n; i++)
		if (is_wanted(v, &v->g[i]))
			drift |= show_grant(v, &v->g[i]);
	r = strangers(v, e);
	if (r >= 0 && v->out && json_print(v->out, JSON_PRETTY, stdout) < 0)
		r = err_set(e, errno, "writing");
	state_grants_free(v->g, v->n);
	return r < 0 ? -1 : drift | r;
}

static int bad_usage(const char *word)
{
	char shown[TEXT_SHOWN];

	log_error("grants: unexpected argument %s",
		  text_show(shown, sizeof(shown), word));
	log_error("hint: usage: vmrunctl grants [--path PATH | --alias NAME] "
		  "[--json]");
	return 125;
}

int cmd_grants(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct view v = {0};
	struct state_alias named;
	const char *path = NULL;
	bool json = false;
	int r;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			json = true;
		else if (!strcmp(argv[i], "--path") && i + 1 < argc)
			path = argv[++i];
		else if (!strcmp(argv[i], "--alias") && i + 1 < argc)
			v.alias = argv[++i];
		else
			return bad_usage(argv[i]);
	}
	if (path && v.alias)
		return bad_usage("--path beside --alias");
	if (ctl_state_open(&v.c, CTL_LOOK, &e) < 0)
		return failed(&e, "list what is granted");
	v.out = json ? json_new_array() : NULL;
	v.path = path ? ctl_path(&v.c, path, &e) : NULL;
	r = path && !v.path ? -1 : 0;
	if (r == 0 && v.alias)
		r = ctl_find_alias(&v.c, v.alias, &named, &e);
	if (r == 0)
		r = show(&v, &e);
	json_free(v.out);
	free(v.path);
	ctl_state_close(&v.c);
	if (r < 0)
		return failed(&e, "list what is granted");
	return r;
}
