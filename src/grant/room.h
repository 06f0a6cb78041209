/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether ACLs of some size have room in one inode. */
#ifndef GRANT_ROOM_H
#define GRANT_ROOM_H

#include "grant/acl.h"
#include "grant/aclio.h"

#include <stdbool.h>

struct walk_item;

/* An inode, and what its ACLs are to become. */
struct room {
	struct aclio *io;
	const struct walk_item *it;
	const struct acl *access;
	const struct acl *dflt; /* NULL: it has none */
	size_t *roomy;		/* so many entries had room in another inode */
};

/*
 * Tries it, beside as much of other attributes as the inode has, with a file
 * without a name in its directory, which changes nothing that anybody sees.
 * False: there is certainly no room.  True also where it cannot be tried: then
 * the edit itself will tell.
 */
bool room_is_enough(const struct room *r);

#endif
