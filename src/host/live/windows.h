/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Windows of the guest: what vmrun-wayland and the transport ask of vmrun. */
#ifndef HOST_LIVE_WINDOWS_H
#define HOST_LIVE_WINDOWS_H

#include "host/live/context.h"
#include "host/live/supervise-impl.h"

/*
 * Before the sandbox starts: asks the compositor for a security context, if
 * there are to be windows and it has such.  0: *c is made or not; or -1 and e.
 */
int windows_prepare(const struct plan *p, const struct run_dir *d, int stop,
		    struct context *c, struct err *e);

/* A record of vmrun-wayland can be read. */
void windows_on_record(struct supervisor *v);
/* waypipe was started; takes run, the directory where it listens. */
void windows_on_transport(struct supervisor *v, int run);
/* EDGE_EV_CONNECT of the guest's end: a stream of its own to waypipe. */
void windows_on_connect(struct supervisor *v, uint32_t conn);

/* vmrunctl wants to know what was offered, refused, passed. */
void windows_on_ask(struct supervisor *v, struct conn *c);

#endif
