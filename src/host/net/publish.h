/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * --publish: a port of this machine that leads to one of a VM's.  Pure, but
 * for the look whether a port can be had.
 *
 * passt listens, and knows a port by its number alone, whatever its address.
 * So a number is one machine's in a network, and leads to one port of it.
 */
#ifndef HOST_NET_PUBLISH_H
#define HOST_NET_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct ruleset_publish;

#define PUBLISH_MAX 16u	    /* of a VM */
#define PUBLISH_ALL_MAX 32u /* of a network: each is two rules */

/* Of fixed size: it is a part of struct net_record. */
struct publish {
	uint8_t protocol;     /* enum ruleset_protocol */
	uint8_t family;	      /* enum nic_family */
	uint16_t port;	      /* this machine's */
	uint16_t guest;	      /* the VM's */
	unsigned char ip[16]; /* this machine's; IPv4: the first four */
};

/* [ADDRESS:]PORT:PORT[/tcp|/udp], an IPv6 address in brackets. */
int publish_parse(struct publish *p, const char *text, struct err *e);
/* ADDRESS:PORT/PROTOCOL in that spelling. */
#define PUBLISH_TEXT 64
char *publish_text(char out[PUBLISH_TEXT], const struct publish *p);
/* What passt's -t or -u is given. */
char *publish_passt(char out[PUBLISH_TEXT], const struct publish *p);

bool publish_is_valid(const struct publish *p);
bool publish_is_same(const struct publish *a, const struct publish *b);
/* Whether both are the same number, and so cannot be two machines'. */
bool publish_is_same_port(const struct publish *a, const struct publish *b);
bool publish_is_loopback(const struct publish *p);

/* One more in a VM's list, unless it is there already. */
int publish_add(struct publish list[PUBLISH_MAX], size_t *n,
		const struct publish *p, struct err *e);

/* Whether anybody who is not root may have these; `first` is the kernel's
 * net.ipv4.ip_unprivileged_port_start. */
int publish_check_allowed(const struct publish *list, size_t n, unsigned first,
			  struct err *e);
/* Whether this machine has these to give now, all at once. */
int publish_check_free(const struct publish *list, size_t n, struct err *e);

#endif
