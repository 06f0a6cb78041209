/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --net: is there such a ruleset, and what it needs?  Part of vmrun; only
 * looks. */
#include "host/plan/planint.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "host/net/netaddr.h"
#include "host/net/netconf.h"
#include "host/net/netproto.h"
#include "host/net/passt.h"
#include "host/net/ruleset.h"
#include "host/text.h"

#include <fcntl.h>
#include <string.h>

static int find_ruleset(struct plan *p, struct err *e)
{
	const char *dirs[] = {p->facts->config_home, VMRUN_SYSCONFDIR,
			      VMRUN_DATADIR, NULL};
	struct ruleset r;

	if (ruleset_find(&r, p->opt->net, dirs, e) < 0)
		return -1;
	p->net_file = text_dup(r.path, e);
	ruleset_free(&r);
	return p->net_file ? 0 : -1;
}

/* What is needed behind the firewall. */
static int find_way(struct plan *p, struct err *e)
{
	const char *dirs[] = {p->facts->config_home, VMRUN_SYSCONFDIR,
			      VMRUN_DATADIR, NULL};
	char text[TEXT_SHOWN + 8];
	bool wants_passt = false;
	struct netconf c;

	if (netconf_check(p->opt->net, dirs, &wants_passt, e) < 0 ||
	    netconf_find(&c, p->opt->net, dirs, e) < 0)
		return -1;
	p->net_way = text_dup(netconf_text(&c, text, sizeof(text)), e);
	p->net_bridge = netconf_bridge(&c);
	netconf_free(&c);
	if (!p->net_way)
		return -1;
	if (!wants_passt && p->opt->n_publish) {
		err_set(e, 0,
			"--publish is for networks that go out through passt");
		return err_hint(e, "this one does not: `uplink` in its "
				   "configuration, see vmrunctl(1)");
	}
	if (!wants_passt || passt_find())
		return 0;
	err_set(e, 0, "passt is not installed");
	return err_hint(e, "sudo apt install passt");
}

static int add_card(struct plan *p, struct err *e)
{
	struct plan_nic *n = &p->nics[p->n_nics];

	if (p->n_nics == NICS_MAX)
		return err_set(e, 0, "more than %u network cards", NICS_MAX);
	*n = (struct plan_nic){.link = LINK_MESSAGES, .fd = -1};
	netaddr_client(NET_OF_FIREWALL, NET_HOST_FIRST, &n->nic);
	p->n_nics++;
	return 0;
}

static const struct publish *first_udp_loopback(const struct options *o)
{
	for (size_t i = 0; i < o->n_publish; i++)
		if (o->publish[i].protocol == RULESET_UDP &&
		    publish_is_loopback(&o->publish[i]))
			return &o->publish[i];
	return NULL;
}

/* What passt cannot do would only look as if it were published. */
static int check_loopback(const struct options *o, struct err *e)
{
	const struct publish *udp = first_udp_loopback(o);
	char shown[PUBLISH_TEXT];
	bool yes;

	for (size_t i = 0; i < o->n_publish; i++) {
		if (o->publish[i].family != NIC_IP6 ||
		    !publish_is_loopback(&o->publish[i]))
			continue;
		err_set(e, 0, "%s: passt has no way back to IPv6's loopback",
			publish_text(shown, &o->publish[i]));
		return err_hint(e, "publish at 127.0.0.1");
	}
	if (!udp)
		return 0;
	if (passt_answers_loopback(&yes, e) < 0)
		return -1;
	if (yes)
		return 0;
	err_set(e, 0,
		"%s: this version of passt has no way back to loopback "
		"for UDP",
		publish_text(shown, udp));
	return err_hint(e, "publish at another address of this machine, or "
			   "install a newer passt");
}

/* The kernel's default, where it does not say. */
static unsigned first_port(void)
{
	struct err e = ERR_INIT;
	struct buf b;
	uint64_t n = 1024;

	buf_init(&b, 64);
	if (io_read_file(AT_FDCWD,
			 "/proc/sys/net/ipv4/ip_unprivileged_port_start", &b,
			 &e) == 0 &&
	    b.len) {
		b.data[b.len - 1] = '\0'; /* in the newline's place */
		if (text_number((const char *)b.data, UINT16_MAX + 1, &n) < 0)
			n = 1024;
	}
	buf_free(&b);
	return (unsigned)n;
}

static int check_publish(const struct options *o, struct err *e)
{
	if (publish_check_allowed(o->publish, o->n_publish, first_port(), e) ||
	    check_loopback(o, e))
		return err_wrap(e, "--publish");
	return 0;
}

int plan_net(struct plan *p, struct err *e)
{
	const char *name = p->opt->net;

	if (!name || !strcmp(name, "none")) {
		if (!p->opt->n_publish)
			return 0;
		err_set(e, 0, "--publish: the VM has no network");
		return err_hint(e, "say which: --net NAME; `vmrunctl net list` "
				   "shows those that are there");
	}
	if (find_ruleset(p, e) < 0 || find_way(p, e) < 0)
		return err_wrap(e, "--net");
	if (check_publish(p->opt, e) < 0)
		return -1;
	p->net = text_dup(name, e);
	return p->net ? add_card(p, e) : -1;
}
