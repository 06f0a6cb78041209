/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passt as the uplink of one firewall VM. */
#ifndef HOST_NET_PASST_H
#define HOST_NET_PASST_H

#include "host/net/helper.h"
#include "host/net/hostnet.h"
#include "host/net/publish.h"

#include <stdbool.h>

struct err;

/* Its path, borrowed; NULL: it is not installed. */
const char *passt_find(void);

/*
 * Whether datagrams to a published port at a loopback address are answered:
 * older ones know no way back but for what reaches all of this machine's
 * loopback.  Asks it for its options.
 */
int passt_answers_loopback(bool *yes, struct err *e);

struct passt_spec {
	const char *alias;
	const struct hostnet *host;
	const struct publish *publish; /* what it listens on */
	size_t n_publish;
};

/* Pure: its command line is added to *argv. */
int passt_argv(char ***argv, const struct passt_spec *s, struct err *e);
/*
 * Starts passt in this network namespace; *outer becomes the firewall VM's end
 * of its socket (SOCK_STREAM, each frame behind its length), the caller's.
 * -1 and e: nothing runs.
 */
int passt_start(struct helper *h, const struct helper_home *home,
		const struct passt_spec *spec, int *outer, struct err *e);

#endif
