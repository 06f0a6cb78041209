/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What no member of the sandbox may do. */
#ifndef STAGE_DENIED_H
#define STAGE_DENIED_H

struct err;

enum denied_to {
	DENIED_MEMBER,
	DENIED_UPLINK, /* but for what passt needs on its way into its sandbox
			*/
};

/*
 * In a member's process, before its execve(): the fence of denied.c.  What the
 * stage itself does not need any more is denied too, so call it last.
 */
int denied_fence(enum denied_to to, struct err *e);

#endif
