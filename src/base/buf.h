/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Byte buffers with a hard maximum, and a reader that cannot run past the end.
 *
 * Integers are little-endian on every wire of ours.  Both sides are sticky:
 * the first failure sets `bad`, later calls do nothing and return zeros, and
 * the caller checks once at the end.  Also built into the guest's init.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	unsigned char *data; /* the bytes; borrowed from mem */
	size_t len;	     /* bytes used */
	size_t max;	     /* never more than this used */
	unsigned char *mem;  /* owned */
	size_t cap;	     /* bytes allocated: at most twice max */
	bool bad;	     /* out of memory, or over the maximum */
};

void buf_init(struct buf *b, size_t max);
/* Frees the memory; the buffer is empty and usable again. */
void buf_free(struct buf *b);
void buf_clear(struct buf *b);

/* Room for `n` more bytes at the end; NULL (and bad) if there is none. */
void *buf_grow(struct buf *b, size_t n);
void buf_put(struct buf *b, const void *p, size_t n);
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_u16(struct buf *b, uint16_t v);
void buf_put_u32(struct buf *b, uint32_t v);
void buf_put_u64(struct buf *b, uint64_t v);
/* u32 length, then the bytes.  NULL is written as the empty string. */
void buf_put_str(struct buf *b, const char *s);
/* u32 count, then each string.  A NULL list is an empty one. */
void buf_put_strv(struct buf *b, char *const *v);
/* Formatted text, no length, no terminator. */
void buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/*
 * Drops `n` bytes from the front (n <= len).  The rest stays where it is until
 * its place is needed and at least as much before it is free: dropping little
 * by little moves no byte more than once.
 */
void buf_consume(struct buf *b, size_t n);

struct rd {
	const unsigned char *p; /* borrowed */
	size_t left;
	bool bad;
};

void rd_init(struct rd *r, const void *p, size_t n);
/* Pointer to the next n bytes, which it skips; NULL (and bad) if too few. */
const unsigned char *rd_get(struct rd *r, size_t n);
uint8_t rd_u8(struct rd *r);
uint16_t rd_u16(struct rd *r);
uint32_t rd_u32(struct rd *r);
uint64_t rd_u64(struct rd *r);
/* A u8 that is 0 or 1; bad otherwise. */
bool rd_bool(struct rd *r);
/* A u32 of at most `max`; bad otherwise. */
uint32_t rd_max(struct rd *r, uint32_t max);
/*
 * A string of at most `max` bytes without NUL inside, as a new allocation that
 * the caller owns; NULL (and bad) otherwise.
 */
char *rd_str(struct rd *r, size_t max);
/*
 * At most `max_n` strings of at most `max` bytes, as a NULL-terminated vector
 * for strv_free(); NULL (and bad) otherwise.
 */
char **rd_strv(struct rd *r, size_t max_n, size_t max);

/* Frees a NULL-terminated vector and its strings; NULL is allowed. */
void strv_free(char **v);
size_t strv_len(char *const *v);

#endif
