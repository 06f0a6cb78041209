/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Byte buffers.  Used by every program; no authority. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
	memset(b, 0, sizeof(*b));
	b->max = max;
}

void buf_free(struct buf *b)
{
	free(b->mem);
	buf_init(b, b->max);
}

void buf_clear(struct buf *b)
{
	b->data = b->mem;
	b->len = 0;
	b->bad = false;
}

/* The front that was consumed becomes room at the end, or there is more. */
static int make_room(struct buf *b, size_t n)
{
	size_t front = b->mem ? (size_t)(b->data - b->mem) : 0;
	size_t cap = b->cap ? b->cap : 256;
	unsigned char *mem;

	if (b->mem && front >= b->len && b->len + n <= b->cap) {
		memmove(b->mem, b->data, b->len);
		b->data = b->mem;
		return 0;
	}
	while (cap < front + b->len + n)
		cap = cap > b->max / 2 ? front + b->max : cap * 2;
	mem = realloc(b->mem, cap);
	if (!mem)
		return -1;
	b->mem = mem;
	b->data = mem + front;
	b->cap = cap;
	return 0;
}

void *buf_grow(struct buf *b, size_t n)
{
	size_t front = b->mem ? (size_t)(b->data - b->mem) : 0;

	if (b->bad || n > b->max - b->len) {
		b->bad = true;
		return NULL;
	}
	if ((!b->mem || front + b->len + n > b->cap) && make_room(b, n) < 0) {
		b->bad = true;
		return NULL;
	}
	b->len += n;
	return b->data + b->len - n;
}

void buf_put(struct buf *b, const void *p, size_t n)
{
	void *at = n ? buf_grow(b, n) : NULL;

	if (at)
		memcpy(at, p, n);
}

static void put_le(struct buf *b, uint64_t v, size_t n)
{
	unsigned char le[8];

	for (size_t i = 0; i < n; i++)
		le[i] = (unsigned char)(v >> (8 * i));
	buf_put(b, le, n);
}

void buf_put_u8(struct buf *b, uint8_t v)
{
	put_le(b, v, 1);
}

void buf_put_u16(struct buf *b, uint16_t v)
{
	put_le(b, v, 2);
}

void buf_put_u32(struct buf *b, uint32_t v)
{
	put_le(b, v, 4);
}

void buf_put_u64(struct buf *b, uint64_t v)
{
	put_le(b, v, 8);
}

void buf_put_str(struct buf *b, const char *s)
{
	size_t n = s ? strlen(s) : 0;

	if (n > UINT32_MAX) {
		b->bad = true;
		return;
	}
	buf_put_u32(b, (uint32_t)n);
	buf_put(b, s, n);
}

void buf_put_strv(struct buf *b, char *const *v)
{
	buf_put_u32(b, (uint32_t)strv_len(v));
	for (; v && *v; v++)
		buf_put_str(b, *v);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char *at;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->bad = true;
		return;
	}
	at = buf_grow(b, (size_t)n + 1); /* vsnprintf wants its NUL */
	if (!at)
		return;
	va_start(ap, fmt);
	vsnprintf(at, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len--;
}

void buf_consume(struct buf *b, size_t n)
{
	b->len -= n;
	b->data = b->len ? b->data + n : b->mem;
}

void rd_init(struct rd *r, const void *p, size_t n)
{
	r->p = p;
	r->left = n;
	r->bad = false;
}

const unsigned char *rd_get(struct rd *r, size_t n)
{
	const unsigned char *at = r->p;

	if (r->bad || n > r->left) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return at;
}

static uint64_t get_le(struct rd *r, size_t n)
{
	const unsigned char *at = rd_get(r, n);
	uint64_t v = 0;

	if (!at)
		return 0;
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)at[i] << (8 * i);
	return v;
}

uint8_t rd_u8(struct rd *r)
{
	return (uint8_t)get_le(r, 1);
}

uint16_t rd_u16(struct rd *r)
{
	return (uint16_t)get_le(r, 2);
}

uint32_t rd_u32(struct rd *r)
{
	return (uint32_t)get_le(r, 4);
}

uint64_t rd_u64(struct rd *r)
{
	return get_le(r, 8);
}

bool rd_bool(struct rd *r)
{
	uint8_t v = rd_u8(r);

	if (v > 1)
		r->bad = true;
	return v == 1;
}

uint32_t rd_max(struct rd *r, uint32_t max)
{
	uint32_t v = rd_u32(r);

	if (v > max)
		r->bad = true;
	return v;
}

char *rd_str(struct rd *r, size_t max)
{
	size_t n = rd_u32(r);
	const unsigned char *at;
	char *s;

	if (n > max)
		r->bad = true;
	at = rd_get(r, n);
	if (!at)
		return NULL;
	if (memchr(at, 0, n)) {
		r->bad = true;
		return NULL;
	}
	s = malloc(n + 1);
	if (!s) {
		r->bad = true;
		return NULL;
	}
	memcpy(s, at, n);
	s[n] = '\0';
	return s;
}

char **rd_strv(struct rd *r, size_t max_n, size_t max)
{
	size_t n = rd_u32(r);
	char **v;

	/* Each string takes four bytes at least: no count can ask for more
	 * memory than a small multiple of what was sent. */
	if (n > max_n || n > r->left / 4)
		r->bad = true;
	if (r->bad)
		return NULL;
	v = calloc(n + 1, sizeof(*v));
	if (!v) {
		r->bad = true;
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		v[i] = rd_str(r, max);
		if (!v[i]) {
			strv_free(v);
			return NULL;
		}
	}
	return v;
}

void strv_free(char **v)
{
	for (char **s = v; s && *s; s++)
		free(*s);
	free(v);
}

size_t strv_len(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}
