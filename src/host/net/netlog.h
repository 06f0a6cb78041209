/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The log of a network: what its programs wrote on standard error, and what
 * its service has to say.  Two files of bounded size; lines have the time and
 * who said it, and are escaped.
 */
#ifndef HOST_NET_NETLOG_H
#define HOST_NET_NETLOG_H

#include <stddef.h>
#include <sys/types.h>
#include <time.h>

struct err;

#define NETLOG_MAX (256 * 1024) /* bytes of a file */
#define NETLOG_LINE 600		/* of a line; the rest is cut */
#define NETLOG_A_SECOND 60	/* lines; more are counted only */

struct netlog {
	int dir; /* borrowed */
	int fd;	 /* of `log` */
	off_t size;
	time_t second;
	unsigned n, lost; /* in that second */
};

/* Goes on with the files that are there, and makes standard error one more
 * way into them. */
int netlog_open(struct netlog *l, int dir, struct err *e);
void netlog_close(struct netlog *l);
/* n bytes of anything, a line. */
void netlog_put(struct netlog *l, const char *who, const char *text, size_t n);
__attribute__((format(printf, 3, 4))) void
netlog_say(struct netlog *l, const char *who, const char *fmt, ...);

/* Where lines come from. */
struct netlog_source {
	const char *who;
	char line[NETLOG_LINE]; /* what has arrived of the next one */
	size_t n;
	char last[NETLOG_LINE]; /* the last one, terminated, escaped */
};

/* Takes what fd (non-blocking) has now.  0; -1: that was the end. */
int netlog_take(struct netlog *l, struct netlog_source *s, int fd);

/* The same; *fd is closed at its end. */
void netlog_follow(struct netlog *l, struct netlog_source *s, int *fd);

#endif
