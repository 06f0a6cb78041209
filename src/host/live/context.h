/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wp_security_context_v1: a socket whose clients the compositor itself knows
 * for a VM's.  It hides from them what it offers to trusted programs only, and
 * its rules can name the VM.
 *
 * It comes behind vmrun-wayland, never in its place: which globals a
 * compositor hides is its own affair, and it checks neither titles nor the
 * clipboard.  Only user of libwayland-client.  What is read here is the
 * compositor's; no guest has started yet.
 */
#ifndef HOST_CONTEXT_H
#define HOST_CONTEXT_H

struct err;

struct context {
	int at;	  /* O_PATH: the compositor listens there; -1: none */
	int hold; /* the compositor listens until this is closed */
};

/* clang-format off */
#define CONTEXT_NONE { -1, -1 }
/* clang-format on */

struct context_wish {
	const char *app;      /* what windows are marked with */
	const char *instance; /* this run */
	int patience_ms;
};

/*
 * Asks the compositor at the other end of sock, which this takes, to listen for
 * the VM.  The socket is made in the directory dir (O_PATH) and has no name
 * left when this returns.  Waits for so many milliseconds at most, and until
 * stop (or -1) can be read.  1: *c is there.  0: this compositor has no
 * security contexts. -1 and e.
 */
int context_make(struct context *c, int sock, int dir,
		 const struct context_wish *wish, int stop, struct err *e);
/* A connection that the compositor knows for the VM's; non-blocking; or -1. */
int context_connect(const struct context *c, struct err *e);
void context_close(struct context *c);

#endif
