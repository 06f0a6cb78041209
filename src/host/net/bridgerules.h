/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What nft(8) in a bridge VM is given; pure.
 *
 * Below are machines of which all is known, above is one that they may talk to.
 * What passes is IPv4, IPv6, ARP and neighbour discovery between a machine
 * below, by its own MAC and addresses, and that above; nothing else, and never
 * from one machine below to another.
 *
 * These are rules of nft's family netdev: a frame is judged where it comes in,
 * before this guest's kernel has looked into it, and is handed to the other
 * card or dropped.  So there is no bridge with a table to fill, no spanning
 * tree, no table of connections, and no protocol of the guest sees a frame.
 */
#ifndef HOST_NET_BRIDGERULES_H
#define HOST_NET_BRIDGERULES_H

#include "wire/nic.h"

struct buf;

struct bridgerules {
	const struct nic *below; /* at the card `inner`; MACs and addresses */
	size_t n_below;
	const unsigned char *above; /* MAC of who is at the card `outer`;
				       NULL: any but those below */
};

void bridgerules_compose(const struct bridgerules *r, struct buf *out);

#endif
