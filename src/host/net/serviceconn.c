/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connections of clients and of vmrunctl, in vmrun-net.  The person's own
 * authority on both ends. */
#include "host/net/service-impl.h"

#include "base/err.h"
#include "base/own.h"
#include "host/net/netaddr.h"
#include "host/plan/plan.h"
#include "host/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

unsigned service_clients(const struct service *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SERVICE_CONNS; i++)
		n += s->conns[i].fd >= 0 && s->conns[i].host;
	return n;
}

void service_accept(struct service *s)
{
	own_fd fd =
		/* cppcheck-suppress nullPointer; no address is wanted */
		accept4(s->listen, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer;
	socklen_t n = sizeof(peer);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0 ||
	    peer.uid != s->spec->facts->uid)
		return;
	for (unsigned i = 0; i < SERVICE_CONNS; i++) {
		if (s->conns[i].fd >= 0)
			continue;
		s->conns[i] = (struct service_conn){.fd = steal_fd(&fd),
						    .pid = peer.pid};
		return;
	}
}

void service_close_conn(struct service *s, struct service_conn *c)
{
	bool had = c->host, published = c->n_publish;

	if (had)
		segment_detach(&s->segment, c->host);
	service_reload_lost(s, c);
	own_close(&c->fd);
	c->host = 0;
	c->n_publish = 0;
	if (published)
		service_republish(s);
	if (had)
		service_count(s);
}

static void say(const struct service_conn *c, enum net_kind kind,
		uint32_t value, const char *text)
{
	struct net_record r = {
		.version = NET_VERSION, .kind = kind, .value = value};

	snprintf(r.text, sizeof(r.text), "%.*s", (int)sizeof(r.text) - 1,
		 text ? text : "");
	/* One that does not read will find out by itself. */
	net_send(c->fd, &r, -1);
}

static void refuse_as(const struct service_conn *c, enum net_failed why,
		      const struct err *e)
{
	struct net_record r = {
		.version = NET_VERSION, .kind = NET_FAILED, .value = why};

	snprintf(r.text, sizeof(r.text), "%.*s", (int)sizeof(r.text) - 1,
		 e->msg);
	snprintf(r.hint, sizeof(r.hint), "%.*s", (int)sizeof(r.hint) - 1,
		 e->hint);
	net_send(c->fd, &r, -1);
}

void service_refuse(const struct service_conn *c, const struct err *e)
{
	refuse_as(c, NET_FAILED_ELSE, e);
}

void service_tell_stopped(struct service *s)
{
	for (unsigned i = 0; i < SERVICE_CONNS; i++)
		if (s->conns[i].fd >= 0 && s->conns[i].host)
			say(&s->conns[i], NET_STOPPED, 0, NULL);
}

/* A start that takes its time is no news, one that failed twice is. */
void service_tell_state(struct service *s)
{
	bool up = uplink_works(&s->uplink), cut = *s->uplink.cut;

	for (unsigned i = 0; i < SERVICE_CONNS; i++) {
		struct service_conn *c = &s->conns[i];

		if (c->fd < 0 || !c->host)
			continue;
		if (up && c->told != TOLD_UP) {
			c->told = TOLD_UP;
			say(c, NET_UP, 0, uplink_nameless(&s->uplink));
		} else if (!up && c->told != TOLD_DOWN &&
			   (c->told == TOLD_UP || s->failures > 1 || cut)) {
			c->told = TOLD_DOWN;
			say(c, NET_DOWN, 0, uplink_why(&s->uplink));
		}
	}
}

static bool is_taken(const struct service *s, unsigned host)
{
	for (unsigned i = 0; i < SERVICE_CONNS; i++)
		if (s->conns[i].fd >= 0 && s->conns[i].host == host)
			return true;
	return false;
}

/*
 * A free number: the one that it had before and no other, which its VM could
 * not take; or for a newcomer the next after the last newcomer's, whichever
 * service that had, so that who has lost its service finds its own free.  0:
 * none.
 */
static unsigned choose_host(const struct service *s, unsigned had)
{
	const unsigned n = NET_HOST_LAST - NET_HOST_FIRST + 1;

	if (had)
		return had >= NET_HOST_FIRST && had <= NET_HOST_LAST &&
				       !is_taken(s, had)
			       ? had
			       : 0;
	for (unsigned i = 0; i < n; i++) {
		unsigned h = NET_HOST_FIRST + (s->next_host + i) % n;

		if (!is_taken(s, h))
			return h;
	}
	return 0;
}

static void refuse_number(const struct service_conn *c, unsigned had)
{
	struct err e = ERR_INIT;

	if (!had) {
		err_set(&e, 0, "the network is full");
		service_refuse(c, &e);
		return;
	}
	err_set(&e, 0, "its address is another machine's now");
	err_hint(&e, "`vmrunctl net show` says whose: end that one, or start "
		     "this one again");
	refuse_as(c, NET_FAILED_TAKEN, &e);
}

/* For a newcomer, who may count on what the file says now; NULL: that runs. */
static const char *other_rules(const struct service *s)
{
	struct ruleset now;
	struct err e = ERR_INIT;
	bool same;

	/* What is wrong with it says who loads it. */
	if (s->uplink.level == NET_OF_NET_VM ||
	    ruleset_find(&now, s->spec->name, s->spec->dirs, &e) < 0)
		return NULL;
	same = !strcmp(now.text, s->rules.text);
	ruleset_free(&now);
	return same ? NULL : "its firewall goes by older rules than its file";
}

/* fd is taken. */
static void attach(struct service *s, struct service_conn *c,
		   const struct net_record *r, int fd)
{
	struct switch_record port;
	struct err e = ERR_INIT;
	unsigned host = choose_host(s, r->value);

	if (fd < 0 || c->host) {
		own_close(&fd);
		err_set(&e, 0, "a port is one socket, and the only one");
		service_refuse(c, &e);
		return;
	}
	if (!host) {
		own_close(&fd);
		refuse_number(c, r->value);
		return;
	}
	if (service_check_publish(s, r, &e) < 0) {
		own_close(&fd);
		service_refuse(c, &e);
		return;
	}
	netaddr_port(s->uplink.level, host, &port);
	if (segment_attach(&s->segment, &port, fd, &e) < 0) {
		if (e.code != EPIPE) {
			service_refuse(c, &e);
			return;
		}
		/* The next one gets it. */
		service_switch_failed(s, e.msg);
	}
	c->host = host;
	if (!r->value) {
		s->next_host = host + 1 - NET_HOST_FIRST;
		net_set_next(s->dir, s->next_host);
	}
	c->told = TOLD_NOTHING;
	snprintf(c->who, sizeof(c->who), "%.*s", (int)sizeof(c->who) - 1,
		 r->text);
	memcpy(c->publish, r->publish, sizeof(c->publish));
	c->n_publish = r->n_publish;
	say(c, NET_PORT, host, r->value ? NULL : other_rules(s));
	service_wake(s);
	if (c->n_publish)
		service_republish(s);
	service_count(s);
}

static const char *state_word(const struct service *s)
{
	switch (s->uplink.state) {
	case UPLINK_OFF:
		return "off";
	case UPLINK_STARTING:
		return "starting";
	case UPLINK_UP:
		return "up";
	case UPLINK_STOPPING:
		return "stopping";
	}
	return "";
}

/* Its address, and who it is. */
static const char *name_client(const struct service *s,
			       const struct service_conn *c, char *out,
			       size_t n)
{
	char ip[INET_ADDRSTRLEN] = "", shown[TEXT_SHOWN];
	struct nic nic;

	netaddr_client(s->uplink.level, c->host, &nic);
	inet_ntop(AF_INET, nic.addrs[0].ip, ip, sizeof(ip));
	snprintf(out, n, "%s%s%s", ip, *c->who ? "  " : "",
		 text_show(shown, sizeof(shown), c->who));
	return out;
}

static void show_port(struct service *s, const struct service_conn *c,
		      const struct service_conn *to)
{
	struct switch_counters n;
	unsigned long long dropped = 0, forged = 0;
	char text[NET_TEXT_MAX], name[128];

	name_client(s, c, name, sizeof(name));
	if (segment_count(&s->segment, c->host, &n) < 0) {
		snprintf(text, sizeof(text), "client    %s  pid %d", name,
			 (int)c->pid);
		say(to, NET_ROW, 0, text);
		return;
	}
	for (unsigned i = 0; i < SWITCH_DROPS; i++) {
		dropped += n.drop[i];
		if (i >= SWITCH_DROP_MAC && i <= SWITCH_DROP_ND)
			forged += n.drop[i];
	}
	snprintf(text, sizeof(text),
		 "client    %s  pid %d  sent %llu  received %llu  "
		 "dropped %llu  forged %llu",
		 name, (int)c->pid, (unsigned long long)n.received,
		 (unsigned long long)n.sent, dropped, forged);
	say(to, NET_ROW, 0, text);
}

static void show_publish(const struct service *s, const struct service_conn *c,
			 const struct service_conn *to)
{
	char text[NET_TEXT_MAX], shown[PUBLISH_TEXT], name[128];

	name_client(s, c, name, sizeof(name));
	for (size_t i = 0; i < c->n_publish; i++) {
		snprintf(text, sizeof(text), "publish   %s leads to %s port %u",
			 publish_text(shown, &c->publish[i]), name,
			 c->publish[i].guest);
		say(to, NET_ROW, 0, text);
	}
}

static void show_way(const struct service *s, const struct service_conn *to)
{
	const struct uplink *u = &s->uplink;
	char text[NET_TEXT_MAX], name[TEXT_SHOWN + 8];
	bool ip4 = false, ip6 = false;

	if (!uplink_works(u)) {
		snprintf(text, sizeof(text), "nothing passes: %.400s",
			 uplink_why(u));
		say(to, NET_ROW, 0, text);
		return;
	}
	for (size_t i = 0; i < u->card.n_addrs; i++)
		*(u->card.addrs[i].family == NIC_IP6 ? &ip6 : &ip4) = true;
	snprintf(text, sizeof(text), "uplink    %s%s%s",
		 netconf_text(&u->conf, name, sizeof(name)),
		 ip4 ? "  IPv4" : "", ip6 ? "  IPv6" : "");
	say(to, NET_ROW, 0, text);
	if (!uplink_nameless(u))
		return;
	snprintf(text, sizeof(text), "names     not resolved: %.400s",
		 uplink_nameless(u));
	say(to, NET_ROW, 0, text);
}

static void show_bridges(const struct service *s, const struct service_conn *to)
{
	for (unsigned i = 0; i < NETCONF_SIDES; i++) {
		const struct bridge *b = &s->uplink.bridges[i];
		char text[NET_TEXT_MAX], run[32] = "";

		if (!b->wanted)
			continue;
		if (b->guest.run)
			snprintf(run, sizeof(run), "  VM %lld",
				 (long long)b->guest.run);
		snprintf(text, sizeof(text), "bridge    %s  %s%s",
			 uplinkbridge_name((enum netconf_side)i),
			 b->guest.ready		    ? "up"
			 : netguest_runs(&b->guest) ? "starting"
						    : "off",
			 run);
		say(to, NET_ROW, 0, text);
	}
}

static void show(struct service *s, const struct service_conn *to)
{
	char text[NET_TEXT_MAX], shown[TEXT_SHOWN], run[32] = "";
	const struct uplink *u = &s->uplink;

	snprintf(text, sizeof(text), "network   %s  %s", s->spec->name,
		 text_show(shown, sizeof(shown), s->rules.path));
	say(to, NET_ROW, 0, text);
	snprintf(text, sizeof(text), "switch    %s",
		 s->segment.ctl >= 0 ? "up" : "off");
	say(to, NET_ROW, 0, text);
	if (u->vm.run)
		snprintf(run, sizeof(run), "  VM %lld", (long long)u->vm.run);
	snprintf(text, sizeof(text), "%-8s  %s%s", u->vm.says.who,
		 state_word(s), run);
	say(to, NET_ROW, 0, text);
	show_bridges(s, to);
	show_way(s, to);
	for (unsigned i = 0; i < SERVICE_CONNS; i++)
		if (s->conns[i].fd >= 0 && s->conns[i].host) {
			show_port(s, &s->conns[i], to);
			show_publish(s, &s->conns[i], to);
		}
	say(to, NET_DONE, 0, NULL);
}

void service_on_conn(struct service *s, struct service_conn *c)
{
	struct err e = ERR_INIT;
	struct net_record r;
	own_fd fd = -1;

	int got = net_recv(c->fd, &r, &fd, &e);

	if (got <= 0) {
		/* So that it is told which one is old. */
		if (got < 0)
			service_refuse(c, &e);
		service_close_conn(s, c);
		return;
	}
	switch (r.kind) {
	case NET_ATTACH:
		attach(s, c, &r, steal_fd(&fd));
		break;
	case NET_SHOW:
		show(s, c);
		break;
	case NET_RELOAD:
		service_reload(s, c);
		break;
	case NET_LOADED:
		if (service_on_loaded(s, c, r.value, &e) < 0)
			service_refuse(c, &e);
		else
			say(c, NET_DONE, 0, NULL);
		break;
	case NET_STOP:
		c->stops = true;
		service_tell_stopped(s);
		s->ending = true;
		break;
	default:
		err_set(&e, 0, "there is no request %u", r.kind);
		service_refuse(c, &e);
	}
}
