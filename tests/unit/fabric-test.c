/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who gets which frame, under whose name; records; the queue. */
#include "edge/switch/fabric.h"
#include "edge/switch/queue.h"
#include "frames.h"
#include "tap.h"

#include <errno.h>
#include <stdlib.h>

#define CHECK(x, ...) tap_ok((x), __VA_ARGS__)

enum { PORT_UP = 5, PORT_A = 10, PORT_B = 11, PORT_BARE = 12 };

static struct frame f;
static struct fabric fabric;

static struct switch_record record(unsigned port, enum switch_role role,
				   const unsigned char *mac)
{
	struct switch_record r = {.version = SWITCH_VERSION,
				  .kind = SWITCH_CMD_ATTACH,
				  .port = port,
				  .role = role};

	memcpy(r.mac, mac, sizeof(r.mac));
	return r;
}

static struct switch_record client_a(void)
{
	struct switch_record r = record(PORT_A, SWITCH_CLIENT, mac_a);

	memcpy(r.ip4, ip_a, 4);
	memcpy(r.ip6[0], ip6_a, 16);
	memcpy(r.ip6[1], ip6_local, 16);
	return r;
}

static struct switch_record client_b(void)
{
	struct switch_record r = record(PORT_B, SWITCH_CLIENT, mac_b);

	memcpy(r.ip4, ip_b, 4);
	memcpy(r.ip6[0], ip6_b, 16);
	return r;
}

static void plug(const struct switch_record *r)
{
	if (!switch_is_command(r, sizeof(*r)) || fabric_attach(&fabric, r))
		abort();
}

static void build(void)
{
	static const unsigned char bare[6] = {2, 1, 1, 1, 1, 1};
	struct switch_record r[4] = {client_a(), client_b(),
				     record(PORT_UP, SWITCH_UPLINK, mac_up),
				     record(PORT_BARE, SWITCH_CLIENT, bare)};

	memset(&fabric, 0, sizeof(fabric));
	for (size_t i = 0; i < 4; i++)
		plug(&r[i]);
}

/* SWITCH_DROPS: it went to exactly `to`. */
static enum switch_drop sent(unsigned from, port_set to)
{
	enum switch_drop why = SWITCH_DROPS;
	unsigned char *copy = malloc(f.n ? f.n : 1);
	port_set got;

	memcpy(copy, f.b, f.n);
	got = fabric_route(&fabric, from, copy, f.n, &why);
	free(copy);
	if (!got)
		return why;
	return got == to ? SWITCH_DROPS : SWITCH_DROP_RUNT;
}

static void passes(unsigned from, port_set to, const char *what)
{
	enum switch_drop why = sent(from, to);

	CHECK(why == SWITCH_DROPS, "%s", what);
	if (why != SWITCH_DROPS)
		printf("# dropped: %s\n", switch_drop_name(why));
}

static void dropped(unsigned from, enum switch_drop want, const char *what)
{
	enum switch_drop why = sent(from, 0);

	CHECK(why == want, "%s: %s", what, switch_drop_name(want));
	if (why != want)
		printf("# got: %s\n", switch_drop_name(why));
}

static void test_client_ways(void)
{
	f_ip4(&f, mac_up, mac_a, ip_a, 64);
	passes(PORT_A, port_bit(PORT_UP), "a client reaches the uplink");
	f_ip4(&f, mac_b, mac_a, ip_a, 64);
	dropped(PORT_A, SWITCH_DROP_NEIGHBOUR, "a client to its neighbour");
	f_ip4(&f, mac_all, mac_a, ip_a, 64);
	passes(PORT_A, port_bit(PORT_UP),
	       "a broadcast goes to the uplink only");
	f_ip4(&f, mac_a, mac_up, ip_b, 64);
	passes(PORT_UP, port_bit(PORT_A), "the uplink reaches the client");
	f_ip4(&f, mac_all, mac_up, ip_b, 64);
	passes(PORT_UP,
	       port_bit(PORT_A) | port_bit(PORT_B) | port_bit(PORT_BARE),
	       "its broadcast reaches all clients, not itself");
	f_ip4(&f, mac_up, mac_up, ip_b, 64);
	dropped(PORT_UP, SWITCH_DROP_NOBODY, "the uplink to itself");
}

static void test_sizes(void)
{
	f_ip4(&f, mac_up, mac_a, ip_a, 64);
	f.n = 13;
	dropped(PORT_A, SWITCH_DROP_RUNT, "13 bytes");
	f.n = 0;
	dropped(PORT_A, SWITCH_DROP_RUNT, "no byte");
	f_ip4(&f, mac_up, mac_a, ip_a, ETHER_FRAME_MAX - 42);
	passes(PORT_A, port_bit(PORT_UP), "the longest frame");
	f.n++;
	dropped(PORT_A, SWITCH_DROP_LONG, "one byte more");
	f_ip4(&f, mac_up, mac_a, ip_a, 64);
	f.n -= 1;
	dropped(PORT_A, SWITCH_DROP_BAD, "a packet longer than its frame");
}

static void test_types(void)
{
	f_ether(&f, mac_up, mac_a, 0x8100);
	f_zero(&f, 60);
	dropped(PORT_A, SWITCH_DROP_VLAN, "a VLAN's tag");
	f_ether(&f, mac_up, mac_a, 0x88cc);
	f_zero(&f, 60);
	dropped(PORT_A, SWITCH_DROP_TYPE, "LLDP");
	f_ether(&f, mac_a, mac_up, 0x8100);
	dropped(PORT_UP, SWITCH_DROP_VLAN, "a VLAN's tag from the uplink");
	f_ether(&f, mac_a, mac_up, 0x0027);
	dropped(PORT_UP, SWITCH_DROP_TYPE, "spanning tree from the uplink");
}

static void test_spoofed_ip4(void)
{
	f_ip4(&f, mac_up, mac_b, ip_a, 64);
	dropped(PORT_A, SWITCH_DROP_MAC, "the neighbour's MAC");
	f_ip4(&f, mac_up, mac_up, ip_a, 64);
	dropped(PORT_A, SWITCH_DROP_MAC, "the uplink's MAC");
	f_ip4(&f, mac_a, mac_a, ip_a, 64);
	dropped(PORT_UP, SWITCH_DROP_MAC, "a client's MAC from the uplink");
	f_ip4(&f, mac_up, mac_a, ip_b, 64);
	dropped(PORT_A, SWITCH_DROP_IP4, "the neighbour's IPv4 address");
	f_ip4(&f, mac_up, mac_a, ip_zero, 64);
	dropped(PORT_A, SWITCH_DROP_IP4, "no IPv4 address (DHCP)");
	f_ip4(&f, mac_up, fabric.port[PORT_BARE].mac, ip_zero, 64);
	dropped(PORT_BARE, SWITCH_DROP_IP4, "IPv4 of a port without");
}

static void test_arp(void)
{
	f_arp(&f, mac_a, 1, mac_a, ip_a);
	passes(PORT_A, port_bit(PORT_UP), "an ARP request");
	f_arp(&f, mac_a, 2, mac_a, ip_a);
	passes(PORT_A, port_bit(PORT_UP), "an ARP reply");
	f_arp(&f, mac_a, 1, mac_a, ip_zero);
	passes(PORT_A, port_bit(PORT_UP), "an ARP probe");
	f_arp(&f, mac_a, 2, mac_a, ip_zero);
	dropped(PORT_A, SWITCH_DROP_ARP, "an ARP reply from nobody");
	f_arp(&f, mac_a, 2, mac_a, ip_b);
	dropped(PORT_A, SWITCH_DROP_ARP, "ARP for the neighbour's address");
	f_arp(&f, mac_a, 2, mac_b, ip_a);
	dropped(PORT_A, SWITCH_DROP_ARP, "ARP with the neighbour's MAC");
	f_arp(&f, mac_b, 2, mac_a, ip_a);
	dropped(PORT_A, SWITCH_DROP_MAC, "ARP in the neighbour's frame");
	f_arp(&f, fabric.port[PORT_BARE].mac, 1, fabric.port[PORT_BARE].mac,
	      ip_zero);
	dropped(PORT_BARE, SWITCH_DROP_ARP, "ARP of a port without IPv4");
}

static void test_spoofed_ip6(void)
{
	f_ip6(&f, mac_a, ip6_a, 17);
	f_zero(&f, 8);
	f_ip6_end(&f);
	passes(PORT_A, port_bit(PORT_UP), "IPv6 from the first address");
	f_ip6(&f, mac_a, ip6_local, 17);
	f_zero(&f, 8);
	f_ip6_end(&f);
	passes(PORT_A, port_bit(PORT_UP), "IPv6 from the second address");
	f_ip6(&f, mac_a, ip6_b, 17);
	f_zero(&f, 8);
	f_ip6_end(&f);
	dropped(PORT_A, SWITCH_DROP_IP6, "the neighbour's IPv6 address");
	f_ip6(&f, mac_a, ip6_zero, 17);
	f_zero(&f, 8);
	f_ip6_end(&f);
	dropped(PORT_A, SWITCH_DROP_IP6, "UDP from no IPv6 address");
	f_ip6(&f, fabric.port[PORT_BARE].mac, ip6_zero, 58);
	f_icmp6(&f, 143, ip6_zero, 0, NULL);
	f_ip6_end(&f);
	dropped(PORT_BARE, SWITCH_DROP_IP6, "IPv6 of a port without");
}

static void test_nd(void)
{
	f_nd(&f, 135, ip6_a, ip6_b, 1, mac_a);
	passes(PORT_A, port_bit(PORT_UP), "asking for a neighbour");
	f_nd(&f, 135, ip6_a, ip6_b, 1, mac_b);
	dropped(PORT_A, SWITCH_DROP_ND, "asking with the neighbour's MAC");
	f_nd(&f, 135, ip6_zero, ip6_a, 0, NULL);
	passes(PORT_A, port_bit(PORT_UP), "is my address free?");
	f_nd(&f, 135, ip6_zero, ip6_b, 0, NULL);
	dropped(PORT_A, SWITCH_DROP_ND, "is the neighbour's address free?");
	f_nd(&f, 135, ip6_zero, ip6_a, 1, mac_a);
	dropped(PORT_A, SWITCH_DROP_ND, "from nobody, with a MAC");
	f_nd(&f, 136, ip6_a, ip6_a, 2, mac_a);
	passes(PORT_A, port_bit(PORT_UP), "telling the own MAC");
	f_nd(&f, 136, ip6_a, ip6_b, 2, mac_a);
	dropped(PORT_A, SWITCH_DROP_ND, "telling for the neighbour");
	f_nd(&f, 136, ip6_a, ip6_a, 2, mac_b);
	dropped(PORT_A, SWITCH_DROP_ND, "telling the neighbour's MAC");
	f_nd(&f, 136, ip6_zero, ip6_a, 2, mac_a);
	dropped(PORT_A, SWITCH_DROP_ND, "telling from nobody");
	f_nd(&f, 134, ip6_local, ip6_a, 1, mac_a);
	dropped(PORT_A, SWITCH_DROP_ND, "a client that says it is a router");
	f_nd(&f, 137, ip6_local, ip6_a, 2, mac_a);
	dropped(PORT_A, SWITCH_DROP_ND, "a client that redirects");
	f_nd(&f, 133, ip6_local, ip6_a, 1, mac_a);
	passes(PORT_A, port_bit(PORT_UP), "asking for a router");
	f_nd(&f, 143, ip6_zero, ip6_a, 0, NULL);
	passes(PORT_A, port_bit(PORT_UP), "joining a group from nobody");
}

static void test_uplinks(void)
{
	static const unsigned char any[6];
	struct switch_record r = record(PORT_UP, SWITCH_UPLINK, any);

	fabric_detach(&fabric, PORT_UP);
	f_ip4(&f, mac_up, mac_a, ip_a, 64);
	dropped(PORT_A, SWITCH_DROP_DOWN, "without an uplink");
	f_ip4(&f, mac_b, mac_a, ip_a, 64);
	dropped(PORT_A, SWITCH_DROP_DOWN, "even a neighbour without an uplink");
	plug(&r);
	f_ip4(&f, mac_b, mac_a, ip_a, 64);
	passes(PORT_A, port_bit(PORT_UP), "a bridge gets frames for anybody");
	f_ip4(&f, mac_a, mac_b, ip_b, 64);
	passes(PORT_UP, port_bit(PORT_A), "and sends from anybody");
	f_ip4(&f, mac_a, mac_b, ip_b, 64);
	passes(PORT_B, port_bit(PORT_UP), "a client still only to the bridge");
}

static void test_attach(void)
{
	struct switch_record r = client_a();

	build();
	CHECK(fabric_attach(&fabric, &r) == EBUSY, "a number is taken once");
	r.port = 20;
	CHECK(fabric_attach(&fabric, &r) == EEXIST, "a MAC is taken once");
	r.mac[5] = 99;
	CHECK(fabric_attach(&fabric, &r) == EEXIST, "so is an IPv4 address");
	memset(r.ip4, 0, 4);
	CHECK(fabric_attach(&fabric, &r) == EEXIST, "so is an IPv6 address");
	memset(r.ip6[0], 0, 16);
	CHECK(fabric_attach(&fabric, &r) == EEXIST, "and the second one");
	memset(r.ip6[1], 0, 16);
	CHECK(fabric_attach(&fabric, &r) == 0, "none at all is no conflict");
	r = record(21, SWITCH_UPLINK, mac_up);
	r.mac[5] = 98;
	CHECK(fabric_attach(&fabric, &r) == EBUSY, "there is one uplink");
	fabric_detach(&fabric, PORT_A);
	r = client_a();
	CHECK(fabric_attach(&fabric, &r) == 0, "what was detached is free");
}

/* A record with one byte set, which must not be a command. */
static void refuse(struct switch_record r, size_t at, unsigned value,
		   const char *what)
{
	((unsigned char *)&r)[at] = (unsigned char)value;
	CHECK(!switch_is_command(&r, sizeof(r)), "refused: %s", what);
}

#define AT(field) offsetof(struct switch_record, field)

static void test_commands(void)
{
	struct switch_record r = client_a();

	CHECK(switch_is_command(&r, sizeof(r)), "an honest command");
	CHECK(!switch_is_command(&r, sizeof(r) - 1), "refused: a byte less");
	refuse(r, AT(version), 2, "another version");
	refuse(r, AT(kind), 9, "another kind");
	refuse(r, AT(kind), SWITCH_EV_DONE, "an answer");
	refuse(r, AT(port), SWITCH_PORTS_MAX, "port 64");
	refuse(r, AT(role), 0, "no role");
	refuse(r, AT(role), 3, "another role");
	refuse(r, AT(mac), 3, "a group's MAC");
	refuse(r, AT(ip4), 0, "an IPv4 address of this network");
	refuse(r, AT(ip4), 127, "an IPv4 address of the loop");
	refuse(r, AT(ip4), 224, "an IPv4 group");
	refuse(r, AT(ip4), 255, "the IPv4 broadcast address");
	refuse(r, AT(ip6), 255, "an IPv6 group");
	memcpy(r.ip6[1], r.ip6[0], 16);
	CHECK(!switch_is_command(&r, sizeof(r)), "refused: one IPv6 twice");
	memset(r.ip6[1], 0, 16);
	r.ip6[1][15] = 1;
	CHECK(!switch_is_command(&r, sizeof(r)), "refused: the IPv6 loop");
	r = client_a();
	memset(r.mac, 0, 6);
	CHECK(!switch_is_command(&r, sizeof(r)), "refused: no MAC");
	r.role = SWITCH_UPLINK;
	CHECK(!switch_is_command(&r, sizeof(r)),
	      "refused: an uplink's addresses, which nobody would check");
	memset(r.ip4, 0, 4);
	memset(r.ip6, 0, sizeof(r.ip6));
	CHECK(switch_is_command(&r, sizeof(r)), "an uplink without a MAC");
}

static void test_events(void)
{
	struct switch_record r = {.version = SWITCH_VERSION,
				  .kind = SWITCH_EV_GONE,
				  .port = 63,
				  .role = SWITCH_CLIENT};

	CHECK(switch_is_event(&r, sizeof(r)), "an honest event");
	CHECK(!switch_is_event(&r, sizeof(r) - 1), "refused: a byte less");
	r.port = 64;
	CHECK(!switch_is_event(&r, sizeof(r)), "refused: port 64");
	r.port = 0;
	r.role = 0;
	CHECK(!switch_is_event(&r, sizeof(r)), "refused: gone without a role");
	r.kind = SWITCH_EV_REFUSED;
	CHECK(!switch_is_event(&r, sizeof(r)), "refused: refusal without why");
	r.code = EBUSY;
	CHECK(switch_is_event(&r, sizeof(r)), "a refusal");
	r.kind = SWITCH_CMD_ATTACH;
	CHECK(!switch_is_event(&r, sizeof(r)), "refused: a command");
}

static struct queue queue;

/* Random lengths in and out; what comes must be what went, in order. */
static bool queue_keeps_order(void)
{
	static unsigned char bytes[9000];
	uint64_t put = 0, got = 0;
	unsigned x = 7;

	for (int turn = 0; turn < 20000; turn++) {
		struct iovec v[64];
		size_t n;

		x = x * 1664525u + 1013904223u;
		for (unsigned i = 0; i < (x >> 28); i++) {
			n = 8 + ((put * 2654435761u) >> 7) % 8900;
			memcpy(bytes, &put, 8);
			if (!queue_put(&queue, bytes, n))
				break;
			put++;
		}
		n = queue_peek(&queue, v, (x >> 20) % 17);
		for (size_t i = 0; i < n; i++, got++)
			if (memcmp(v[i].iov_base, &got, 8) ||
			    v[i].iov_len !=
				    8 + ((got * 2654435761u) >> 7) % 8900)
				return false;
		queue_drop(&queue, n);
	}
	return put > 50000 && put - got == queue.frames;
}

static void test_queue(void)
{
	unsigned char frame[1500] = {0};
	unsigned n = 0;

	while (queue_put(&queue, frame, 60))
		n++;
	CHECK(n == QUEUE_FRAMES, "so many short frames wait, no more");
	queue_clear(&queue);
	for (n = 0; queue_put(&queue, frame, 1500); n++)
		;
	CHECK(n == QUEUE_BYTES / 1502, "so many bytes wait, no more");
	queue_drop(&queue, 1);
	CHECK(!queue_put(&queue, frame, 1500),
	      "the place of one frame is kept between the ends");
	queue_drop(&queue, 1);
	CHECK(queue_put(&queue, frame, 1500), "room that was freed is used");
	queue_clear(&queue);
	CHECK(queue_is_empty(&queue), "cleared");
	CHECK(queue_keeps_order(), "frames keep their order and lengths");
}

int main(void)
{
	build();
	test_client_ways();
	test_sizes();
	test_types();
	test_spoofed_ip4();
	test_arp();
	test_spoofed_ip6();
	test_nd();
	test_uplinks();
	test_attach();
	test_commands();
	test_events();
	test_queue();
	return tap_done();
}
