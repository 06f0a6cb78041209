/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether ACLs of some size have room in one inode. */
#ifndef GRANT_ROOM_H
#define GRANT_ROOM_H

#include "grant/acl.h"
#include "grant/aclio.h"

#include <stdbool.h>

/*
 * Tries it with a file without a name in the directory `dir` (borrowed),
 * which changes nothing that anybody sees.  dflt is NULL where there is no
 * default ACL.  False: there is certainly no room.  True also where it cannot
 * be tried: then the edit itself will tell.
 */
bool room_for(struct aclio *io, int dir, const struct acl *access,
	      const struct acl *dflt);

#endif
