/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Network cards in the launch record.  Pure; runs in vmrun and in the guest's
 * init. */
#include "wire/nic.h"

#include "base/buf.h"

#include <string.h>

static const unsigned char zeros[16];

bool nic_has_mac(const struct nic *n)
{
	return memcmp(n->mac, zeros, NIC_MAC) != 0;
}

size_t nic_addr_size(enum nic_family family)
{
	return family == NIC_IP4 ? 4 : 16;
}

static void put_addrs(struct buf *b, const struct nic_addr *a, size_t n)
{
	buf_put_u8(b, (uint8_t)n);
	for (size_t i = 0; i < n; i++) {
		buf_put_u8(b, (uint8_t)a[i].family);
		buf_put_u8(b, a[i].prefix);
		buf_put(b, a[i].ip, sizeof(a[i].ip));
	}
}

void nics_put(struct buf *b, const struct nic *nics, size_t n)
{
	buf_put_u8(b, (uint8_t)n);
	for (size_t i = 0; i < n; i++) {
		buf_put_u8(b, nics[i].pci);
		buf_put(b, nics[i].mac, NIC_MAC);
		buf_put_u32(b, nics[i].mtu);
		put_addrs(b, nics[i].addrs, nics[i].n_addrs);
		put_addrs(b, nics[i].gateways, nics[i].n_gateways);
		put_addrs(b, nics[i].dns, nics[i].n_dns);
	}
}

/* Where a prefix may stand, and where it must not. */
enum prefix { PREFIX_WANTED, PREFIX_NONE };

static bool is_sane(const struct nic_addr *a, enum prefix prefix)
{
	size_t size;

	if (a->family != NIC_IP4 && a->family != NIC_IP6)
		return false;
	size = nic_addr_size(a->family);
	if (memcmp(a->ip + size, zeros, sizeof(a->ip) - size) ||
	    !memcmp(a->ip, zeros, size))
		return false;
	switch (prefix) {
	case PREFIX_WANTED:
		return a->prefix >= 1 && a->prefix <= size * 8;
	case PREFIX_NONE:
		return a->prefix == 0;
	}
	return false;
}

static size_t get_addrs(struct rd *r, struct nic_addr *a, size_t max,
			enum prefix prefix)
{
	size_t n = rd_u8(r);

	if (n > max)
		r->bad = true;
	for (size_t i = 0; i < n && !r->bad; i++) {
		const unsigned char *ip;

		a[i].family = (enum nic_family)rd_u8(r);
		a[i].prefix = rd_u8(r);
		ip = rd_get(r, sizeof(a[i].ip));
		if (!ip)
			break;
		memcpy(a[i].ip, ip, sizeof(a[i].ip));
		if (!is_sane(&a[i], prefix))
			r->bad = true;
	}
	return r->bad ? 0 : n;
}

static void get_nic(struct rd *r, struct nic *n)
{
	bool pci = rd_bool(r);
	const unsigned char *mac = rd_get(r, NIC_MAC);

	memset(n, 0, sizeof(*n));
	n->pci = pci;
	if (!mac)
		return;
	memcpy(n->mac, mac, NIC_MAC);
	n->mtu = rd_u32(r);
	if (mac[0] & 1 || (!pci && !nic_has_mac(n)) ||
	    (n->mtu && (n->mtu < NIC_MTU_MIN || n->mtu > NIC_MTU_MAX)))
		r->bad = true;
	n->n_addrs = get_addrs(r, n->addrs, NIC_ADDRS_MAX, PREFIX_WANTED);
	n->n_gateways =
		get_addrs(r, n->gateways, NIC_GATEWAYS_MAX, PREFIX_NONE);
	n->n_dns = get_addrs(r, n->dns, NIC_DNS_MAX, PREFIX_NONE);
	if (n->n_gateways == 2 &&
	    n->gateways[0].family == n->gateways[1].family)
		r->bad = true;
}

size_t nics_get(struct rd *r, struct nic *nics)
{
	size_t n = rd_u8(r);

	if (n > NICS_MAX)
		r->bad = true;
	for (size_t i = 0; i < n && !r->bad; i++) {
		get_nic(r, &nics[i]);
		for (size_t k = 0; k < i; k++)
			if (!memcmp(nics[k].mac, nics[i].mac, NIC_MAC))
				r->bad = true;
	}
	return r->bad ? 0 : n;
}
