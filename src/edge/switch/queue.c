/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A bounded queue of frames.  Runs in vmrun-switch. */
#include "queue.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#define LENGTH sizeof(uint16_t)

static size_t length_at(const struct queue *q, size_t at)
{
	uint16_t n;

	memcpy(&n, q->row + at, LENGTH);
	return n;
}

void queue_clear(struct queue *q)
{
	q->head = q->tail = q->end = q->frames = 0;
}

/* Makes *at a place for `need` bytes.  tail never reaches head from behind,
 * so equal ends mean an empty row. */
static bool find_place(struct queue *q, size_t need)
{
	if (q->frames == 0)
		queue_clear(q);
	if (q->tail < q->head)
		return q->tail + need < q->head;
	if (q->tail + need <= QUEUE_BYTES)
		return true;
	if (need >= q->head)
		return false;
	q->end = q->tail;
	q->tail = 0;
	return true;
}

bool queue_put(struct queue *q, const void *frame, size_t n)
{
	uint16_t length = (uint16_t)n;

	assert(n <= UINT16_MAX);
	if (q->frames == QUEUE_FRAMES || !find_place(q, LENGTH + n))
		return false;
	memcpy(q->row + q->tail, &length, LENGTH);
	memcpy(q->row + q->tail + LENGTH, frame, n);
	q->tail += LENGTH + n;
	q->frames++;
	return true;
}

/* The place behind the frame at `at`. */
static size_t after(const struct queue *q, size_t at)
{
	at += LENGTH + length_at(q, at);
	return at == q->end && q->end ? 0 : at;
}

size_t queue_peek(struct queue *q, struct iovec *v, size_t max)
{
	size_t at = q->head, n = 0;

	for (; n < max && n < q->frames; n++) {
		v[n].iov_base = q->row + at + LENGTH;
		v[n].iov_len = length_at(q, at);
		at = after(q, at);
	}
	return n;
}

void queue_drop(struct queue *q, size_t n)
{
	assert(n <= q->frames);
	while (n--) {
		q->head = after(q, q->head);
		q->frames--;
		if (q->head == 0)
			q->end = 0;
	}
}
