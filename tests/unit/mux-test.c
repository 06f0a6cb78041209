/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The multiplexer between honest sides: credit, ends, id reuse, bounds. */
#include "mux-rig.h"

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
	mux_consumed(p.guest.m, 1, MUX_CREDIT_STEP - 1);
	CHECK(!mux_out(p.guest.m)->len, "no credit for small change");
	mux_consumed(p.guest.m, 1, 1);
	settle(&p);
	tap_str(p.host.said, "credit 1", "credit comes in a big step");
	CHECK(send_all(&p.host, &p.guest, 1) == MUX_CREDIT_STEP,
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
	while ((id = mux_pick(p.guest.m, 0)) && mux_open(p.guest.m, id, 3) == 0)
		n++;
	settle(&p);
	CHECK(n == MUX_STREAMS - MUX_GUEST_FIRST && !p.host.bad,
	      "the guest has %u ids", n);
	CHECK(mux_pick(p.host.m, 0) == 1, "the host's first id is 1");
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
	CHECK(mux_may_send(x.m, 99) == MUX_DATA_FULL,
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
	CHECK(at && room == MUX_DATA_FULL, "a place for one frame");
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

/* What is taken without being fed counts as if it had been. */
static void test_arriving(void)
{
	static const unsigned char bytes[100] = "not fed";
	unsigned id = 99;
	struct pair p;
	size_t left;

	pair_init(&p);
	mux_open(p.host.m, 1, 0);
	settle(&p);
	CHECK(!mux_arriving(p.guest.m, &id) && id == 99,
	      "between frames nothing but a header may come");
	mux_send(p.host.m, 1, bytes, sizeof(bytes));
	feed(&p.guest, mux_out(p.host.m)->data, MUX_HEADER, 64);
	CHECK(!mux_arriving(p.guest.m, &id), "nor after a lone header");
	feed(&p.guest, mux_out(p.host.m)->data + MUX_HEADER, 10, 64);
	left = mux_arriving(p.guest.m, &id);
	CHECK(left == 90 && id == 1, "then the rest of the payload");
	mux_arrived(p.guest.m, 60);
	CHECK(mux_arriving(p.guest.m, &id) == 30, "which shrinks");
	mux_arrived(p.guest.m, 30);
	buf_clear(mux_out(p.host.m));
	CHECK(!mux_arriving(p.guest.m, &id) && !p.guest.bad,
	      "until the frame is over");
	CHECK(send_all(&p.host, &p.guest, 1) == MUX_WINDOW - 100,
	      "and has cost its credit");

	mux_consumed(p.guest.m, 1, MUX_WINDOW);
	settle(&p);
	mux_send(p.host.m, 1, bytes, sizeof(bytes));
	feed(&p.guest, mux_out(p.host.m)->data, MUX_HEADER + 10, 64);
	mux_reset(p.guest.m, 1);
	CHECK(!mux_arriving(p.guest.m, &id),
	      "of a stream that was reset nothing may be taken");
	pair_free(&p);
}

int main(void)
{
	test_transfer();
	test_credit();
	test_ends();
	test_half_close();
	test_reuse();
	test_ids();
	test_bounds();
	test_arriving();
	test_begin();
	return tap_done();
}
