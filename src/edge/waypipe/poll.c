/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * poll(2) for waypipe 0.8, in front of the C library's by LD_PRELOAD: in the
 * guest, and here in waypipe's own sealed process.  Adds no authority.
 *
 * Of what is copied and pasted waypipe 0.8 (Debian 12's) reads nothing before
 * the writer has closed the pipe: it asks for POLLIN only of pipes that it
 * knows to be readable, which it learns from POLLIN.  So whoever writes more
 * than a pipe holds, 64 KiB, waits forever, and whoever pastes with it.
 *
 * In its main loop the first four descriptors are the other waypipe, the
 * Wayland connection, one for reconnecting and one for its threads; the pipes
 * follow.  It reads from pipes when it reads from the Wayland connection, so
 * they are asked for POLLIN when that is.  Of an end for writing that changes
 * nothing, and neither does it where it has been asked for already (0.9).
 *
 * Without a library, so that it fits any guest's; ppoll(2)'s wrapper is in all.
 */
#include <poll.h>
#include <stddef.h>
#include <time.h>

enum { WAYLAND = 1, PIPES = 4 };

/* What programs that were built with _FORTIFY_SOURCE call. */
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl*) */
int __poll_chk(struct pollfd *p, nfds_t n, int ms, size_t room);

int poll(struct pollfd *p, nfds_t n, int ms)
{
	const struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

	for (nfds_t i = PIPES; i < n && p[WAYLAND].events & POLLIN; i++)
		p[i].events |= POLLIN;
	return ppoll(p, n, ms < 0 ? NULL : &t, NULL);
}

int __poll_chk(struct pollfd *p, nfds_t n, int ms, size_t room)
{
	return n > room / sizeof(*p) ? -1 : poll(p, n, ms);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl*) */
