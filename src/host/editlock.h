/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Taking the lock on a person's ACL edits, without waiting in silence. */
#ifndef HOST_EDITLOCK_H
#define HOST_EDITLOCK_H

struct err;

/*
 * Takes the lock of grant_lock_try() in the state directory (borrowed).  After
 * a second of waiting it says for whom, and from then on gives up once *stop is
 * readable (a signalfd; borrowed; NULL: nothing ends it).  A descriptor to
 * close when done, or -1 and e; ECANCELED after *stop.
 */
int edit_lock(int state_dir, const int *stop, struct err *e);

#endif
