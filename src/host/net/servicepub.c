/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ports of this machine that lead to clients, in vmrun-net.  The person's own
 * authority. */
#include "host/net/service-impl.h"

#include "base/err.h"

/* Whether nobody else of this network has any of them. */
static int check_one(const struct service_conn *c, const struct net_record *r,
		     struct err *e)
{
	char shown[PUBLISH_TEXT];

	for (size_t i = 0; i < c->n_publish * r->n_publish; i++) {
		const struct publish *theirs = &c->publish[i / r->n_publish];

		if (!publish_is_same_port(theirs,
					  &r->publish[i % r->n_publish]))
			continue;
		err_set(e, 0, "%s is published by another VM of this network",
			publish_text(shown, theirs));
		return err_hint(e, "`vmrunctl net show` says by which; take "
				   "another port, or another ruleset");
	}
	return 0;
}

/* A net VM takes them from a firewall as it would from any machine. */
static int how_many(const struct service *s, size_t *max, struct err *e)
{
	struct netconf c;

	if (netconf_find(&c, s->spec->name, s->spec->dirs, e) < 0)
		return -1;
	*max = c.kind == NETCONF_VM ? PUBLISH_MAX : PUBLISH_ALL_MAX;
	netconf_free(&c);
	return 0;
}

static int check_ours(const struct service *s, const struct net_record *r,
		      struct err *e)
{
	size_t all = r->n_publish, max;

	if (how_many(s, &max, e) < 0)
		return -1;

	for (unsigned i = 0; i < SERVICE_CONNS; i++) {
		const struct service_conn *c = &s->conns[i];

		if (c->fd < 0)
			continue;
		all += c->n_publish;
		if (check_one(c, r, e) < 0)
			return -1;
	}
	if (all <= max)
		return 0;
	err_set(e, 0, "this network has at most %zu published ports", max);
	return err_hint(e, "publish fewer, or with another ruleset, which has "
			   "as many of its own");
}

/* passt has a family if there is a way out for it. */
static int check_routes(const struct net_record *r, struct err *e)
{
	char shown[PUBLISH_TEXT];
	struct hostnet h;
	int ret = 0;

	if (hostnet_look(&h, NULL, e) < 0)
		return -1;
	for (uint32_t i = 0; i < r->n_publish && ret == 0; i++) {
		bool six = r->publish[i].family == NIC_IP6;

		if (six ? h.has6 : h.has4)
			continue;
		ret = err_set(e, 0,
			      "%s: this machine has no IPv%d route to anywhere "
			      "else, which passt needs",
			      publish_text(shown, &r->publish[i]), six ? 6 : 4);
	}
	hostnet_free(&h);
	return ret;
}

/* passt has it, for somebody who has just gone. */
static bool is_held(const struct uplink *u, const struct publish *p)
{
	if (u->state == UPLINK_OFF)
		return false;
	for (size_t i = 0; i < u->n_publish; i++)
		if (publish_is_same(&u->publish[i], p))
			return true;
	return false;
}

int service_check_publish(const struct service *s, const struct net_record *r,
			  struct err *e)
{
	struct publish wanted[PUBLISH_MAX];
	size_t n = 0;

	if (!r->n_publish)
		return 0;
	for (uint32_t i = 0; i < r->n_publish; i++)
		if (!is_held(&s->uplink, &r->publish[i]))
			wanted[n++] = r->publish[i];
	if (check_ours(s, r, e) == 0 && check_routes(r, e) == 0 &&
	    publish_check_free(wanted, n, e) == 0)
		return 0;
	return err_wrap(e, "--publish");
}

void service_list_publish(struct service *s)
{
	struct uplink *u = &s->uplink;

	u->n_publish = 0;
	for (unsigned i = 0; i < SERVICE_CONNS; i++) {
		const struct service_conn *c = &s->conns[i];

		if (c->fd < 0)
			continue;
		for (size_t j = 0; j < c->n_publish; j++) {
			u->clients[u->n_publish] = c->host;
			u->publish[u->n_publish++] = c->publish[j];
		}
	}
}

void service_republish(struct service *s)
{
	s->asleep = !service_clients(s);
	s->restarts = !s->asleep;
	uplink_stop(&s->uplink, "the network begins anew, as a machine that "
				"publishes ports came or went");
}
