/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prints what nft is given for a ruleset: ruleset-tool FILE [publish].  For
 * tests/sys/ruleset.sh and tests/vm/firewall.sh, whose addresses these are. */
#include "base/buf.h"
#include "base/err.h"
#include "host/net/ruleset.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	static const char *const host4[] = {"203.0.113.9", NULL};
	static const char *const host6[] = {"2001:db8:9::9", NULL};
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
	};
	struct err e = ERR_INIT;
	struct ruleset r;
	struct buf b;
	size_t first;

	if (argc == 3 && !strcmp(argv[2], "publish")) {
		net.publish = publish;
		net.n_publish = sizeof(publish) / sizeof(*publish);
	}
	if (argc < 2 || ruleset_read(&r, argv[1], &e) < 0) {
		fprintf(stderr, "ruleset-tool: %s\n", e.msg);
		return 1;
	}
	buf_init(&b, RULESET_INPUT_MAX);
	ruleset_compose(&r, &net, &b, &first);
	fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
	ruleset_free(&r);
	return fflush(stdout) ? 1 : 0;
}
