/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames: what is read of them, and what is bad. */
#include "frames.h"
#include "tap.h"

#include <stdlib.h>

#define CHECK(x, ...) tap_ok((x), __VA_ARGS__)

static struct frame f;
static struct ether e;

/* From memory of exactly that size, so that a sanitizer sees a step too far. */
static int decode_n(size_t n)
{
	unsigned char *copy = malloc(n ? n : 1);
	int r;

	memcpy(copy, f.b, n);
	r = ether_decode(copy, n, &e);
	free(copy);
	return r;
}

static int decode(void)
{
	return decode_n(f.n);
}

/* How many of the shorter frames are good. */
static size_t good_prefixes(void)
{
	size_t good = 0;

	for (size_t n = 0; n < f.n; n++)
		good += decode_n(n) == 0;
	return good;
}

static void test_header(void)
{
	f_ether(&f, mac_b, mac_a, 0x88b5);
	CHECK(decode() == 0 && e.kind == ETHER_OTHER &&
		      !memcmp(e.dst, mac_b, 6) && !memcmp(e.src, mac_a, 6),
	      "a header alone: addresses, another type");
	CHECK(good_prefixes() == 0, "less than a header is bad");
	f_ether(&f, mac_b, mac_a, 0x8100);
	f_zero(&f, 50);
	CHECK(decode() == 0 && e.kind == ETHER_VLAN, "802.1Q is a VLAN");
	f_ether(&f, mac_b, mac_a, 0x88a8);
	CHECK(decode() == 0 && e.kind == ETHER_VLAN, "802.1ad is a VLAN");
	f_ether(&f, mac_b, mac_a, 46);
	f_zero(&f, 46);
	CHECK(decode() == 0 && e.kind == ETHER_OTHER, "so are lengths (802.3)");
	CHECK(ether_is_group(mac_all) && !ether_is_group(mac_a),
	      "the lowest bit of the first byte is the group's");
}

static void test_arp(void)
{
	static const size_t head[] = {15, 16, 18, 19, 20, 21};

	f_arp(&f, mac_a, 2, mac_b, ip_a);
	CHECK(decode() == 0 && e.kind == ETHER_ARP && e.arp.op == 2 &&
		      !memcmp(e.arp.mac, mac_b, 6) &&
		      !memcmp(e.arp.ip4, ip_a, 4),
	      "ARP: operation and the sender's addresses");
	CHECK(good_prefixes() == 0, "ARP cut short is bad");
	f_zero(&f, 18);
	CHECK(decode() == 0, "ARP with padding");
	for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++) {
		f.b[head[i]] ^= 1;
		CHECK(decode() < 0, "ARP of another kind (byte %zu) is bad",
		      head[i]);
		f.b[head[i]] ^= 1;
	}
	f.b[21] = 3;
	CHECK(decode() < 0, "reverse ARP is bad");
}

static void test_ip4(void)
{
	f_ip4(&f, mac_b, mac_a, ip_a, 100);
	CHECK(decode() == 0 && e.kind == ETHER_IP4 && !memcmp(e.ip4, ip_a, 4),
	      "IPv4: the sender's address");
	CHECK(good_prefixes() == 0, "IPv4 cut short is bad");
	f.n += 10;
	CHECK(decode() == 0, "IPv4 with padding");
	f.b[14] = 0x44;
	CHECK(decode() < 0, "a header of 16 bytes is bad");
	f.b[14] = 0x65;
	CHECK(decode() < 0, "version 6 under IPv4's type is bad");
	f.b[14] = 0x4f;
	CHECK(decode() == 0, "options are passed over");
	f.b[16] = 0;
	f.b[17] = 59;
	CHECK(decode() < 0, "a length below that of the header is bad");
}

static void test_ip6(void)
{
	f_ip6(&f, mac_a, ip6_a, 17);
	f_zero(&f, 30);
	f_ip6_end(&f);
	CHECK(decode() == 0 && e.kind == ETHER_IP6 &&
		      !memcmp(e.ip6.src, ip6_a, 16) && e.ip6.nd == ND_NONE &&
		      !e.ip6.fragment,
	      "IPv6: the sender's address");
	CHECK(good_prefixes() == 0, "IPv6 cut short is bad");
	f.b[14] = 0x45;
	CHECK(decode() < 0, "version 4 under IPv6's type is bad");
	f_ip6(&f, mac_a, ip6_a, 58);
	f_ip6_end(&f);
	CHECK(decode() < 0, "ICMPv6 without a byte is bad");
	f_ip6(&f, mac_a, ip6_a, 59);
	f_ip6_end(&f);
	CHECK(decode() == 0, "a packet that carries nothing");
}

struct nd_case {
	unsigned type;
	enum ether_nd nd;
	const char *name;
};

static void test_nd(void)
{
	static const struct nd_case cases[] = {
		{133, ND_ROUTER_SOLICIT, "router solicitation"},
		{134, ND_ROUTER_ADVERT, "router advertisement"},
		{135, ND_SOLICIT, "neighbour solicitation"},
		{136, ND_ADVERT, "neighbour advertisement"},
		{137, ND_REDIRECT, "redirect"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct nd_case *c = &cases[i];
		size_t whole, good = 0;

		f_nd(&f, c->type, ip6_a, ip6_b, 1 + (i & 1), mac_b);
		CHECK(decode() == 0 && e.ip6.nd == c->nd && e.ip6.has_mac &&
			      !memcmp(e.ip6.mac, mac_b, 6) &&
			      (c->type < 135 ||
			       !memcmp(e.ip6.target, ip6_b, 16)),
		      "%s: target and link-layer address", c->name);
		whole = f.n;
		/* Shorter packets that say so. */
		for (f.n = 54; f.n < whole; f.n++) {
			f_ip6_end(&f);
			good += decode() == 0;
		}
		CHECK(good == 1, "%s: whole without its option only", c->name);
	}
	f_nd(&f, 128, ip6_a, ip6_b, 0, NULL);
	CHECK(decode() == 0 && e.ip6.nd == ND_NONE, "an echo is no ND");
	f_nd(&f, 143, ip6_a, ip6_b, 0, NULL);
	CHECK(decode() == 0 && e.ip6.nd == ND_GROUPS, "MLDv2 is about groups");
}

static void test_nd_options(void)
{
	f_nd(&f, 135, ip6_a, ip6_b, 1, mac_b);
	f.b[f.n - 7] = 0;
	CHECK(decode() < 0, "an option of no length is bad");
	f.b[f.n - 7] = 2;
	CHECK(decode() < 0, "an option longer than the message is bad");
	f_nd(&f, 135, ip6_a, ip6_b, 1, mac_b);
	f_put(&f, f.b + f.n - 8, 8);
	f_ip6_end(&f);
	CHECK(decode() == 0 && e.ip6.has_mac, "the same address twice");
	f.b[f.n - 1] ^= 1;
	CHECK(decode() < 0, "two different addresses are bad");
	f_nd(&f, 135, ip6_a, ip6_b, 2, mac_b);
	f.b[f.n - 7] = 2;
	f_zero(&f, 8);
	f_ip6_end(&f);
	CHECK(decode() < 0, "an address of another length is bad");
	f_nd(&f, 135, ip6_a, ip6_b, 14, mac_b);
	CHECK(decode() == 0 && !e.ip6.has_mac, "other options are passed over");
	for (unsigned i = 1; i < ND_OPTIONS_MAX; i++)
		f_put(&f, f.b + f.n - 8, 8);
	f_ip6_end(&f);
	CHECK(decode() == 0, "%u options", ND_OPTIONS_MAX);
	f_put(&f, f.b + f.n - 8, 8);
	f_ip6_end(&f);
	CHECK(decode() < 0, "one more is bad");
}

/* An extension header of 8 bytes. */
static void extension(unsigned next, unsigned second, unsigned third)
{
	f_u8(&f, next);
	f_u8(&f, second);
	f_u16(&f, third);
	f_zero(&f, 4);
}

static void test_hidden_nd(void)
{
	f_ip6(&f, mac_a, ip6_a, 0);
	extension(60, 0, 0);
	extension(43, 0, 0);
	extension(51, 0, 0);
	extension(58, 0, 0);
	f_icmp6(&f, 136, ip6_b, 2, mac_b);
	f_ip6_end(&f);
	CHECK(decode() == 0 && e.ip6.nd == ND_ADVERT,
	      "ND is found behind extension headers");
	f_ip6(&f, mac_a, ip6_a, 60);
	for (unsigned i = 1; i < IP6_HEADERS_MAX; i++)
		extension(60, 0, 0);
	extension(58, 0, 0);
	f_icmp6(&f, 136, ip6_b, 2, mac_b);
	f_ip6_end(&f);
	CHECK(decode() == 0 && e.ip6.nd == ND_ADVERT, "behind %u of them",
	      IP6_HEADERS_MAX);
	f_ip6(&f, mac_a, ip6_a, 60);
	for (unsigned i = 0; i < IP6_HEADERS_MAX; i++)
		extension(60, 0, 0);
	extension(58, 0, 0);
	f_icmp6(&f, 136, ip6_b, 2, mac_b);
	f_ip6_end(&f);
	CHECK(decode() < 0, "one more is bad");
	f_ip6(&f, mac_a, ip6_a, 60);
	extension(58, 1, 0);
	f_ip6_end(&f);
	CHECK(decode() < 0, "a header that does not end is bad");
}

static void test_fragments(void)
{
	f_ip6(&f, mac_a, ip6_a, 44);
	extension(58, 0, 1);
	f_icmp6(&f, 136, ip6_b, 2, mac_b);
	f_ip6_end(&f);
	CHECK(decode() < 0, "ND in a fragment is bad");
	f_ip6(&f, mac_a, ip6_a, 44);
	extension(58, 0, 0);
	f_icmp6(&f, 136, ip6_b, 2, mac_b);
	f_ip6_end(&f);
	CHECK(decode() < 0, "also in one that is the only one");
	f_ip6(&f, mac_a, ip6_a, 44);
	extension(60, 0, 1);
	extension(58, 3, 0);
	f_ip6_end(&f);
	CHECK(decode() < 0, "headers that end in a later fragment are bad");
	f_ip6(&f, mac_a, ip6_a, 44);
	extension(58, 0, 1);
	f_icmp6(&f, 128, ip6_b, 0, NULL);
	f_ip6_end(&f);
	CHECK(decode() == 0 && e.ip6.fragment, "a long echo may be in pieces");
	f_ip6(&f, mac_a, ip6_a, 44);
	extension(58, 0, 8 << 3);
	f_icmp6(&f, 136, ip6_b, 2, mac_b);
	f_ip6_end(&f);
	CHECK(decode() == 0 && e.ip6.fragment && e.ip6.nd == ND_NONE,
	      "a later fragment is not read");
}

int main(void)
{
	test_header();
	test_arp();
	test_ip4();
	test_ip6();
	test_nd();
	test_nd_options();
	test_hidden_nd();
	test_fragments();
	return tap_done();
}
