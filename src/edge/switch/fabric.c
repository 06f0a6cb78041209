/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of ports and the way of a frame.  Runs in vmrun-switch.
 *
 * Clients reach the uplink and nobody else, whatever address they write on a
 * frame; the uplink reaches the client that has the address, or with a group's
 * address all of them.
 */
#include "fabric.h"

#include "guard.h"

#include <errno.h>
#include <string.h>

static const unsigned char zeros[IP6_ADDR];

static bool shares(const void *a, const void *b, size_t n)
{
	return memcmp(a, zeros, n) && !memcmp(a, b, n);
}

static bool collides(const struct fabric_port *p, const struct switch_record *r)
{
	if (shares(r->mac, p->mac, ETHER_ADDR) ||
	    shares(r->ip4, p->ip4, IP4_ADDR))
		return true;
	for (unsigned i = 0; i < SWITCH_IP6_MAX; i++)
		for (unsigned k = 0; k < SWITCH_IP6_MAX; k++)
			if (shares(r->ip6[i], p->ip6[k], IP6_ADDR))
				return true;
	return false;
}

int fabric_attach(struct fabric *f, const struct switch_record *r)
{
	struct fabric_port *p = &f->port[r->port];
	bool is_uplink = r->role == SWITCH_UPLINK;

	if (fabric_ports(f) & port_bit(r->port) || (is_uplink && f->uplinks))
		return EBUSY;
	for (unsigned i = 0; i < SWITCH_PORTS_MAX; i++)
		if (fabric_ports(f) & port_bit(i) && collides(&f->port[i], r))
			return EEXIST;
	memcpy(p->mac, r->mac, sizeof(p->mac));
	memcpy(p->ip4, r->ip4, sizeof(p->ip4));
	memcpy(p->ip6, r->ip6, sizeof(p->ip6));
	if (is_uplink)
		f->uplinks |= port_bit(r->port);
	else
		f->clients |= port_bit(r->port);
	return 0;
}

void fabric_detach(struct fabric *f, unsigned port)
{
	f->clients &= ~port_bit(port);
	f->uplinks &= ~port_bit(port);
}

static port_set drop(enum switch_drop reason, enum switch_drop *why)
{
	*why = reason;
	return 0;
}

static port_set to_uplink(const struct fabric *f, const struct ether *h,
			  enum switch_drop *why)
{
	const unsigned char *mac;

	if (!f->uplinks)
		return drop(SWITCH_DROP_DOWN, why);
	mac = f->port[__builtin_ctzll(f->uplinks)].mac;
	if (memcmp(mac, zeros, ETHER_ADDR) && !ether_is_group(h->dst) &&
	    memcmp(mac, h->dst, ETHER_ADDR))
		return drop(SWITCH_DROP_NEIGHBOUR, why);
	return f->uplinks;
}

static port_set to_clients(const struct fabric *f, const struct ether *h,
			   enum switch_drop *why)
{
	if (ether_is_group(h->dst))
		return f->clients ? f->clients : drop(SWITCH_DROP_NOBODY, why);
	for (port_set left = f->clients; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctzll(left);

		if (!memcmp(f->port[i].mac, h->dst, ETHER_ADDR))
			return port_bit(i);
	}
	return drop(SWITCH_DROP_NOBODY, why);
}

port_set fabric_route(const struct fabric *f, unsigned from, const void *frame,
		      size_t n, enum switch_drop *why)
{
	const struct fabric_port *p = &f->port[from];
	bool is_client = f->clients & port_bit(from);
	enum switch_drop verdict;
	struct ether h;
	int bad;

	if (n < ETHER_HEADER)
		return drop(SWITCH_DROP_RUNT, why);
	if (n > ETHER_FRAME_MAX)
		return drop(SWITCH_DROP_LONG, why);
	bad = ether_decode(frame, n, &h);
	verdict = is_client ? guard_client(p, &h) : guard_uplink(p, &h);
	/* A wrong MAC says more than a bad packet behind it. */
	if (bad < 0 && verdict != SWITCH_DROP_MAC)
		verdict = SWITCH_DROP_BAD;
	if (verdict != GUARD_PASS)
		return drop(verdict, why);
	return is_client ? to_uplink(f, &h, why) : to_clients(f, &h, why);
}
