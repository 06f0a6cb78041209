/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A first-in first-out store of bytes with a fixed maximum. */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <stddef.h>

struct queue {
	unsigned char *mem; /* owned; `max` bytes, or NULL until first used */
	size_t max;
	size_t head; /* index of the oldest byte */
	size_t len;
};

void queue_init(struct queue *q, size_t max);
/* Drops everything and gives the memory back; usable again. */
void queue_free(struct queue *q);
/* All of it or nothing: -1 if it does not fit, or without memory. */
int queue_put(struct queue *q, const void *p, size_t n);
/*
 * queue_put() without a copy: the place after the newest byte, room for *n
 * bytes that lie together; NULL if it is full, or without memory.
 */
void *queue_room(struct queue *q, size_t *n);
/* n bytes were put into that place. */
void queue_added(struct queue *q, size_t n);
/* The oldest bytes, as many as lie together: *n of them, 0 when empty. */
const unsigned char *queue_peek(const struct queue *q, size_t *n);
/* n <= len */
void queue_drop(struct queue *q, size_t n);

#endif
