/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two parts of gc.h.  For gc.c and gcdeep.c only. */
#ifndef HOST_GCINT_H
#define HOST_GCINT_H

#include "host/gc.h"

/* Adds a sentence (owned; NULL: e is set) to g->done or g->left. */
int gc_say(char ***list, char *text, struct err *e);

/* What is left of UIDs that are over, see gcdeep.c.  0, or -1 and e. */
int gc_deep(struct gc *g, struct err *e);

#endif
