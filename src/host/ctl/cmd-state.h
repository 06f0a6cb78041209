/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the verbs about aliases and grants share. */
#ifndef HOST_CMD_STATE_H
#define HOST_CMD_STATE_H

#include "host/plan/plan.h"
#include "host/rebuild.h"
#include "host/reclaim.h"
#include "state/state.h"

struct err;

/* The person, the subordinate ids and the open database. */
struct ctl_state {
	struct facts facts;
	struct state_range range;
	struct rebuilt db;
	struct state *state; /* of db; borrowed */
	int dir;	     /* of db; borrowed */
	struct reclaim rc;   /* of these */
};

enum ctl_how {
	CTL_CHANGE = 0,
	CTL_LOOK = 1, /* nothing is changed, see rebuild_look() */
	/* It does without a range: count may be 0 then, with a warning. */
	CTL_ANY = 2,
};

/* how: of enum ctl_how.  0, or -1 and e with nothing open. */
int ctl_state_open(struct ctl_state *c, unsigned how, struct err *e);
void ctl_state_close(struct ctl_state *c);

/*
 * Takes an alias for a change, as a VM would: -1 and e if one has it.  What an
 * earlier run of it left is cleaned first.  Ends with reclaim_run().
 */
int ctl_take_alias(struct ctl_state *c, const char *name, const char *what,
		   struct state_identity *id, struct err *e);

/* 0 and *a; -1 and e, also if there is no such alias. */
int ctl_find_alias(const struct ctl_state *c, const char *name,
		   struct state_alias *a, struct err *e);

/*
 * A path from the command line as the database has it: absolute, links
 * resolved as far as it exists.  The caller's, or NULL and e.
 */
char *ctl_path(const struct ctl_state *c, const char *path, struct err *e);
/* The same, but links are not resolved. */
char *ctl_path_named(const struct ctl_state *c, const char *path,
		     struct err *e);

/* "VM 12 (alias web, UID 100003)", for messages. */
#define CTL_WHO 160
char *ctl_who(const struct state_grant *g, char out[CTL_WHO]);

#endif
