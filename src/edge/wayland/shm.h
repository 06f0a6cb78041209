/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pools and buffers of one client: shm.c has the tables, copy.c the copies. */
#ifndef EDGE_WAYLAND_SHM_H
#define EDGE_WAYLAND_SHM_H

#include "filter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of one client, each. */
#define POOLS_MAX 1024u
#define FILES_MAX 512u /* pools of which a descriptor is kept */
#define BUFFERS_MAX 2048u

struct pool {
	unsigned refs; /* the object, and buffers; 0: this row is free */
	uint32_t size;
	/*
	 * The client's file: for copies, else for the size that resize()
	 * wants, as long as there is an object to ask for it; then -1.
	 */
	int file;
	int own;	     /* ours, else -1 */
	unsigned char *copy; /* ours, mapped; NULL: passed on */
	uint64_t copied;     /* what counts of it in struct filter's */
};

struct buffer {
	bool used;
	bool counted;	/* its pages are in the pool's `copied` */
	bool held;	/* committed, and not released since */
	bool destroyed; /* by the client, while held */
	uint32_t id;
	uint32_t pool; /* row */
	uint32_t offset, stride, rows;
	uint32_t surface;  /* whose content it was last, 0: none's yet */
	uint32_t from, to; /* bytes of it that may differ from the copy */
};

struct shm {
	struct pool pools[POOLS_MAX];
	struct buffer *buffers; /* owned */
	size_t n_buffers;
	uint64_t bytes;	 /* of all pools */
	size_t n_copied; /* pools with a copy */
};

/* Of a surface; the client has a struct shm. */
enum verdict copy_request(struct client *c, const struct wire_message *m);
/* b is used no more: what no other buffer has of the copy is freed. */
void copy_gone(struct client *c, const struct buffer *b);

#endif
