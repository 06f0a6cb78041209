/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The set of descriptors for one poll(2), made anew for each turn of the loop
 * from what every part wants at that moment: nothing is registered, so nothing
 * can be stale, and regular files need no special case as with epoll.
 */
#ifndef EDGE_MUX_WATCH_H
#define EDGE_MUX_WATCH_H

#include <assert.h>
#include <poll.h>
#include <stddef.h>

/* vmrun, the port, console and messages, three for each of the sessions, one
 * for each connection */
#define WATCH_MAX (4 + 3 * 32 + 128)

struct watch {
	struct pollfd fds[WATCH_MAX];
	size_t n;
};

/* Returns the slot for watch_got(); with fd -1 there is none: -1. */
static inline int watch_add(struct watch *w, int fd, short events)
{
	if (fd < 0)
		return -1;
	assert(w->n < WATCH_MAX);
	w->fds[w->n] = (struct pollfd){.fd = fd, .events = events};
	return (int)w->n++;
}

/* What poll() said about it; 0 for slot -1. */
static inline short watch_got(const struct watch *w, int slot)
{
	return slot < 0 ? 0 : w->fds[slot].revents;
}

#endif
