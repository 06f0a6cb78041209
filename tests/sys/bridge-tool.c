/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prints what nft is given for a bridge VM: bridge-tool two|full|any.  For
 * tests/sys/bridge.sh and tests/vm/bridge.sh, whose addresses these are. */
#include "base/buf.h"
#include "host/net/bridgerules.h"
#include "host/net/netaddr.h"
#include "wire/launch.h"

#include <stdio.h>
#include <string.h>

/* Two cards of a firewall's segment, all of them, or one before anybody. */
int main(int argc, char **argv)
{
	static struct nic below[NET_HOST_LAST];
	unsigned char gateway[NIC_MAC];
	struct bridgerules r = {.below = below, .n_below = 2};
	struct buf b;

	if (argc != 2)
		return 1;
	for (unsigned i = 0; i <= NET_HOST_LAST - NET_HOST_FIRST; i++)
		netaddr_client(NET_OF_FIREWALL, NET_HOST_FIRST + i, &below[i]);
	netaddr_gateway_mac(NET_OF_FIREWALL, gateway);
	if (!strcmp(argv[1], "any"))
		r.n_below = 1;
	else
		r.above = gateway;
	if (!strcmp(argv[1], "full"))
		r.n_below = NET_HOST_LAST - NET_HOST_FIRST + 1;
	buf_init(&b, LAUNCH_FIREWALL_MAX);
	bridgerules_compose(&r, &b);
	if (b.bad)
		return 1;
	fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
	return fflush(stdout) ? 1 : 0;
}
