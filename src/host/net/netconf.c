/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ways out of networks, as a person configured them.  The person's own
 * authority; only looks. */
#include "host/net/netconf.h"

#include "base/err.h"
#include "base/opt.h"
#include "base/own.h"
#include "host/net/netproto.h"
#include "host/net/ruleset.h"
#include "host/net/tap.h"
#include "host/option/config.h"
#include "host/option/optset.h"
#include "host/probe/pci.h"
#include "host/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char vm_prefix[] = "vm:";
static const char tap_prefix[] = "tap:";
static const char pci_prefix[] = "pci:";

struct reading {
	struct netconf *c;
	const char *network;
};

bool netconf_is_vm(const char *network)
{
	return !strncmp(network, vm_prefix, strlen(vm_prefix)) &&
	       ruleset_is_name(network + strlen(vm_prefix)) &&
	       strlen(network) <= NET_NAME_MAX;
}

/* A MAC that other machines beyond the TAP do not have, the same each time. */
static void make_mac(const char *network, unsigned char mac[NIC_MAC])
{
	static const unsigned char first[] = {2, 'v', 'm', 1};
	uint32_t hash = 2166136261u;

	for (const char *p = network; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	memcpy(mac, first, sizeof(first));
	mac[4] = (unsigned char)(hash >> 8);
	mac[5] = (unsigned char)hash;
}

/* A resolver that no address of the card gets an answer from. */
static int check_dns(const struct nic *n, struct err *e)
{
	for (size_t i = 0; i < n->n_dns; i++) {
		enum nic_family family = n->dns[i].family;
		bool has = false;

		for (size_t j = 0; j < n->n_addrs; j++)
			has = has || n->addrs[j].family == family;
		if (has)
			continue;
		err_set(e, 0, "the resolver is one of IPv%d, and no ip= is",
			(int)family);
		return err_hint(e, "add ip= of that family, or dns= of the "
				   "other one");
	}
	return 0;
}

/* The words of --nic behind where the card is. */
static int set_card(struct reading *r, enum netconf_kind kind,
		    const char *where, char *words, struct err *e)
{
	bool tap = kind == NETCONF_TAP;

	if (words && optset_nic_keys(&r->c->nic, words, e) < 0)
		return -1;
	if (!r->c->nic.n_addrs) {
		err_set(e, 0, "a %s wants an address: ip=IP/PREFIX",
			tap ? "TAP" : "PCI device");
		return err_hint(e,
				"uplink = %s%s,ip=192.0.2.7/24,"
				"gw=192.0.2.1,dns=192.0.2.1",
				tap ? tap_prefix : pci_prefix, where);
	}
	if (check_dns(&r->c->nic, e) < 0)
		return -1;
	r->c->kind = kind;
	r->c->where = text_dup(where, e);
	return r->c->where ? 0 : -1;
}

static int set_tap(struct reading *r, const char *value, struct err *e)
{
	own_free char *text = text_dup(value, e);
	char *rest = text, *where;

	if (!text)
		return -1;
	where = strsep(&rest, ",");
	if (where[0] != '/' && !tap_is_name(where))
		return err_set(e, 0,
			       "tap: is followed by the name of an interface, "
			       "or the path of a socket from /");
	make_mac(r->network, r->c->nic.mac);
	return set_card(r, NETCONF_TAP, where, rest, e);
}

static int set_pci(struct reading *r, const char *value, struct err *e)
{
	own_free char *text = text_dup(value, e);
	char *rest = text, *where;

	if (!text)
		return -1;
	where = strsep(&rest, ",");
	if (!pci_is_address(where)) {
		err_set(e, 0,
			"pci: is followed by the address of a PCI device");
		return err_hint(e, "as lspci -D has it: 0000:03:00.0");
	}
	return set_card(r, NETCONF_PCI, where, rest, e);
}

static int set_vm(struct reading *r, const char *value, struct err *e)
{
	if (!netconf_is_vm(value))
		return err_set(e, 0, "vm: is followed by a name");
	if (netconf_is_vm(r->network))
		return err_set(e, 0,
			       "a net VM does not go out through another one");
	r->c->kind = NETCONF_VM;
	r->c->where = text_dup(value, e);
	return r->c->where ? 0 : -1;
}

static int set_uplink(void *ctx, const struct opt *o, const char *value,
		      struct err *e)
{
	struct reading *r = ctx;
	char shown[TEXT_SHOWN];

	(void)o;
	if (!strcmp(value, "passt"))
		return 0;
	if (!strncmp(value, vm_prefix, strlen(vm_prefix)))
		return set_vm(r, value, e);
	if (!strncmp(value, tap_prefix, strlen(tap_prefix)))
		return set_tap(r, value + strlen(tap_prefix), e);
	if (!strncmp(value, pci_prefix, strlen(pci_prefix)))
		return set_pci(r, value + strlen(pci_prefix), e);
	err_set(e, 0, "\"%s\" is no way out",
		text_show(shown, sizeof(shown), value));
	return err_hint(e, "passt, vm:NAME, or tap:WHERE,ip=IP/PREFIX,gw=IP "
			   "or pci:ADDRESS,ip=IP/PREFIX,gw=IP");
}

/* By which of the sides have one, outside the second bit. */
static const char *const bridge_words[] = {"none", "inside", "outside", "both"};
#define BRIDGE_WORDS (sizeof(bridge_words) / sizeof(*bridge_words))

static int set_bridge(void *ctx, const struct opt *o, const char *value,
		      struct err *e)
{
	struct reading *r = ctx;
	char shown[TEXT_SHOWN];
	unsigned i = 0;

	(void)o;
	while (i < BRIDGE_WORDS && strcmp(value, bridge_words[i]) != 0)
		i++;
	if (i == BRIDGE_WORDS) {
		err_set(e, 0, "\"%s\" is no side of a firewall",
			text_show(shown, sizeof(shown), value));
		return err_hint(e, "inside, outside, both, or none");
	}
	for (unsigned side = 0; side < NETCONF_SIDES; side++)
		r->c->bridge[side] = i >> side & 1;
	return 0;
}

static const struct opt table[] = {
	{.name = "uplink", .arg = "WAY", .set = set_uplink},
	{.name = "bridge", .arg = "SIDE", .set = set_bridge},
	{.name = NULL},
};

/* 1: one of the folders has it. */
static int find_file(struct reading *r, const char *const *dirs,
		     const char *name, struct err *e)
{
	for (; *dirs; dirs++) {
		own_free char *path = text_fmt(e, "%s/%s.conf", *dirs, name);
		int got = path ? config_load(path, table, r, e) : -1;

		if (got > 0)
			r->c->path = steal_ptr(&path);
		if (got)
			return got;
	}
	return 0;
}

/* Its MAC is the device's own, which nobody knows before. */
static int check_bridge(const struct netconf *c, struct err *e)
{
	if (c->kind != NETCONF_PCI || !c->bridge[NETCONF_OUTSIDE])
		return 0;
	err_set(e, 0, "%s: there is no bridge VM outside of a PCI device",
		c->path);
	return err_hint(e, "give the device to a net VM, and the bridge to a "
			   "firewall before it");
}

int netconf_find(struct netconf *c, const char *network,
		 const char *const *config_dirs, struct err *e)
{
	own_free char *own = text_fmt(e, "net/%s", network);
	struct reading r = {.c = c, .network = network};
	int got;

	memset(c, 0, sizeof(*c));
	got = own ? find_file(&r, config_dirs, own, e) : -1;
	if (got == 0 && !netconf_is_vm(network))
		got = find_file(&r, config_dirs, "net", e);
	if (got >= 0 && check_bridge(c, e) == 0)
		return 0;
	netconf_free(c);
	return -1;
}

int netconf_check(const char *network, const char *const *config_dirs,
		  bool *wants_passt, struct err *e)
{
	struct netconf c;
	int r;

	if (netconf_find(&c, network, config_dirs, e) < 0)
		return -1;
	*wants_passt = c.kind == NETCONF_PASST;
	r = c.kind == NETCONF_VM
		    ? netconf_check(c.where, config_dirs, wants_passt, e)
		    : 0;
	netconf_free(&c);
	return r;
}

void netconf_free(struct netconf *c)
{
	free(c->path);
	free(c->where);
	memset(c, 0, sizeof(*c));
}

const char *netconf_text(const struct netconf *c, char *out, size_t n)
{
	char shown[TEXT_SHOWN];

	switch (c->kind) {
	case NETCONF_PASST:
		snprintf(out, n, "passt");
		break;
	case NETCONF_VM:
		snprintf(out, n, "%s", c->where);
		break;
	case NETCONF_PCI:
		snprintf(out, n, "pci:%s", c->where);
		break;
	case NETCONF_TAP:
		snprintf(out, n, "tap:%s",
			 text_show(shown, sizeof(shown), c->where));
		break;
	}
	return out;
}

const char *netconf_bridge(const struct netconf *c)
{
	return bridge_words[c->bridge[NETCONF_INSIDE] |
			    c->bridge[NETCONF_OUTSIDE] << NETCONF_OUTSIDE];
}
