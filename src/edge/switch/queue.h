/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames that wait for a port to take them, in order, bounded.
 *
 * Towards a client the queue holds more than a TCP window of a sender that
 * answers a loss by sending all again (passt), and drops what is too much:
 * waiting would let one client that is slow hold up its neighbours.  Towards
 * the uplink it holds what is left of one batch; then the clients wait.
 */
#ifndef EDGE_SWITCH_QUEUE_H
#define EDGE_SWITCH_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#define QUEUE_FRAMES 1024u
#define QUEUE_BYTES (1u << 20)

/* Frames lie in a row, each behind its length, and start again at 0 where the
 * next one does not fit before the end.  All zeros is an empty queue. */
struct queue {
	size_t head, tail; /* where the first is; where the next goes */
	size_t end;	   /* of the row, if it started again */
	size_t frames;
	unsigned char row[QUEUE_BYTES]; /* untouched pages cost nothing */
};

static inline bool queue_is_empty(const struct queue *q)
{
	return q->frames == 0;
}

void queue_clear(struct queue *q);
/* Copies the frame; false: there is no room. */
bool queue_put(struct queue *q, const void *frame, size_t n);
/* The first frames, at most max; how many.  Valid until the next change. */
size_t queue_peek(struct queue *q, struct iovec *v, size_t max);
/* The first n are done with. */
void queue_drop(struct queue *q, size_t n);

#endif
