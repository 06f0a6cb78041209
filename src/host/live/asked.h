/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What asks the application to end: signals to vmrun, and --timeout. */
#ifndef HOST_ASKED_H
#define HOST_ASKED_H

#include "host/live/supervise-impl.h"

/* One signal, of which there is one in v->signals; WINCH and TSTP, too. */
void asked_on_signal(struct supervisor *v);
/* v->timeout is over: the time of the command, or then that of its end, which a
 * firewall has after a signal, too. */
void asked_on_timeout(struct supervisor *v);

#endif
