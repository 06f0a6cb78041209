/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which frame goes where.  Pure: no descriptors, no clock; the same table and
 * the same frame give the same answer.
 *
 * The table is filled by commands only; frames teach it nothing.
 */
#ifndef EDGE_SWITCH_FABRIC_H
#define EDGE_SWITCH_FABRIC_H

#include "wire/switch.h"

/* A set of ports, bit n for port n. */
typedef uint64_t port_set;
_Static_assert(SWITCH_PORTS_MAX == 64, "a bit for each port");

static inline port_set port_bit(unsigned port)
{
	return (port_set)1 << port;
}

struct fabric_port {
	unsigned char mac[ETHER_ADDR]; /* zeros: any (uplink) */
	unsigned char ip4[IP4_ADDR];   /* zeros: none */
	unsigned char ip6[SWITCH_IP6_MAX][IP6_ADDR];
};

struct fabric {
	port_set clients, uplinks; /* of the latter at most one */
	struct fabric_port port[SWITCH_PORTS_MAX];
};

/*
 * Adds the port of a record for which switch_is_command() holds.  0, or an
 * errno value: EBUSY, the number or the uplink is taken; EEXIST, an address
 * is.
 */
int fabric_attach(struct fabric *f, const struct switch_record *r);
void fabric_detach(struct fabric *f, unsigned port);

static inline port_set fabric_ports(const struct fabric *f)
{
	return f->clients | f->uplinks;
}

/*
 * Who gets the frame of n bytes that came from `from`; nobody and *why if it
 * is to be dropped.
 */
port_set fabric_route(const struct fabric *f, unsigned from, const void *frame,
		      size_t n, enum switch_drop *why);

#endif
