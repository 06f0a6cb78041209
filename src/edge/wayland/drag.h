/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drags that begin in the VM, where not both directions are open.
 *
 * Theory of operation
 *
 * Where a drag goes only the compositor can say, so it has all of them: enter,
 * motion, drop and the actions pass between it and the clients.  What is
 * dragged does not.  Each drag has a number, and a MIME type made of it and of
 * a secret that no guest is told (its mark); by it the compositor's offer of
 * the drag is known in a window of the VM, which is shown the source's types.
 *
 * OUT   The mark is one more type.  Other programs may take the drag.
 * not   The mark is the only type that the compositor hears of, and what is
 * OUT   asked of that type is answered with nothing.
 *
 * Either way, what a client of the VM asks of the offer goes to the source's
 * client and not to the compositor; that a type was accepted goes there as the
 * mark, and comes back as that type.  So a drag that begins elsewhere brings
 * nothing in even with the mark, which who was under a drag of the VM's knows.
 * Without the mark it is another matter: selection.c.
 */
#ifndef EDGE_WAYLAND_DRAG_H
#define EDGE_WAYLAND_DRAG_H

#include "offers.h"

/* wl_data_device.start_drag with that source, or 0. */
enum verdict drag_start(struct client *c, uint32_t id);
/* The drag that this type is the mark of; 0: it is none. */
uint32_t drag_marked(const struct filter *f, const struct wire_arg *mime);
/* That drag's source, and whose it is; NULL: it is over. */
struct source *drag_source(struct filter *f, uint32_t drag,
			   struct client **owner);
/* A request to the offer of that drag. */
enum verdict drag_offer_request(struct client *c, const struct wire_message *m,
				uint32_t drag, int *fds);
/* An event of a wl_data_source. */
enum verdict drag_source_event(struct client *c, const struct wire_message *m);

#endif
