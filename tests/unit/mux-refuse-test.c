/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The multiplexer with a peer that breaks the rules: each is refused for good.
 */
#include "mux-rig.h"

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

static void test_lengths(void)
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
}

static void test_states(void)
{
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

/* A good sample, each byte flipped and each length cut: no crash, no overrun.
 */
static void test_flips(void)
{
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
}

static void test_cuts(void)
{
	unsigned refused = 0;
	struct end x;

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
	test_lengths();
	test_states();
	test_window_overrun();
	test_flips();
	test_cuts();
	return tap_done();
}
