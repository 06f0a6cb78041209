/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan: --net.  What is refused comes first. */
#include "planfixture.h"

#include "base/json.h"
#include "host/net/passt.h"
#include "host/plan/dryrun.h"
#include "state/state.h"
#include "wire/setup.h"

#include <sys/socket.h>

static void refused(const char *line, const char *part, const char *hint)
{
	if (!tap_ok(plan_of(line) && strstr(e.msg, part) &&
			    strstr(e.hint, hint),
		    "%s: %s", line, part))
		printf("# %s (%s)\n", e.msg, e.hint);
	options_free(&o);
}

static void test_refused(void)
{
	static const char cards[] =
		"--nic|60,mac=02:00:00:00:00:01|--nic|61,mac=02:00:00:00:00:02|"
		"--nic|62,mac=02:00:00:00:00:03|--nic|63,mac=02:00:00:00:00:04";
	int two[2];

	refused("--net|nosuch|x", "there is no ruleset \"nosuch\"",
		"vmrunctl net list");
	refused("--net|../mine|x", "is not none or the name of a ruleset",
		"vmrunctl net list");
	refused("--net||x", "is not none or the name of a ruleset", "");
	refused("--net|a2345678901234567890123456789012345678901|x",
		"is not none or the name of a ruleset", "");
	refused("--net|open|x", "open.nft:1: \"}\" without \"{\"", "");
	refused("--publish|8080:80|x", "--publish: the VM has no network",
		"--net NAME");
	refused("--net|none|--publish|8080:80|x", "the VM has no network", "");
	refused("--net|mine|--publish|8080:80|--publish|80:80|x",
		"ports below 1024 are root's", "take one from 1024 on");
	refused("--net|mine|--publish|[::1]:8080:80|x",
		"no way back to IPv6's loopback", "127.0.0.1");
	refused("--net|mine|--publish|8080:80|--publish|8080:81|x",
		"leads to port 80 already", "");
	for (int i = 60; i < 64; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, two) ||
		    dup2(two[0], i) < 0)
			abort();
		close(two[0]);
		close(two[1]);
	}
	refused(fmt("%s|--net|mine|x", cards), "more than 4 network cards", "");
}

/* What --dry-run prints. */
static const char *printed(enum opt_format format)
{
	static char text[65536];
	const struct state_range range = {1000, 1000, 1};
	struct setup none = {.n_members = 0};
	const struct dryrun_extra x = {.range = &range, .setup = &none};
	FILE *out = fmemopen(text, sizeof(text), "w");

	if (!out)
		abort();
	if (dryrun_print(&p, &x, format, out, &e))
		tap_ok(0, "dry run: %s", e.msg);
	fclose(out);
	return text;
}

static void test_planned(void)
{
	tap_ok(!plan_of("x") && !p.net && !p.n_nics, "no network by default");
	done();
	tap_ok(!plan_of("--net|mine|--net|none|x") && !p.net && !p.n_nics,
	       "nor with none, which wins where it comes last");
	done();
	if (!tap_ok(!plan_of("--net|mine|x") && p.n_nics == 1 &&
			    p.nics[0].link == LINK_MESSAGES &&
			    p.nics[0].nic.n_dns == 2 && !p.join,
		    "a card, no port yet"))
		printf("# %s\n", e.msg);
	tap_str(p.net, "mine", "the network");
	tap_str(p.net_file, fmt("%s/net/mine.nft", config_home),
		"and its ruleset");
	tap_ok(strstr(printed(FORMAT_TEXT),
		      fmt("network card of network mine, with the ruleset "
			  "%s/net/mine.nft",
			  config_home)) != NULL,
	       "dry run");
	tap_ok(strstr(printed(FORMAT_JSON), "\"network\": \"mine\"") &&
		       strstr(printed(FORMAT_JSON),
			      fmt("\"ruleset\": \"%s/net/mine.nft\"",
				  config_home)),
	       "dry run as JSON");
	done();
	tap_ok(!plan_of("--net|mine|--publish|8080:80|--publish|"
			"[2001:db8::2]:5353:53/udp|x") &&
		       p.opt->n_publish == 2 &&
		       strstr(printed(FORMAT_TEXT),
			      "127.0.0.1:8080/tcp of this machine leads to "
			      "port "
			      "80") &&
		       strstr(printed(FORMAT_JSON),
			      "\"host\": \"[2001:db8::2]:5353/udp\""),
	       "dry run: what is published");
	done();
}

int main(void)
{
	fixture_make();
	make_dir(fmt("%s/net", config_home), 0755);
	make_file(fmt("%s/net/mine.nft", config_home), 0644, "accept\n");
	make_file(fmt("%s/net/open.nft", config_home), 0644, "}\n");
	if (passt_find()) {
		test_refused();
		test_planned();
	} else {
		tap_skip("--net", "passt is not installed");
	}
	return fixture_end();
}
