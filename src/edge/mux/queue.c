/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounded queue of bytes.  Runs in vmrun-mux as U; holds guest bytes. */
#include "queue.h"

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

int queue_put(struct queue *q, const void *p, size_t n)
{
	size_t tail, first;

	if (n > q->max - q->len)
		return -1;
	if (!n)
		return 0;
	if (!q->mem)
		q->mem = malloc(q->max);
	if (!q->mem)
		return -1;
	tail = (q->head + q->len) % q->max;
	first = n < q->max - tail ? n : q->max - tail;
	memcpy(q->mem + tail, p, first);
	memcpy(q->mem, (const unsigned char *)p + first, n - first);
	q->len += n;
	return 0;
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
