/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way out of a firewall VM or net VM: what is at its outer card.  Part of
 * uplink.h, for uplink.c and uplinkway.c. */
#ifndef HOST_NET_UPLINKWAY_H
#define HOST_NET_UPLINKWAY_H

struct buf;
struct err;
struct uplink;

void uplinkway_init(struct uplink *u);
/* As u->conf says; *outer is the VM's end, the caller's, -1 for a PCI device.
 * -1 and e: what there
 * is of it, uplinkway_stop() ends. */
int uplinkway_start(struct uplink *u, int *outer, struct err *e);
void uplinkway_stop(struct uplink *u);
/* The outer card as --nic has it; fd: its descriptor, where it has one. */
void uplinkway_card(const struct uplink *u, int fd, struct buf *b);

#endif
