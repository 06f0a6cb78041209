/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bounded log in a file: what is kept, and files that lie. */
#include "wire/ring.h"

#include "tap.h"

#include <stdlib.h>
#include <string.h>

#define CHECK(x, ...) tap_ok((x), __VA_ARGS__)

/* Exactly RING_SIZE bytes, so that a sanitizer sees the first one too far. */
static void *fresh(void)
{
	return calloc(1, RING_SIZE);
}

/* Byte number n of the endless sequence that is put. */
static unsigned char nth(uint64_t n)
{
	return (unsigned char)(n * 7 + (n >> 8) * 13 + (n >> 16));
}

static void put(void *ring, uint64_t from, size_t n)
{
	unsigned char *p = malloc(n);

	for (size_t i = 0; i < n; i++)
		p[i] = nth(from + i);
	ring_put(ring, p, n);
	free(p);
}

/* Reads from `from` to the end and compares; the count, or SIZE_MAX. */
static size_t check(const void *ring, uint64_t from, size_t step)
{
	unsigned char *p = malloc(step);
	uint64_t next = from;
	size_t sum = 0, n;

	while ((n = ring_get(ring, next, p, step, &next))) {
		for (size_t i = 0; i < n; i++) {
			if (p[i] != nth(next - n + i)) {
				free(p);
				return SIZE_MAX;
			}
		}
		sum += n;
	}
	free(p);
	return sum;
}

static void test_put_get(void)
{
	void *r = fresh();
	uint64_t next = 77, total = 0;
	char c[16];

	CHECK(ring_get(r, 0, c, sizeof(c), &next) == 0 && next == 0,
	      "a new ring is empty");
	CHECK(ring_get(r, 500, c, sizeof(c), &next) == 0 && next == 0,
	      "a position that is not reached yet is brought back");
	ring_put(r, "hello", 5);
	CHECK(ring_total(r) == 5 && ring_get(r, 0, c, sizeof(c), &next) == 5 &&
		      !memcmp(c, "hello", 5) && next == 5,
	      "what was put can be read");
	CHECK(ring_get(r, 3, c, 1, &next) == 1 && c[0] == 'l' && next == 4,
	      "from the middle, and no more than there is room for");
	CHECK(ring_get(r, 5, c, sizeof(c), &next) == 0 && next == 5,
	      "at the end there is nothing");
	ring_put(r, "", 0);
	CHECK(ring_total(r) == 5, "nothing put is nothing kept");
	free(r);

	r = fresh();
	for (size_t n = 1; total < 3 * RING_DATA; n = n * 3 % 20011 + 1) {
		put(r, total, n);
		total += n;
	}
	CHECK(ring_total(r) == total, "the count is of all bytes ever put");
	CHECK(check(r, 0, 1000) == RING_DATA, "the last RING_DATA are kept");
	CHECK(check(r, total - 10, 1000) == 10, "and can be read in part");
	CHECK(check(r, total - RING_DATA - 1, RING_DATA) == RING_DATA,
	      "what is overwritten is skipped");
	put(r, total, 5 * RING_DATA + 3);
	total += 5 * RING_DATA + 3;
	CHECK(ring_total(r) == total && check(r, 0, 4096) == RING_DATA,
	      "one put of more than the ring");
	free(r);
}

/* The writer is about to overwrite: it has claimed, and not yet counted. */
static void test_claim(void)
{
	void *r = fresh();
	unsigned char *p = malloc(RING_DATA);
	uint64_t claim = 2 * RING_DATA + 100, next;
	size_t n;

	put(r, 0, 2 * RING_DATA);
	memcpy((char *)r + 8, &claim, sizeof(claim));
	n = ring_get(r, RING_DATA, p, RING_DATA, &next);
	CHECK(n == RING_DATA - 100 && next == 2 * RING_DATA &&
		      p[0] == nth(RING_DATA + 100),
	      "bytes that may be half overwritten are left out");
	free(p);
	free(r);
}

static void test_hostile(void)
{
	static const uint64_t lies[] = {
		0,
		1,
		RING_DATA - 1,
		RING_DATA,
		1ull << 31,
		1ull << 63,
		UINT64_MAX - 1,
		UINT64_MAX,
		RING_SIZE,
		UINT64_MAX / 2,
	};
	const size_t n = sizeof(lies) / sizeof(*lies);
	unsigned char *p = malloc(5000), *r = fresh();
	int over = 0;

	for (size_t i = 0; i < n * n * n; i++) {
		uint64_t from = lies[i / n / n], next;
		size_t got;

		memcpy(r, &lies[i % n], 8);
		memcpy(r + 8, &lies[i / n % n], 8);
		got = ring_get(r, from, p, 5000, &next);
		over += got > 5000 || next > ring_total(r);
	}
	CHECK(!over, "counts that lie: never past the ring or the room");
	memcpy(r, &(uint64_t){UINT64_MAX - 3}, 8);
	ring_put(r, "0123456789", 10);
	CHECK(ring_total(r) == 6, "a count that is full goes round");
	free(p);
	free(r);
}

int main(void)
{
	test_put_get();
	test_claim();
	test_hostile();
	return tap_done();
}
