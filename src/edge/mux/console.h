/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A stream that is only kept for whoever asks later: the guest's serial
 * console, and what QEMU and virtiofsd say.  The last RING_DATA bytes of it
 * are in a ring file; its writer never waits.
 */
#ifndef EDGE_MUX_CONSOLE_H
#define EDGE_MUX_CONSOLE_H

#include "watch.h"

struct err;

struct console {
	int fd; /* owned; -1: none, or ended */
	int slot;
	void *ring; /* mapped for the life of the program; NULL: thrown away */
};

/*
 * Takes fd and file, each -1 for none; file must be a ring (wire/ring.h).
 * Before seal_running(): it maps.  0, or -1 and e.
 */
int console_init(struct console *c, int fd, int file, struct err *e);
void console_watch(struct console *c, struct watch *w);
void console_turn(struct console *c, const struct watch *w);

#endif
