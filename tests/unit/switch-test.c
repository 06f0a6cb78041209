/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The real vmrun-switch among machines that behave: ports, queues, ends. */
#include "switch-rig.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHECK(x, ...) tap_ok((x), __VA_ARGS__)

static struct rig r;
static struct frame f, g;

/* Frame number i, of a length that i gives, towards `port` or from it. */
static void numbered(struct frame *to, unsigned port, bool up, unsigned i)
{
	const struct switch_record *how = &r.role[port];

	f_ip4(to, up ? mac_up : how->mac, up ? how->mac : mac_up,
	      up ? how->ip4 : ip_b, 4 + (i * 2654435761u >> 8) % 1400);
	memcpy(to->b + 42, &i, sizeof(i));
}

static bool is_numbered(unsigned port, bool up, unsigned i)
{
	numbered(&f, port, up, i);
	return g.n == f.n && !memcmp(g.b, f.b, f.n);
}

static void test_ways(void)
{
	struct switch_counters a, up;
	unsigned right = 0;

	rig_start(&r, false);
	numbered(&f, A, true, 1);
	rig_send(&r, A, &f);
	rig_receive(&r, UP, &g);
	CHECK(is_numbered(A, true, 1), "a frame reaches the uplink unchanged");
	numbered(&f, A, false, 2);
	rig_send(&r, UP, &f);
	rig_receive(&r, A, &g);
	CHECK(is_numbered(A, false, 2), "and one the client");
	for (unsigned i = 0; i < 2000; i++) {
		numbered(&f, A, true, i);
		rig_send(&r, A, &f);
		rig_receive(&r, UP, &g);
		right += is_numbered(A, true, i);
	}
	CHECK(right == 2000, "frames of all lengths, one by one");
	a = rig_count(&r, A);
	up = rig_count(&r, UP);
	CHECK(a.received == 2001 && up.sent == 2001 && a.sent == 1 &&
		      up.received == 1 && a.received_bytes == up.sent_bytes,
	      "both ends' counters agree");
	CHECK(rig_end(&r) == 0, "it ends with its launcher");
}

static void test_isolation(void)
{
	rig_start(&r, false);
	f_ip4(&f, mac_b, mac_a, ip_a, 60);
	rig_send(&r, A, &f);
	f_ip4(&f, mac_all, mac_a, ip_a, 60);
	rig_send(&r, A, &f);
	CHECK(rig_sync(&r, A) == 1, "the broadcast reaches the uplink");
	CHECK(rig_drain(&r, B) == 0, "the neighbour gets neither");
	CHECK(rig_count(&r, A).drop[SWITCH_DROP_NEIGHBOUR] == 1,
	      "the frame for the neighbour was counted");
	f_ip4(&f, mac_all, mac_up, ip_b, 60);
	rig_send(&r, UP, &f);
	rig_receive(&r, A, &g);
	rig_receive(&r, B, &g);
	CHECK(rig_drain(&r, UP) == 0, "the uplink's broadcast reaches both");
	rig_end(&r);
}

/* All that a client holds back comes later, in order. */
static void test_slow_client(void)
{
	enum { SENT = 6000 };
	struct switch_counters c;
	unsigned right = 0;

	rig_start(&r, false);
	for (unsigned i = 0; i < SENT; i++) {
		numbered(&f, A, false, i);
		rig_send(&r, UP, &f);
	}
	numbered(&f, B, false, 7);
	rig_send(&r, UP, &f);
	rig_receive(&r, B, &g);
	CHECK(is_numbered(B, false, 7),
	      "a client that reads nothing does not hold up its neighbour");
	c = rig_count(&r, A);
	CHECK(c.drop[SWITCH_DROP_FULL] > SENT / 2 &&
		      c.drop[SWITCH_DROP_FULL] < SENT - 512,
	      "more than 512 frames wait for it, the rest is dropped");
	for (; right < SENT - c.drop[SWITCH_DROP_FULL]; right++) {
		rig_receive(&r, A, &g);
		if (!is_numbered(A, false, right))
			break;
	}
	CHECK(right == SENT - c.drop[SWITCH_DROP_FULL],
	      "those that waited come in order");
	numbered(&f, A, false, 1);
	rig_send(&r, UP, &f);
	rig_receive(&r, A, &g);
	CHECK(is_numbered(A, false, 1), "and then new ones");
	rig_end(&r);
}

/* Sends as much as there is room for; the number of the next frame. */
static unsigned fill(unsigned port, unsigned next)
{
	for (;; next++) {
		numbered(&f, port, true, next);
		if (!rig_try(&r, port, &f))
			return next;
	}
}

/* Which of the two senders' frames it is, and whether it is its next one. */
static bool is_next(unsigned *next_a, unsigned *next_b)
{
	unsigned port = g.b[11] == A ? A : B;
	unsigned *next = port == A ? next_a : next_b;

	return is_numbered(port, true, (*next)++);
}

/* Where the uplink takes less at once than one client has, the neighbour's
 * turn must come before that client's next. */
static void test_slow_uplink(int room)
{
	unsigned put_a = 0, put_b = 0, got_a = 0, got_b = 0, got = 0;

	rig_start(&r, false);
	setsockopt(r.kept[UP], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	/* Until all is full: both sockets, the switch, the uplink's. */
	for (unsigned before = 1; before != put_a + put_b;) {
		before = put_a + put_b;
		put_a = fill(A, put_a);
		put_b = fill(B, put_b);
		rig_count(&r, UP);
	}
	for (; got < 10000; got++) {
		rig_receive(&r, UP, &g);
		if (!is_next(&got_a, &got_b))
			break;
		put_a = fill(A, put_a);
		put_b = fill(B, put_b);
	}
	CHECK(got == 10000,
	      "a slow uplink slows clients down: nothing is lost");
	CHECK(got_a > 2500 && got_b > 2500,
	      "two that send all they can both get their turn (%u, %u)", got_a,
	      got_b);
	CHECK(rig_count(&r, UP).drop[SWITCH_DROP_FULL] == 0,
	      "nothing was dropped for the uplink");
	rig_end(&r);
}

/* Its other end goes while it must wait for the uplink. */
static void test_end_while_waiting(void)
{
	unsigned put = 0;

	rig_start(&r, false);
	for (unsigned before = 1; before != put;) {
		before = put;
		put = fill(A, put);
		rig_count(&r, UP);
	}
	close(r.vm[A]);
	r.vm[A] = -1;
	CHECK(rig_gone(&r, A).received > 0,
	      "the end of a client is seen though the uplink is stuck");
	rig_drain(&r, UP);
	CHECK(rig_sync(&r, B) < put, "its neighbour goes on");
	rig_end(&r);
}

static void test_ends(void)
{
	struct switch_record how = rig_record(A, SWITCH_CLIENT);
	struct switch_counters c;

	rig_start(&r, false);
	numbered(&f, A, true, 1);
	rig_send(&r, A, &f);
	rig_receive(&r, UP, &g);
	close(r.vm[A]);
	r.vm[A] = -1;
	c = rig_gone(&r, A);
	CHECK(c.received == 1 && c.received_bytes == g.n,
	      "a client's end is told, with its counters");
	numbered(&f, A, false, 1);
	rig_send(&r, UP, &f);
	rig_sync(&r, B);
	numbered(&f, B, false, 1);
	rig_send(&r, UP, &f);
	rig_receive(&r, B, &g);
	CHECK(rig_count(&r, UP).drop[SWITCH_DROP_NOBODY] == 1,
	      "what comes for it later is dropped");
	CHECK(rig_attach(&r, &how) == 0, "number and addresses are free again");
	CHECK(rig_sync(&r, A) == 0, "and work");
	rig_end(&r);
}

/* As when a firewall VM is killed and another one takes its place. */
static void test_other_uplink(void)
{
	struct switch_record how = rig_record(UP, SWITCH_UPLINK);

	rig_start(&r, false);
	close(r.vm[UP]);
	r.vm[UP] = -1;
	rig_gone(&r, UP);
	for (unsigned i = 0; i < 5000; i++) {
		numbered(&f, A, true, i);
		rig_send(&r, A, &f);
	}
	CHECK(1, "without an uplink clients can send on");
	how.port = 3;
	CHECK(rig_attach(&r, &how) == 0, "another uplink, at another port");
	r.vm[UP] = r.vm[3];
	r.vm[3] = -1;
	rig_sync(&r, A);
	CHECK(rig_count(&r, A).drop[SWITCH_DROP_DOWN] > 0,
	      "what was sent meanwhile was dropped, new frames arrive");
	CHECK(rig_detach(&r, 3) == 0, "an uplink is detached");
	CHECK(rig_detach(&r, 3) == ENOENT, "once");
	numbered(&f, A, false, 1);
	CHECK(send(r.vm[UP], f.b, f.n, 0) == (ssize_t)f.n &&
		      recv(r.vm[A], g.b, 1, MSG_DONTWAIT) < 0,
	      "what it sends then reaches nobody");
	rig_end(&r);
}

static void refuse_fd(int fd, int want, const char *what)
{
	struct switch_record how = rig_record(20, SWITCH_CLIENT);
	struct switch_record a =
		rig_command_n(&r, &how, sizeof(how), &fd, fd >= 0);

	CHECK(a.kind == SWITCH_EV_REFUSED && a.code == want, "refused: %s",
	      what);
	if (fd >= 0)
		close(fd);
}

static void test_refusals(void)
{
	static const struct sockaddr any = {.sa_family = AF_UNIX};
	static const char junk[2000];
	struct switch_record how = rig_record(20, SWITCH_CLIENT);
	struct switch_record a;
	int two[2];

	rig_start(&r, false);
	refuse_fd(-1, EINVAL, "no descriptor");
	refuse_fd(open("/dev/null", O_RDWR | O_CLOEXEC), EPROTOTYPE, "a file");
	refuse_fd(socket(AF_UNIX, SOCK_STREAM, 0), EPROTOTYPE, "a stream");
	refuse_fd(socket(AF_UNIX, SOCK_DGRAM, 0), EPROTOTYPE, "datagrams");
	refuse_fd(socket(AF_INET, SOCK_DGRAM, 0), EPROTOTYPE, "the Internet");
	two[0] = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	if (bind(two[0], &any, sizeof(any.sa_family)) < 0 ||
	    listen(two[0], 1) < 0)
		abort();
	refuse_fd(two[0], EPROTOTYPE, "a socket that listens");
	two[0] = two[1] = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	a = rig_command_n(&r, &how, sizeof(how), two, 2);
	CHECK(a.code == EINVAL, "refused: two descriptors");
	close(two[0]);
	a = rig_command_n(&r, junk, 3, NULL, 0);
	CHECK(a.code == EPROTO, "refused: three bytes");
	a = rig_command_n(&r, junk, sizeof(junk), NULL, 0);
	CHECK(a.code == EPROTO, "refused: two thousand bytes");
	how.version = 77;
	CHECK(rig_attach(&r, &how) == EPROTO, "refused: another version");
	how = rig_record(A, SWITCH_CLIENT);
	CHECK(rig_attach(&r, &how) == EBUSY, "refused: a port that is there");
	CHECK(rig_detach(&r, 40) == ENOENT, "refused: a port that is not");
	CHECK(rig_sync(&r, A) == 0, "all else goes on");
	rig_end(&r);
}

static void test_restart(void)
{
	unsigned right = 0;

	rig_start(&r, false);
	rig_sync(&r, A);
	rig_kill(&r);
	for (unsigned i = 0; i < 50; i++) {
		numbered(&f, A, true, i);
		rig_send(&r, A, &f);
	}
	rig_restart(&r);
	for (unsigned i = 0; i < 50; i++) {
		rig_receive(&r, UP, &g);
		right += is_numbered(A, true, i);
	}
	CHECK(right == 50,
	      "another switch with the same ports: what was sent meanwhile "
	      "arrives");
	numbered(&f, B, false, 1);
	rig_send(&r, UP, &f);
	rig_receive(&r, B, &g);
	CHECK(is_numbered(B, false, 1), "and the other way");
	CHECK(recv(r.vm[A], g.b, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN,
	      "the machines saw no end of file");
	rig_end(&r);
}

static void test_all_ports(void)
{
	unsigned right = 0;

	rig_start(&r, true);
	for (unsigned i = 0; i < SWITCH_PORTS_MAX; i++) {
		struct switch_record how =
			rig_record(i, i == UP ? SWITCH_UPLINK : SWITCH_CLIENT);

		how.mac[4] = i == UP; /* client 1 has the uplink's else */
		right += rig_attach(&r, &how) == 0;
	}
	CHECK(right == SWITCH_PORTS_MAX, "%u ports", SWITCH_PORTS_MAX);
	f_ip4(&f, mac_all, r.role[UP].mac, ip_b, 60);
	rig_send(&r, UP, &f);
	right = 0;
	for (unsigned i = 1; i < SWITCH_PORTS_MAX; i++) {
		rig_receive(&r, i, &g);
		right += g.n == f.n;
	}
	CHECK(right == SWITCH_PORTS_MAX - 1, "a broadcast reaches all");
	rig_end(&r);
}

int main(void)
{
	test_ways();
	test_isolation();
	test_slow_client();
	test_slow_uplink(200000);
	test_slow_uplink(8000);
	test_end_while_waiting();
	test_ends();
	test_other_uplink();
	test_refusals();
	test_restart();
	test_all_ports();
	return tap_done();
}
