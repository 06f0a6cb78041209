/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * New rules for a firewall VM that runs.  In vmrun-net, the person's own
 * authority.
 *
 * Theory of operation
 *
 * Who asked (vmrunctl) hands the rules to the VM and sees what nft there says
 * to them; here nothing waits.  Until it says that the VM has them the old ones
 * are the service's: the next firewall VM must not begin with what the last one
 * refused, nor be looked after by rules that do not run.  If it ends without a
 * word nobody knows which ones run, and the VM is started anew, with those that
 * were asked for.
 */
#include "base/err.h"
#include "base/own.h"
#include "host/net/service-impl.h"

#include <string.h>

int service_read_rules(const struct service *s, struct ruleset *r,
		       struct err *e)
{
	int ret = s->uplink.level == NET_OF_NET_VM
			  ? ruleset_routing(r, e)
			  : ruleset_find(r, s->spec->name, s->spec->dirs, e);

	if (ret < 0)
		return -1;
	if (ruleset_check(r, e) == 0)
		return 0;
	ruleset_free(r);
	return -1;
}

static const char changed[] = "its rules have changed";

/* The service's from now on. */
static void take(struct service *s, const struct ruleset *fresh)
{
	ruleset_free(&s->rules);
	s->rules = *fresh;
}

/* If it runs; else its next start is with them. */
static void start_anew(struct service *s, const char *why)
{
	if (s->uplink.state != UPLINK_STARTING && s->uplink.state != UPLINK_UP)
		return;
	s->restarts = !s->asleep;
	uplink_stop(&s->uplink, why);
}

/* Whether the VM that gets them is the one that runs. */
static bool is_current(const struct service *s)
{
	return s->uplink.state == UPLINK_UP &&
	       s->uplink.vm.run == s->reload.run;
}

void service_reload_close(struct service *s)
{
	ruleset_free(&s->reload.rules);
	hostnet_free(&s->reload.host);
	s->reload.by = NULL;
}

/* *fresh is taken.  The descriptor of what nft is to get, or -1. */
static int hand_on(struct service *s, struct service_conn *c,
		   struct ruleset *fresh, struct err *e)
{
	int fd = uplink_new_rules(&s->uplink, fresh, &s->reload.host, e);

	if (fd < 0) {
		ruleset_free(fresh);
		return -1;
	}
	s->reload.by = c;
	s->reload.run = s->uplink.vm.run;
	s->reload.rules = *fresh;
	return fd;
}

void service_reload(struct service *s, struct service_conn *c)
{
	struct net_record r = {.version = NET_VERSION, .kind = NET_DONE};
	struct err e = ERR_INIT;
	struct ruleset fresh;
	own_fd rules = -1;

	if (s->reload.by) {
		err_set(&e, 0, "its rules are being replaced just now");
		service_refuse(c, &e);
		return;
	}
	if (service_read_rules(s, &fresh, &e) < 0) {
		service_refuse(c, &e);
		return;
	}
	if (s->uplink.state == UPLINK_UP) {
		r.value = (uint32_t)s->uplink.vm.run;
		rules = hand_on(s, c, &fresh, &e);
		if (rules < 0) {
			service_refuse(c, &e);
			return;
		}
	} else {
		/* To one that starts nothing can be handed yet. */
		take(s, &fresh);
		start_anew(s, changed);
	}
	net_send(c->fd, &r, rules);
}

/* The service's, too. */
static void take_handed(struct service *s)
{
	take(s, &s->reload.rules);
	memset(&s->reload.rules, 0, sizeof(s->reload.rules));
}

int service_on_loaded(struct service *s, const struct service_conn *c,
		      uint32_t how, struct err *e)
{
	bool current = is_current(s);

	if (s->reload.by != c)
		return err_set(e, 0, "it has handed no rules on");
	if (how != NET_LOADED_ALL && how != NET_LOADED_NONE)
		return err_set(e, 0, "there is no outcome %u", how);
	if (how == NET_LOADED_ALL) {
		take_handed(s);
		if (current)
			uplink_has_rules(&s->uplink, &s->reload.host);
		else
			start_anew(s, changed);
	}
	service_reload_close(s);
	/* Until now it was followed as far as the old ones were concerned. */
	if (how == NET_LOADED_ALL && current)
		service_follow_host(s);
	return 0;
}

void service_reload_lost(struct service *s, const struct service_conn *c)
{
	if (s->reload.by != c)
		return;
	take_handed(s);
	service_reload_close(s);
	start_anew(s, "it is not known which rules it has");
}
