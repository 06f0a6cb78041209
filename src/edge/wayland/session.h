/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sockets of all clients, and when each of them is read and written.
 *
 * Theory of operation
 *
 * ASKED   a client was taken from the listening socket and vmrun was asked for
 *         a connection for it; nothing of it is read
 * JOINED  both sides are there
 *
 * A side is read while what waits for the other one is below its mark, so a
 * side that does not read costs what filter.h says and no more; the others go
 * on.  When one side ends, what waits for the other one is still written.  A
 * client that is over (filter.h) is written to once and closed.
 *
 * A guest whose turn was over before all was done that it asked for (filter.h)
 * is not read; the rest is done in the next turns, which do not wait for
 * anything, as long as there is room for it.
 */
#ifndef EDGE_WAYLAND_SESSION_H
#define EDGE_WAYLAND_SESSION_H

#include "filter.h"
#include "vmrun.h"

#include <stdbool.h>
#include <stdint.h>

/* Keys of epoll(7) below those of the sessions. */
enum { KEY_VMRUN, KEY_LISTEN, KEY_SESSIONS };

struct session {
	struct client *client; /* NULL: this row is free */
	bool joined;
	uint32_t watched[2]; /* events that epoll knows of: guest, host */
};

struct sessions {
	int epoll;	     /* owned */
	int listen;	     /* borrowed */
	bool listening;	     /* epoll knows of it */
	bool full;	     /* no descriptors are left, until a client goes */
	struct vmrun *vmrun; /* borrowed */
	struct filter *filter; /* borrowed */
	uint32_t last;	       /* number of a client */
	size_t n_later;	       /* clients that have a turn without waiting */
	unsigned char *read;   /* owned; LINK_READ bytes */
	struct session s[WAYLAND_CLIENTS_MAX];
};

/* 0, or -1 and e. */
int sessions_init(struct sessions *a, int listen, struct vmrun *v,
		  struct filter *f, struct err *e);
void sessions_free(struct sessions *a);

/* What epoll said of a key. */
void sessions_accept(struct sessions *a);
void sessions_turn(struct sessions *a, uint64_t key, uint32_t events);
/* Without waiting: a turn for each client that was not done. */
void sessions_later(struct sessions *a);
/* A command of vmrun; takes fd, or -1. */
void sessions_command(struct sessions *a, const struct wayland_record *r,
		      int fd);
/* After each turn: writes what waits, closes what is over, counts n_later. */
void sessions_settle(struct sessions *a);

#endif
