/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands of vmrun: what they start and what the guest is told of them. */
#ifndef EDGE_MUX_COMMAND_H
#define EDGE_MUX_COMMAND_H

#include "session.h"

/* Takes the descriptors.  A record that makes no sense ends the VM. */
void command_do(struct sessions *a, const struct edge_record *r, int *fds,
		size_t n);
/* Does for one session what had to wait; the guest is up. */
void command_settle(struct sessions *a, uint32_t session);

#endif
