/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The real vmrun-mux with a guest that breaks every rule, and with a vmrun
 * that does not read: it says GONE, closes the port, stays in bounds, and
 * still ends properly.
 */
#include "edge-rig.h"

#include "base/io.h"
#include "base/own.h"
#include "tap.h"

#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(x, ...) tap_ok((x), __VA_ARGS__)
#define FRAME(s, t, len)                                                       \
	(s) & 255, (s) >> 8, (t), 0, (len)&255, ((len) >> 8) & 255,            \
		((len) >> 16) & 255, ((len) >> 24) & 255
#define U32(v) (v) & 255, ((v) >> 8) & 255, ((v) >> 16) & 255, ((v) >> 24) & 255
#define BYTES(...)                                                             \
	(const unsigned char[]){__VA_ARGS__},                                  \
		sizeof((const unsigned char[]){__VA_ARGS__})
/* A control message of one number, in its frame. */
#define MESSAGE(type, number)                                                  \
	FRAME(0, MUX_T_DATA, 12), U32(type), U32(4), U32(number)
/* EXIT without text */
#define EXIT(session, kind, value)                                             \
	FRAME(0, MUX_T_DATA, 24), U32(CTL_EXIT), U32(16), U32(session),        \
		U32(kind), U32(value), U32(0)

static struct rig r;

/* Vmrun heard GONE with this text, the port is closed, the program lives. */
static void expect_gone(const char *what, const char *text)
{
	const struct edge_record *ev;
	int status;

	rig_until(&r, rig_has_gone);
	ev = rig_find(&r, EDGE_EV_GONE);
	if (!CHECK(ev->text[0] && memchr(ev->text, 0, sizeof(ev->text)) &&
			   strstr(ev->text, text),
		   "gone: %s", what))
		printf("# %s\n", ev->text);
	while (!r.gone)
		rig_turn(&r, -1);
	rig_raw(&r, BYTES(FRAME(0, MUX_T_DATA, 1), 0));
	status = waitpid(r.child.pid, &status, WNOHANG);
	CHECK(status == 0 && rig_count(&r, EDGE_EV_GONE) == 1 &&
		      rig_end(&r) == 0,
	      "told once, and the end waits for vmrun: %s", what);
}

/* To a running session with all three streams. */
static void refuse(const char *what, const char *text, const unsigned char *p,
		   size_t n)
{
	rig_start(&r, NULL);
	rig_run(&r);
	rig_raw(&r, p, n);
	expect_gone(what, text);
}

/* As the first bytes of the guest. */
static void refuse_first(const char *what, const char *text,
			 const unsigned char *p, size_t n)
{
	rig_start(&r, NULL);
	rig_raw(&r, p, n);
	expect_gone(what, text);
}

static void test_frames(void)
{
	refuse_first("text instead of frames", "",
		     (const unsigned char *)"Linux version 6.1\n", 18);
	refuse("data on a free stream", "not open",
	       BYTES(FRAME(40, MUX_T_DATA, 1), 'x'));
	refuse("data on stdin", "wrong way",
	       BYTES(FRAME(IN_STREAM, MUX_T_DATA, 1), 'x'));
	refuse("data of 2^32-1 bytes", "length",
	       BYTES(FRAME(OUT_STREAM, MUX_T_DATA, 0xffffffffu)));
	refuse("credit that was never taken", "credit",
	       BYTES(FRAME(IN_STREAM, MUX_T_CREDIT, 4), U32(1)));
	refuse("a stream of the host's half", "wrong side",
	       BYTES(FRAME(50, MUX_T_OPEN, 4), U32(0)));
	refuse("stdout ended twice", "",
	       BYTES(FRAME(ERR_STREAM, MUX_T_EOF, 0),
		     FRAME(ERR_STREAM, MUX_T_EOF, 0)));
	refuse("data after the end of stdout", "",
	       BYTES(FRAME(OUT_STREAM, MUX_T_EOF, 0),
		     FRAME(OUT_STREAM, MUX_T_DATA, 1), 'x'));
	refuse("end of the control stream", "control",
	       BYTES(FRAME(0, MUX_T_EOF, 0)));
	refuse("reset of the control stream", "control",
	       BYTES(FRAME(0, MUX_T_RESET, 0)));
}

static void test_messages(void)
{
	refuse_first("another version", "version 9999",
		     BYTES(MESSAGE(CTL_HELLO, 9999)));
	refuse_first("started before hello", "does not run",
		     BYTES(MESSAGE(CTL_STARTED, 0)));
	refuse_first("exit before hello", "does not run",
		     BYTES(EXIT(0, CTL_EXIT_CODE, 0)));
	refuse_first(
		"a question before hello", "before its hello",
		BYTES(FRAME(0, MUX_T_DATA, 8), U32(CTL_ASK_CLOCK), U32(0)));
	refuse("hello twice", "twice", BYTES(MESSAGE(CTL_HELLO, CTL_VERSION)));
	refuse("a session that nobody asked for", "does not run",
	       BYTES(MESSAGE(CTL_STARTED, 1)));
	refuse("session 2^32-1", "", BYTES(MESSAGE(CTL_READY, 0xffffffffu)));
	refuse("started twice", "twice",
	       BYTES(MESSAGE(CTL_STARTED, 0), MESSAGE(CTL_STARTED, 0)));
	refuse("exit twice", "does not run",
	       BYTES(EXIT(0, CTL_EXIT_CODE, 0), EXIT(0, CTL_EXIT_CODE, 1)));
	refuse("exit status 256", "", BYTES(EXIT(0, CTL_EXIT_CODE, 256)));
	refuse("signal 0", "", BYTES(EXIT(0, CTL_EXIT_SIGNAL, 0)));
	refuse("signal 2^31", "", BYTES(EXIT(0, CTL_EXIT_SIGNAL, 1u << 31)));
	refuse("an unknown kind of exit", "", BYTES(EXIT(0, 77, 0)));
	refuse("a message of the host", "", BYTES(MESSAGE(CTL_SIGNAL, 0)));
	refuse("an unknown message", "", BYTES(MESSAGE(6, 0)));
	refuse("a message of 2^32-1 bytes", "",
	       BYTES(FRAME(0, MUX_T_DATA, 8), U32(CTL_LOG), U32(0xffffffffu)));
	refuse("a message with bytes left over", "",
	       BYTES(FRAME(0, MUX_T_DATA, 16), U32(CTL_READY), U32(8), U32(0),
		     U32(0)));
}

static void test_overrun(void)
{
	static unsigned char frame[MUX_HEADER + MUX_DATA_MAX] = {
		FRAME(OUT_STREAM, MUX_T_DATA, MUX_DATA_MAX)};

	rig_start(&r, NULL);
	rig_run(&r);
	r.stall = true;
	for (int i = 0; i < 9; i++)
		rig_raw(&r, frame, sizeof(frame));
	expect_gone("more than the window", "credit");
}

/* Opens and resets without reading the answers. */
static void test_storm(void)
{
	static unsigned char storm[4096 * 20];
	const unsigned char one[20] = {FRAME(200, MUX_T_OPEN, 4), U32(5),
				       FRAME(200, MUX_T_RESET, 0)};

	for (size_t i = 0; i < sizeof(storm); i += sizeof(one))
		memcpy(storm + i, one, sizeof(one));
	rig_start(&r, NULL);
	rig_run(&r);
	/* Only writes: the kernel's buffers fill, then ours. */
	io_nonblock(r.port, 0);
	for (int i = 0; i < 200; i++)
		if (io_write_all(r.port, storm, sizeof(storm)) < 0)
			break;
	io_nonblock(r.port, 1);
	r.gone = true; /* the answers are not for the guest's multiplexer */
	rig_until(&r, rig_has_gone);
	CHECK(!!strstr(rig_find(&r, EDGE_EV_GONE)->text, "not read"),
	      "a storm of opens whose answers are not read is refused");
	CHECK(rig_end(&r) == 0, "and leaves a program that ends");
}

static bool has_answers(struct rig *x)
{
	return x->answers == 50;
}

static void test_unknown_service(void)
{
	struct buf b;

	rig_start(&r, NULL);
	rig_run(&r);
	for (unsigned i = 0; i < 50; i++) {
		unsigned id = mux_pick(r.mux, 0);

		mux_open(r.mux, id, i);
		mux_send(r.mux, id, "to nobody", 9);
	}
	rig_until(&r, has_answers);
	CHECK(rig_count(&r, EDGE_EV_LOG) == 1 && !rig_has_gone(&r),
	      "streams that the guest opens are reset, and logged once");
	buf_init(&b, 64);
	ctl_put_session(&b, CTL_STARTED, 0);
	rig_say(&r, &b);
	rig_exit(&r, 0, 9);
	rig_until(&r, rig_has_exit);
	CHECK(rig_find(&r, EDGE_EV_EXIT)->value == 9, "the session goes on");
	rig_end(&r);
}

static void test_log_text(void)
{
	const struct edge_record *ev;
	char text[CTL_TEXT_MAX + 1];
	struct buf b;

	memset(text, '\033', CTL_TEXT_MAX);
	text[CTL_TEXT_MAX] = '\0';
	rig_start(&r, NULL);
	buf_init(&b, 4096);
	ctl_put_log(&b, 0, text);
	rig_say(&r, &b);
	buf_init(&b, 4096);
	ctl_put_hello(&b);
	rig_say(&r, &b);
	rig_until(&r, rig_has_hello);
	ev = rig_find(&r, EDGE_EV_LOG);
	CHECK(ev && strnlen(ev->text, sizeof(ev->text)) == EDGE_TEXT_MAX - 1,
	      "the longest text is cut and ends in the record");
	rig_end(&r);
}

static void flood(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct buf b;

		buf_init(&b, 1024);
		ctl_put_log(&b, 1, "look at me");
		rig_say(&r, &b);
	}
}

static uint64_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

static void test_log_flood(void)
{
	uint64_t since = seconds();

	rig_start(&r, NULL);
	rig_run(&r);
	for (int i = 0; i < 100; i++) {
		flood(30);
		rig_sync(&r);
	}
	rig_exit(&r, 0, 1);
	rig_until(&r, rig_has_exit);
	/* For each second that it took, HOST_LOG_RATE of them; as many records
	 * at most say how many were left out. */
	CHECK(rig_count(&r, EDGE_EV_LOG) >= 1 &&
		      rig_count(&r, EDGE_EV_LOG) <=
			      2 * 20 * (seconds() - since + 1),
	      "a flood of messages is thinned out, the exit comes");
	rig_end(&r);
}

/*
 * vmrun does not read: 90 to 160 answers fill the kernel's buffer, the others
 * our queue, and what matters comes behind them.
 */
static void test_deaf_vmrun(void)
{
	const struct edge_record c = {.version = EDGE_VERSION,
				      .kind = EDGE_CMD_LAUNCH};
	own_fd null = memfd_create("x", MFD_CLOEXEC);
	struct buf b;
	int unread;

	rig_start(&r, NULL);
	rig_run(&r);
	r.n_events = 0;
	io_nonblock(r.host, 0);
	for (int i = 0; i < 180; i++)
		io_send(r.host, &c, sizeof(c), &null, 1);
	io_nonblock(r.host, 1);
	r.host_eof = true; /* no longer polled */
	do
		rig_turn(&r, 0);
	while (ioctl(r.host, SIOCOUTQ, &unread) == 0 && unread);
	buf_init(&b, 1024);
	ctl_put_session(&b, CTL_STARTED, 0);
	ctl_put_session(&b, CTL_READY, 0);
	rig_say(&r, &b);
	flood(100);
	rig_send(&r, OUT_STREAM, "last words", 10);
	rig_exit(&r, 0, 42);
	while (r.out >= 0)
		rig_turn(&r, -1);
	CHECK(r.out_got.len == 10, "output flows while vmrun is deaf");
	r.host_eof = false;
	rig_until(&r, rig_has_exit);
	CHECK(rig_find(&r, EDGE_EV_EXIT)->value == 42 &&
		      rig_count(&r, EDGE_EV_STARTED) == 1 &&
		      rig_count(&r, EDGE_EV_READY) == 1 &&
		      rig_count(&r, EDGE_EV_FULL) == 180,
	      "when it reads again nothing that matters is lost");
	rig_end(&r);
}

static void test_vmrun_ends(void)
{
	static unsigned char bytes[MUX_WINDOW];

	rig_start(&r, NULL);
	rig_run(&r);
	r.stall = true;
	rig_send(&r, OUT_STREAM, bytes, sizeof(bytes));
	close(r.host);
	r.host = -1;
	CHECK(child_wait(&r.child) == 0,
	      "it ends with vmrun, whatever still waits");
	rig_end(&r);
}

static void bad_command(const char *what, struct edge_record c)
{
	rig_start(&r, NULL);
	rig_run(&r);
	io_send(r.host, &c, sizeof(c), NULL, 0);
	expect_gone(what, "fit together");
}

static void test_bad_commands(void)
{
	struct edge_record c = {.version = EDGE_VERSION, .kind = EDGE_CMD_STOP};

	c.version = EDGE_VERSION + 1;
	bad_command("a record of another version", c);
	c.version = EDGE_VERSION;
	c.kind = EDGE_EV_HELLO;
	bad_command("a record of the wrong direction", c);
	c.kind = EDGE_CMD_SIGNAL;
	c.session = CTL_SESSIONS;
	bad_command("a session past the last", c);
	c.session = 1;
	c.kind = EDGE_CMD_EXEC;
	c.stdio = EDGE_STDIO_IN;
	bad_command("descriptors that did not come", c);
	rig_start(&r, NULL);
	io_send(r.host, &c, sizeof(c) - 1, NULL, 0);
	expect_gone("a record of another size", "fit together");
}

int main(void)
{
	test_frames();
	test_messages();
	test_overrun();
	test_storm();
	test_unknown_service();
	test_log_text();
	test_log_flood();
	test_deaf_vmrun();
	test_vmrun_ends();
	test_bad_commands();
	return tap_done();
}
