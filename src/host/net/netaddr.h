/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses inside a network.  Segments of different rulesets have nothing in
 * common, so that all of them have the same ones; pure.
 *
 *     client 2..61  10.213.1.N  fd76:6d00:0:1::N  -- firewall VM: .1 ::1
 *     firewall VM   10.214.0.2  fd76:6d00:0:2::2  -- passt: .1 ::1, DNS .53
 */
#ifndef HOST_NET_NETADDR_H
#define HOST_NET_NETADDR_H

#include "wire/nic.h"
#include "wire/switch.h"

#define NET_HOST_FIRST 2u /* 1 is the firewall VM */
#define NET_HOST_LAST 61u

#define NET_CLIENTS4 "10.213.1.0/24"
#define NET_CLIENTS6 "fd76:6d00:0:1::/64"
#define NET_GATEWAY4 "10.213.1.1"
#define NET_GATEWAY6 "fd76:6d00:0:1::1"
#define NET_OUTER4 "10.214.0.2"
#define NET_OUTER6 "fd76:6d00:0:2::2"
#define NET_UPLINK4 "10.214.0.1"
#define NET_UPLINK6 "fd76:6d00:0:2::1"
#define NET_UPLINK_MAC "02:76:6d:00:01:01"
#define NET_OUTER_MAC "02:76:6d:00:01:02"
#define NET_INNER_MAC "02:76:6d:00:00:01"
#define NET_RESOLVER4 "10.214.0.53"

/* The card of client `host`, as its VM has it. */
void netaddr_client(unsigned host, struct nic *n);

/* The attach command of its port, and of the firewall VM's (NET_UPLINK). */
void netaddr_port(unsigned host, struct switch_record *r);
void netaddr_uplink(struct switch_record *r);

#endif
