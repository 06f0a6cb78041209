/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A flow joins one descriptor of the person with one stream of the port.
 *
 * Theory of operation
 *
 * To the guest: the descriptor is read straight into the port's output, never
 * more than the stream's credit, so what the application does not read stays
 * in the person's pipe (but for one window).  End of file becomes EOF.
 *
 * From the guest: bytes are written at once if the descriptor takes them, the
 * rest is queued, at most MUX_WINDOW bytes since credit is only given back for
 * what was written.  A reader that went away becomes RESET, from which
 * the guest makes EPIPE.
 *
 * The descriptors are the person's: their file descriptions may be shared with
 * other programs, so O_NONBLOCK is looked at and never changed.
 *
 * A connection (FLOW_CONN) is a socket that is ours alone, so that the guest's
 * EOF can be passed on as a half-close.  It may begin before its descriptor is
 * there: what the guest sends is then queued.  One that takes no more may have
 * said something before: that is still read, then comes RESET.
 */
#ifndef EDGE_MUX_FLOW_H
#define EDGE_MUX_FLOW_H

#include "watch.h"
#include "wire/mux.h"

#include "base/queue.h"

#include <stdbool.h>
#include <stddef.h>

enum flow_way { FLOW_TO_GUEST, FLOW_FROM_GUEST, FLOW_BOTH, FLOW_CONN };

/* No stream: the flow goes on writing what it has after its stream is over. */
#define FLOW_DETACHED MUX_STREAMS

enum flow_kind {
	FLOW_NONBLOCK, /* read(2), write(2) until EAGAIN */
	FLOW_SOCKET,   /* MSG_DONTWAIT for each call */
	FLOW_FILE,     /* always ready, takes everything */
	FLOW_BLOCKING, /* ask poll(2) right before one call of at most PIPE_BUF
			*/
};

struct flow {
	int fd; /* owned; -1: none, or done with */
	unsigned stream;
	enum flow_kind kind;
	enum flow_way way;
	bool awaited; /* the descriptor is still to come */
	bool reading; /* the descriptor may still give bytes to the guest */
	bool paused;  /* but not now */
	bool ending;  /* the guest writes no more: close after the queue */
	bool deaf;    /* FLOW_CONN: takes no more, but may still give */
	int error;    /* errno of what ended the flow; 0: its reader, or none */
	int slot;     /* in the watch */
	struct queue queue; /* from the guest, not yet written */
};

/* No flow; flow_close() is harmless on it. */
void flow_init(struct flow *f);
/* Takes fd.  The stream must have been opened. */
void flow_start(struct flow *f, int fd, unsigned stream, enum flow_way way);
/* A FLOW_CONN whose descriptor comes later, with flow_arrived(). */
void flow_await(struct flow *f, unsigned stream);
/* Takes fd, a connected stream socket that nobody else has. */
void flow_arrived(struct flow *f, int fd, struct mux *m);
/* Closes the descriptor, drops the queue, says nothing to the guest. */
void flow_close(struct flow *f);

void flow_watch(struct flow *f, struct watch *w, const struct mux *m);
/* Acts on what poll(2) said. */
void flow_turn(struct flow *f, const struct watch *w, struct mux *m);

/* The guest's events.  -1: it may not send data on this stream. */
int flow_data(struct flow *f, struct mux *m, const void *p, size_t n);
void flow_eof(struct flow *f, struct mux *m);
void flow_reset(struct flow *f);

/* The session ended: nothing more is taken from either side, but what came
 * from the guest is still written. */
void flow_finish(struct flow *f, struct mux *m);
/* Everything that came from the guest is written, or its reader is gone. */
bool flow_is_drained(const struct flow *f);

#endif
