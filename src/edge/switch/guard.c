/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nobody sends under another's name.  Runs in vmrun-switch on hostile bytes. */
#include "guard.h"

#include <string.h>

static const unsigned char zeros[IP6_ADDR];

static bool same_mac(const unsigned char *a, const unsigned char *b)
{
	return !memcmp(a, b, ETHER_ADDR);
}

static bool has_ip4(const struct fabric_port *p)
{
	return memcmp(p->ip4, zeros, IP4_ADDR) != 0;
}

/* Never true of the address of all zeros: that is no address. */
static bool owns_ip6(const struct fabric_port *p, const unsigned char *ip6)
{
	if (!memcmp(ip6, zeros, IP6_ADDR))
		return false;
	for (unsigned i = 0; i < SWITCH_IP6_MAX; i++)
		if (!memcmp(p->ip6[i], ip6, IP6_ADDR))
			return true;
	return false;
}

static bool has_ip6(const struct fabric_port *p)
{
	return memcmp(p->ip6[0], zeros, IP6_ADDR) ||
	       memcmp(p->ip6[1], zeros, IP6_ADDR);
}

/* Asking from 0.0.0.0 is a probe (RFC 5227), which names nobody. */
static bool is_own_arp(const struct fabric_port *p, const struct ether_arp *a)
{
	if (!has_ip4(p) || !same_mac(a->mac, p->mac))
		return false;
	return !memcmp(a->ip4, p->ip4, IP4_ADDR) ||
	       (a->op == 1 && !memcmp(a->ip4, zeros, IP4_ADDR));
}

/* From its own address. */
static bool is_own_nd(const struct fabric_port *p, const struct ether_ip6 *v)
{
	if (v->has_mac && !same_mac(v->mac, p->mac))
		return false;
	switch (v->nd) {
	case ND_NONE:
	case ND_GROUPS:
	case ND_ROUTER_SOLICIT:
	case ND_SOLICIT:
		return true;
	case ND_ADVERT:
		return owns_ip6(p, v->target);
	case ND_ROUTER_ADVERT:
	case ND_REDIRECT:
		return false;
	}
	return false;
}

/* From ::, the address of those that have none yet: whether its own is free
 * (RFC 4862), and the groups that it joins for that (RFC 3590). */
static enum switch_drop guard_nobody6(const struct fabric_port *p,
				      const struct ether_ip6 *v)
{
	if (!has_ip6(p))
		return SWITCH_DROP_IP6;
	switch (v->nd) {
	case ND_GROUPS:
		return GUARD_PASS;
	case ND_SOLICIT:
		return !v->has_mac && owns_ip6(p, v->target) ? GUARD_PASS
							     : SWITCH_DROP_ND;
	case ND_ROUTER_SOLICIT:
	case ND_ROUTER_ADVERT:
	case ND_ADVERT:
	case ND_REDIRECT:
		return SWITCH_DROP_ND;
	case ND_NONE:
		break;
	}
	return SWITCH_DROP_IP6;
}

static enum switch_drop guard_ip6(const struct fabric_port *p,
				  const struct ether_ip6 *v)
{
	if (!memcmp(v->src, zeros, IP6_ADDR))
		return guard_nobody6(p, v);
	if (!owns_ip6(p, v->src))
		return SWITCH_DROP_IP6;
	return is_own_nd(p, v) ? GUARD_PASS : SWITCH_DROP_ND;
}

enum switch_drop guard_client(const struct fabric_port *p,
			      const struct ether *f)
{
	if (!same_mac(f->src, p->mac))
		return SWITCH_DROP_MAC;
	switch (f->kind) {
	case ETHER_VLAN:
		return SWITCH_DROP_VLAN;
	case ETHER_OTHER:
		return SWITCH_DROP_TYPE;
	case ETHER_ARP:
		return is_own_arp(p, &f->arp) ? GUARD_PASS : SWITCH_DROP_ARP;
	case ETHER_IP4:
		return has_ip4(p) && !memcmp(f->ip4, p->ip4, IP4_ADDR)
			       ? GUARD_PASS
			       : SWITCH_DROP_IP4;
	case ETHER_IP6:
		return guard_ip6(p, &f->ip6);
	}
	return SWITCH_DROP_TYPE;
}

enum switch_drop guard_uplink(const struct fabric_port *p,
			      const struct ether *f)
{
	if (memcmp(p->mac, zeros, ETHER_ADDR) && !same_mac(f->src, p->mac))
		return SWITCH_DROP_MAC;
	switch (f->kind) {
	case ETHER_VLAN:
		return SWITCH_DROP_VLAN;
	case ETHER_OTHER:
		return SWITCH_DROP_TYPE;
	case ETHER_ARP:
	case ETHER_IP4:
	case ETHER_IP6:
		break;
	}
	return GUARD_PASS;
}
