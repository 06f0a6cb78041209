/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The launch record of a firewall: what is refused, and that it comes back. */
#include "tap.h"

#include "base/err.h"
#include "wire/control.h"

#include <stdlib.h>
#include <string.h>

static char *words[] = {"firewall", NULL}, *none[] = {NULL};
static char rules[LAUNCH_FIREWALL_MAX + 2];

static struct launch sample(void)
{
	return (struct launch){
		.uid = 100007,
		.gid = 100007,
		.user = "ann",
		.group = "ann",
		.host_user = "ann",
		.host_group = "ann",
		.home = "/",
		.shell = "",
		.hostname = "firewall",
		.nics = {{.mac = {2, [5] = 1}}, {.mac = {2, [5] = 2}}},
		.n_nics = 2,
		.firewall = rules,
		.app = {.cwd = "/", .argv = words, .env = none},
	};
}

/* What the guest says to it; *firewall is its text, the caller's. */
static int received(const struct launch *l, char **firewall)
{
	struct err e = ERR_INIT;
	struct ctl_host_msg m;
	struct buf b;
	size_t used;
	int got;

	buf_init(&b, CTL_HOST_MAX);
	ctl_put_launch(&b, l);
	got = ctl_get_host(b.data, b.len, &used, &m, &e);
	buf_free(&b);
	if (got != 1)
		return got;
	*firewall = m.launch.firewall;
	m.launch.firewall = NULL;
	launch_free(&m.launch);
	return 1;
}

static void refused(const struct launch *l, const char *what)
{
	char *text = NULL;

	tap_ok(received(l, &text) < 0, "refused: %s", what);
	free(text);
}

int main(void)
{
	struct launch_mount mount = {
		.kind = LAUNCH_TMPFS, .share = "", .dst = "/x", .target = ""};
	struct launch l = sample();
	char *text = NULL;

	memset(rules, '#', LAUNCH_FIREWALL_MAX + 1);
	refused(&l, "more rules than the maximum");
	rules[LAUNCH_FIREWALL_MAX] = '\0';
	tap_ok(received(&l, &text) == 1 && text && !strcmp(text, rules),
	       "64 KiB of rules come back");
	free(text);
	l.n_nics = 1;
	refused(&l, "a firewall with one card");
	l = sample();
	l.mounts = &mount;
	l.n_mounts = 1;
	refused(&l, "a firewall with a mount");
	l.firewall = NULL;
	text = NULL;
	tap_ok(received(&l, &text) == 1 && text && !text[0],
	       "no rules: an ordinary guest");
	free(text);
	return tap_done();
}
