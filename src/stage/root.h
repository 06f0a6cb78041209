/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The root directory that a member sees. */
#ifndef STAGE_ROOT_H
#define STAGE_ROOT_H

#include "stage/mounts.h"
#include "wire/setup.h"

#include <stddef.h>

struct err;

/*
 * Builds the root of member number `index` in the base: system directories,
 * devices and files as its view says.  Before mounts_end().
 */
int root_build(const struct base *b, const struct setup *s, size_t index,
	       struct err *e);
/*
 * O_PATH descriptor of its /run, which it must have, taken away from the stage;
 * after the member was started.
 */
int root_scratch(size_t index, struct err *e);

/*
 * Takes "tree", the plain sources, or "ram", the guest's memory, away from the
 * stage and from who is started later; after the member was started and has a
 * mount of its own.
 */
int root_drop(size_t index, const char *what, struct err *e);

/*
 * In the member's own process and namespaces, after mounts_end(): makes that
 * root the only thing there is, read-only.  tree: the detached copy of the
 * shared tree for SETUP_VIEW_TREE, borrowed; else -1.
 */
int root_enter(const struct setup_member *m, size_t index, int tree,
	       struct err *e);

#endif
