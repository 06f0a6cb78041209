/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bounded log in a file.  Filled by vmrun-mux with guest bytes, read by
 * vmrun and vmrunctl, which believe nothing that is in it.
 */
#include "wire/ring.h"

#include <string.h>

/* Bytes announced at a time: what a reader may find overwritten meanwhile. */
#define RING_STEP (RING_DATA / 4)

enum { RING_COUNT, RING_CLAIM }; /* index of each u64 in the header */

static uint64_t load(const void *file, int which)
{
	return __atomic_load_n((const uint64_t *)file + which,
			       __ATOMIC_ACQUIRE);
}

static void store(void *file, int which, uint64_t v)
{
	__atomic_store_n((uint64_t *)file + which, v, __ATOMIC_RELEASE);
}

static void put_step(void *file, const unsigned char *p, size_t n)
{
	unsigned char *data = (unsigned char *)file + RING_HEADER;
	uint64_t count = load(file, RING_COUNT);
	size_t at = (size_t)(count % RING_DATA);
	size_t first = n < RING_DATA - at ? n : RING_DATA - at;

	store(file, RING_CLAIM, count + n);
	/* The claim must be seen before the first byte that it stands for. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	memcpy(data + at, p, first);
	memcpy(data, p + first, n - first);
	store(file, RING_COUNT, count + n);
}

void ring_put(void *file, const void *p, size_t n)
{
	const unsigned char *at = p;

	while (n) {
		size_t step = n < RING_STEP ? n : RING_STEP;

		put_step(file, at, step);
		at += step;
		n -= step;
	}
}

/* The oldest position that is still there when `count` bytes have been put. */
static uint64_t oldest(uint64_t count)
{
	return count > RING_DATA ? count - RING_DATA : 0;
}

size_t ring_get(const void *file, uint64_t from, void *out, size_t outsz,
		uint64_t *next)
{
	const unsigned char *data = (const unsigned char *)file + RING_HEADER;
	uint64_t count = load(file, RING_COUNT);
	uint64_t claim, start = from;
	size_t n, at, first, lost;

	/* A position from before a new ring, or a count that went back. */
	if (start > count)
		start = count;
	if (start < oldest(count))
		start = oldest(count);
	n = count - start < outsz ? (size_t)(count - start) : outsz;
	at = (size_t)(start % RING_DATA);
	first = n < RING_DATA - at ? n : RING_DATA - at;
	memcpy(out, data + at, first);
	memcpy((unsigned char *)out + first, data, n - first);
	*next = start + n;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	/* A false claim takes bytes away from the reader, nothing else. */
	claim = load(file, RING_CLAIM);
	if (oldest(claim) <= start)
		return n;
	lost = oldest(claim) - start < n ? (size_t)(oldest(claim) - start) : n;
	memmove(out, (unsigned char *)out + lost, n - lost);
	return n - lost;
}

uint64_t ring_total(const void *file)
{
	return load(file, RING_COUNT);
}
