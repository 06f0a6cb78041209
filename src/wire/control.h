/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What host and guest say on the control stream, and the launch record.
 *
 * Theory of operation
 *
 * The guest boots with nothing about its VM on the kernel command line and
 * says HELLO.  The host answers LAUNCH, once; from then on there is at least
 * one session (number 0, the application).  `vmrunctl exec` adds sessions.
 *
 *     guest                                   host
 *     HELLO version                      ->
 *                                        <-   CLOCK
 *                                        <-   LAUNCH record
 *     STARTED session | EXIT session     ->
 *     READY session                      ->
 *                                        <-   EXEC record
 *                                        <-   SIGNAL | WINSIZE | CLOCK
 *     ASK_CLOCK                          ->   (answered by CLOCK)
 *     EXIT session kind value            ->   (session 0: all files are synced)
 *                                        <-   STOP
 *
 * A message is: u32 type, u32 length, length bytes.  The guest's are at most
 * CTL_GUEST_MAX bytes (they are hostile), the host's at most CTL_HOST_MAX.
 * Unknown types, wrong lengths and trailing bytes are violations.
 */
#ifndef WIRE_CONTROL_H
#define WIRE_CONTROL_H

#include "base/buf.h"
#include "wire/launch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CTL_VERSION 10u
#define CTL_GUEST_MAX 1024u
#define CTL_HOST_MAX (4u * 1024 * 1024)
#define CTL_TEXT_MAX 512u /* bytes of LOG and EXIT text */

struct err;

enum ctl_type {
	/* guest to host */
	CTL_HELLO = 1,	 /* u32 version */
	CTL_STARTED = 2, /* u32 session */
	CTL_READY = 3,	 /* u32 session */
	CTL_EXIT = 4, /* u32 session, u32 enum ctl_exit, u32 value, str text */
	CTL_LOG = 5,  /* u32 level (enum log_level), str text */
	CTL_ASK_CLOCK = 6, /* nothing: what time is it? */
	/* host to guest */
	CTL_LAUNCH = 32,  /* struct launch */
	CTL_EXEC = 33,	  /* struct session_spec */
	CTL_SIGNAL = 34,  /* u32 session, u32 Linux signal number */
	CTL_WINSIZE = 35, /* u32 session, u16 rows, cols, xpixels, ypixels */
	CTL_CLOCK = 36,	  /* u64 nanoseconds since the epoch */
	CTL_STOP = 37,	  /* end everything, sync, power off */
};

enum ctl_exit {
	CTL_EXIT_CODE = 0,	/* value: exit status 0..255 */
	CTL_EXIT_SIGNAL = 1,	/* value: signal number */
	CTL_EXIT_NOT_FOUND = 2, /* 127; text says what */
	CTL_EXIT_NOT_EXEC = 3,	/* 126; value: errno; text says what */
	CTL_EXIT_SETUP = 4, /* the guest could not be set up; value: errno */
};

/* Encoders append a whole message, header included. */
void ctl_put_hello(struct buf *b);
void ctl_put_session(struct buf *b, enum ctl_type type, uint32_t session);
void ctl_put_exit(struct buf *b, uint32_t session, enum ctl_exit kind,
		  uint32_t value, const char *text);
void ctl_put_ask_clock(struct buf *b);
void ctl_put_log(struct buf *b, uint32_t level, const char *text);
void ctl_put_launch(struct buf *b, const struct launch *l);
void ctl_put_exec(struct buf *b, const struct session_spec *s);
void ctl_put_signal(struct buf *b, uint32_t session, uint32_t signo);
void ctl_put_winsize(struct buf *b, uint32_t session,
		     const struct winsize_msg *w);
void ctl_put_clock(struct buf *b, uint64_t ns);
void ctl_put_stop(struct buf *b);

/* A message of the guest: small, fixed, no allocation. */
struct ctl_guest_msg {
	enum ctl_type type;
	uint32_t session, kind, value, version, level;
	char text[CTL_TEXT_MAX + 1]; /* as sent: escape before showing */
};

/*
 * Decode one message from p[0..n).  1 and *used: a message; 0: more bytes are
 * needed; -1 and e: a violation.
 */
int ctl_get_guest(const void *p, size_t n, size_t *used,
		  struct ctl_guest_msg *m, struct err *e);

struct ctl_host_msg {
	enum ctl_type type;
	uint32_t session, signo;
	struct winsize_msg win;
	uint64_t clock_ns;
	struct launch launch;	  /* CTL_LAUNCH: owned, launch_free() */
	struct session_spec exec; /* CTL_EXEC: owned, session_spec_free() */
};

int ctl_get_host(const void *p, size_t n, size_t *used, struct ctl_host_msg *m,
		 struct err *e);

#endif
