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
	bool had = c->host;

	if (had)
		segment_detach(&s->segment, c->host);
	own_close(&c->fd);
	c->host = 0;
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

static void refuse(const struct service_conn *c, const struct err *e)
{
	struct net_record r = {.version = NET_VERSION, .kind = NET_FAILED};

	snprintf(r.text, sizeof(r.text), "%.*s", (int)sizeof(r.text) - 1,
		 e->msg);
	snprintf(r.hint, sizeof(r.hint), "%.*s", (int)sizeof(r.hint) - 1,
		 e->hint);
	net_send(c->fd, &r, -1);
}

void service_tell(struct service *s, enum net_kind kind, const char *text)
{
	for (unsigned i = 0; i < SERVICE_CONNS; i++)
		if (s->conns[i].fd >= 0 && s->conns[i].host)
			say(&s->conns[i], kind, 0, text);
}

static bool is_taken(const struct service *s, unsigned host)
{
	for (unsigned i = 0; i < SERVICE_CONNS; i++)
		if (s->conns[i].fd >= 0 && s->conns[i].host == host)
			return true;
	return false;
}

/* A free number, the one that it had before if that is free; 0: none. */
static unsigned choose_host(const struct service *s, unsigned want)
{
	if (want >= NET_HOST_FIRST && want <= NET_HOST_LAST &&
	    !is_taken(s, want))
		return want;
	for (unsigned h = NET_HOST_FIRST; h <= NET_HOST_LAST; h++)
		if (!is_taken(s, h))
			return h;
	return 0;
}

/* fd is taken. */
static void attach(struct service *s, struct service_conn *c, unsigned want,
		   int fd)
{
	struct switch_record port;
	struct err e = ERR_INIT;
	unsigned host = choose_host(s, want);

	if (fd < 0 || c->host || !host) {
		own_close(&fd);
		err_set(&e, 0, "%s",
			host ? "a port is one socket, and the only one"
			     : "the network is full");
		refuse(c, &e);
		return;
	}
	netaddr_port(host, &port);
	if (segment_attach(&s->segment, &port, fd, &e) < 0) {
		if (e.code != EPIPE) {
			refuse(c, &e);
			return;
		}
		/* The next one gets it. */
		service_switch_failed(s, e.msg);
	}
	c->host = host;
	say(c, NET_PORT, host, NULL);
	if (s->told == TOLD_UP)
		say(c, NET_UP, 0, NULL);
	else if (s->told == TOLD_DOWN)
		say(c, NET_DOWN, 0, s->uplink.why);
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

static void show_port(struct service *s, const struct service_conn *c,
		      const struct service_conn *to)
{
	struct switch_counters n;
	unsigned long long dropped = 0, forged = 0;
	char text[NET_TEXT_MAX];

	if (segment_count(&s->segment, c->host, &n) < 0) {
		snprintf(text, sizeof(text), "client    10.213.1.%u  pid %d",
			 c->host, (int)c->pid);
		say(to, NET_ROW, 0, text);
		return;
	}
	for (unsigned i = 0; i < SWITCH_DROPS; i++) {
		dropped += n.drop[i];
		if (i >= SWITCH_DROP_MAC && i <= SWITCH_DROP_ND)
			forged += n.drop[i];
	}
	snprintf(text, sizeof(text),
		 "client    10.213.1.%u  pid %d  sent %llu  received %llu  "
		 "dropped %llu  forged %llu",
		 c->host, (int)c->pid, (unsigned long long)n.received,
		 (unsigned long long)n.sent, dropped, forged);
	say(to, NET_ROW, 0, text);
}

static void show(struct service *s, const struct service_conn *to)
{
	char text[NET_TEXT_MAX], shown[TEXT_SHOWN];
	const struct uplink *u = &s->uplink;

	snprintf(text, sizeof(text), "network   %s  %s", s->spec->name,
		 text_show(shown, sizeof(shown), s->rules.path));
	say(to, NET_ROW, 0, text);
	snprintf(text, sizeof(text), "switch    %s",
		 s->segment.ctl >= 0 ? "up" : "off");
	say(to, NET_ROW, 0, text);
	if (u->run)
		snprintf(text, sizeof(text), "firewall  %s  VM %lld",
			 state_word(s), (long long)u->run);
	else
		snprintf(text, sizeof(text), "firewall  %s", state_word(s));
	say(to, NET_ROW, 0, text);
	if (u->state != UPLINK_UP) {
		snprintf(text, sizeof(text), "nothing passes: %.400s", u->why);
		say(to, NET_ROW, 0, text);
	} else {
		snprintf(text, sizeof(text), "uplink    passt%s%s",
			 u->host.has4 ? "  IPv4" : "",
			 u->host.has6 ? "  IPv6" : "");
		say(to, NET_ROW, 0, text);
	}
	for (unsigned i = 0; i < SERVICE_CONNS; i++)
		if (s->conns[i].fd >= 0 && s->conns[i].host)
			show_port(s, &s->conns[i], to);
	say(to, NET_DONE, 0, NULL);
}

/*
 * Who asked hands the rules to the firewall VM, and sees what nft says to
 * them; here nothing waits.
 */
static void reload(struct service *s, const struct service_conn *c)
{
	struct net_record r = {.version = NET_VERSION, .kind = NET_DONE};
	struct err e = ERR_INIT;
	struct ruleset fresh;
	own_fd rules = -1;

	if (ruleset_find(&fresh, s->spec->name, s->spec->dirs, &e) < 0) {
		refuse(c, &e);
		return;
	}
	if (ruleset_check(&fresh, &e) < 0) {
		refuse(c, &e);
		ruleset_free(&fresh);
		return;
	}
	ruleset_free(&s->rules);
	s->rules = fresh;
	if (s->uplink.state == UPLINK_UP) {
		r.value = (uint32_t)s->uplink.run;
		rules = uplink_rules(&s->uplink, &e);
		if (rules < 0) {
			refuse(c, &e);
			return;
		}
	}
	net_send(c->fd, &r, rules);
}

void service_on_conn(struct service *s, struct service_conn *c)
{
	struct err e = ERR_INIT;
	struct net_record r;
	own_fd fd = -1;

	if (net_recv(c->fd, &r, &fd, &e) <= 0) {
		service_close_conn(s, c);
		return;
	}
	switch (r.kind) {
	case NET_ATTACH:
		attach(s, c, r.value, steal_fd(&fd));
		break;
	case NET_SHOW:
		show(s, c);
		break;
	case NET_RELOAD:
		reload(s, c);
		break;
	case NET_STOP:
		c->stops = true;
		service_tell(s, NET_STOPPED, NULL);
		s->ending = true;
		break;
	default:
		err_set(&e, 0, "there is no request %u", r.kind);
		refuse(c, &e);
	}
}
