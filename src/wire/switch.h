/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records between a launcher and vmrun-switch: one SOCK_SEQPACKET message
 * each, the host's own byte order, fixed size.
 *
 * The launcher sends a command and gets exactly one answer to it, in order.
 * Beside the answers come SWITCH_EV_GONE, one for each port whose other end
 * was closed: always before the answer to a later command, so that a number
 * that is used again is not mistaken.
 *
 * vmrun-switch reads guest bytes, so the launcher checks each record again
 * (switch_is_event()).
 */
#ifndef WIRE_SWITCH_H
#define WIRE_SWITCH_H

#include "wire/ether.h"

#define SWITCH_VERSION 1u
#define SWITCH_PORTS_MAX 64u /* numbers are below it */
#define SWITCH_IP6_MAX 2u    /* a link-local address and another */

enum switch_kind {
	/* The launcher commands; `port` names the port */
	SWITCH_CMD_ATTACH = 1, /* fd: the port, a connected SOCK_SEQPACKET
				  socket of AF_UNIX; role, mac, ip4, ip6 */
	SWITCH_CMD_DETACH = 2,
	SWITCH_CMD_COUNT = 3,
	/* vmrun-switch answers */
	SWITCH_EV_DONE = 32,	 /* ATTACH, DETACH */
	SWITCH_EV_REFUSED = 33,	 /* any; code */
	SWITCH_EV_COUNTERS = 34, /* COUNT: counters, role */
	/* vmrun-switch says */
	SWITCH_EV_GONE = 35, /* the port's other end was closed; counters */
};

enum switch_role {
	/*
	 * Sends from its own addresses only, and to the uplink only.  mac is
	 * wanted.  What ip4 and ip6 do not name (all zeros) it cannot use:
	 * without ip4 there is neither IPv4 nor ARP, without ip6 no IPv6.
	 */
	SWITCH_CLIENT = 1,
	/*
	 * At most one.  Sends from mac; with zeros from any (a bridge), and
	 * then gets frames for any.  Its IP addresses are not checked: it
	 * routes.
	 */
	SWITCH_UPLINK = 2,
};

/* Why a frame was dropped; which counter that is. */
enum switch_drop {
	SWITCH_DROP_RUNT, /* shorter than an Ethernet header, or empty */
	SWITCH_DROP_LONG, /* longer than ETHER_FRAME_MAX */
	SWITCH_DROP_BAD,  /* ether_decode() says so */
	SWITCH_DROP_VLAN,
	SWITCH_DROP_TYPE, /* neither ARP nor IP */
	SWITCH_DROP_MAC,  /* not the sender's; from here on: spoofed */
	SWITCH_DROP_ARP,
	SWITCH_DROP_IP4,
	SWITCH_DROP_IP6,
	SWITCH_DROP_ND,	       /* neighbour discovery under another's name */
	SWITCH_DROP_NEIGHBOUR, /* for another than the uplink */
	SWITCH_DROP_NOBODY,    /* from the uplink, for a MAC that nobody has */
	SWITCH_DROP_DOWN,      /* there is no uplink */
	SWITCH_DROP_FULL,      /* counted at the receiver: its queue was full */
	SWITCH_DROPS
};

/* `received` and `sent` are seen from the switch. */
struct switch_counters {
	uint64_t received, received_bytes; /* those dropped included */
	uint64_t sent, sent_bytes;
	uint64_t drop[SWITCH_DROPS];
};

struct switch_record {
	uint32_t version; /* SWITCH_VERSION */
	uint32_t kind;	  /* enum switch_kind */
	uint32_t port;
	uint32_t role;	 /* enum switch_role */
	int32_t code;	 /* an errno value */
	uint32_t unused; /* 0 */
	unsigned char mac[ETHER_ADDR];
	unsigned char pad[2]; /* 0 */
	unsigned char ip4[IP4_ADDR];
	unsigned char pad2[4]; /* 0 */
	unsigned char ip6[SWITCH_IP6_MAX][IP6_ADDR];
	struct switch_counters counters;
};

/* Of enum switch_drop, one word: "runt", "neighbour". */
const char *switch_drop_name(enum switch_drop d);

/*
 * Is the record of n bytes a command (an answer or event) that makes sense by
 * itself: version, kind, port, role, addresses?  Pure.  A MAC of a group, an
 * address that is none of a single machine, and the same IPv6 address twice
 * make none.
 */
bool switch_is_command(const struct switch_record *r, size_t n);
bool switch_is_event(const struct switch_record *r, size_t n);

#endif
