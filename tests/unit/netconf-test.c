/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ways out of networks: what a file may say, and which file says it. */
#include "base/err.h"
#include "host/net/netconf.h"
#include "rmtree.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (f) {
		fputs(text, f);
		fclose(f);
	}
}

/* What is wrong with net/NAME.conf that says this; "": nothing. */
static const char *refusal(const char *dir, const char *name, const char *text)
{
	const char *dirs[] = {dir, NULL};
	static struct err e;
	char path[64];
	struct netconf c;

	e = (struct err)ERR_INIT;
	snprintf(path, sizeof(path), "net/%s.conf", name);
	write_file(dir, path, text);
	if (netconf_find(&c, name, dirs, &e) == 0)
		netconf_free(&c);
	return e.msg;
}

static void test_bad_ways(const char *dir)
{
	static const struct {
		const char *name, *text, *want;
	} all[] = {
		{"bad", "uplink = slirp\n", "\"slirp\" is no way out"},
		{"bad", "uplink =\n", "\"\" is no way out"},
		{"bad", "uplink = passt\nuplink = passt\n",
		 "was set on line 1"},
		{"bad", "route = passt\n", "unknown option \"route\""},
		{"bad", "uplink = vm:\n", "vm: is followed by a name"},
		{"bad", "uplink = vm:../x\n", "vm: is followed by a name"},
		{"bad", "uplink = vm:none\n", "vm: is followed by a name"},
		{"vm:bad", "uplink = vm:other\n", "does not go out through"},
		{"bad", "uplink = tap:\n", "the name of an interface"},
		{"bad", "uplink = tap:a/b,ip=192.0.2.7/24\n",
		 "the name of an interface"},
		{"bad", "uplink = tap:t0\n", "a TAP wants an address"},
		{"bad", "uplink = tap:t0,gw=192.0.2.1\n",
		 "a TAP wants an address"},
		{"bad", "uplink = tap:t0,ip=192.0.2.7\n", "ip=192.0.2.7: not"},
		{"bad", "uplink = tap:t0,x=1\n", "there is no \"x=\""},
		{"bad", "uplink = tap:t0,ip=192.0.2.7/24,dns=2001:db8::53\n",
		 "the resolver is one of IPv6"},
		{"bad",
		 "uplink = pci:0000:03:00.0,ip=2001:db8::7/64,dns=192.0.2.1\n",
		 "the resolver is one of IPv4"},
		{"bad", "uplink = pci:\n", "the address of a PCI device"},
		{"bad", "uplink = pci:eth0,ip=192.0.2.7/24\n",
		 "the address of a PCI device"},
		{"bad", "uplink = pci:0000:03:00.0\n",
		 "a PCI device wants an address"},
		{"bad", "uplink = pci:0000:03:00.0,ip=192.0.2.7\n",
		 "ip=192.0.2.7: not"},
		{"bad", "bridge = left\n", "\"left\" is no side"},
		{"bad", "bridge =\n", "\"\" is no side"},
		{"bad", "bridge = inside,outside\n", "is no side"},
		{"bad", "bridge = both\nbridge = none\n", "was set on line 1"},
		{"bad",
		 "bridge = outside\n"
		 "uplink = pci:0000:03:00.0,ip=192.0.2.7/24\n",
		 "no bridge VM outside of a PCI device"},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		const char *said = refusal(dir, all[i].name, all[i].text);

		tap_ok(strstr(said, all[i].want) && strstr(said, ".conf:"),
		       "refused: %s", all[i].want);
	}
}

static void test_ways(const char *dir)
{
	const char *dirs[] = {"/nowhere", dir, NULL};
	struct err e = ERR_INIT;
	struct netconf c;
	char text[64], mac[6];
	bool passt = false;

	tap_ok(netconf_find(&c, "web", dirs, &e) == 0 &&
		       c.kind == NETCONF_PASST && !c.path,
	       "without a file it is passt");
	write_file(dir, "net.conf", "uplink = vm:home\n");
	tap_ok(netconf_find(&c, "web", dirs, &e) == 0 && c.kind == NETCONF_VM,
	       "net.conf is for all rulesets");
	tap_str(netconf_text(&c, text, sizeof(text)), "vm:home", "its net VM");
	netconf_free(&c);
	tap_ok(netconf_find(&c, "vm:home", dirs, &e) == 0 &&
		       c.kind == NETCONF_PASST,
	       "but not for net VMs");
	write_file(dir, "net/web.conf", "uplink = passt\n");
	tap_ok(netconf_find(&c, "web", dirs, &e) == 0 &&
		       c.kind == NETCONF_PASST && c.path,
	       "a ruleset's own file goes first");
	netconf_free(&c);
	tap_ok(netconf_check("other", dirs, &passt, &e) == 0 && passt,
	       "what is behind a net VM is known: passt");
	write_file(dir, "net/vm:home.conf",
		   "uplink = tap:/run/x,ip=192.0.2.7/24,gw=192.0.2.1\n");
	tap_ok(netconf_check("other", dirs, &passt, &e) == 0 && !passt,
	       "or a TAP");
	tap_ok(netconf_find(&c, "vm:home", dirs, &e) == 0 &&
		       c.kind == NETCONF_TAP && c.nic.n_addrs == 1 &&
		       c.nic.n_gateways == 1 && c.nic.mac[0] == 2,
	       "with its card");
	memcpy(mac, c.nic.mac, sizeof(mac));
	tap_str(c.where, "/run/x", "and where it comes from");
	netconf_free(&c);
	write_file(dir, "net/a.conf", "uplink = tap:t0,ip=192.0.2.8/24\n");
	tap_ok(netconf_find(&c, "a", dirs, &e) == 0 &&
		       memcmp(mac, c.nic.mac, sizeof(mac)) != 0,
	       "another network has another MAC");
	netconf_free(&c);
	write_file(dir, "net/vm:home.conf",
		   "uplink = pci:0000:03:00.0,ip=192.0.2.7/24\n");
	tap_ok(netconf_check("other", dirs, &passt, &e) == 0 && !passt,
	       "or a PCI device");
	tap_ok(netconf_find(&c, "vm:home", dirs, &e) == 0 &&
		       c.kind == NETCONF_PCI && c.nic.n_addrs == 1 &&
		       !nic_has_mac(&c.nic),
	       "whose MAC nobody invents");
	tap_str(netconf_text(&c, text, sizeof(text)), "pci:0000:03:00.0",
		"its text");
	netconf_free(&c);
	write_file(dir, "net/a.conf",
		   "uplink = tap:t0,dns=2001:db8::53,ip=2001:db8::7/64\n");
	tap_ok(netconf_find(&c, "a", dirs, &e) == 0 && c.nic.n_dns == 1,
	       "IPv6 alone, and a resolver of it");
	netconf_free(&c);
	write_file(dir, "net/vm:home.conf", "uplink = nothing\n");
	tap_ok(netconf_check("other", dirs, &passt, &e) < 0 &&
		       strstr(e.msg, "vm:home.conf:1: "),
	       "an error behind the net VM is found");
	tap_ok(netconf_is_vm("vm:a") && !netconf_is_vm("vm:") &&
		       !netconf_is_vm("a") && !netconf_is_vm("vm:a/b") &&
		       !netconf_is_vm("vm:none"),
	       "names of net VMs");
}

/* Somebody's way out, on a volume that is not mounted: no other one goes for
 * it. */
static void test_dangling(const char *dir)
{
	const char *dirs[] = {dir, NULL};
	struct err e = ERR_INIT;
	struct netconf c;
	char at[128], want[256];

	write_file(dir, "net.conf", "uplink = passt\n");
	snprintf(at, sizeof(at), "%s/net/gone.conf", dir);
	snprintf(want, sizeof(want), "%s: the link leads to nothing", at);
	if (symlink("/nowhere/gone.conf", at) < 0)
		abort();
	tap_ok(netconf_find(&c, "gone", dirs, &e) < 0, "a dangling file");
	tap_str(e.msg, want, "is an error");
	unlink(at);
	tap_ok(netconf_find(&c, "gone", dirs, &e) == 0, "one less is none");
	netconf_free(&c);
}

static void test_bridges(const char *dir)
{
	static const struct {
		const char *word;
		bool inside, outside;
	} all[] = {{"none", false, false},
		   {"inside", true, false},
		   {"outside", false, true},
		   {"both", true, true}};
	const char *dirs[] = {dir, NULL};
	struct err e = ERR_INIT;
	struct netconf c;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		char text[64];

		snprintf(text, sizeof(text), "uplink = vm:home\nbridge = %s\n",
			 all[i].word);
		write_file(dir, "net/b.conf", text);
		tap_ok(netconf_find(&c, "b", dirs, &e) == 0 &&
			       c.bridge[NETCONF_INSIDE] == all[i].inside &&
			       c.bridge[NETCONF_OUTSIDE] == all[i].outside &&
			       c.kind == NETCONF_VM,
		       "bridges: %s", all[i].word);
		tap_str(netconf_bridge(&c), all[i].word, "and its word");
		netconf_free(&c);
	}
	tap_ok(netconf_find(&c, "without", dirs, &e) == 0 &&
		       !c.bridge[NETCONF_INSIDE] && !c.bridge[NETCONF_OUTSIDE],
	       "without a line there is none");
	netconf_free(&c);
}

int main(void)
{
	char path[] = "/tmp/netconf-test-XXXXXX";
	char net[64];

	if (!mkdtemp(path))
		abort();
	snprintf(net, sizeof(net), "%s/net", path);
	mkdir(net, 0700);
	test_ways(path);
	test_bad_ways(path);
	test_bridges(path);
	test_dangling(path);
	rmtree(path);
	return tap_done();
}
