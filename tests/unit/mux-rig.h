/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two state machines of the multiplexer, and the bytes between them. */
#ifndef TESTS_UNIT_MUX_RIG_H
#define TESTS_UNIT_MUX_RIG_H

#include "base/err.h"
#include "tap.h"
#include "wire/mux.h"

#include <stdlib.h>
#include <string.h>

#define CHECK(x, ...) tap_ok((x), __VA_ARGS__)

/* One side, the bytes under way to it, and what it was told, as text. */
struct end {
	struct mux *m;
	struct buf in;
	struct buf data; /* payload of all streams, in order */
	char said[4096];
	struct mux_event last; /* a run of the same event is told once */
	int bad;
};

struct pair {
	struct end host, guest;
};

__attribute__((unused)) static void end_init(struct end *x, enum mux_side side)
{
	memset(x, 0, sizeof(*x));
	x->m = mux_new(side);
	buf_init(&x->in, 64u << 20);
	buf_init(&x->data, 64u << 20);
}

__attribute__((unused)) static void end_free(struct end *x)
{
	mux_free(x->m);
	buf_free(&x->in);
	buf_free(&x->data);
}

__attribute__((unused)) static void pair_init(struct pair *p)
{
	end_init(&p->host, MUX_HOST);
	end_init(&p->guest, MUX_GUEST);
}

__attribute__((unused)) static void pair_free(struct pair *p)
{
	end_free(&p->host);
	end_free(&p->guest);
}

__attribute__((unused)) static void told(struct end *x,
					 const struct mux_event *ev)
{
	static const char *const names[] = {"",	      "open", "data",
					    "credit", "eof",  "reset"};
	size_t n = strlen(x->said);

	if (ev->kind == MUX_EV_DATA)
		buf_put(&x->data, ev->data, ev->len);
	if (n && ev->kind == x->last.kind && ev->stream == x->last.stream)
		return;
	x->last = *ev;
	snprintf(x->said + n, sizeof(x->said) - n, "%s%s %u", n ? ", " : "",
		 names[ev->kind], ev->stream);
}

/* Feeds n bytes in steps; what a step leaves is fed again with the next. */
__attribute__((unused)) static void feed(struct end *x, const void *p, size_t n,
					 size_t step)
{
	const unsigned char *at = p;
	struct err e = ERR_INIT;

	while (n && !x->bad) {
		size_t s = n < step ? n : step, used;
		struct mux_event ev;

		buf_put(&x->in, at, s);
		at += s;
		n -= s;
		do {
			if (mux_feed(x->m, x->in.data, x->in.len, &used, &ev,
				     &e) < 0) {
				x->bad = 1;
				return;
			}
			if (ev.kind != MUX_EV_NONE)
				told(x, &ev);
			buf_consume(&x->in, used);
		} while (ev.kind != MUX_EV_NONE);
	}
}

/* Carries the frames that wait in `from` over to `to`. */
__attribute__((unused)) static void carry(struct end *from, struct end *to,
					  size_t step)
{
	struct buf *out = mux_out(from->m);

	feed(to, out->data, out->len, step);
	buf_clear(out);
}

__attribute__((unused)) static void hush(struct pair *p)
{
	p->host.said[0] = p->guest.said[0] = '\0';
}

/* Until nothing is under way. */
__attribute__((unused)) static void settle(struct pair *p)
{
	while (mux_out(p->host.m)->len || mux_out(p->guest.m)->len) {
		carry(&p->host, &p->guest, 4096);
		carry(&p->guest, &p->host, 4096);
	}
}

#define FRAME(s, t, len)                                                       \
	(s) & 255, (s) >> 8, (t), 0, (len)&255, ((len) >> 8) & 255,            \
		((len) >> 16) & 255, ((len) >> 24) & 255
#define BYTES(...)                                                             \
	(const unsigned char[]){__VA_ARGS__},                                  \
		sizeof((const unsigned char[]){__VA_ARGS__})

/*
 * A host with stream 5 open, stream 6 that the guest ended, stream 7 that we
 * reset, stream 130 of the guest.
 */
__attribute__((unused)) static void prepare(struct end *x)
{
	end_init(x, MUX_HOST);
	mux_open(x->m, 5, 0);
	mux_open(x->m, 6, 0);
	mux_open(x->m, 7, 0);
	mux_reset(x->m, 7);
	feed(x, BYTES(FRAME(130, MUX_T_OPEN, 4), 0, 0, 0, 0), 64);
	feed(x, BYTES(FRAME(6, MUX_T_EOF, 0)), 64);
}

#endif
