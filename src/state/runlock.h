/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside src/state: what says that a VM is alive.
 *
 * A run is alive while its vmrun holds the OFD lock of locks/ID, and if its
 * row has this boot's id.  The lock belongs to the open file, not to a pid:
 * the kernel drops it however vmrun ends, and no number can be reused.
 */
#ifndef STATE_RUNLOCK_H
#define STATE_RUNLOCK_H

#include <stddef.h>
#include <stdint.h>

struct err;

/* The directory `locks`, made if need be.  A descriptor, or -1 and e. */
int runlock_dir(int dir, struct err *e);
/* 1 and *fd: ours now; 0: somebody else has it; -1 and e. */
int runlock_take(int locks, int64_t run, int *fd, struct err *e);
/* 1: somebody (perhaps this process) has it; 0: nobody; -1 and e. */
int runlock_held(int locks, int64_t run, struct err *e);
/*
 * The same descriptor's lock on another byte says that the run is ending, for
 * as long as it has the first one.
 */
void runlock_end(int fd);
/* 1: the run is ending, as its lock says; 0: not; -1 and e. */
int runlock_ending(int locks, int64_t run, struct err *e);
/* Removes the name, while the lock is held or the run is over. */
void runlock_remove(int locks, int64_t run);
/*
 * Removes what ended runs left: calls ended(arg, run) for each name.  Only
 * while no other process has the database open.
 */
void runlock_sweep(int locks, int (*ended)(void *arg, int64_t run), void *arg);

/* OFD lock on one byte of fd.  0, or -1 with errno (EAGAIN: taken). */
enum lock_how { LOCK_HOW_SHARED, LOCK_HOW_ALONE, LOCK_HOW_NONE };
int lock_byte(int fd, int64_t byte, enum lock_how how);

/* This boot's id into out.  0, or -1 and e. */
int boot_id_read(char *out, size_t size, struct err *e);

#endif
