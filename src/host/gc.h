/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Putting right what interrupted runs left, and looking whether anything is.
 *
 * Safe at any time, twice, beside live VMs: what is alive holds its lock and is
 * left alone.  One gc of a person works at a time.
 */
#ifndef HOST_GC_H
#define HOST_GC_H

#include "host/reclaim.h"
#include "state/state.h"

#include <stdbool.h>
#include <stdint.h>

struct err;

struct gc {
	const struct reclaim *rc;
	const struct state_range *range;
	bool dry;  /* look, and change nothing */
	bool deep; /* look through the home directory and all roots, too */
	/* So many names were looked at there, some more from call to call.
	 * NULL: nobody wants to know. */
	void (*progress)(const char *where, uint64_t names);
	/* out */
	char **done; /* sentences for people, unescaped; owned */
	char **left;
	uint64_t seen;	      /* names looked at by the deep part */
	uint64_t quarantined; /* UIDs that are not free after it */
	uint64_t freed;
};

/*
 * 0; or -1 and e where it could not be done: nothing is known then.  g->left
 * tells what is not clean.
 */
int gc_run(struct gc *g, struct err *e);
void gc_free(struct gc *g);

#endif
