/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network's service, as a running VM sees it.  Part of vmrun, the person's
 * own authority. */
#include "host/live/network.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "host/live/supervise-impl.h"
#include "host/net/netjoin.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* A firewall VM under software emulation on a busy machine takes long. */
#define WAIT_SECONDS 120
#define BUSY_NS (200L * 1000 * 1000)

static void arm(struct supervisor *v, time_t seconds)
{
	supervise_arm(v->net_timer, seconds, 0);
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

/* Somebody else's start of the service, or its end, may take a while. */
static bool is_busy(struct supervisor *v, const struct err *e)
{
	int64_t now = clock_ms();

	if (e->code != EAGAIN)
		return false;
	if (!v->net_until)
		v->net_until = now + WAIT_SECONDS * 1000;
	return now < v->net_until;
}

static void failed(struct supervisor *v, const struct err *e)
{
	supervise_forget(v, &v->s->plan->join->conn);
	v->net_asked = false;
	if (is_busy(v, e)) {
		supervise_arm(v->net_timer, 0, BUSY_NS);
		return;
	}
	if (!v->net_tries++) {
		log_warn("network %s: nothing passes", name(v));
		log_err(LOG_LEVEL_WARN, e);
	}
	launch(v);
	arm(v, (time_t)net_patience(v->net_tries));
}

static void again(struct supervisor *v)
{
	struct netjoin *j = v->s->plan->join;
	struct err e = ERR_INIT;

	supervise_forget(v, &j->conn);
	if (netjoin_retry(j, &e) < 0 ||
	    supervise_watch(v, j->conn, SRC_NETWORK, &e) < 0) {
		failed(v, &e);
		return;
	}
	v->net_asked = true;
	arm(v, WAIT_SECONDS);
}

static void on_answer(struct supervisor *v)
{
	struct err e = ERR_INIT;
	int got = netjoin_answer(v->s->plan->join, &e);

	if (got <= 0) {
		if (!got)
			err_set(&e, EAGAIN, "network %s: its service ended",
				name(v));
		failed(v, &e);
		return;
	}
	v->net_asked = false;
	v->net_tries = 0;
	v->net_until = 0;
	arm(v, v->launched ? 0 : WAIT_SECONDS);
}

void network_on_record(struct supervisor *v)
{
	struct netjoin *j = v->s->plan->join;
	struct err e = ERR_INIT;
	struct net_record r;
	own_fd none = -1;

	if (v->net_asked) {
		on_answer(v);
		return;
	}
	if (net_recv(j->conn, &r, &none, &e) <= 0) {
		log_info("network %s: its service is gone", name(v));
		again(v);
		return;
	}
	switch (r.kind) {
	case NET_UP:
		if (v->launched)
			log_warn("network %s: it works again", name(v));
		if (r.text[0])
			log_warn("network %s: names are not resolved: %s",
				 name(v), r.text);
		launch(v);
		break;
	case NET_DOWN:
		log_warn("network %s: nothing passes: %s", name(v), r.text);
		launch(v);
		break;
	case NET_STOPPED:
		log_warn("network %s was stopped: nothing passes", name(v));
		supervise_forget(v, &j->conn);
		net_belong(j->dir, false);
		launch(v);
		break;
	default:
		log_debug("network %s: record %u", name(v), r.kind);
	}
}

void network_on_timer(struct supervisor *v)
{
	struct err e = ERR_INIT;
	uint64_t times;

	if (read(v->net_timer, &times, sizeof(times)) < 0)
		return;
	if (v->s->plan->join->conn < 0) {
		again(v);
		return;
	}
	if (v->net_asked) {
		err_set(&e, ETIMEDOUT, "vmrun-net");
		failed(v, &e);
		return;
	}
	log_warn("network %s: it is not up yet", name(v));
	launch(v);
}
