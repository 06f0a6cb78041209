/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Network cards of a guest and their static configuration, as part of the
 * launch record.  Pure; fixed size, no allocation.
 */
#ifndef WIRE_NIC_H
#define WIRE_NIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NICS_MAX 4u
#define NIC_MAC 6u
#define NIC_ADDRS_MAX 4u
#define NIC_GATEWAYS_MAX 2u /* at most one of each family */
#define NIC_DNS_MAX 3u	    /* what resolv.conf(5) uses */
#define NIC_MTU_MIN 1280u   /* IPv6's least */
#define NIC_MTU_MAX 65521u  /* the virtio driver's most */

struct buf;
struct rd;

enum nic_family { NIC_IP4 = 4, NIC_IP6 = 6 };

struct nic_addr {
	enum nic_family family;
	uint8_t prefix; /* length of the network's; 0 where there is none */
	unsigned char ip[16]; /* IPv4: the first four, then zeros */
};

struct nic {
	/* A PCI device of the host's, which comes with a MAC. */
	bool pci;
	/* A single machine's; all zeros, for a PCI device only: that which no
	 * other row has. */
	unsigned char mac[NIC_MAC];
	uint32_t mtu; /* 0: as it is */
	size_t n_addrs, n_gateways, n_dns;
	struct nic_addr addrs[NIC_ADDRS_MAX]; /* with prefix */
	struct nic_addr gateways[NIC_GATEWAYS_MAX];
	struct nic_addr dns[NIC_DNS_MAX];
};

/* Whether its MAC is said; see above. */
bool nic_has_mac(const struct nic *n);
/* Bytes of an address: 4 or 16. */
size_t nic_addr_size(enum nic_family family);

/* A list, n <= NICS_MAX. */
void nics_put(struct buf *b, const struct nic *nics, size_t n);
/* Up to NICS_MAX of them; how many.  0 and r->bad if anything is odd. */
size_t nics_get(struct rd *r, struct nic *nics);

#endif
