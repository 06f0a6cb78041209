/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What of the Wayland compositor a VM may see: the policy that vmrun-wayland
 * keeps.  Planning: nothing is asked of any compositor.
 */
#ifndef HOST_PLAN_WINDOWS_H
#define HOST_PLAN_WINDOWS_H

#include "wire/wayland.h"

#include <stddef.h>
#include <stdint.h>

struct err;

enum windows_class {
	WINDOWS_ALWAYS,	 /* applications do not start without it */
	WINDOWS_DEFAULT, /* offered unless it is denied */
	WINDOWS_REQUEST, /* offered if it is allowed */
	WINDOWS_NEVER,	 /* not even then; `why` says why */
};

/* A global of the protocols that vmrun knows. */
struct windows_global {
	const char *interface;
	uint32_t version; /* the highest that the guest may be offered */
	enum windows_class class;
	const char *why; /* NEVER and REQUEST: what the guest could do */
};

extern const struct windows_global windows_globals[];
extern const size_t windows_n_globals;

/* What a person asked for. */
struct windows_wish {
	/* To mark windows with; the command's if there is no alias (NULL). */
	const char *alias, *command;
	enum wayland_clipboard clipboard;
	char *const *allow, *const *deny; /* interfaces; NULL: none */
};

/* off, in, out or both.  0, or -1 and e. */
int windows_clipboard(const char *word, enum wayland_clipboard *c,
		      struct err *e);

/*
 * The policy; its owner calls wayland_policy_free().  What is denied is not
 * allowed.  Its name, the mark, is the alias, or "_" and the command.  Where
 * characters had to become "_", or it was cut, it ends with "-" and a hash, and
 * so does it if it looked like that before: aliases that differ have marks that
 * do.  0; or -1 and e, and then *p holds nothing.
 */
int windows_policy(const struct windows_wish *w, struct wayland_policy *p,
		   struct err *e);

#endif
