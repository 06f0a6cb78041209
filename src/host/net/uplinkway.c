/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ways out: passt, a TAP, another network's port.  Part of vmrun-net, the
 * person's own authority. */
#include "host/net/uplinkway.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "host/net/passt.h"
#include "host/net/resolvconf.h"
#include "host/net/tap.h"
#include "host/net/uplink.h"
#include "host/probe/pci.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

void uplinkway_init(struct uplink *u)
{
	u->passt = (struct helper)HELPER_NONE;
	u->passt_says.who = "passt";
	u->join = (struct netjoin)NETJOIN_NONE;
	u->loan = -1;
}

/* What is of a family without a way out has nobody to listen. */
static void drop_publish(struct uplink *u)
{
	size_t n = 0;

	for (size_t i = 0; i < u->n_publish; i++) {
		if (u->publish[i].family == NIC_IP6 ? !u->host.has6
						    : !u->host.has4)
			continue;
		u->clients[n] = u->clients[i];
		u->publish[n++] = u->publish[i];
	}
	u->n_publish = n;
}

/*
 * passt ends if it cannot listen: a port that somebody else took, or an address
 * that the machine has no more, must not take the network from everybody.
 * Before it starts, hence of the ports none is passt's own.
 */
static void drop_taken(struct uplink *u)
{
	size_t n = 0;

	for (size_t i = 0; i < u->n_publish; i++) {
		struct err e = ERR_INIT;

		if (publish_check_free(&u->publish[i], 1, &e) < 0) {
			netlog_say(u->log, "service", "not published: %s",
				   e.msg);
			u->left[u->n_left++] = u->publish[i];
			continue;
		}
		u->clients[n] = u->clients[i];
		u->publish[n++] = u->publish[i];
	}
	u->n_publish = n;
}

static int parse(const char *text, struct nic_addr *a)
{
	a->family = strchr(text, ':') ? NIC_IP6 : NIC_IP4;
	return inet_pton(a->family == NIC_IP6 ? AF_INET6 : AF_INET, text,
			 a->ip);
}

static void passt_card(const struct uplink *u, struct nic *n)
{
	static const unsigned char mac[NIC_MAC] = {2, 'v', 'm', 0, 1, 2};
	const struct {
		bool there;
		const char *ip, *gateway;
		uint8_t prefix;
	} families[] = {{u->host.has4, NET_OUTER4, NET_UPLINK4, 24},
			{u->host.has6, NET_OUTER6, NET_UPLINK6, 64}};

	memset(n, 0, sizeof(*n));
	memcpy(n->mac, mac, NIC_MAC);
	for (size_t i = 0; i < 2; i++) {
		if (!families[i].there)
			continue;
		n->addrs[n->n_addrs].prefix = families[i].prefix;
		parse(families[i].ip, &n->addrs[n->n_addrs++]);
		parse(families[i].gateway, &n->gateways[n->n_gateways++]);
	}
}

static void set_resolvers(struct uplink *u, const char *ip4, const char *ip6)
{
	snprintf(u->resolver4, sizeof(u->resolver4), "%s", ip4);
	snprintf(u->resolver6, sizeof(u->resolver6), "%s", ip6);
}

static int start_passt(struct uplink *u, int *outer, struct err *e)
{
	struct passt_spec s = {.alias = u->passt_alias,
			       .host = &u->host,
			       .publish = u->publish};

	if (!u->host.has4 && !u->host.has6)
		return err_set(e, 0,
			       "this machine has no route to anywhere else");
	drop_publish(u);
	drop_taken(u);
	s.n_publish = u->n_publish;
	passt_card(u, &u->card);
	set_resolvers(u,
		      u->host.has4 && hostnet_has_resolver(&u->host, AF_INET)
			      ? NET_RESOLVER4
			      : "",
		      u->host.has6 && hostnet_has_resolver(&u->host, AF_INET6)
			      ? NET_RESOLVER6
			      : "");
	return passt_start(&u->passt, u->home, &s, outer, e);
}

/* A card whose addresses the configuration has. */
static void own_card(struct uplink *u)
{
	const struct nic *n = &u->conf.nic;

	/* Nobody listens at the addresses that they are for. */
	u->n_publish = 0;
	u->card = *n;
	u->card.n_dns = 0;
	/* The first of each family. */
	for (size_t i = n->n_dns; i-- > 0;) {
		if (n->dns[i].family == NIC_IP4)
			inet_ntop(AF_INET, n->dns[i].ip, u->resolver4,
				  sizeof(u->resolver4));
		else
			inet_ntop(AF_INET6, n->dns[i].ip, u->resolver6,
				  sizeof(u->resolver6));
	}
}

/* The VM's vmrun asks the same; but what it says is for a log. */
static int start_pci(struct uplink *u, struct err *e)
{
	struct pci_device d;

	own_card(u);
	return pci_find(&pci_machine, u->conf.where, u->home->facts->uid, &d,
			e);
}

static int start_tap(struct uplink *u, int *outer, struct err *e)
{
	own_card(u);
	if (u->conf.where[0] == '/') {
		*outer = tap_borrow(u->conf.where, &u->loan, e);
	} else {
		u->tap = if_nametoindex(u->conf.where);
		*outer = tap_open(u->conf.where, e);
	}
	return *outer < 0 ? -1 : 0;
}

static bool is_parted(const struct uplink *u)
{
	return !strcmp(u->parted, u->conf.where);
}

/* A published port is one of the net VM, then the same one of ours, then the
 * machine's. */
static int join_net_vm(struct uplink *u, int *outer, struct err *e)
{
	const struct net_segment *net_vm = netaddr_segment(NET_OF_NET_VM);
	struct netjoin_spec s = {.facts = u->home->facts,
				 .name = u->conf.where,
				 .vmrun = u->vmrun,
				 .who = u->network,
				 .publish = u->onward};

	if (is_parted(u)) {
		err_set(e, 0, "%s: it was stopped", s.name);
		e->code = ECANCELED;
		return err_hint(e, "the next machine that is started in this "
				   "network starts it");
	}
	for (size_t i = 0; i < u->n_publish && i < PUBLISH_MAX; i++) {
		u->onward[i] = u->publish[i];
		u->onward[i].guest = u->publish[i].port;
		s.n_publish++;
	}
	if (netjoin_open(&u->join, &s, &u->card, e) < 0)
		return -1;
	u->card.n_dns = 0;
	set_resolvers(u, net_vm->gateway4, net_vm->gateway6);
	*outer = u->join.card;
	u->join.card = -1;
	return 0;
}

int uplinkway_start(struct uplink *u, int *outer, struct err *e)
{
	u->cut[0] = u->nameless[0] = '\0';
	u->n_left = 0;
	set_resolvers(u, "", "");
	u->joined = false;
	switch (u->conf.kind) {
	case NETCONF_PASST:
		return start_passt(u, outer, e);
	case NETCONF_TAP:
		return start_tap(u, outer, e);
	case NETCONF_PCI:
		return start_pci(u, e);
	case NETCONF_VM:
		return join_net_vm(u, outer, e);
	}
	return -1;
}

void uplinkway_stop(struct uplink *u)
{
	helper_stop(&u->passt, u->home);
	netjoin_close(&u->join);
	own_close(&u->loan);
	u->tap = 0;
	netconf_free(&u->conf);
	u->cut[0] = '\0';
	u->joined = false;
}

static void put_address(struct buf *b, const char *key,
			const struct nic_addr *a)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(a->family == NIC_IP6 ? AF_INET6 : AF_INET, a->ip, text,
		  sizeof(text));
	buf_printf(b, ",%s=%s", key, text);
	if (a->prefix)
		buf_printf(b, "/%u", a->prefix);
}

void uplinkway_card(const struct uplink *u, int fd, struct buf *b)
{
	const struct nic *n = &u->card;

	if (u->conf.kind == NETCONF_PCI)
		buf_printf(b, "pci:%s", u->conf.where);
	else
		buf_printf(b, "%d", fd);
	if (nic_has_mac(n))
		buf_printf(b, ",mac=%02x:%02x:%02x:%02x:%02x:%02x", n->mac[0],
			   n->mac[1], n->mac[2], n->mac[3], n->mac[4],
			   n->mac[5]);
	for (size_t i = 0; i < n->n_addrs; i++)
		put_address(b, "ip", &n->addrs[i]);
	for (size_t i = 0; i < n->n_gateways; i++)
		put_address(b, "gw", &n->gateways[i]);
	if (n->mtu)
		buf_printf(b, ",mtu=%u", n->mtu);
}

/* ---- while it runs ---- */

void uplink_on_passt(struct uplink *u)
{
	struct err e = ERR_INIT;
	char why[ERR_MSG_MAX + NETLOG_LINE + 64];

	if (helper_on_ctl(&u->passt, "passt", &e) == 0)
		return;
	/* Its last words may say more. */
	if (netlog_take(u->log, &u->passt_says, u->passt.said) == 0)
		netlog_take(u->log, &u->passt_says, u->passt.said);
	snprintf(why, sizeof(why), "%s%s%s", e.msg,
		 *u->passt_says.last ? ": " : "", u->passt_says.last);
	own_close(&u->passt.ctl);
	uplink_stop(u, why);
}

void uplink_on_loan(struct uplink *u)
{
	own_close(&u->loan);
	uplink_stop(u, "who lent the TAP is gone");
}

static void cut(struct uplink *u, const char *why)
{
	u->joined = false;
	snprintf(u->cut, sizeof(u->cut), "%s: %.400s", u->conf.where, why);
}

void uplink_on_join(struct uplink *u)
{
	struct err e = ERR_INIT;
	struct net_record r;
	own_fd none = -1;

	if (net_recv(u->join.conn, &r, &none, &e) <= 0) {
		own_close(&u->join.conn);
		cut(u, "its service is gone");
		return;
	}
	switch (r.kind) {
	case NET_UP:
		u->joined = true;
		u->cut[0] = '\0';
		snprintf(u->nameless, sizeof(u->nameless), "%.*s",
			 (int)sizeof(u->nameless) - 1, r.text);
		break;
	case NET_DOWN:
		cut(u, r.text);
		break;
	case NET_STOPPED:
		own_close(&u->join.conn);
		net_belong(u->join.dir, false);
		snprintf(u->parted, sizeof(u->parted), "%s", u->conf.where);
		cut(u, "it was stopped");
		break;
	default:
		break;
	}
}

bool uplink_lost_net_vm(const struct uplink *u)
{
	return u->conf.kind == NETCONF_VM && u->join.port >= 0 &&
	       u->join.conn < 0 && !is_parted(u);
}

int uplink_join_again(struct uplink *u, struct err *e)
{
	if (netjoin_again(&u->join, e) == 0)
		return 0;
	cut(u, e->msg);
	/* The firewall VM has that address and gets no other. */
	if (e->code == EADDRNOTAVAIL)
		uplink_stop(u, u->cut);
	return -1;
}

bool uplink_comes_back(struct uplink *u)
{
	bool parted = *u->parted;

	u->parted[0] = '\0';
	return parted;
}

bool uplink_can_publish_more(const struct uplink *u)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < u->n_left; i++)
		if (publish_check_free(&u->left[i], 1, &e) == 0)
			return true;
	return false;
}

const char *uplink_concern(const struct uplink *u, const struct hostnet *h)
{
	bool same;

	/* Another one of that name is not what the VM has. */
	if (u->tap && if_nametoindex(u->conf.where) != u->tap)
		return "the TAP is gone";
	/* What the rules have.  Those of a net VM have none. */
	if (u->conf.kind != NETCONF_PASST)
		same = u->level != NET_OF_FIREWALL ||
		       hostnet_has_same_addresses(h, &u->host);
	else
		same = hostnet_is_same(h, &u->host);
	return same ? NULL : "this machine's network has changed";
}

bool uplink_works(const struct uplink *u)
{
	return u->state == UPLINK_UP &&
	       (u->conf.kind != NETCONF_VM || u->joined) &&
	       !uplinkbridge_missing(u);
}

const char *uplink_why(const struct uplink *u)
{
	const struct bridge *b = uplinkbridge_missing(u);

	if (u->state != UPLINK_UP)
		return u->why;
	if (b)
		return *b->why ? b->why : "a bridge VM is starting";
	return *u->cut ? u->cut : "the net VM is starting";
}

const char *uplink_nameless(const struct uplink *u)
{
	if (*u->nameless)
		return u->nameless;
	if (*u->resolver4 || *u->resolver6)
		return NULL;
	return u->conf.kind == NETCONF_PASST ? RESOLVCONF_PATH
		       " of this machine names no resolver that its default "
		       "routes lead to"
					     : "its uplink has no dns=";
}
