/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses inside a network; pure. */
#include "host/net/netaddr.h"

#include <assert.h>
#include <string.h>

static const unsigned char mac[NIC_MAC] = {0x02, 'v', 'm', 0, 0, 0};
static const unsigned char clients4[IP4_ADDR] = {10, 213, 1, 0};
static const unsigned char clients6[IP6_ADDR] = {0xfd, 0x76, 0x6d, 0,
						 0,    0,    0,	   1};

static struct nic_addr address4(unsigned host)
{
	struct nic_addr a = {.family = NIC_IP4};

	memcpy(a.ip, clients4, IP4_ADDR);
	a.ip[IP4_ADDR - 1] = (unsigned char)host;
	return a;
}

static struct nic_addr address6(unsigned host)
{
	struct nic_addr a = {.family = NIC_IP6};

	memcpy(a.ip, clients6, IP6_ADDR);
	a.ip[IP6_ADDR - 1] = (unsigned char)host;
	return a;
}

/* The address that a card gives itself: RFC 4291, appendix A. */
static void link_local(unsigned host, unsigned char ip[IP6_ADDR])
{
	const unsigned char from_mac[] = {
		mac[0] ^ 2, mac[1], mac[2], 0xff,
		0xfe,	    mac[3], mac[4], (unsigned char)host};

	memset(ip, 0, IP6_ADDR);
	ip[0] = 0xfe;
	ip[1] = 0x80;
	memcpy(ip + 8, from_mac, sizeof(from_mac));
}

void netaddr_client(unsigned host, struct nic *n)
{
	assert(host >= NET_HOST_FIRST && host <= NET_HOST_LAST);
	memset(n, 0, sizeof(*n));
	memcpy(n->mac, mac, NIC_MAC);
	n->mac[NIC_MAC - 1] = (unsigned char)host;
	n->addrs[0] = address4(host);
	n->addrs[0].prefix = 24;
	n->addrs[1] = address6(host);
	n->addrs[1].prefix = 64;
	n->n_addrs = 2;
	n->gateways[0] = address4(1);
	n->gateways[1] = address6(1);
	n->n_gateways = 2;
	n->dns[0] = address4(1);
	n->n_dns = 1;
}

static void port(unsigned number, enum switch_role role, unsigned host,
		 struct switch_record *r)
{
	memset(r, 0, sizeof(*r));
	r->version = SWITCH_VERSION;
	r->kind = SWITCH_CMD_ATTACH;
	r->port = number;
	r->role = role;
	memcpy(r->mac, mac, NIC_MAC);
	r->mac[NIC_MAC - 1] = (unsigned char)host;
}

void netaddr_port(unsigned host, struct switch_record *r)
{
	const struct nic_addr ip4 = address4(host), ip6 = address6(host);

	port(host, SWITCH_CLIENT, host, r);
	memcpy(r->ip4, ip4.ip, IP4_ADDR);
	memcpy(r->ip6[0], ip6.ip, IP6_ADDR);
	link_local(host, r->ip6[1]);
}

void netaddr_uplink(struct switch_record *r)
{
	port(0, SWITCH_UPLINK, 1, r);
}
