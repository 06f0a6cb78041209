/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Showing what the guest's console and the helpers printed.  These bytes are
 * the guest's: each line is escaped, nothing of it reaches the terminal raw.
 */
#ifndef HOST_QUOTE_H
#define HOST_QUOTE_H

#include <stdint.h>
#include <stdio.h>

/* The last lines of both rings (-1: none) as error messages. */
void quote_rings(int console, int log);

/*
 * Prints what a ring has from position *from on, line by line, escaped, after
 * `prefix`; moves *from past the last whole line (past everything with
 * `all`).  0, or -1 with errno.
 */
int quote_ring(int fd, uint64_t *from, const char *prefix, int all, FILE *out);

#endif
