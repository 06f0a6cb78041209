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

/*
 * Whether ACLs may be edited there: acls says whether the kernel would, and
 * type is NULL for a kind that is not known.  Never where somebody else decides
 * too, who may give the same UID to a VM of his; and a read-only mount is left
 * alone as long as nobody wants to write.
 */
bool fs_takes_grants(const struct fs_type *type, bool acls, bool read_only,
		     bool rw);

#endif
