/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TAPs: made, found, and lent over a socket.
 *
 * A TAP is one card's, so that it is lent to one at a time: the loan lasts as
 * long as the connection that it came by.
 */
#ifndef HOST_NET_TAP_H
#define HOST_NET_TAP_H

#include <stdbool.h>

struct err;

struct tap_spec {
	const char *name;
	char *const *ips; /* for tap_is_address(), NULL-terminated; or NULL */
	bool vnet_hdr;	  /* frames have virtio-net's header in front */
};

/* ADDRESS/PREFIX of either family. */
bool tap_is_address(const char *text);
/* What an interface may be called. */
bool tap_is_name(const char *name);

/*
 * Makes a TAP in this network namespace and starts it, with these addresses;
 * it is gone when all of the descriptor's copies are closed.  The caller's; -1
 * and e.
 */
int tap_make(const struct tap_spec *s, struct err *e);
/* One that is there already, made for this person. */
int tap_open(const char *name, struct err *e);
/* Whether it is a TAP whose frames have no packet information; -1 and e, whose
 * code is 0 if it is another TAP, or a TUN. */
int tap_check(int fd, struct err *e);

/* A listening socket at that path; what nobody listens on is replaced. */
int tap_listen(const char *path, struct err *e);
/* Somebody is there: hands the TAP over, and the connection is the caller's;
 * -1: it was not the person, or has gone. */
int tap_lend(int listener, int tap);
/* The TAP of whoever listens there; *loan is to be kept open. */
int tap_borrow(const char *path, int *loan, struct err *e);

#endif
