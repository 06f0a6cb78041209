/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the verbs about aliases and grants share. */
#include "host/ctl/cmd-state.h"

#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "host/probe/probe.h"
#include "host/text.h"

#include <stdlib.h>
#include <string.h>

int ctl_state_open(struct ctl_state *c, unsigned how, struct err *e)
{
	struct err ids = ERR_INIT;
	int r;

	memset(c, 0, sizeof(*c));
	c->db = (struct rebuilt){.dir = -1, .ids = -1};
	if (facts_probe(&c->facts, e) < 0)
		return -1;
	r = probe_subids(&c->facts, &c->range, how & CTL_ANY ? &ids : e);
	if (r == 0 || how & CTL_ANY)
		r = how & CTL_LOOK
			    ? rebuild_look(&c->facts, &c->db, e)
			    : rebuild_open(&c->facts, &c->range, &c->db, e);
	if (r < 0) {
		ctl_state_close(c);
		return -1;
	}
	if (!c->range.count)
		log_err(LOG_LEVEL_WARN, &ids);
	c->state = c->db.state;
	c->dir = c->db.dir;
	c->rc = (struct reclaim){c->state, c->dir, &c->facts, -1, 0, NULL};
	return 0;
}

void ctl_state_close(struct ctl_state *c)
{
	rebuild_close(&c->db);
	facts_free(&c->facts);
	c->state = NULL;
}

int ctl_take_alias(struct ctl_state *c, const char *name, const char *what,
		   struct state_identity *id, struct err *e)
{
	const struct state_alias_claim claim = {
		.range = &c->range,
		.alias = name,
		.command = what,
		.kind = RUN_WORK,
	};
	struct err old = ERR_INIT;

	if (reclaim_dead_runs(&c->rc, &old) < 0)
		log_err(LOG_LEVEL_WARN, &old);
	return state_claim_alias(c->state, &claim, id, e);
}

int ctl_find_alias(const struct ctl_state *c, const char *name,
		   struct state_alias *a, struct err *e)
{
	int found = state_alias_find(c->state, name, a, e);
	char shown[TEXT_SHOWN];

	if (found)
		return found < 0 ? -1 : 0;
	err_set(e, 0, "there is no alias %s",
		text_show(shown, sizeof(shown), name));
	return err_hint(e, "`vmrunctl alias list` shows those that there are");
}

char *ctl_path(const struct ctl_state *c, const char *path, struct err *e)
{
	char *real = realpath(path, NULL);

	return real ? real : ctl_path_named(c, path, e);
}

char *ctl_path_named(const struct ctl_state *c, const char *path, struct err *e)
{
	own_free char *full = NULL;
	char *clean = NULL;

	/* Else it would be the current directory. */
	if (!path[0]) {
		err_set(e, 0, "the path is empty");
		return NULL;
	}
	if (path[0] == '/')
		full = text_dup(path, e);
	else if (c->facts.cwd)
		full = path_join(c->facts.cwd, path, e);
	else
		err_set(e, 0, "the current directory is not known");
	if (full && path_clean(full, &clean, e) < 0)
		return NULL;
	return clean;
}

char *ctl_who(const struct state_grant *g, char out[CTL_WHO])
{
	if (g->alias)
		snprintf(out, CTL_WHO, "alias %s (UID %u)", g->alias,
			 (unsigned)g->uid);
	else
		snprintf(out, CTL_WHO, "VM %lld (UID %u)", (long long)g->run,
			 (unsigned)g->uid);
	return out;
}
