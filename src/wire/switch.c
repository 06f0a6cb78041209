/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records of vmrun-switch.  Pure; runs in vmrun-switch and in launchers. */
#include "wire/switch.h"

#include <string.h>

static const unsigned char zeros[IP6_ADDR];

const char *switch_drop_name(enum switch_drop d)
{
	static const char *const names[] = {
		[SWITCH_DROP_RUNT] = "runt",
		[SWITCH_DROP_LONG] = "long",
		[SWITCH_DROP_BAD] = "bad",
		[SWITCH_DROP_VLAN] = "vlan",
		[SWITCH_DROP_TYPE] = "type",
		[SWITCH_DROP_MAC] = "mac",
		[SWITCH_DROP_ARP] = "arp",
		[SWITCH_DROP_IP4] = "ip4",
		[SWITCH_DROP_IP6] = "ip6",
		[SWITCH_DROP_ND] = "nd",
		[SWITCH_DROP_NEIGHBOUR] = "neighbour",
		[SWITCH_DROP_NOBODY] = "nobody",
		[SWITCH_DROP_DOWN] = "down",
		[SWITCH_DROP_FULL] = "full",
	};

	_Static_assert(sizeof(names) / sizeof(names[0]) == SWITCH_DROPS,
		       "a name for each");
	return (unsigned)d < SWITCH_DROPS ? names[d] : "?";
}

static bool is_record(const struct switch_record *r, size_t n)
{
	return n == sizeof(*r) && r->version == SWITCH_VERSION &&
	       r->port < SWITCH_PORTS_MAX;
}

static bool is_zero(const unsigned char *p, size_t n)
{
	return !memcmp(p, zeros, n);
}

/* 224.0.0.0/4 and up, and 127.0.0.0/8, name nobody. */
static bool is_ip4(const unsigned char *ip4)
{
	return is_zero(ip4, IP4_ADDR) ||
	       (ip4[0] && ip4[0] != 127 && ip4[0] < 224);
}

static bool is_loopback6(const unsigned char *ip6)
{
	return is_zero(ip6, IP6_ADDR - 1) && ip6[IP6_ADDR - 1] == 1;
}

static bool has_ip6(const struct switch_record *r)
{
	for (unsigned i = 0; i < SWITCH_IP6_MAX; i++)
		if (r->ip6[i][0] == 0xff || is_loopback6(r->ip6[i]))
			return false;
	return is_zero(r->ip6[0], IP6_ADDR) ||
	       memcmp(r->ip6[0], r->ip6[1], IP6_ADDR);
}

static bool is_attach(const struct switch_record *r)
{
	if (ether_is_group(r->mac) || !is_ip4(r->ip4) || !has_ip6(r))
		return false;
	switch (r->role) {
	case SWITCH_CLIENT:
		return !is_zero(r->mac, ETHER_ADDR);
	case SWITCH_UPLINK:
		/* Not checked, so not to be believed in. */
		return is_zero(r->ip4, IP4_ADDR) &&
		       is_zero(r->ip6[0], sizeof(r->ip6[0])) &&
		       is_zero(r->ip6[1], sizeof(r->ip6[1]));
	default:
		return false;
	}
}

bool switch_is_command(const struct switch_record *r, size_t n)
{
	if (!is_record(r, n))
		return false;
	switch (r->kind) {
	case SWITCH_CMD_ATTACH:
		return is_attach(r);
	case SWITCH_CMD_DETACH:
	case SWITCH_CMD_COUNT:
		return true;
	default:
		return false;
	}
}

static bool is_role(uint32_t role)
{
	return role == SWITCH_CLIENT || role == SWITCH_UPLINK;
}

bool switch_is_event(const struct switch_record *r, size_t n)
{
	if (!is_record(r, n))
		return false;
	switch (r->kind) {
	case SWITCH_EV_DONE:
		return true;
	case SWITCH_EV_REFUSED:
		return r->code > 0;
	case SWITCH_EV_COUNTERS:
	case SWITCH_EV_GONE:
		return is_role(r->role);
	default:
		return false;
	}
}
