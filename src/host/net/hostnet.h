/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What this machine's own network is like now; only looks. */
#ifndef HOST_NET_HOSTNET_H
#define HOST_NET_HOSTNET_H

#include <stdbool.h>
#include <stddef.h>

struct err;

struct hostnet {
	bool has4, has6; /* there is a default route */
	char **addrs4,
		**addrs6; /* its own addresses, sorted; for strv_free() */
};

int hostnet_look(struct hostnet *h, struct err *e);
void hostnet_free(struct hostnet *h);
bool hostnet_is_same(const struct hostnet *a, const struct hostnet *b);

/*
 * Pure: whether the text of /proc/net/route or /proc/net/ipv6_route has a
 * default route that leads somewhere.
 */
bool hostnet_has_default4(const char *text);
bool hostnet_has_default6(const char *text);

/* A descriptor that is readable when addresses or routes may have changed,
 * and what reads it empty. */
int hostnet_watch(struct err *e);
void hostnet_seen(int fd);

#endif
