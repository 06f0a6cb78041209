/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bridge VMs.  Part of vmrun-net, the person's own authority. */
#include "host/net/uplinkbridge.h"

#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/net/bridgerules.h"
#include "host/net/uplink.h"
#include "host/vm/stagespawn.h"
#include "wire/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* Nobody hears of these: only the guest tells its cards apart by them. */
#define INNER_MAC "02:76:6d:00:03:01"
#define OUTER_MAC "02:76:6d:00:03:02"

static const struct {
	const char *name, *what, *part;
} sides[NETCONF_SIDES] = {
	[NETCONF_INSIDE] = {"inside", "bridge VM inside", "bridge-in"},
	[NETCONF_OUTSIDE] = {"outside", "bridge VM outside", "bridge-out"},
};

const char *uplinkbridge_name(enum netconf_side side)
{
	return sides[side].name;
}

void uplinkbridge_init(struct uplink *u)
{
	for (unsigned i = 0; i < NETCONF_SIDES; i++) {
		struct bridge *b = &u->bridges[i];

		netguest_init(&b->guest, sides[i].what, sides[i].part);
		net_alias(b->guest.alias, u->network, sides[i].part);
		b->inner = b->outer = -1;
	}
}

/* Who is at its inner card, and which one machine at the other. */
static void inside_rules(const struct uplink *u, struct buf *b)
{
	struct nic below[NET_HOST_LAST - NET_HOST_FIRST + 1];
	unsigned char gateway[NIC_MAC];
	const struct bridgerules r = {
		.below = below,
		.n_below = sizeof(below) / sizeof(*below),
		.above = gateway,
	};

	for (unsigned i = 0; i < r.n_below; i++)
		netaddr_client(u->level, NET_HOST_FIRST + i, &below[i]);
	netaddr_gateway_mac(u->level, gateway);
	bridgerules_compose(&r, b);
}

static void outside_rules(const struct uplink *u, struct buf *b)
{
	/* NET_UPLINK_MAC */
	unsigned char above[NIC_MAC] = {2, 'v', 'm', 0, 1, 1};
	struct bridgerules r = {
		.below = &u->card, .n_below = 1, .above = above};

	switch (u->conf.kind) {
	case NETCONF_PASST:
		break;
	case NETCONF_VM:
		netaddr_gateway_mac(NET_OF_NET_VM, above);
		break;
	case NETCONF_TAP:
	case NETCONF_PCI: /* no bridge goes before that: netconf.c */
		r.above = NULL;
		break;
	}
	bridgerules_compose(&r, b);
}

static int make_rules(const struct uplink *u, enum netconf_side side,
		      struct err *e)
{
	struct buf b;
	int fd;

	buf_init(&b, LAUNCH_FIREWALL_MAX);
	if (side == NETCONF_INSIDE)
		inside_rules(u, &b);
	else
		outside_rules(u, &b);
	fd = b.bad ? err_set(e, E2BIG, "the rules of a bridge VM")
		   : io_memfd("rules", b.data, b.len, e);
	buf_free(&b);
	return fd;
}

int uplinkbridge_start_again(struct uplink *u, enum netconf_side side,
			     struct err *e)
{
	struct bridge *b = &u->bridges[side];
	own_fd rules = make_rules(u, side, e);
	char mtu[16] = "", inner[64], outer[64];
	const struct netguest_spec s = {
		.vmrun = u->vmrun,
		.rules = rules,
		.inner = b->inner,
		.outer = b->outer,
		.inner_card = inner,
		.outer_card = outer,
	};

	/* What passes outside may be larger than is usual. */
	if (side == NETCONF_OUTSIDE && u->card.mtu)
		snprintf(mtu, sizeof(mtu), ",mtu=%u", u->card.mtu);
	snprintf(inner, sizeof(inner), "%d,mac=%s%s", NETGUEST_FD_INNER,
		 INNER_MAC, mtu);
	snprintf(outer, sizeof(outer), "%d,mac=%s%s", NETGUEST_FD_OUTER,
		 OUTER_MAC, mtu);
	if (rules >= 0 && netguest_start(&b->guest, &s, e) == 0) {
		b->why[0] = '\0';
		return 0;
	}
	snprintf(b->why, sizeof(b->why), "%.*s", (int)sizeof(b->why) - 1,
		 e->msg);
	return -1;
}

/* Between *end and the firewall, which gets a new end in its place. */
static int insert(struct uplink *u, enum netconf_side side, int *end,
		  struct err *e)
{
	struct bridge *b = &u->bridges[side];
	int *far = side == NETCONF_INSIDE ? &b->inner : &b->outer;
	int *near = side == NETCONF_INSIDE ? &b->outer : &b->inner;

	b->wanted = true;
	*far = steal_fd(end);
	if (stage_pair(SOCK_SEQPACKET, end, near, e) < 0 ||
	    uplinkbridge_start_again(u, side, e) < 0)
		return -1;
	if (side == NETCONF_OUTSIDE && u->conf.kind == NETCONF_PASST) {
		own_close(&b->inner);
		own_close(&b->outer);
	}
	return 0;
}

int uplinkbridge_start(struct uplink *u, int *inner, int *outer, struct err *e)
{
	if (u->conf.bridge[NETCONF_INSIDE] &&
	    insert(u, NETCONF_INSIDE, inner, e) < 0)
		return -1;
	if (u->conf.bridge[NETCONF_OUTSIDE] &&
	    insert(u, NETCONF_OUTSIDE, outer, e) < 0)
		return -1;
	return 0;
}

void uplinkbridge_clear(struct uplink *u)
{
	for (unsigned i = 0; i < NETCONF_SIDES; i++) {
		own_close(&u->bridges[i].inner);
		own_close(&u->bridges[i].outer);
		u->bridges[i].wanted = false;
		u->bridges[i].why[0] = '\0';
	}
}

const struct bridge *uplinkbridge_missing(const struct uplink *u)
{
	for (unsigned i = 0; i < NETCONF_SIDES; i++)
		if (u->bridges[i].wanted && !u->bridges[i].guest.ready)
			return &u->bridges[i];
	return NULL;
}
