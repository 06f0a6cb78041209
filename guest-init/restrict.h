/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fences around what the guest's kernel does: for a command (--wrap
 * restricted), and for the resolver. */
#ifndef GUEST_RESTRICT_H
#define GUEST_RESTRICT_H

/*
 * For the calling process, and what it starts, for good: the system calls of
 * restrict.c's table fail.  Needs no_new_privs.  0, or -1 and errno.
 */
int restrict_calls(void);

/*
 * The same for a firewall's resolver: all other calls than it needs kill it,
 * and with it the VM ends.
 */
int restrict_resolver(void);

#endif
