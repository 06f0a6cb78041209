/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses inside a network; pure. */
#include "host/net/netaddr.h"

#include <assert.h>
#include <string.h>

static const struct net_segment segments[] = {
	[NET_OF_FIREWALL] = {"10.213.1.0/24", "fd76:6d00:0:1::/64",
			     "10.213.1.1", "fd76:6d00:0:1::1",
			     "02:76:6d:00:00:01", 0},
	[NET_OF_NET_VM] = {"10.215.1.0/24", "fd76:6d00:0:3::/64", "10.215.1.1",
			   "fd76:6d00:0:3::1", "02:76:6d:00:02:01", 2},
};

const struct net_segment *netaddr_segment(enum net_level level)
{
	return &segments[level];
}

static void make_mac(enum net_level level, unsigned host,
		     unsigned char mac[NIC_MAC])
{
	const unsigned char all[NIC_MAC] = {
		0x02, 'v', 'm', 0, segments[level].number, (unsigned char)host};

	memcpy(mac, all, NIC_MAC);
}

static struct nic_addr address4(enum net_level level, unsigned host)
{
	const unsigned char all[IP4_ADDR] = {
		10, (unsigned char)(213 + segments[level].number), 1,
		(unsigned char)host};
	struct nic_addr a = {.family = NIC_IP4};

	memcpy(a.ip, all, IP4_ADDR);
	return a;
}

static struct nic_addr address6(enum net_level level, unsigned host)
{
	struct nic_addr a = {.family = NIC_IP6,
			     .ip = {0xfd, 0x76, 0x6d, 0, 0, 0, 0}};

	a.ip[7] = (unsigned char)(1 + segments[level].number);
	a.ip[IP6_ADDR - 1] = (unsigned char)host;
	return a;
}

void netaddr_gateway_mac(enum net_level level, unsigned char mac[NIC_MAC])
{
	make_mac(level, 1, mac);
}

/* RFC 4291, appendix A. */
void netaddr_link_local(const unsigned char mac[NIC_MAC],
			unsigned char ip[IP6_ADDR])
{
	memset(ip, 0, IP6_ADDR);
	ip[0] = 0xfe;
	ip[1] = 0x80;
	ip[8] = mac[0] ^ 2;
	memcpy(ip + 9, mac + 1, 2);
	ip[11] = 0xff;
	ip[12] = 0xfe;
	memcpy(ip + 13, mac + 3, 3);
}

void netaddr_client(enum net_level level, unsigned host, struct nic *n)
{
	assert(host >= NET_HOST_FIRST && host <= NET_HOST_LAST);
	memset(n, 0, sizeof(*n));
	make_mac(level, host, n->mac);
	n->addrs[0] = address4(level, host);
	n->addrs[0].prefix = 24;
	n->addrs[1] = address6(level, host);
	n->addrs[1].prefix = 64;
	n->n_addrs = 2;
	n->gateways[0] = address4(level, 1);
	n->gateways[1] = address6(level, 1);
	n->n_gateways = 2;
	n->dns[0] = address4(level, 1);
	n->dns[1] = address6(level, 1);
	n->n_dns = 2;
}

static void port(unsigned number, enum switch_role role,
		 struct switch_record *r)
{
	memset(r, 0, sizeof(*r));
	r->version = SWITCH_VERSION;
	r->kind = SWITCH_CMD_ATTACH;
	r->port = number;
	r->role = role;
}

void netaddr_port(enum net_level level, unsigned host, struct switch_record *r)
{
	const struct nic_addr ip4 = address4(level, host),
			      ip6 = address6(level, host);

	port(host, SWITCH_CLIENT, r);
	make_mac(level, host, r->mac);
	memcpy(r->ip4, ip4.ip, IP4_ADDR);
	memcpy(r->ip6[0], ip6.ip, IP6_ADDR);
	netaddr_link_local(r->mac, r->ip6[1]);
}

void netaddr_uplink(enum net_level level, struct switch_record *r)
{
	port(0, SWITCH_UPLINK, r);
	make_mac(level, 1, r->mac);
}
