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

#endif
