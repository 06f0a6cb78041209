/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Device nodes of a member's root. */
#ifndef STAGE_DEVICES_H
#define STAGE_DEVICES_H

#include "stage/mounts.h"

struct err;

/*
 * Binds the named nodes of the host's /dev into root/dev, which is made.  Only
 * names of the table in devices.c, and only the devices that they should be.
 * root: a directory of the base; borrowed.
 */
int devices_attach(const struct base *b, int root, char *const *names,
		   struct err *e);

/*
 * What the member's PCI device takes (setup_member.pci), after
 * devices_attach(): /dev/vfio/vfio and the group's node, which has to be the
 * person's, and the link that says which group it is.
 */
int devices_attach_pci(const struct base *b, int root, const struct setup *s,
		       const struct setup_member *m, struct err *e);

#endif
