/* SPDX-License-Identifier: GPL-3.0-or-later */
/* May a port send this frame?  Pure. */
#ifndef EDGE_SWITCH_GUARD_H
#define EDGE_SWITCH_GUARD_H

#include "fabric.h"

/* Nothing is wrong with it. */
#define GUARD_PASS SWITCH_DROPS

/*
 * A client may use its own addresses only, as what it says it is and as what
 * it says in ARP and ND; GUARD_PASS, or why not.
 */
enum switch_drop guard_client(const struct fabric_port *p,
			      const struct ether *f);
/* An uplink: its MAC if it has one; ARP and IP only. */
enum switch_drop guard_uplink(const struct fabric_port *p,
			      const struct ether *f);

#endif
