/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a grant does with one inode; for walk_ops.  For src/grant only. */
#ifndef GRANT_JUDGE_H
#define GRANT_JUDGE_H

#include "grant/walk.h"

enum walk_next judge_visit(void *arg, const struct walk *w,
			   struct walk_item *it, struct err *e);

/* A file that needs nothing, or is only surveyed, is not opened. */
enum walk_peek judge_peek(void *arg, const struct walk *w,
			  const struct walk_item *it, struct err *e);

/* Only what the survey has found to need something is opened. */
enum walk_peek judge_glance(void *arg, unsigned ctx, uint64_t listed);

#endif
