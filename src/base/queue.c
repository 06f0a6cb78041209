/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounded queue of bytes.  No authority. */
#include "base/queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void queue_init(struct queue *q, size_t max)
{
	memset(q, 0, sizeof(*q));
	q->max = max;
}

void queue_free(struct queue *q)
{
	free(q->mem);
	queue_init(q, q->max);
}

static int make_memory(struct queue *q)
{
	if (!q->mem)
		q->mem = malloc(q->max);
	return q->mem ? 0 : -1;
}

int queue_put(struct queue *q, const void *p, size_t n)
{
	size_t tail, first;

	if (n > q->max - q->len)
		return -1;
	if (!n)
		return 0;
	if (make_memory(q) < 0)
		return -1;
	tail = (q->head + q->len) % q->max;
	first = n < q->max - tail ? n : q->max - tail;
	memcpy(q->mem + tail, p, first);
	memcpy(q->mem, (const unsigned char *)p + first, n - first);
	q->len += n;
	return 0;
}

void *queue_room(struct queue *q, size_t *n)
{
	size_t tail = (q->head + q->len) % q->max;

	if (q->len == q->max || make_memory(q) < 0)
		return NULL;
	*n = (tail < q->head ? q->head : q->max) - tail;
	return q->mem + tail;
}

void queue_added(struct queue *q, size_t n)
{
	assert(n <= q->max - q->len);
	q->len += n;
}

const unsigned char *queue_peek(const struct queue *q, size_t *n)
{
	size_t together = q->max - q->head;

	*n = q->len < together ? q->len : together;
	return q->mem + q->head;
}

void queue_drop(struct queue *q, size_t n)
{
	assert(n <= q->len);
	q->len -= n;
	/* An empty queue starts again where the memory is warm. */
	q->head = q->len ? (q->head + n) % q->max : 0;
}
