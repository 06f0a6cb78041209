/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --wrap restricted: a fence around what the guest's kernel does for a command.
 */
#ifndef GUEST_RESTRICT_H
#define GUEST_RESTRICT_H

/*
 * For the calling process, and what it starts, for good: the system calls of
 * restrict.c's table fail.  Needs no_new_privs.  0, or -1 and errno.
 */
int restrict_calls(void);

#endif
