/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is known of a kind of file system by the number that statfs(2) gives.
 * Pure.
 */
#ifndef HOST_FSTYPE_H
#define HOST_FSTYPE_H

#include <stdbool.h>

enum fs_reach {
	FS_LOCAL, /* this kernel alone decides who may do what */
	FS_SHARED /* so does another machine, or a program (FUSE) */
};

struct fs_type {
	unsigned long magic;
	const char *name;
	enum fs_reach reach;
	bool modes; /* keeps set-user-ID bits; if not known: yes */
};

/* f_type of struct statfs; NULL for what is not in the table. */
const struct fs_type *fs_type_of(long f_type);

#endif
