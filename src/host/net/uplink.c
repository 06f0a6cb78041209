/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Firewall VM or net VM.  Part of vmrun-net, the person's own authority. */
#include "host/net/uplink.h"

#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/net/uplinkway.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define CARD_MAX 1024

void uplink_init(struct uplink *u, const char *network)
{
	bool net_vm = netconf_is_vm(network);

	memset(u, 0, sizeof(*u));
	u->network = network;
	u->level = net_vm ? NET_OF_NET_VM : NET_OF_FIREWALL;
	netguest_init(&u->vm, net_vm ? "net VM" : "firewall VM",
		      net_vm ? "net VM" : "firewall");
	uplinkway_init(u);
	uplinkbridge_init(u);
	net_alias(u->passt_alias, network, "passt");
	net_alias(u->vm.alias, network, net_vm ? "vm" : "firewall");
	snprintf(u->why, sizeof(u->why), "it has not been started yet");
}

/* As rules; `addresses` is where they have their texts. */
static void list_publish(const struct uplink *u,
			 struct ruleset_publish out[PUBLISH_ALL_MAX],
			 char addresses[PUBLISH_ALL_MAX][INET6_ADDRSTRLEN])
{
	for (size_t i = 0; i < u->n_publish; i++) {
		const struct publish *p = &u->publish[i];
		struct nic n;

		netaddr_client(u->level, u->clients[i], &n);
		inet_ntop(p->family == NIC_IP6 ? AF_INET6 : AF_INET,
			  n.addrs[p->family == NIC_IP6].ip, addresses[i],
			  INET6_ADDRSTRLEN);
		out[i] = (struct ruleset_publish){
			.protocol = (enum ruleset_protocol)p->protocol,
			.outer_port = p->port,
			.address = addresses[i],
			.port = p->guest,
		};
	}
}

static int make_rules(const struct uplink *u, const struct ruleset *r,
		      const struct hostnet *host, struct err *e)
{
	const struct net_segment *seg = netaddr_segment(u->level);
	/* Firewalls before a net VM have judged. */
	bool judges = u->level == NET_OF_FIREWALL;
	char addresses[PUBLISH_ALL_MAX][INET6_ADDRSTRLEN];
	struct ruleset_publish publish[PUBLISH_ALL_MAX];
	const struct ruleset_net net = {
		.inner = "inner",
		.outer = "outer",
		.clients4 = seg->clients4,
		.clients6 = seg->clients6,
		.gateway4 = seg->gateway4,
		.gateway6 = seg->gateway6,
		.resolver4 = *u->resolver4 ? u->resolver4 : NULL,
		.resolver6 = *u->resolver6 ? u->resolver6 : NULL,
		.host_addrs4 =
			judges ? (const char *const *)host->addrs4 : NULL,
		.host_addrs6 =
			judges ? (const char *const *)host->addrs6 : NULL,
		.links6 = judges ? (const char *const *)host->links6 : NULL,
		.publish = publish,
		.n_publish = u->n_publish,
		.passt = u->conf.kind == NETCONF_PASST,
	};
	struct buf b;
	size_t first;
	int fd;

	list_publish(u, publish, addresses);
	buf_init(&b, RULESET_INPUT_MAX);
	ruleset_compose(r, &net, &b, &first);
	fd = b.bad ? err_set(e, E2BIG, "the ruleset")
		   : io_memfd("rules", b.data, b.len, e);
	buf_free(&b);
	return fd;
}

static int look(const struct uplink *u, const struct ruleset *r,
		struct hostnet *h, struct err *e)
{
	return hostnet_look(h, u->level == NET_OF_FIREWALL ? r : NULL, e);
}

int uplink_look(const struct uplink *u, struct hostnet *h, struct err *e)
{
	return look(u, u->rules, h, e);
}

/* Other rules may open other networks that this machine is in. */
int uplink_new_rules(const struct uplink *u, const struct ruleset *r,
		     struct hostnet *h, struct err *e)
{
	int fd;

	if (look(u, r, h, e) < 0)
		return -1;
	fd = make_rules(u, r, h, e);
	if (fd < 0)
		hostnet_free(h);
	return fd;
}

static void swap_lists(char ***a, char ***b)
{
	char **was = *a;

	*a = *b;
	*b = was;
}

void uplink_has_rules(struct uplink *u, struct hostnet *h)
{
	swap_lists(&u->host.addrs4, &h->addrs4);
	swap_lists(&u->host.addrs6, &h->addrs6);
	swap_lists(&u->host.links6, &h->links6);
}

/* The switch's uplink port and the firewall VM's end of it. */
static int join_segment(struct uplink *u, int *inner, struct err *e)
{
	struct switch_record attach;
	int port;

	if (stage_pair(SOCK_SEQPACKET, inner, &port, e) < 0)
		return -1;
	netaddr_uplink(u->level, &attach);
	return segment_attach(u->segment, &attach, port, e);
}

static int spawn_vm(struct uplink *u, int rules, int inner, int outer,
		    struct err *e)
{
	const struct net_segment *seg = netaddr_segment(u->level);
	char inner_card[128];
	struct buf outer_card;
	struct netguest_spec s = {
		.vmrun = u->vmrun,
		.rules = rules,
		.inner = inner,
		.outer = outer,
		.inner_card = inner_card,
	};
	int r;

	snprintf(inner_card, sizeof(inner_card), "%d,mac=%s,ip=%s/24,ip=%s/64",
		 NETGUEST_FD_INNER, seg->gateway_mac, seg->gateway4,
		 seg->gateway6);
	buf_init(&outer_card, CARD_MAX);
	uplinkway_card(u, NETGUEST_FD_OUTER, &outer_card);
	buf_put_u8(&outer_card, 0);
	s.outer_card = (const char *)outer_card.data;
	r = outer_card.bad ? err_set(e, E2BIG, "the card of a %s", u->vm.what)
			   : netguest_start(&u->vm, &s, e);
	buf_free(&outer_card);
	return r;
}

/* *outer is the way out. */
static int start_vms(struct uplink *u, int *outer, struct err *e)
{
	own_fd rules = make_rules(u, u->rules, &u->host, e);
	own_fd inner = -1;

	if (rules < 0 || join_segment(u, &inner, e) < 0 ||
	    uplinkbridge_start(u, &inner, outer, e) < 0)
		return -1;
	return spawn_vm(u, rules, inner, *outer, e);
}

/* Nothing runs any more. */
static void clear(struct uplink *u)
{
	segment_detach(u->segment, 0);
	uplinkbridge_clear(u);
	uplinkway_stop(u);
	hostnet_free(&u->host);
	u->state = UPLINK_OFF;
}

static void close_vms(struct uplink *u)
{
	netguest_signal(&u->vm, SIGTERM);
	for (unsigned i = 0; i < NETCONF_SIDES; i++)
		netguest_signal(&u->bridges[i].guest, SIGTERM);
	netguest_close(&u->vm);
	for (unsigned i = 0; i < NETCONF_SIDES; i++)
		netguest_close(&u->bridges[i].guest);
}

static void set_why(struct uplink *u, const char *text)
{
	snprintf(u->why, sizeof(u->why), "%.*s", (int)sizeof(u->why) - 1, text);
}

int uplink_start(struct uplink *u, struct err *e)
{
	own_fd outer = -1;
	int r = uplink_look(u, &u->host, e);

	u->passt_says.last[0] = '\0';
	if (r == 0)
		r = netconf_find(&u->conf, u->network, u->dirs, e);
	if (r == 0)
		r = uplinkway_start(u, &outer, e);
	if (r == 0)
		r = start_vms(u, &outer, e);
	if (r < 0) {
		set_why(u, e->msg);
		close_vms(u);
		clear(u);
		return -1;
	}
	u->state = UPLINK_STARTING;
	snprintf(u->why, sizeof(u->why), "the %s is starting", u->vm.what);
	return 0;
}

void uplink_stop(struct uplink *u, const char *why)
{
	switch (u->state) {
	case UPLINK_OFF:
	case UPLINK_STOPPING:
		return;
	case UPLINK_STARTING:
	case UPLINK_UP:
		break;
	}
	set_why(u, why);
	/* No packet from here on, whatever the VMs still do. */
	segment_detach(u->segment, 0);
	u->state = UPLINK_STOPPING;
	netguest_signal(&u->vm, SIGTERM);
	for (unsigned i = 0; i < NETCONF_SIDES; i++)
		netguest_signal(&u->bridges[i].guest, SIGTERM);
}

void uplink_kill(struct uplink *u)
{
	netguest_signal(&u->vm, SIGKILL);
	for (unsigned i = 0; i < NETCONF_SIDES; i++)
		netguest_signal(&u->bridges[i].guest, SIGKILL);
}

void uplink_close(struct uplink *u)
{
	uplink_stop(u, "the network is stopped");
	close_vms(u);
	clear(u);
}

/* One of the VMs is gone: are all? */
static void settle(struct uplink *u)
{
	bool runs = netguest_runs(&u->vm);

	for (unsigned i = 0; i < NETCONF_SIDES; i++)
		runs = runs || netguest_runs(&u->bridges[i].guest);
	if (!runs)
		clear(u);
}

void uplink_on_vm_end(struct uplink *u)
{
	char why[sizeof(u->why)];

	netguest_on_end(&u->vm, u->log, why, sizeof(why));
	uplink_stop(u, why);
	settle(u);
}

void uplink_on_bridge_end(struct uplink *u, enum netconf_side side)
{
	struct bridge *b = &u->bridges[side];

	netguest_on_end(&b->guest, u->log, b->why, sizeof(b->why));
	if (b->inner < 0)
		uplink_stop(u, b->why);
	if (u->state == UPLINK_STOPPING)
		settle(u);
}

bool uplink_lost_bridge(const struct uplink *u)
{
	bool lost = false;

	for (unsigned i = 0; i < NETCONF_SIDES; i++)
		lost = lost || (u->bridges[i].wanted &&
				!netguest_runs(&u->bridges[i].guest));
	return lost && u->state != UPLINK_STOPPING;
}

int uplink_bridge_again(struct uplink *u, struct err *e)
{
	for (unsigned i = 0; i < NETCONF_SIDES; i++) {
		const struct bridge *b = &u->bridges[i];

		if (b->wanted && !netguest_runs(&b->guest) &&
		    uplinkbridge_start_again(u, (enum netconf_side)i, e) < 0)
			return -1;
	}
	return 0;
}

void uplink_on_status(struct uplink *u)
{
	netguest_on_status(&u->vm);
	if (u->vm.ready && u->state == UPLINK_STARTING) {
		u->state = UPLINK_UP;
		set_why(u, "");
	}
}
