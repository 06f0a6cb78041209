/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is started again, and when.  Runs in vmrun-net, the person's own
 * authority. */
#include "base/err.h"
#include "host/net/resolvconf.h"
#include "host/net/service-impl.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Failures further apart than this are not in a row. */
#define CALM_SECONDS 300
/* A firewall VM is ready in this time, under software emulation on a busy
 * machine too, or it never is. */
#define READY_MS 120000
#define LOOK_MS 15000

void service_arm(int timer, uint64_t ms)
{
	struct itimerspec t = {
		.it_value = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000}};

	timerfd_settime(timer, 0, &t, NULL);
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* The first try comes at once, so does the one after the first failure. */
static void try_later(struct service *s)
{
	if (s->failures && now() - s->failed > CALM_SECONDS)
		s->failures = 0;
	service_arm(s->retry, net_patience(s->failures) * UINT64_C(1000) + 1);
	s->failures++;
	s->failed = now();
}

void service_switch_failed(struct service *s, const char *why)
{
	netlog_say(&s->log, "service", "%s", why);
	segment_stop(&s->segment);
	try_later(s);
}

/* Whether what could not be published can be now. */
static void look_later(struct service *s)
{
	if (s->uplink.n_left)
		service_arm(s->retry, LOOK_MS);
}

static void start_uplink(struct service *s)
{
	struct err e = ERR_INIT;

	s->restarts = false;
	service_list_publish(s);
	if (uplink_start(&s->uplink, &e) == 0) {
		service_arm(s->watchdog, READY_MS);
		look_later(s);
		return;
	}
	netlog_say(&s->log, "service", "%s", e.msg);
	if (e.hint[0])
		netlog_say(&s->log, "service", "hint: %s", e.hint);
	if (e.code == EPIPE)
		service_switch_failed(s, e.msg);
	else if (e.code != ECANCELED) /* by a person: service_wake() */
		try_later(s);
}

static void join_again(struct service *s)
{
	struct err e = ERR_INIT;

	if (uplink_join_again(&s->uplink, &e) == 0)
		return;
	netlog_say(&s->log, "service", "%s", e.msg);
	if (uplink_lost_net_vm(&s->uplink))
		try_later(s);
}

static void bridge_again(struct service *s)
{
	struct err e = ERR_INIT;

	if (uplink_bridge_again(&s->uplink, &e) == 0) {
		service_arm(s->watchdog, READY_MS);
		return;
	}
	netlog_say(&s->log, "service", "%s", e.msg);
	try_later(s);
}

void service_on_bridge_end(struct service *s, enum netconf_side side)
{
	struct uplink *u = &s->uplink;

	uplink_on_bridge_end(u, side);
	if (!uplink_lost_bridge(u))
		return;
	netlog_say(&s->log, "service", "%s", u->bridges[side].why);
	try_later(s);
}

void service_on_bridge_status(struct service *s, enum netconf_side side)
{
	struct bridge *b = &s->uplink.bridges[side];
	bool was = b->guest.ready;

	netguest_on_status(&b->guest);
	if (was || !b->guest.ready)
		return;
	s->failures = 0;
	netlog_say(&s->log, "service", "the %s passes on", b->guest.what);
}

void service_on_join(struct service *s)
{
	struct uplink *u = &s->uplink;
	bool worked = u->joined;

	uplink_on_join(u);
	if (worked && !u->joined)
		netlog_say(&s->log, "service", "%s", u->cut);
	else if (!worked && u->joined)
		netlog_say(&s->log, "service", "%s forwards", u->conf.where);
	if (uplink_lost_net_vm(u))
		try_later(s);
}

/* Free twice in a row: who has a port may just have been started anew. */
static void look_for_ports(struct service *s)
{
	static const char why[] = "a port can be published now";
	bool was_free = s->port_is_free;

	look_later(s);
	s->port_is_free = s->uplink.state == UPLINK_UP &&
			  uplink_can_publish_more(&s->uplink);
	if (!s->port_is_free || !was_free)
		return;
	s->port_is_free = false;
	netlog_say(&s->log, "service", "%s", why);
	s->restarts = !s->asleep;
	uplink_stop(&s->uplink, why);
}

/* Addresses, routes, resolvers, a TAP; only what matters is worth a restart. */
void service_follow_host(struct service *s)
{
	struct uplink *u = &s->uplink;
	struct err e = ERR_INIT;
	struct hostnet h;
	const char *why;

	/* What is not known may be new addresses of this machine, which the
	 * firewall does not refuse yet. */
	if (uplink_look(u, &h, &e) < 0) {
		why = e.msg;
	} else {
		why = uplink_concern(u, &h);
		hostnet_free(&h);
	}
	if (!why)
		return;
	netlog_say(&s->log, "service", "%s", why);
	s->restarts = !s->asleep;
	uplink_stop(u, why);
}

void service_on_retry(struct service *s)
{
	struct err e = ERR_INIT;
	uint64_t times;

	if (read(s->retry, &times, sizeof(times)) < 0)
		return;
	if (s->segment.ctl < 0 && segment_start(&s->segment, &e) < 0) {
		service_switch_failed(s, e.msg);
		return;
	}
	if (s->uplink.state == UPLINK_OFF && !s->asleep) {
		start_uplink(s);
		return;
	}
	look_for_ports(s);
	if (uplink_lost_bridge(&s->uplink))
		bridge_again(s);
	if (uplink_lost_net_vm(&s->uplink))
		join_again(s);
}

/* One that has ended is no watchdog's. */
static bool is_bridge_stuck(const struct uplink *u)
{
	const struct bridge *b = uplinkbridge_missing(u);

	return b && netguest_runs(&b->guest);
}

void service_on_watchdog(struct service *s)
{
	uint64_t times;

	if (read(s->watchdog, &times, sizeof(times)) < 0)
		return;
	switch (s->uplink.state) {
	case UPLINK_OFF:
		return;
	case UPLINK_UP:
		if (!is_bridge_stuck(&s->uplink))
			return;
		netlog_say(&s->log, "service", "a bridge VM hangs");
		uplink_stop(&s->uplink, "a bridge VM did not get ready");
		return;
	case UPLINK_STARTING:
		netlog_say(&s->log, "service", "the %s hangs",
			   s->uplink.vm.what);
		uplink_stop(&s->uplink, "it did not get ready");
		return;
	case UPLINK_STOPPING:
		uplink_kill(&s->uplink);
		return;
	}
}

/* Without an uplink: maybe there can be one now. */
void service_on_hostnet(struct service *s)
{
	bool more = hostnet_seen(s->hostnet);

	if (s->uplink.state != UPLINK_OFF) {
		service_follow_host(s);
		return;
	}
	if (!more)
		return;
	s->failures = 0;
	service_arm(s->retry, 1);
}

void service_on_resolvconf(struct service *s)
{
	resolvconf_seen(s->resolvconf, RESOLVCONF_PATH);
	if (s->uplink.state != UPLINK_OFF)
		service_follow_host(s);
}

void service_settle(struct service *s, enum uplink_state before)
{
	struct uplink *u = &s->uplink;

	if (u->state != before && u->state == UPLINK_UP) {
		s->failures = 0;
		netlog_say(&s->log, "service", "the %s forwards", u->vm.what);
	}
	if (u->state != before && u->state == UPLINK_STOPPING)
		service_arm(s->watchdog, NETGUEST_END_MS);
	if (u->state != before && u->state == UPLINK_OFF) {
		netlog_say(&s->log, "service", "%s", u->why);
		if (s->restarts)
			start_uplink(s);
		else if (!s->asleep)
			try_later(s);
	}
	service_tell_state(s);
}
