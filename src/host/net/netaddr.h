/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses inside a network.  Segments of different rulesets have nothing in
 * common, so that all of them have the same ones; pure.
 *
 *     client 2..61  10.213.1.N  fd76:6d00:0:1::N  -- firewall VM: .1 ::1
 *     firewall VM   10.214.0.2  fd76:6d00:0:2::2  -- passt: .1 ::1,
 *                                                    DNS .53 ::53
 *
 * With a net VM between them, where the firewall VM is the client:
 *
 *     firewall VM   10.215.1.N  fd76:6d00:0:3::N  -- net VM: .1 ::1
 *     net VM        10.214.0.2  fd76:6d00:0:2::2  -- passt: as above
 *
 * A client's resolvers are both addresses of the VM that it goes through: which
 * of them answers depends on the way out, and the other one refuses at once.
 */
#ifndef HOST_NET_NETADDR_H
#define HOST_NET_NETADDR_H

#include "wire/nic.h"
#include "wire/switch.h"

#define NET_HOST_FIRST 2u /* 1 is the firewall VM */
#define NET_HOST_LAST 61u

#define NET_OUTER4 "10.214.0.2"
#define NET_OUTER6 "fd76:6d00:0:2::2"
#define NET_UPLINK4 "10.214.0.1"
#define NET_UPLINK6 "fd76:6d00:0:2::1"
#define NET_UPLINK_MAC "02:76:6d:00:01:01"
#define NET_OUTER_MAC "02:76:6d:00:01:02"
#define NET_RESOLVER4 "10.214.0.53"
#define NET_RESOLVER6 "fd76:6d00:0:2::53"

/* Whose segment. */
enum net_level {
	NET_OF_FIREWALL, /* machines before a firewall VM */
	NET_OF_NET_VM,	 /* firewall VMs before a net VM */
};

/* What nft is told of it, and the VM that its clients go through. */
struct net_segment {
	const char *clients4, *clients6;
	const char *gateway4, *gateway6, *gateway_mac;
	unsigned char number; /* what differs in addresses */
};
const struct net_segment *netaddr_segment(enum net_level level);

/* The card of client `host`, as its VM has it. */
void netaddr_client(enum net_level level, unsigned host, struct nic *n);

/* That of the VM that its clients go through. */
void netaddr_gateway_mac(enum net_level level, unsigned char mac[NIC_MAC]);
/* The address that a card gives itself. */
void netaddr_link_local(const unsigned char mac[NIC_MAC],
			unsigned char ip[IP6_ADDR]);

/* The attach command of its port, and of the one that leads out. */
void netaddr_port(enum net_level level, unsigned host, struct switch_record *r);
void netaddr_uplink(enum net_level level, struct switch_record *r);

#endif
