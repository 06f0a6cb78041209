/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames into the switch's table: any bytes, from a client and from the
 * uplink.  What passes must be under the sender's own name, which is looked
 * for here at fixed places and not by our decoder.
 */
#include "fuzz.h"

#include "edge/switch/fabric.h"

#include <stdlib.h>
#include <string.h>

/* The addresses of tests/unit/frames.h, which the seeds use. */
static const struct switch_record ports[] = {
	{.port = 0, .role = SWITCH_UPLINK, .mac = {2, 0x76, 0x6d, 0, 0, 1}},
	{.port = 10,
	 .role = SWITCH_CLIENT,
	 .mac = {2, 0x76, 0x6d, 0, 0, 10},
	 .ip4 = {10, 213, 1, 10},
	 .ip6 = {{0xfd, [15] = 10}, {0xfe, 0x80, [15] = 10}}},
	{.port = 11,
	 .role = SWITCH_CLIENT,
	 .mac = {2, 0x76, 0x6d, 0, 0, 11},
	 .ip4 = {10, 213, 1, 11},
	 .ip6 = {{0xfd, [15] = 11}}},
};

static void must(bool so)
{
	if (!so)
		abort();
}

static bool is_own6(const struct switch_record *me, const uint8_t *ip6)
{
	return !memcmp(ip6, me->ip6[0], 16) || !memcmp(ip6, me->ip6[1], 16);
}

/* An IPv6 packet right behind the header, as most are. */
static void check_ip6(const struct switch_record *me, const uint8_t *p)
{
	static const uint8_t nobody[16];
	bool from_nobody = !memcmp(p + 22, nobody, 16);

	must(from_nobody || is_own6(me, p + 22));
	if (p[20] != 58)
		return;
	must(p[54] != 134 && p[54] != 137);
	if (p[54] == 136 || (p[54] == 135 && from_nobody))
		must(is_own6(me, p + 62));
}

static void check_client(const struct switch_record *me, const uint8_t *p,
			 size_t n, port_set to)
{
	static const uint8_t nobody[4];

	must(to == port_bit(0));
	must(n >= 14 && n <= ETHER_FRAME_MAX && !memcmp(p + 6, me->mac, 6));
	must(p[0] & 1 || !memcmp(p, ports[0].mac, 6));
	switch (p[12] << 8 | p[13]) {
	case 0x0800:
		must(n >= 34 && !memcmp(p + 26, me->ip4, 4));
		break;
	case 0x0806:
		must(n >= 42 && !memcmp(p + 22, me->mac, 6));
		must(!memcmp(p + 28, me->ip4, 4) ||
		     (p[21] == 1 && !memcmp(p + 28, nobody, 4)));
		break;
	case 0x86dd:
		must(n >= 54);
		check_ip6(me, p);
		break;
	default:
		abort();
	}
}

static void check_uplink(const uint8_t *p, size_t n, port_set to)
{
	must(n >= 14 && !memcmp(p + 6, ports[0].mac, 6));
	must(!(to & port_bit(0)));
	if (!(p[0] & 1))
		must(to == port_bit(p[5]) && (p[5] == 10 || p[5] == 11));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct fabric fabric;
	enum switch_drop why;
	port_set to;

	if (!fabric.clients)
		for (size_t i = 0; i < 3; i++)
			must(fabric_attach(&fabric, &ports[i]) == 0);
	for (size_t i = 1; i < 3; i++) {
		to = fabric_route(&fabric, ports[i].port, p, n, &why);
		if (to)
			check_client(&ports[i], p, n, to);
		else
			must(why < SWITCH_DROPS);
	}
	to = fabric_route(&fabric, 0, p, n, &why);
	if (to)
		check_uplink(p, n, to);
	return 0;
}
