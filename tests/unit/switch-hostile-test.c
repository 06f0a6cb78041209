/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The real vmrun-switch among machines that do not behave. */
#include "switch-rig.h"
#include "tap.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(x, ...) tap_ok((x), __VA_ARGS__)

static struct rig r;
static struct frame f, g;

/* The frame f from A is dropped for this reason and nobody gets it. */
static void refused(enum switch_drop why, const char *what)
{
	uint64_t before = rig_count(&r, A).drop[why];
	unsigned passed;

	rig_send(&r, A, &f);
	passed = rig_sync(&r, A);
	CHECK(passed == 0 && rig_drain(&r, B) == 0 &&
		      rig_count(&r, A).drop[why] == before + 1,
	      "%s is dropped and counted as %s", what, switch_drop_name(why));
}

static void test_spoofs(void)
{
	rig_start(&r, false);
	f_ip4(&f, mac_up, mac_b, ip_a, 60);
	refused(SWITCH_DROP_MAC, "the neighbour's MAC");
	f_ip4(&f, mac_up, mac_up, ip_a, 60);
	refused(SWITCH_DROP_MAC, "the uplink's MAC");
	f_ip4(&f, mac_up, mac_a, ip_b, 60);
	refused(SWITCH_DROP_IP4, "the neighbour's IPv4 address");
	f_ip6(&f, mac_a, ip6_b, 59);
	f_ip6_end(&f);
	refused(SWITCH_DROP_IP6, "the neighbour's IPv6 address");
	f_arp(&f, mac_a, 2, mac_a, ip_b);
	refused(SWITCH_DROP_ARP, "ARP for the neighbour's address");
	f_nd(&f, 136, ip6_a, ip6_b, 2, mac_a);
	refused(SWITCH_DROP_ND, "ND for the neighbour's address");
	f_nd(&f, 134, ip6_local, ip6_b, 1, mac_a);
	refused(SWITCH_DROP_ND, "a router's advertisement");
	f_ip4(&f, mac_b, mac_a, ip_a, 60);
	refused(SWITCH_DROP_NEIGHBOUR, "a frame for the neighbour");
	f_ether(&f, mac_all, mac_a, 0x8100);
	f_zero(&f, 60);
	refused(SWITCH_DROP_VLAN, "a VLAN's tag");
	f_ether(&f, mac_all, mac_a, 0x88cc);
	refused(SWITCH_DROP_TYPE, "another protocol");
	f_ip4(&f, mac_up, mac_a, ip_a, 60);
	f.n = 33;
	refused(SWITCH_DROP_BAD, "half a header");
	f.n = 13;
	refused(SWITCH_DROP_RUNT, "a runt");
	f_ip4(&f, mac_up, mac_a, ip_a, 16000);
	refused(SWITCH_DROP_LONG, "a jumbo of 16042 bytes");
	f_ip4(&f, mac_up, mac_a, ip_a, ETHER_FRAME_MAX - 42 + 1);
	refused(SWITCH_DROP_LONG, "one byte too many");
	f_ip4(&f, mac_up, mac_a, ip_a, 8972);
	rig_send(&r, A, &f);
	CHECK(rig_sync(&r, A) == 1, "an MTU of 9000 passes");
	rig_end(&r);
}

/* QEMU takes an empty message for the end of file. */
static void test_empty_messages(void)
{
	rig_start(&r, false);
	f.n = 0;
	for (int i = 0; i < 100; i++)
		refused(SWITCH_DROP_RUNT, "an empty message");
	for (int i = 0; i < 100; i++)
		send(r.vm[UP], "", 0, 0);
	f_ip4(&f, mac_a, mac_up, ip_b, 60);
	rig_send(&r, UP, &f);
	rig_receive(&r, A, &g);
	CHECK(g.n == f.n && rig_count(&r, UP).drop[SWITCH_DROP_RUNT] == 100,
	      "none of the uplink's reaches a client");
	shutdown(r.vm[A], SHUT_WR);
	CHECK(rig_gone(&r, A).drop[SWITCH_DROP_RUNT] == 100,
	      "who says that it will send no more is gone");
	shutdown(r.vm[B], SHUT_RD);
	f_ip4(&f, mac_b, mac_up, ip_b, 60);
	rig_send(&r, UP, &f);
	rig_gone(&r, B);
	CHECK(1, "so is who takes nothing any more");
	rig_end(&r);
}

static void number_mac(unsigned char *mac, unsigned i)
{
	mac[0] = 2;
	mac[1] = 9;
	mac[2] = (unsigned char)(i >> 24);
	mac[3] = (unsigned char)(i >> 16);
	mac[4] = (unsigned char)(i >> 8);
	mac[5] = (unsigned char)i;
}

/* It learns nothing, so there is nothing to fill up. */
static void test_many_macs(void)
{
	enum { MACS = 100000 };
	unsigned long long before, after;

	rig_start(&r, false);
	rig_sync(&r, A);
	before = rig_status(&r, "VmRSS", 10);
	f_ip4(&f, mac_up, mac_a, ip_a, 22);
	for (unsigned i = 0; i < MACS; i++) {
		number_mac(f.b + 6, i);
		rig_send(&r, A, &f);
	}
	CHECK(rig_sync(&r, A) == 0 &&
		      rig_count(&r, A).drop[SWITCH_DROP_MAC] == MACS,
	      "100000 senders' MACs from a client: all dropped");
	f_ip4(&f, mac_up, mac_up, ip_b, 22);
	for (unsigned i = 0; i < MACS; i++) {
		number_mac(f.b, i);
		rig_send(&r, UP, &f);
	}
	f_ip4(&f, mac_a, mac_up, ip_b, 22);
	rig_send(&r, UP, &f);
	rig_receive(&r, A, &g);
	CHECK(rig_drain(&r, B) == 0 &&
		      rig_count(&r, UP).drop[SWITCH_DROP_NOBODY] == MACS,
	      "100000 receivers' MACs from the uplink: nobody gets them");
	after = rig_status(&r, "VmRSS", 10);
	CHECK(after <= before + 1024, "memory: %llu kB before, %llu after",
	      before, after);
	rig_end(&r);
}

/* A sends broadcasts as fast as it can from another process. */
static pid_t storm(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	f_ip4(&f, mac_all, mac_a, ip_a, 22);
	for (;;)
		send(r.vm[A], f.b, f.n, 0);
}

static void test_storm(void)
{
	unsigned from_b = 0, from_a = 0;
	pid_t pid;

	rig_start(&r, false);
	pid = storm();
	f_ip4(&f, mac_up, mac_b, ip_b, 22);
	while (from_a < 200 || from_b < 200) {
		rig_try(&r, B, &f);
		rig_receive(&r, UP, &g);
		if (!memcmp(g.b + 6, mac_b, 6))
			from_b++;
		else
			from_a++;
	}
	CHECK(from_a > 0,
	      "in a storm of broadcasts (%u frames) another "
	      "client's frames arrive",
	      from_a);
	CHECK(rig_drain(&r, B) == 0, "and it gets none of them");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	rig_end(&r);
}

/* A descriptor beside a frame goes nowhere and is not kept. */
static void test_descriptors(void)
{
	char byte;
	int two[2];

	rig_start(&r, false);
	f_ip4(&f, mac_up, mac_a, ip_a, 60);
	if (pipe2(two, O_CLOEXEC) < 0)
		abort();
	io_send(r.vm[A], f.b, f.n, &two[1], 1);
	close(two[1]);
	CHECK(rig_sync(&r, A) == 1, "a frame with a descriptor is a frame");
	CHECK(read(two[0], &byte, 1) == 0, "nobody holds the descriptor");
	close(two[0]);
	rig_end(&r);
}

static void test_sealed(void)
{
	rig_start(&r, false);
	rig_sync(&r, A);
	CHECK(rig_status(&r, "Seccomp", 10) == 2, "system calls are filtered");
	CHECK(rig_status(&r, "NoNewPrivs", 10) == 1, "no new privileges");
	CHECK(rig_status(&r, "CapPrm", 16) == 0 &&
		      rig_status(&r, "CapEff", 16) == 0 &&
		      rig_status(&r, "CapInh", 16) == 0,
	      "no capabilities");
	CHECK(rig_status(&r, "Threads", 10) == 1, "one thread");
	rig_end(&r);
}

int main(void)
{
	test_spoofs();
	test_empty_messages();
	test_many_macs();
	test_storm();
	test_descriptors();
	test_sealed();
	return tap_done();
}
