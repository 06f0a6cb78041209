/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lines of /proc/PID/mountinfo, see proc(5). */
#ifndef BASE_MOUNTINFO_H
#define BASE_MOUNTINFO_H

#include <stdint.h>

/* Of the whole file, for io_read_text().  No machine has a longer one: 100,000
 * mounts are the kernel's limit. */
#define MOUNTINFO_MAX (64u * 1024 * 1024)

struct mountinfo {
	uint64_t id, parent;
	const char *point; /* where it is, as it is on the disk */
};

/*
 * Pure.  Takes the next line off *text, which is NUL-terminated and is changed:
 * point is decoded in its place.  1; 0 at the end; -1: that is no such line.
 */
int mountinfo_next(char **text, struct mountinfo *m);

/*
 * The number of the mount that an open inode is on, as mountinfo has it; 0
 * where the kernel does not tell.
 */
uint64_t mountinfo_id(int fd);

#endif
