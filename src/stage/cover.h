/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is mounted inside a source, and is not to be seen. */
#ifndef STAGE_COVER_H
#define STAGE_COVER_H

#include "stage/mounts.h"

/*
 * Puts an empty directory, or an empty file, over every mount inside the
 * sources of the record that are in this tree, but for those that come with
 * what is mounted in them.  tree: the tree's root, after all were attached.
 * 0; or -1 and e: then something may be uncovered.
 */
int cover_mounts(const struct base *b, int tree, const struct setup *s,
		 enum setup_tree which, struct err *e);

#endif
