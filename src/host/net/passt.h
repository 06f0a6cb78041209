/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passt as the uplink of one firewall VM. */
#ifndef HOST_NET_PASST_H
#define HOST_NET_PASST_H

#include "host/net/helper.h"
#include "host/net/hostnet.h"

struct err;

/* Its path, borrowed; NULL: it is not installed. */
const char *passt_find(void);

/*
 * Starts passt in this network namespace; *outer becomes the firewall VM's end
 * of its socket (SOCK_STREAM, each frame behind its length), the caller's.
 * -1 and e: nothing runs.
 */
int passt_start(struct helper *h, const struct helper_home *home,
		const char *alias, const struct hostnet *host, int *outer,
		struct err *e);

#endif
