/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network's service, as a running VM sees it.  Part of vmrun, the person's
 * own authority. */
#include "host/live/network.h"

#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "host/live/supervise-impl.h"
#include "host/net/netjoin.h"

#include <sys/timerfd.h>
#include <unistd.h>

/* A firewall VM under software emulation on a busy machine takes long. */
#define WAIT_SECONDS 120

static void arm(struct supervisor *v, time_t seconds)
{
	struct itimerspec t = {.it_value = {seconds, 0}};

	timerfd_settime(v->net_timer, 0, &t, NULL);
}

static const char *name(const struct supervisor *v)
{
	return v->s->plan->net;
}

static void launch(struct supervisor *v)
{
	arm(v, 0);
	if (v->launched)
		return;
	log_phase(&v->since, "network");
	if (supervise_launch(v, v->err) < 0)
		supervise_end(v, OUTCOME_SETUP, 0);
}

int network_wait(struct supervisor *v, struct err *e)
{
	v->net_timer =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (supervise_watch(v, v->net_timer, SRC_NETWORK_TIMER, e) < 0 ||
	    supervise_watch(v, v->s->plan->join->conn, SRC_NETWORK, e) < 0)
		return -1;
	arm(v, WAIT_SECONDS);
	return 0;
}

/* Closing the old connection takes it out of the loop. */
static void again(struct supervisor *v)
{
	struct netjoin *j = v->s->plan->join;
	struct err e = ERR_INIT;

	if (netjoin_again(j, &e) == 0 &&
	    supervise_watch(v, j->conn, SRC_NETWORK, &e) == 0) {
		v->net_tries = 0;
		if (!v->launched)
			arm(v, WAIT_SECONDS);
		return;
	}
	own_close(&j->conn);
	if (!v->net_tries++) {
		log_warn("network %s: nothing passes", name(v));
		log_err(LOG_LEVEL_WARN, &e);
	}
	arm(v, (time_t)net_patience(v->net_tries));
}

void network_on_record(struct supervisor *v)
{
	struct netjoin *j = v->s->plan->join;
	struct err e = ERR_INIT;
	struct net_record r;
	own_fd none = -1;

	if (net_recv(j->conn, &r, &none, &e) <= 0) {
		log_info("network %s: its service is gone", name(v));
		again(v);
		return;
	}
	switch (r.kind) {
	case NET_UP:
		if (v->launched)
			log_warn("network %s: it works again", name(v));
		launch(v);
		break;
	case NET_DOWN:
		log_warn("network %s: nothing passes: %s", name(v), r.text);
		launch(v);
		break;
	case NET_STOPPED:
		log_warn("network %s was stopped: nothing passes", name(v));
		own_close(&j->conn);
		launch(v);
		break;
	default:
		log_debug("network %s: record %u", name(v), r.kind);
	}
}

void network_on_timer(struct supervisor *v)
{
	uint64_t times;

	if (read(v->net_timer, &times, sizeof(times)) < 0)
		return;
	if (v->s->plan->join->conn < 0) {
		again(v);
		return;
	}
	log_warn("network %s: it is not up yet", name(v));
	launch(v);
}
