/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing a user namespace's id maps with the distribution's newuidmap and
 * newgidmap: the only privileged programs that vmrun ever runs.
 */
#ifndef HOST_IDMAP_H
#define HOST_IDMAP_H

#include <stdint.h>
#include <sys/types.h>

struct err;

/* The person's own ids and the subordinate range, each mapped to itself. */
struct idmap {
	uid_t uid;
	gid_t gid;
	uint32_t sub_first, sub_count;
	uint32_t subgid_first, subgid_count;
};

/*
 * For proc_spec.parent with arg = struct idmap *: maps the new process's
 * namespace.  The child must be blocked and not reaped meanwhile, so that its
 * number cannot become somebody else's.  0, or -1 and e with a remedy.
 */
int idmap_write(void *arg, pid_t pid, struct err *e);

#endif
