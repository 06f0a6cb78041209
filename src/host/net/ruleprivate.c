/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is private to a ruleset, and what it opens of that.  Pure; the person's
 * own authority. */
#include "host/net/rulesetint.h"

#include "base/err.h"
#include "base/own.h"
#include "host/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 6890: what is not of the Internet at large. */
const char *const ruleset_private4[] = {"0.0.0.0/8",
					"10.0.0.0/8",
					"100.64.0.0/10",
					"127.0.0.0/8",
					"169.254.0.0/16",
					"172.16.0.0/12",
					"192.0.0.0/24",
					"192.168.0.0/16",
					"198.18.0.0/15",
					"224.0.0.0/3",
					NULL};
const char *const ruleset_private6[] = {"::/96",
					"::ffff:0:0:0/96",
					"64:ff9b::/96",
					"64:ff9b:1::/48",
					"100::/64",
					"2002::/16",
					"fc00::/7",
					"fe80::/10",
					"fec0::/10",
					"ff00::/8",
					NULL};

static bool is_within(const char *net, int family, const unsigned char *ip)
{
	unsigned char base[16];
	uint64_t bits = 0;
	char text[64];
	char *slash;

	snprintf(text, sizeof(text), "%s", net);
	slash = strchr(text, '/');
	*slash = '\0';
	if (inet_pton(family, text, base) != 1 ||
	    text_number(slash + 1, 128, &bits) < 0)
		return false;
	for (size_t i = 0; i < bits; i++)
		if ((base[i / 8] ^ ip[i / 8]) & (0x80 >> i % 8))
			return false;
	return true;
}

bool ruleset_is_private(int family, const unsigned char *ip)
{
	const char *const *nets =
		family == AF_INET6 ? ruleset_private6 : ruleset_private4;

	for (; *nets; nets++)
		if (is_within(*nets, family, ip))
			return true;
	return false;
}

bool ruleset_opens(const struct ruleset *r, int family, const unsigned char *ip)
{
	const char *p = r->text;
	struct err e = ERR_INIT;

	while (*p) {
		own_free char *text = ruleset_next_line(&p, &e);
		own_free char *net = NULL;
		struct line l;

		if (!text)
			return true;
		l = ruleset_line(text);
		if (l.kind != LINE_NET)
			continue;
		net = strndup(l.what, l.n);
		if (!net || (ruleset_net_family(net) == family &&
			     is_within(net, family, ip)))
			return true;
	}
	return false;
}
