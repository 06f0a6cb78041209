/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The multiplexer's state machine.  The first byte says which of two tests:
 *
 * even  the rest are the bytes of a hostile peer; after each event we act
 *       on the stream as bits of the input say, and every bound must hold
 * odd   the rest is a script for two honest sides with bytes under way:
 *       neither may ever call the other a violator, and each byte arrives
 *       once and in order, in the life of the stream that it was sent in
 */
#include "fuzz.h"

#include "base/err.h"
#include "wire/mux.h"

#include <stdlib.h>
#include <string.h>

/* Not assert(): also with NDEBUG. */
#define MUST(x)                                                                \
	do {                                                                   \
		if (!(x))                                                      \
			abort();                                               \
	} while (0)

/* A hostile peer */

static void act(struct mux *m, unsigned stream, unsigned what)
{
	static const unsigned char bytes[MUX_DATA_MAX];
	size_t may = mux_may_send(m, stream);
	unsigned id;

	switch (what % 8) {
	case 0:
		mux_consumed(m, stream, what * 4096);
		break;
	case 1:
		MUST(mux_send(m, stream, bytes, may) == 0);
		break;
	case 2:
		MUST(mux_send(m, stream, bytes, may + 1) == -1);
		break;
	case 3:
		mux_send_eof(m, stream);
		break;
	case 4:
		mux_reset(m, stream);
		MUST(stream == MUX_CONTROL || !mux_is_open(m, stream));
		break;
	case 5:
		id = mux_pick(m, 0);
		MUST(!id || mux_is_free(m, id));
		if (id)
			mux_open(m, id, 0);
		break;
	case 6:
		buf_clear(mux_out(m));
		break;
	default:
		mux_consumed(m, stream, SIZE_MAX);
		break;
	}
	MUST(mux_out(m)->len <= MUX_OUT_MAX);
}

static void check_event(const struct mux *m, const struct mux_event *ev,
			const uint8_t *p, size_t used, size_t held)
{
	if (ev->kind == MUX_EV_NONE)
		return;
	MUST(ev->stream < MUX_STREAMS);
	if (ev->kind != MUX_EV_DATA)
		return;
	MUST(ev->len && ev->data >= p && ev->data + ev->len <= p + used);
	MUST(held <= MUX_WINDOW || !mux_is_open(m, ev->stream));
}

static void hostile(const uint8_t *p, size_t n)
{
	struct mux *m = mux_new(n && p[0] & 1 ? MUX_GUEST : MUX_HOST);
	size_t step = n > 1 ? p[1] + 1u : 1, end = 0, at = 0;
	struct err e = ERR_INIT;
	struct mux_event ev;

	for (unsigned i = 1; i < 8; i++)
		mux_open(m, i, i);
	while (end < n) {
		end = n - end < step ? n : end + step;
		do {
			size_t used;

			if (mux_feed(m, p + at, end - at, &used, &ev, &e) < 0) {
				MUST(e.msg[0] && ev.kind == MUX_EV_NONE);
				MUST(mux_feed(m, p, n, &used, &ev, &e) == -1);
				MUST(!used && !mux_may_send(m, 0));
				mux_free(m);
				return;
			}
			MUST(used <= end - at);
			check_event(m, &ev, p + at, used, ev.len);
			at += used;
			if (ev.kind != MUX_EV_NONE && at)
				act(m, ev.stream, p[at - 1] + p[at / 2]);
		} while (ev.kind != MUX_EV_NONE);
		MUST(end - at < MUX_HEADER + 4);
	}
	mux_free(m);
}

/* Two honest sides */

struct side {
	struct mux *m;
	struct buf in;		   /* arrived, not fed */
	uint8_t sent[MUX_STREAMS]; /* number of the next byte, in this life */
	uint8_t got[MUX_STREAMS];
	size_t held[MUX_STREAMS]; /* received, not consumed */
};

static void start(struct side *x, unsigned stream)
{
	x->sent[stream] = x->got[stream] = 0;
	x->held[stream] = 0;
}

static void on_event(struct side *x, const struct mux_event *ev)
{
	unsigned s = ev->stream;

	if (ev->kind == MUX_EV_OPEN)
		start(x, s);
	if (ev->kind != MUX_EV_DATA)
		return;
	for (size_t i = 0; i < ev->len; i++)
		MUST(ev->data[i] == x->got[s]++);
	x->held[s] += ev->len;
	MUST(x->held[s] <= MUX_WINDOW);
}

static void deliver(struct side *from, struct side *to, size_t n)
{
	struct buf *out = mux_out(from->m);
	struct err e = ERR_INIT;
	struct mux_event ev;
	size_t used;

	if (n > out->len)
		n = out->len;
	buf_put(&to->in, out->data, n);
	buf_consume(out, n);
	MUST(!to->in.bad);
	do {
		MUST(mux_feed(to->m, to->in.data, to->in.len, &used, &ev, &e) ==
		     0);
		on_event(to, &ev);
		buf_consume(&to->in, used);
	} while (ev.kind != MUX_EV_NONE);
}

static void send_some(struct side *x, unsigned stream, size_t n)
{
	size_t room;
	uint8_t *at = mux_send_begin(x->m, stream, &room);

	if (!at)
		return;
	if (n > room)
		n = room;
	for (size_t i = 0; i < n; i++)
		at[i] = x->sent[stream]++;
	mux_send_end(x->m, stream, n);
}

static void consume(struct side *x, unsigned stream, size_t n)
{
	if (n > x->held[stream])
		n = x->held[stream];
	x->held[stream] -= n;
	mux_consumed(x->m, stream, n);
}

/* One step: two bytes, what and how much. */
static void step(struct side *x, struct side *peer, unsigned what, unsigned n)
{
	/* A few ids of each half, so that they meet often. */
	unsigned stream = n & 1 ? MUX_GUEST_FIRST + (n >> 1) % 3 : (n >> 1) % 4;

	switch (what >> 1 & 7) {
	case 0:
		if (mux_open(x->m, stream, n) == 0)
			start(x, stream);
		break;
	case 1:
		send_some(x, stream, (what >> 4) * 4369 + 1);
		break;
	case 2:
		mux_send_eof(x->m, stream);
		break;
	case 3:
		mux_reset(x->m, stream);
		break;
	case 4:
		consume(x, stream, SIZE_MAX);
		break;
	case 5:
		consume(x, stream, n);
		break;
	case 6:
		deliver(x, peer, n);
		break;
	default:
		deliver(x, peer, SIZE_MAX);
		break;
	}
}

static void honest(const uint8_t *p, size_t n)
{
	struct side a = {.m = mux_new(MUX_HOST)};
	struct side b = {.m = mux_new(MUX_GUEST)};

	/* More than can ever be under way, but not without end. */
	buf_init(&a.in, 8 * MUX_OUT_MAX);
	buf_init(&b.in, 8 * MUX_OUT_MAX);
	for (size_t i = 0; i + 1 < n; i += 2) {
		if (p[i] & 1)
			step(&a, &b, p[i], p[i + 1]);
		else
			step(&b, &a, p[i], p[i + 1]);
	}
	while (mux_out(a.m)->len || mux_out(b.m)->len) {
		deliver(&a, &b, SIZE_MAX);
		deliver(&b, &a, SIZE_MAX);
	}
	MUST(!a.in.len && !b.in.len);
	for (unsigned i = 0; i < MUX_STREAMS; i++) {
		MUST(mux_is_open(a.m, i) == mux_is_open(b.m, i));
		if (mux_is_open(a.m, i))
			MUST(a.sent[i] == b.got[i] && b.sent[i] == a.got[i]);
	}
	buf_free(&a.in);
	buf_free(&b.in);
	mux_free(a.m);
	mux_free(b.m);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (!n)
		return 0;
	if (p[0] & 1)
		honest(p + 1, n - 1);
	else
		hostile(p + 1, n - 1);
	return 0;
}
