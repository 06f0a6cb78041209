/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The multiplexer's state machine: violations, credit, ends, id reuse, bounds.
 */
#include "wire/mux.h"

#include "base/err.h"
#include "tap.h"

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

static void end_init(struct end *x, enum mux_side side)
{
	memset(x, 0, sizeof(*x));
	x->m = mux_new(side);
	buf_init(&x->in, 64u << 20);
	buf_init(&x->data, 64u << 20);
}

static void end_free(struct end *x)
{
	mux_free(x->m);
	buf_free(&x->in);
	buf_free(&x->data);
}

static void pair_init(struct pair *p)
{
	end_init(&p->host, MUX_HOST);
	end_init(&p->guest, MUX_GUEST);
}

static void pair_free(struct pair *p)
{
	end_free(&p->host);
	end_free(&p->guest);
}

static void told(struct end *x, const struct mux_event *ev)
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
static void feed(struct end *x, const void *p, size_t n, size_t step)
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
static void carry(struct end *from, struct end *to, size_t step)
{
	struct buf *out = mux_out(from->m);

	feed(to, out->data, out->len, step);
	buf_clear(out);
}

static void hush(struct pair *p)
{
	p->host.said[0] = p->guest.said[0] = '\0';
}

/* Until nothing is under way. */
static void settle(struct pair *p)
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
static void prepare(struct end *x)
{
	end_init(x, MUX_HOST);
	mux_open(x->m, 5, 0);
	mux_open(x->m, 6, 0);
	mux_open(x->m, 7, 0);
	mux_reset(x->m, 7);
	feed(x, BYTES(FRAME(130, MUX_T_OPEN, 4), 0, 0, 0, 0), 64);
	feed(x, BYTES(FRAME(6, MUX_T_EOF, 0)), 64);
}

static void refuse(const char *what, const char *text,
		   const unsigned char *frame, size_t n)
{
	struct err e = ERR_INIT;
	struct mux_event ev;
	struct end x;
	size_t used;
	int first, again;

	prepare(&x);
	first = x.bad ? 0 : mux_feed(x.m, frame, n, &used, &ev, &e);
	if (!CHECK(first == -1 && strstr(e.msg, text) && e.code, "refused: %s",
		   what))
		printf("# %d: %s\n", first, e.msg);
	again = mux_feed(x.m, BYTES(FRAME(0, MUX_T_DATA, 1), 'x'), &used, &ev,
			 &e);
	CHECK(again == -1 && !used && ev.kind == MUX_EV_NONE &&
		      !mux_may_send(x.m, 5),
	      "and for ever after: %s", what);
	end_free(&x);
}

static void test_violations(void)
{
	refuse("frame for an unknown id", "not open",
	       BYTES(FRAME(9, MUX_T_DATA, 1), 0));
	refuse("id past the last", "no such stream",
	       BYTES(FRAME(MUX_STREAMS, MUX_T_OPEN, 4)));
	refuse("largest id", "no such stream",
	       BYTES(FRAME(65535, MUX_T_EOF, 0)));
	refuse("type 0", "unknown kind", BYTES(FRAME(5, 0, 0)));
	refuse("type 6", "unknown kind", BYTES(FRAME(5, 6, 0)));
	refuse("type 255", "unknown kind", BYTES(FRAME(5, 255, 0)));
	refuse("zero byte set", "not zero",
	       BYTES(5, 0, MUX_T_EOF, 1, 0, 0, 0, 0));
	refuse("empty data", "bad length", BYTES(FRAME(5, MUX_T_DATA, 0)));
	refuse("data one too long", "bad length",
	       BYTES(FRAME(5, MUX_T_DATA, MUX_DATA_MAX + 1)));
	refuse("data of 2^32-1 bytes", "bad length",
	       BYTES(FRAME(5, MUX_T_DATA, 0xffffffffu)));
	refuse("open of 3 bytes", "bad length",
	       BYTES(FRAME(131, MUX_T_OPEN, 3)));
	refuse("open of 2^32-1 bytes", "bad length",
	       BYTES(FRAME(131, MUX_T_OPEN, 0xffffffffu)));
	refuse("credit of 8 bytes", "bad length",
	       BYTES(FRAME(5, MUX_T_CREDIT, 8)));
	refuse("eof with a payload", "bad length",
	       BYTES(FRAME(5, MUX_T_EOF, 1)));
	refuse("reset with a payload", "bad length",
	       BYTES(FRAME(5, MUX_T_RESET, 4)));
	refuse("guest opens the host's id", "wrong side",
	       BYTES(FRAME(9, MUX_T_OPEN, 4), 0, 0, 0, 0));
	refuse("guest opens the control stream", "wrong side",
	       BYTES(FRAME(0, MUX_T_OPEN, 4), 0, 0, 0, 0));
	refuse("open of an open id", "opened twice",
	       BYTES(FRAME(130, MUX_T_OPEN, 4), 0, 0, 0, 0));
	refuse("data after eof", "after the end",
	       BYTES(FRAME(6, MUX_T_DATA, 1), 'x'));
	refuse("eof twice", "ended twice", BYTES(FRAME(6, MUX_T_EOF, 0)));
	refuse("credit of nothing", "credit",
	       BYTES(FRAME(5, MUX_T_CREDIT, 4), 0, 0, 0, 0));
	refuse("credit for unsent bytes", "credit",
	       BYTES(FRAME(5, MUX_T_CREDIT, 4), 1, 0, 0, 0));
	refuse("credit of 2^32-1", "credit",
	       BYTES(FRAME(5, MUX_T_CREDIT, 4), 255, 255, 255, 255));
	refuse("credit for the control stream", "credit",
	       BYTES(FRAME(0, MUX_T_CREDIT, 4), 1, 0, 0, 0));
	refuse("eof of the control stream", "control",
	       BYTES(FRAME(0, MUX_T_EOF, 0)));
	refuse("reset of the control stream", "control",
	       BYTES(FRAME(0, MUX_T_RESET, 0)));
	refuse("data on a free id of the guest's half", "not open",
	       BYTES(FRAME(140, MUX_T_DATA, 1), 'x'));
	refuse("eof on a free id", "not open", BYTES(FRAME(8, MUX_T_EOF, 0)));
	refuse("reset of a free id", "not open",
	       BYTES(FRAME(8, MUX_T_RESET, 0)));
}

/* The peer's window is a promise: byte MUX_WINDOW + 1 is a violation. */
static void test_window_overrun(void)
{
	static unsigned char full[MUX_HEADER + MUX_DATA_MAX] = {
		FRAME(5, MUX_T_DATA, MUX_DATA_MAX)};
	struct end x;

	prepare(&x);
	for (size_t i = 0; i < MUX_WINDOW / MUX_DATA_MAX; i++)
		feed(&x, full, sizeof(full), sizeof(full));
	CHECK(!x.bad && x.data.len == MUX_WINDOW, "a full window is taken");
	feed(&x, BYTES(FRAME(5, MUX_T_DATA, 1)), 64);
	CHECK(x.bad == 0, "a header alone says nothing yet");
	feed(&x, BYTES('x'), 1);
	CHECK(x.bad == 1, "one byte more than the window is a violation");
	end_free(&x);

	/* A stream that we reset is dropped, but its window still holds. */
	prepare(&x);
	full[0] = 7;
	for (size_t i = 0; i < MUX_WINDOW / MUX_DATA_MAX; i++)
		feed(&x, full, sizeof(full), 5000);
	CHECK(!x.bad && !x.data.len, "data after our reset is dropped");
	feed(&x, BYTES(FRAME(7, MUX_T_DATA, 1), 'x'), 64);
	CHECK(x.bad, "but no more of it than the window");
	end_free(&x);
}

static void fill(unsigned char *p, size_t n)
{
	uint32_t x = 12345;

	for (size_t i = 0; i < n; i++) {
		x = x * 1664525u + 1013904223u;
		p[i] = (unsigned char)(x >> 24);
	}
}

static void test_transfer(void)
{
	static const size_t steps[] = {1, 2, 7, 8, 9, 4096, 1u << 20};
	static unsigned char bytes[150000];

	fill(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct pair p;
		size_t put = 0;

		pair_init(&p);
		mux_open(p.host.m, 1, MUX_SERVICE_STDIO);
		while (put < sizeof(bytes)) {
			size_t n = mux_may_send(p.host.m, 1);

			if (n > sizeof(bytes) - put)
				n = sizeof(bytes) - put;
			if (!n || mux_send(p.host.m, 1, bytes + put, n) < 0)
				break;
			put += n;
			carry(&p.host, &p.guest, steps[i]);
		}
		mux_send_eof(p.host.m, 1);
		carry(&p.host, &p.guest, steps[i]);
		CHECK(!p.guest.bad && p.guest.data.len == sizeof(bytes) &&
			      !memcmp(p.guest.data.data, bytes, sizeof(bytes)),
		      "bytes arrive as they were, fed %zu at a time", steps[i]);
		tap_str(p.guest.said, "open 1, data 1, eof 1",
			"open first, eof last");
		pair_free(&p);
	}
}

static size_t send_all(struct end *from, struct end *to, unsigned stream)
{
	static unsigned char bytes[MUX_DATA_MAX];
	size_t sent = 0, n;

	while ((n = mux_may_send(from->m, stream))) {
		if (mux_send(from->m, stream, bytes, n) < 0)
			break;
		sent += n;
		carry(from, to, 1u << 20);
	}
	return sent;
}

static void test_credit(void)
{
	struct pair p;

	pair_init(&p);
	mux_open(p.host.m, 1, 0);
	mux_open(p.host.m, 2, 0);
	settle(&p);
	CHECK(send_all(&p.host, &p.guest, 1) == MUX_WINDOW,
	      "a sender has one window");
	CHECK(!mux_may_send(p.host.m, 1) && mux_send(p.host.m, 1, "x", 1) == -1,
	      "and nothing beyond");
	CHECK(send_all(&p.host, &p.guest, 2) == MUX_WINDOW,
	      "a stalled stream stalls no other");
	hush(&p);
	mux_consumed(p.guest.m, 1, MUX_WINDOW / 4 - 1);
	CHECK(!mux_out(p.guest.m)->len, "no credit for small change");
	mux_consumed(p.guest.m, 1, 1);
	settle(&p);
	tap_str(p.host.said, "credit 1", "credit comes in a big step");
	CHECK(send_all(&p.host, &p.guest, 1) == MUX_WINDOW / 4,
	      "and is what was consumed");
	mux_consumed(p.guest.m, 1, SIZE_MAX);
	settle(&p);
	CHECK(send_all(&p.host, &p.guest, 1) == MUX_WINDOW && !p.guest.bad,
	      "consuming too much never gives more than a window");
	CHECK(send_all(&p.guest, &p.host, 1) == MUX_WINDOW,
	      "each direction has its own credit");
	mux_send_eof(p.host.m, 2);
	settle(&p);
	mux_consumed(p.guest.m, 2, MUX_WINDOW);
	CHECK(!mux_out(p.guest.m)->len, "no credit after the sender's eof");
	mux_consumed(p.guest.m, 77, 5);
	mux_consumed(p.guest.m, 70000, 5);
	CHECK(!mux_out(p.guest.m)->len && !mux_may_send(p.host.m, 70000),
	      "ids that are nobody's are harmless");
	pair_free(&p);
}

/* What one side may do to stream 1 in the matrix of ends. */
enum act { NOTHING, DATA, END, RESET };

static void act(struct end *x, enum act what)
{
	switch (what) {
	case NOTHING:
		break;
	case DATA:
		mux_send(x->m, 1, "data", 4);
		break;
	case END:
		mux_send_eof(x->m, 1);
		break;
	case RESET:
		mux_reset(x->m, 1);
		break;
	}
}

/* Each pair of acts of both sides, at once or one after the other. */
static void test_ends(void)
{
	static const char *const names[] = {"nothing", "data", "eof", "reset"};
	int wrong = 0;
	struct pair p;

	for (int i = 0; i < 4 * 4 * 4 * 4 * 2; i++) {
		enum act h1 = (enum act)(i & 3), g1 = (enum act)(i >> 2 & 3);
		enum act h2 = (enum act)(i >> 4 & 3),
			 g2 = (enum act)(i >> 6 & 3);
		int ends, over, again;

		pair_init(&p);
		mux_open(p.host.m, 1, 0);
		settle(&p);
		act(&p.host, h1);
		if (i & 256)
			settle(&p);
		act(&p.guest, g1);
		act(&p.host, h2);
		if (i & 256)
			settle(&p);
		act(&p.guest, g2);
		settle(&p);
		ends = ((h1 == END || h2 == END) && (g1 == END || g2 == END)) ||
		       h1 == RESET || h2 == RESET || g1 == RESET || g2 == RESET;
		over = !mux_is_open(p.host.m, 1) && !mux_is_open(p.guest.m, 1);
		again = mux_open(p.host.m, 1, 0) == 0;
		settle(&p);
		/* One line for what went wrong, not 512 for what did not. */
		if (p.host.bad || p.guest.bad || over != ends ||
		    again != ends) {
			wrong++;
			CHECK(0, "host %s %s, guest %s %s, %s", names[h1],
			      names[h2], names[g1], names[g2],
			      i & 256 ? "in turn" : "at once");
		}
		pair_free(&p);
	}
	CHECK(!wrong, "512 ways to end: over on both sides or neither, "
		      "and the id is free exactly then");
}

static void test_half_close(void)
{
	struct pair p;

	pair_init(&p);
	mux_open(p.host.m, 1, 0);
	mux_send_eof(p.host.m, 1);
	settle(&p);
	CHECK(mux_send(p.host.m, 1, "x", 1) == -1 &&
		      mux_send_eof(p.host.m, 1) == -1,
	      "nothing is sent after our eof");
	CHECK(mux_is_open(p.host.m, 1) && mux_is_open(p.guest.m, 1),
	      "the other direction goes on");
	CHECK(mux_send(p.guest.m, 1, "answer", 6) == 0, "and can be used");
	settle(&p);
	CHECK(p.host.data.len == 6, "and read");
	hush(&p);
	mux_send_eof(p.guest.m, 1);
	settle(&p);
	tap_str(p.host.said, "eof 1", "the closing reset is no event (host)");
	tap_str(p.guest.said, "", "the closing reset is no event (guest)");
	CHECK(!mux_is_open(p.host.m, 1) && !mux_is_open(p.guest.m, 1),
	      "over after both");
	pair_free(&p);
}

/*
 * Frames of an earlier life of an id must not reach the next: the guest sends
 * credit and data while the host's reset is under way.
 */
static void test_reuse(void)
{
	struct pair p;

	pair_init(&p);
	mux_open(p.host.m, 1, 0);
	settle(&p);
	send_all(&p.host, &p.guest, 1);
	mux_reset(p.host.m, 1);
	CHECK(mux_open(p.host.m, 1, 0) == -1,
	      "an id is not free before the peer's reset");
	mux_consumed(p.guest.m, 1, MUX_WINDOW);
	mux_send(p.guest.m, 1, "late", 4);
	carry(&p.guest, &p.host, 64);
	CHECK(!p.host.bad && !p.host.data.len, "what comes late is dropped");
	carry(&p.host, &p.guest, 64);
	CHECK(!mux_is_open(p.guest.m, 1), "the guest hears of the reset");
	carry(&p.guest, &p.host, 64);
	hush(&p);
	CHECK(mux_open(p.host.m, 1, 7) == 0, "then the id is free");
	settle(&p);
	tap_str(p.guest.said, "open 1", "the new life begins with open");
	CHECK(send_all(&p.host, &p.guest, 1) == MUX_WINDOW && !p.guest.bad,
	      "and with one window");
	pair_free(&p);
}

static void test_ids(void)
{
	struct pair p;
	unsigned n = 0, id;

	pair_init(&p);
	CHECK(mux_open(p.host.m, 0, 0) == -1 &&
		      mux_open(p.host.m, MUX_GUEST_FIRST, 0) == -1 &&
		      mux_open(p.host.m, MUX_STREAMS, 0) == -1 &&
		      mux_open(p.guest.m, 1, 0) == -1,
	      "each side opens ids of its own half only");
	CHECK(mux_send_eof(p.host.m, 0) == -1 && mux_reset(p.host.m, 0) == -1,
	      "the control stream has no end");
	CHECK(mux_send(p.host.m, 1, "x", 1) == -1 &&
		      mux_send_eof(p.host.m, 1) == -1 &&
		      mux_reset(p.host.m, 1) == -1 &&
		      mux_reset(p.host.m, 99999) == -1,
	      "nothing can be done to a free id");
	CHECK(!mux_out(p.host.m)->len, "and nothing of that was sent");
	while ((id = mux_pick(p.guest.m)) && mux_open(p.guest.m, id, 3) == 0)
		n++;
	settle(&p);
	CHECK(n == MUX_STREAMS - MUX_GUEST_FIRST && !p.host.bad,
	      "the guest has %u ids", n);
	CHECK(mux_pick(p.host.m) == 1, "the host's first id is 1");
	pair_free(&p);
}

static void test_bounds(void)
{
	static unsigned char bytes[MUX_DATA_MAX];
	struct end x;
	size_t room, most = 0;
	unsigned cycles = 0;

	end_init(&x, MUX_HOST);
	for (unsigned i = 1; i < 100; i++) {
		mux_open(x.m, i, 0);
		while ((room = mux_may_send(x.m, i)))
			mux_send(x.m, i, bytes, room);
	}
	most = mux_out(x.m)->len;
	CHECK(most < MUX_OUT_MAX - MUX_OUT_CONTROL + 100 * 12 &&
		      !mux_may_send(x.m, 99),
	      "data waits when the output is full (%zu bytes)", most);
	buf_clear(mux_out(x.m));
	CHECK(mux_may_send(x.m, 99) == MUX_DATA_MAX,
	      "and goes on when it was written");
	/* Open and reset for ever, reading none of the answers. */
	while (!x.bad && cycles < 100000) {
		feed(&x, BYTES(FRAME(200, MUX_T_OPEN, 4), 0, 0, 0, 0), 64);
		feed(&x, BYTES(FRAME(200, MUX_T_RESET, 0)), 64);
		if (mux_out(x.m)->len > most)
			most = mux_out(x.m)->len;
		cycles++;
		x.said[0] = '\0';
	}
	CHECK(x.bad && most <= MUX_OUT_MAX,
	      "a peer that reads no answers is refused, in bounds");
	end_free(&x);
}

static void test_begin(void)
{
	struct pair p;
	size_t room = 99;
	void *at;

	pair_init(&p);
	CHECK(!mux_send_begin(p.host.m, 1, &room) && !room,
	      "no place on a free id");
	mux_open(p.host.m, 1, 0);
	settle(&p);
	at = mux_send_begin(p.host.m, 1, &room);
	CHECK(at && room == MUX_DATA_MAX, "a place for one frame");
	mux_send_end(p.host.m, 1, 0);
	CHECK(!mux_out(p.host.m)->len && mux_may_send(p.host.m, 1),
	      "taking it back leaves nothing");
	at = mux_send_begin(p.host.m, 1, &room);
	memcpy(at, "straight", 8);
	mux_send_end(p.host.m, 1, 8);
	settle(&p);
	CHECK(p.guest.data.len == 8 &&
		      !memcmp(p.guest.data.data, "straight", 8),
	      "what was put there arrives");
	CHECK(send_all(&p.host, &p.guest, 1) == MUX_WINDOW - 8,
	      "and has cost its credit");
	pair_free(&p);
}

/* A good sample, each byte flipped and each length cut: no crash, no overrun.
 */
static void test_flips(void)
{
	static const unsigned char good[] = {
		FRAME(130, MUX_T_OPEN, 4),
		1,
		0,
		0,
		0,
		FRAME(130, MUX_T_DATA, 5),
		'h',
		'e',
		'l',
		'l',
		'o',
		FRAME(0, MUX_T_DATA, 3),
		'a',
		'b',
		'c',
		FRAME(130, MUX_T_EOF, 0),
		FRAME(5, MUX_T_DATA, 2),
		'x',
		'y',
		FRAME(5, MUX_T_RESET, 0),
		FRAME(130, MUX_T_RESET, 0),
	};
	unsigned char bad[sizeof(good)];
	unsigned refused = 0, taken = 0;
	struct end x;

	for (size_t i = 0; i < sizeof(good) * 8; i++) {
		memcpy(bad, good, sizeof(good));
		bad[i / 8] ^= (unsigned char)(1u << (i % 8));
		prepare(&x);
		x.bad = 0;
		/* 130 is open already: begin with its own reset */
		feed(&x, BYTES(FRAME(130, MUX_T_RESET, 0)), 64);
		feed(&x, bad, sizeof(bad), 1 + i % 11);
		refused += (unsigned)x.bad;
		taken += !x.bad;
		end_free(&x);
	}
	CHECK(refused && taken && refused > taken,
	      "%u flips: %u refused, %u are another valid sequence",
	      refused + taken, refused, taken);
	for (size_t n = 0; n <= sizeof(good); n++) {
		prepare(&x);
		feed(&x, BYTES(FRAME(130, MUX_T_RESET, 0)), 64);
		feed(&x, good, n, sizeof(good));
		refused = (unsigned)x.bad;
		end_free(&x);
		if (refused)
			break;
	}
	CHECK(!refused, "no beginning of it is refused");
}

int main(void)
{
	test_violations();
	test_window_overrun();
	test_transfer();
	test_credit();
	test_ends();
	test_half_close();
	test_reuse();
	test_ids();
	test_bounds();
	test_begin();
	test_flips();
	return tap_done();
}
