/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One of a client's two sockets, as a queue of bytes and descriptors that wait
 * to be written to it, and what was read and not yet used: of a message that is
 * not yet whole, or what there is no time for now.
 *
 * Descriptors travel with the first byte of their message or before it, never
 * later.  Reading takes what fits into one buffer that all links share; what is
 * not used of it is kept.
 */
#ifndef EDGE_WAYLAND_LINK_H
#define EDGE_WAYLAND_LINK_H

#include "wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One read: more than the largest message. */
#define LINK_READ (128u * 1024)
/* Descriptors that came and that no message has taken yet. */
#define LINK_FDS_IN 64u
/* That wait to be written; nothing more is read while LINK_FDS_HIGH do. */
#define LINK_FDS_OUT 256u
#define LINK_FDS_HIGH 64u
/* Of one sendmsg(2): libwayland takes no more. */
#define LINK_FDS_SEND 28u

struct link {
	int fd;		     /* owned; -1: closed */
	bool ended;	     /* end of file, or an error, was read */
	bool blocked;	     /* the last write was not taken whole */
	bool deaf;	     /* nobody reads what is written; it may say more */
	unsigned char *rest; /* owned: what was read and not used yet */
	size_t n_rest, cap_rest;
	int in[LINK_FDS_IN]; /* owned, the oldest first */
	size_t n_in;
	unsigned char *out; /* owned: out[at..len) waits */
	size_t at, len, cap, max;
	struct link_fd {
		int fd;	     /* owned */
		size_t at;   /* where in out its message begins */
	} fds[LINK_FDS_OUT]; /* the oldest first */
	size_t n_fds;
};

/* No socket; at most `max` bytes will wait. */
void link_init(struct link *l, size_t max);
/* Closes everything. */
void link_free(struct link *l);
/* Closes the socket and drops what waits. */
void link_close(struct link *l);

/*
 * Throws away what came and was not read: a socket that is closed with that in
 * it is broken to the other side, which may not look at its last words then.
 */
void link_drain(struct link *l);

/*
 * Reads once into buf (LINK_READ), after what was kept: the bytes that are
 * there now, for link_keep() when what is whole of them was used.  0: nothing
 * came.  -1: more descriptors than a client may send.
 */
ssize_t link_read(struct link *l, unsigned char *buf);
/* What was kept, as link_read() gives it, without reading. */
size_t link_again(struct link *l, unsigned char *buf);
/* Keeps n bytes (LINK_READ at most) for the next of both; -1 without memory. */
int link_keep(struct link *l, const unsigned char *p, size_t n);
/* Takes the n oldest descriptors; -1: so many did not come. */
int link_take_fds(struct link *l, int *fds, size_t n);

/*
 * Appends a message, and its descriptors, which are the link's from now on,
 * also on failure.  -1: too much waits.
 */
int link_put(struct link *l, const void *p, size_t n, const int *fds,
	     size_t n_fds);
/* Bytes that wait. */
size_t link_waiting(const struct link *l);
/* So much waits that the other side should not be read. */
bool link_is_full(const struct link *l, size_t high);
/*
 * Writes what the socket takes.  -1: it is broken.  If only the other side is
 * gone, `deaf` is set: what waits, and what is put from now on, is dropped, and
 * what was said last can still be read, after which `ended` is set.  With other
 * errors that is set at once.
 */
int link_flush(struct link *l);

#endif
