/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Job control for programs whose terminal is read by another one.
 *
 * vmrun-mux reads what is typed, and it is of another session: the kernel does
 * not stop it as it stops a background job.  So vmrun and vmrunctl look for
 * themselves whether they are in the foreground, and say so.
 */
#ifndef HOST_FRONT_H
#define HOST_FRONT_H

#include <stdbool.h>

struct err;

/* False in a background job of the shell that has the terminal. */
bool front_is(int tty);
/*
 * As who reads the terminal: a background job is stopped until it is in the
 * foreground, or a blocked signal that ends programs waits.  0, or -1 and e
 * where nobody would ever let it go on.
 */
int front_take(int tty, struct err *e);
/*
 * As SIGTSTP, which the caller has blocked; returns with SIGCONT, or at once
 * where it is ignored.  1: the terminal is ours again; 0: it may not be, but a
 * signal that ends programs waits in the caller's signalfd, and comes first; -1
 * and e.
 */
int front_stop_terminal(int tty, struct err *e);

/* Who reads a terminal that the guest has none of. */
struct front {
	int tty;     /* borrowed; -1: it is nobody's question */
	int watch;   /* can be read when front_look() is to be called */
	int timer;   /* inside of watch */
	bool paused; /* what is typed is not ours */
};
#define FRONT_NONE                                                             \
	{                                                                      \
		-1, -1, -1, false                                              \
	}

/*
 * A job that became the foreground's is told of it by nothing: so what is typed
 * is the occasion to look, and if the shell is still about to give the terminal
 * away then, a little later, as long as nobody has read it.
 */
int front_begin(struct front *f, int tty, struct err *e);
/* Whether `paused` is another one than before. */
bool front_look(struct front *f);
/* As front_stop_terminal(), of who was told to leave alone what is typed: true
 * if it is ours again. */
bool front_stop(struct front *f);
void front_end(struct front *f);

#endif
