/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The person's terminal: raw while a guest terminal is attached, put back on
 * every way out, those by a fatal signal included.
 */
#ifndef HOST_TERMINAL_H
#define HOST_TERMINAL_H

#include "wire/control.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* Makes the terminal `fd` raw; remembers how it was.  Borrows fd. */
int terminal_raw(int fd, struct err *e);
/* Puts it back; harmless if nothing was changed.  Async-signal-safe. */
void terminal_restore(void);
/* Its size; zeros if unknown. */
void terminal_size(int fd, struct winsize_msg *w);

/*
 * A descriptor for the sandbox that shares no O_NONBLOCK flag with other
 * programs: a pipe or terminal is opened anew with `flags` (O_RDONLY, O_WRONLY
 * or O_RDWR) and O_NONBLOCK, anything else, and a pipe to be read that is at
 * its end, is duplicated.  -1 if the number is not open.  Of a terminal see
 * front.h.
 */
int terminal_private_fd(int fd, int flags);

/*
 * The standard streams for vmrun-mux in the order of enum edge_stdio, whose
 * bits go to *bits: descriptors of terminal_private_fd(), owned by the caller.
 * With `terminal` stdin is one and serves both ways; stderr goes apart if it is
 * none.  How many there are.
 */
size_t terminal_take_stdio(bool terminal, int fds[3], uint32_t *bits);

#endif
