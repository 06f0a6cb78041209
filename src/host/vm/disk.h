/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The disks behind --tmp. */
#ifndef HOST_DISK_H
#define HOST_DISK_H

#include <stdint.h>
#include <sys/types.h>

struct err;

/*
 * A sparse file of `size` bytes in directory `where` with an empty ext4 file
 * system whose root belongs to uid:gid.  It has no name: nothing outlives the
 * descriptors, which is why nothing is journalled.  The host never mounts it.
 * The descriptor is the caller's.
 */
int disk_make(const char *where, uint64_t size, uid_t uid, gid_t gid,
	      struct err *e);

#endif
