/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Forwarded sockets in the real vmrun-mux: what the guest may open, what vmrun
 * is asked, and each way in which a connection can end.  The test plays the
 * guest, vmrun and the service behind the socket.
 */
#include "edge-rig.h"

#include "base/io.h"
#include "tap.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHECK(x, ...) tap_ok((x), __VA_ARGS__)
#define FIRST MUX_GUEST_FIRST
#define SOCKETS 2

static struct rig r;
static unsigned char bytes[MUX_WINDOW];

static void begin(void)
{
	bool windows = r.windows;

	rig_start(&r, NULL);
	r.windows = windows;
	r.sockets = SOCKETS;
	rig_run(&r);
}

/* The guest connects to socket `which` by a stream of its choice. */
static void guest_opens(unsigned stream, uint32_t which)
{
	r.ended[stream] = r.reset[stream] = false;
	buf_clear(&r.got[stream]);
	mux_open(r.mux, stream, MUX_SERVICE_SOCKET + which);
}

static size_t wanted;

static bool has_asked(struct rig *x)
{
	return rig_count(x, EDGE_EV_CONNECT) >= wanted;
}

/* The n-th question, from 1 on. */
static const struct edge_record *question(size_t n)
{
	wanted = n;
	rig_until(&r, has_asked);
	for (size_t i = 0; i < r.n_events; i++)
		if (r.event[i].kind == EDGE_EV_CONNECT && !--n)
			return &r.event[i];
	return NULL;
}

static void answer(uint32_t conn, int fd)
{
	const struct edge_record c = {.version = EDGE_VERSION,
				      .kind = EDGE_CMD_CONNECTED,
				      .conn = conn};

	io_send(r.host, &c, sizeof(c), &fd, fd >= 0);
}

/* Answers the n-th question with a connection; the service's end of it. */
static int accept_nth(size_t n)
{
	int two[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, two) < 0)
		exit(1);
	answer(question(n)->conn, two[1]);
	close(two[1]);
	return two[0];
}

/* Exactly n bytes from the service's end while everything goes on. */
static bool service_gets(int fd, const void *want, size_t n)
{
	unsigned char *got = malloc(n);
	size_t have = 0;
	bool same;

	while (have < n) {
		ssize_t k = recv(fd, got + have, n - have, MSG_DONTWAIT);

		if (!k || (k < 0 && errno != EAGAIN))
			break;
		if (k > 0)
			have += (size_t)k;
		else
			rig_turn(&r, 10);
	}
	same = have == n && !memcmp(got, want, n);
	free(got);
	return same;
}

/* The service reads end of file. */
static bool service_ends(int fd)
{
	char byte;
	ssize_t n;

	while ((n = recv(fd, &byte, 1, MSG_DONTWAIT)) < 0 && errno == EAGAIN)
		rig_turn(&r, 10);
	return !n;
}

static unsigned watched;
static size_t length;

static bool guest_has(struct rig *x)
{
	return x->got[watched].len >= length;
}

static bool guest_gets(unsigned stream, const void *want, size_t n)
{
	watched = stream;
	length = n;
	rig_until(&r, guest_has);
	return r.got[stream].len == n && !memcmp(r.got[stream].data, want, n);
}

static bool guest_eof(struct rig *x)
{
	return x->ended[watched];
}

static bool guest_reset(struct rig *x)
{
	return x->reset[watched];
}

static void until(bool (*is)(struct rig *), unsigned stream)
{
	watched = stream;
	rig_until(&r, is);
}

/* Neither has to be told to the guest's side: it is free to be used again. */
static bool is_over(struct rig *x)
{
	return mux_is_free(x->mux, watched);
}

static void test_undeclared(void)
{
	static const uint32_t services[] = {MUX_SERVICE_STDIO, SOCKETS + 1,
					    0xffffffffu};

	begin();
	for (unsigned i = 0; i < 30; i++) {
		mux_open(r.mux, FIRST + i, services[i % 3]);
		mux_send(r.mux, FIRST + i, "to nobody", 9);
	}
	while (r.answers < 30)
		rig_turn(&r, -1);
	rig_sync(&r);
	CHECK(!rig_find(&r, EDGE_EV_CONNECT) && rig_count(&r, EDGE_EV_LOG) == 1,
	      "undeclared services: reset, vmrun is not asked, one message");
	guest_opens(FIRST, SOCKETS - 1);
	CHECK(question(1)->value == SOCKETS - 1, "the last declared one is");
	rig_end(&r);
}

/* The first is told as it comes, and how many they were in the end. */
static void test_counted(void)
{
	const struct edge_record *last;

	begin();
	for (unsigned i = 0; i < 30; i++)
		mux_open(r.mux, FIRST + i, 0xffffffffu);
	while (r.answers < 30)
		rig_turn(&r, -1);
	rig_exit(&r, 0, 0);
	rig_until(&r, rig_has_exit);
	last = &r.event[0];
	for (size_t i = 0; i < r.n_events; i++)
		if (r.event[i].kind == EDGE_EV_LOG)
			last = &r.event[i];
	CHECK(rig_count(&r, EDGE_EV_LOG) == 2 && !strncmp(last->text, "30 ", 3),
	      "at the end it is told how many they were");
	rig_end(&r);
}

static void test_before_launch(void)
{
	rig_start(&r, NULL);
	mux_open(r.mux, FIRST, MUX_SERVICE_SOCKET);
	while (!r.answers)
		rig_turn(&r, -1);
	CHECK(!rig_find(&r, EDGE_EV_CONNECT), "before LAUNCH there is none");
	rig_end(&r);
}

static void test_refused(void)
{
	begin();
	guest_opens(FIRST, 0);
	mux_send(r.mux, FIRST, "hello", 5);
	answer(question(1)->conn, -1);
	until(guest_reset, FIRST);
	until(is_over, FIRST);
	CHECK(!rig_has_gone(&r), "what vmrun refuses is a RESET");
	rig_end(&r);
}

static void test_both_ways(void)
{
	int fd;

	begin();
	guest_opens(FIRST + 9, 1);
	rig_send(&r, FIRST + 9, "early ", 6);
	rig_sync(&r);
	fd = accept_nth(1);
	rig_send(&r, FIRST + 9, "late", 4);
	CHECK(service_gets(fd, "early late", 10),
	      "what was sent before the connection is there comes first");
	CHECK(send(fd, "answer", 6, 0) == 6 &&
		      guest_gets(FIRST + 9, "answer", 6),
	      "and the other way");
	/* the guest's end, then the service's last words and its end */
	mux_send_eof(r.mux, FIRST + 9);
	CHECK(service_ends(fd), "the guest's end is a half-close");
	CHECK(send(fd, ", more", 6, 0) == 6 &&
		      guest_gets(FIRST + 9, "answer, more", 12),
	      "after which the service still answers");
	close(fd);
	until(guest_eof, FIRST + 9);
	until(is_over, FIRST + 9);
	CHECK(!r.reset[FIRST + 9], "and ends in good order");
	rig_end(&r);
}

static void test_service_ends_first(void)
{
	int fd;

	begin();
	guest_opens(FIRST, 0);
	fd = accept_nth(1);
	shutdown(fd, SHUT_WR);
	until(guest_eof, FIRST);
	rig_send(&r, FIRST, "still", 5);
	CHECK(service_gets(fd, "still", 5),
	      "the service's half-close leaves the guest's direction");
	close(fd);
	rig_send(&r, FIRST, "to nobody", 9);
	until(guest_reset, FIRST);
	CHECK(!rig_has_gone(&r), "a service that is gone is a RESET");
	rig_end(&r);
}

/* The first life of a stream has bytes to write when its second begins. */
static void test_detached(void)
{
	int old, new;

	begin();
	guest_opens(FIRST, 0);
	old = accept_nth(1);
	rig_send(&r, FIRST, bytes, sizeof(bytes));
	mux_send_eof(r.mux, FIRST);
	shutdown(old, SHUT_WR);
	until(guest_eof, FIRST);
	until(is_over, FIRST);
	guest_opens(FIRST, 1);
	new = accept_nth(2);
	CHECK(question(1)->conn != question(2)->conn,
	      "a second life has a place of its own");
	rig_send(&r, FIRST, "second", 6);
	CHECK(service_gets(new, "second", 6), "and its bytes");
	CHECK(service_gets(old, bytes, sizeof(bytes)) && service_ends(old),
	      "the first one's are all written, then it ends");
	CHECK(send(new, "x", 1, 0) == 1 && guest_gets(FIRST, "x", 1) &&
		      !r.ended[FIRST],
	      "without a trace in the second");
	close(old);
	close(new);
	rig_end(&r);
}

static void test_reset_while_asked(void)
{
	uint32_t first;
	int two[2];

	begin();
	guest_opens(FIRST, 0);
	first = question(1)->conn;
	mux_reset(r.mux, FIRST);
	until(is_over, FIRST);
	guest_opens(FIRST, 0);
	rig_send(&r, FIRST, "second", 6);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, two) < 0)
		exit(1);
	answer(first, two[1]);
	close(two[1]);
	CHECK(service_ends(two[0]),
	      "a connection that nobody wants any more is closed");
	close(two[0]);
	two[0] = accept_nth(2);
	CHECK(service_gets(two[0], "second", 6), "the next life gets its own");
	close(two[0]);
	rig_end(&r);
}

/* Until the credit is used up and vmrun-mux has given all that it will. */
static void fill(unsigned stream)
{
	while (mux_may_send(r.mux, stream)) {
		while (mux_may_send(r.mux, stream) || mux_out(r.mux)->len) {
			size_t n = mux_may_send(r.mux, stream);

			if (n)
				mux_send(r.mux, stream, bytes, n);
			rig_turn(&r, 0);
		}
		rig_sync(&r);
	}
}

static void test_stalled(void)
{
	int stalled, fd;

	begin();
	guest_opens(FIRST, 0);
	guest_opens(FIRST + 1, 0);
	stalled = accept_nth(1);
	fd = accept_nth(2);
	fill(FIRST);
	rig_send(&r, FIRST + 1, "other", 5);
	CHECK(service_gets(fd, "other", 5),
	      "a service that does not read stops nobody else");
	rig_send(&r, OUT_STREAM, "out", 3);
	while (r.out_got.len < 3)
		rig_turn(&r, -1);
	CHECK(!mux_may_send(r.mux, FIRST),
	      "and its guest is held back by its own credit");
	close(stalled);
	until(guest_reset, FIRST);
	close(fd);
	rig_end(&r);
}

/* Never more questions than places, whatever the guest does with streams. */
static void test_too_many(void)
{
	begin();
	for (unsigned i = 0; i < EDGE_CONNS; i++)
		guest_opens(FIRST + i, 0);
	question(EDGE_CONNS);
	for (unsigned i = 0; i < 40; i++) {
		mux_reset(r.mux, FIRST + i);
		until(is_over, FIRST + i);
		r.reset[FIRST + i] = false;
		guest_opens(FIRST + i, 0);
		until(guest_reset, FIRST + i);
	}
	rig_sync(&r);
	CHECK(rig_count(&r, EDGE_EV_CONNECT) == EDGE_CONNS &&
		      rig_count(&r, EDGE_EV_LOG) == 1,
	      "one more than the places is reset, logged once");
	answer(question(1)->conn, -1);
	until(is_over, FIRST);
	guest_opens(FIRST, 1);
	CHECK(question(EDGE_CONNS + 1)->value == 1,
	      "a place that is free again is used again");
	rig_end(&r);
}

static void test_wrong_answers(void)
{
	static const uint32_t conns[] = {0, EDGE_CONNS, 0xffffffffu};

	for (size_t i = 0; i < 3; i++) {
		begin();
		answer(conns[i], -1);
		rig_until(&r, rig_has_gone);
		CHECK(!!strstr(rig_find(&r, EDGE_EV_GONE)->text, "fit"),
		      "an answer to no question: %u", conns[i]);
		rig_end(&r);
	}
}

static void test_port_ends(void)
{
	int fd;

	begin();
	guest_opens(FIRST, 0);
	guest_opens(FIRST + 1, 0);
	fd = accept_nth(1);
	rig_send(&r, FIRST, "last", 4);
	question(2);
	close(r.port);
	r.port = -1;
	r.gone = true;
	CHECK(service_gets(fd, "last", 4) && service_ends(fd),
	      "when the VM is gone its connections end");
	rig_until(&r, rig_has_gone);
	close(fd);
	CHECK(rig_end(&r) == 0, "also with a question open");
}

/*
 * A service that answers and leaves without having read everything, as one
 * does that finds a request too large.
 */
static void test_early_answer(void)
{
	size_t said = 0, before;
	int fd;

	begin();
	r.hold_conns = true;
	guest_opens(FIRST, 0);
	fd = accept_nth(1);
	do {
		ssize_t n;

		before = said;
		while ((n = send(fd, bytes, 1000, MSG_DONTWAIT)) > 0)
			said += (size_t)n;
		rig_sync(&r);
	} while (said != before);
	shutdown(fd, SHUT_RD);
	rig_send(&r, FIRST, "to nobody", 9);
	rig_sync(&r);
	rig_send(&r, FIRST, bytes, sizeof(bytes));
	close(fd);
	r.hold_conns = false;
	mux_consumed(r.mux, FIRST, r.got[FIRST].len);
	until(is_over, FIRST);
	CHECK(said > MUX_WINDOW && r.got[FIRST].len == said && r.ended[FIRST],
	      "what a service said before it stopped reading arrives");
	rig_end(&r);
}

static bool has_second(struct rig *x)
{
	return x->opened[8];
}

/* EXIT would be here: the loop went round since the guest said it. */
static bool is_held(void)
{
	int out;

	r.opened[8] = false;
	out = rig_out(&r, true);
	rig_launch(&r, 2, EDGE_STDIO_OUT, &out, 50);
	rig_until(&r, has_second);
	for (int i = 0; i < 10; i++)
		rig_turn(&r, 0);
	return !rig_has_exit(&r);
}

/* A service that has not read, and the application has ended; its end of it. */
static int wrote_and_ended(enum ctl_exit kind, uint32_t value)
{
	struct buf b;
	int fd;

	begin();
	guest_opens(FIRST, SOCKETS - 1);
	fd = accept_nth(1);
	rig_send(&r, FIRST, bytes, sizeof(bytes));
	mux_send_eof(r.mux, FIRST);
	if (kind == CTL_EXIT_SIGNAL) {
		const struct edge_record c = {.kind = EDGE_CMD_SIGNAL,
					      .value = value};

		rig_command(&r, &c);
		rig_sync(&r);
	}
	buf_init(&b, 64);
	ctl_put_exit(&b, 0, kind, value, "");
	rig_say(&r, &b);
	/* Its output ends as vmrun-mux reads this. */
	while (r.out >= 0)
		rig_turn(&r, -1);
	return fd;
}

/* As the output is, what is for a service is written before EXIT. */
static void test_exit_waits(void)
{
	const struct edge_record c = {.kind = EDGE_CMD_SIGNAL, .value = 15};
	const struct edge_record *ev;
	int fd = wrote_and_ended(CTL_EXIT_CODE, 0);

	CHECK(is_held(), "the exit waits for a service that reads late");
	CHECK(service_gets(fd, bytes, sizeof(bytes)) && service_ends(fd),
	      "which gets all that there is");
	rig_until(&r, rig_has_exit);
	CHECK(!rig_find(&r, EDGE_EV_EXIT)->value, "then it is told");
	close(fd);
	rig_end(&r);

	fd = wrote_and_ended(CTL_EXIT_CODE, 0);
	CHECK(is_held(), "it waits for one that does not read");
	rig_command(&r, &c);
	rig_until(&r, rig_has_exit);
	ev = rig_find(&r, EDGE_EV_EXIT);
	CHECK(ev->exit == CTL_EXIT_SIGNAL && ev->value == 15,
	      "until there is a signal");
	close(fd);
	rig_end(&r);

	fd = wrote_and_ended(CTL_EXIT_SIGNAL, 15);
	rig_until(&r, rig_has_exit);
	CHECK(rig_has_exit(&r), "nor does it wait after a signal");
	close(fd);
	rig_end(&r);
}

/* A client may have sent more than there was credit for when it ended. */
static void test_exit_before_end(void)
{
	int fd;

	begin();
	guest_opens(FIRST, SOCKETS - 1);
	fd = accept_nth(1);
	rig_exit(&r, 0, 0);
	while (r.out >= 0)
		rig_turn(&r, -1);
	CHECK(is_held(), "the exit waits for a client's end");
	rig_send(&r, FIRST, bytes, sizeof(bytes));
	mux_send_eof(r.mux, FIRST);
	CHECK(service_gets(fd, bytes, sizeof(bytes)) && service_ends(fd),
	      "so the service gets what came behind it");
	rig_until(&r, rig_has_exit);
	CHECK(!rig_find(&r, EDGE_EV_EXIT)->value, "then that is told");
	close(fd);
	rig_end(&r);
}

static void test_exit_and_windows(void)
{
	int fd;

	r.windows = true;
	fd = wrote_and_ended(CTL_EXIT_CODE, 0);
	rig_until(&r, rig_has_exit);
	CHECK(rig_has_exit(&r), "the windows do not hold it back");
	close(fd);
	rig_end(&r);
}

int main(void)
{
	rig_fill(bytes, sizeof(bytes));
	test_undeclared();
	test_counted();
	test_before_launch();
	test_refused();
	test_both_ways();
	test_service_ends_first();
	test_detached();
	test_reset_while_asked();
	test_stalled();
	test_too_many();
	test_wrong_answers();
	test_port_ends();
	test_early_answer();
	test_exit_waits();
	test_exit_before_end();
	test_exit_and_windows();
	return tap_done();
}
