/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ACLs of an inode that a walk is at, read and written by its descriptor.
 */
#ifndef GRANT_ACLIO_H
#define GRANT_ACLIO_H

#include "grant/acl.h"

struct walk_item;

/* Room for one xattr; large: on the heap. */
struct aclio {
	unsigned char bytes[ACL_BYTES_MAX];
};

/*
 * For peek() an item has no descriptor: then its name is read, below the
 * working directory.  1 and the ACL; 0 if there is none; else a negated errno.
 */
int aclio_read(struct aclio *io, const struct walk_item *it, enum acl_kind kind,
	       struct acl *a);

/* Writes the ACL, or removes it (NULL).  0, or -1 with errno. */
int aclio_write(struct aclio *io, const struct walk_item *it,
		enum acl_kind kind, const struct acl *a);

#endif
