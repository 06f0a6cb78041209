/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prints what nft is given for a ruleset: ruleset-tool FILE [publish] [passt],
 * and its resolvers: [six], one of IPv6; [mute], and one of IPv4 that does not
 * answer; [nodns], none; else one of IPv4.  Or which addresses of this machine
 * it has: ruleset-tool FILE own; or its public networks of IPv6: ruleset-tool
 * FILE links.  For tests/sys/ruleset.sh and
 * tests/vm/firewall.sh, whose addresses these are. */
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "host/net/hostnet.h"
#include "host/net/ruleset.h"
#include "host/text.h"

#include <stdio.h>
#include <string.h>

static int print_own(const struct ruleset *r, bool links, struct err *e)
{
	struct hostnet h;

	if (hostnet_look(&h, r, e) < 0)
		return -1;
	for (char **a = links ? NULL : h.addrs4; a && *a; a++)
		printf("%s ", *a);
	for (char **a = links ? h.links6 : h.addrs6; a && *a; a++)
		printf("%s ", *a);
	printf("\n");
	hostnet_free(&h);
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const host4[] = {"203.0.113.9", "192.168.7.9", NULL};
	static const char *const host6[] = {"2001:db8:9::9", "fd99::8", NULL};
	static const char *const links6[] = {"2001:db8:a::/64", NULL};
	static const struct ruleset_publish publish[] = {
		{RULESET_TCP, 8081, "10.213.1.10", 80},
		{RULESET_UDP, 8082, "10.213.1.10", 443},
		{RULESET_TCP, 8083, "fd76::a", 80}};
	struct ruleset_net net = {
		.inner = "inner",
		.outer = "outer",
		.clients4 = "10.213.1.0/24",
		.clients6 = "fd76::/64",
		.gateway4 = "10.213.1.1",
		.gateway6 = "fd76::1",
		.resolver4 = "198.51.100.53",
		.host_addrs4 = host4,
		.host_addrs6 = host6,
		.links6 = links6,
	};
	static const char *const none[] = {NULL};
	struct err e = ERR_INIT;
	struct ruleset r;
	struct buf b;
	size_t first;

	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "publish")) {
			net.publish = publish;
			net.n_publish = sizeof(publish) / sizeof(*publish);
		}
		net.passt = net.passt || !strcmp(argv[i], "passt");
		if (!strcmp(argv[i], "six") || !strcmp(argv[i], "nodns"))
			net.resolver4 = NULL;
		if (!strcmp(argv[i], "mute"))
			net.resolver4 = "198.51.100.99";
		if (!strcmp(argv[i], "six") || !strcmp(argv[i], "mute"))
			net.resolver6 = "2001:db8:7::53";
	}
	if (argc < 2 || ruleset_read(&r, argv[1], none, &e) < 0) {
		fprintf(stderr, "ruleset-tool: %s\n", e.msg);
		return 1;
	}
	if (argc == 3 && (!strcmp(argv[2], "own") || !strcmp(argv[2], "links")))
		return print_own(&r, *argv[2] == 'l', &e) < 0 ? 1 : 0;
	buf_init(&b, RULESET_INPUT_MAX);
	ruleset_compose(&r, &net, &b, &first);
	fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
	ruleset_free(&r);
	return fflush(stdout) ? 1 : 0;
}
