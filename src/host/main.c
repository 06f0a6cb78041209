/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vmrun: starts one application in a virtual machine of its own.  The person's
 * own authority; refuses to have more.
 */
#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "host/net/netjoin.h"
#include "host/option/options.h"
#include "host/plan/dryrun.h"
#include "host/plan/plan.h"
#include "host/probe/probe.h"
#include "host/run.h"
#include "host/vm/tsc.h"

#include <stdio.h>

static int fail(const struct err *e, int status)
{
	log_err(LOG_LEVEL_ERR, e);
	return status;
}

/* --net: the firewall VM starts while this one does. */
static int join_net(struct plan *p, struct netjoin *j, struct err *e)
{
	struct plan_nic *card = &p->nics[p->n_nics - 1];

	if (!p->net)
		return 0;
	if (netjoin_open(j, p->facts, p->net, &card->nic, e) < 0)
		return -1;
	card->fd = j->card;
	p->join = j;
	return 0;
}

/* The run itself: everything is decided, say how it went. */
static int act(struct plan *p, const struct state_range *range, struct err *e)
{
	struct status_sinks sinks = {p->opt->status_fd, p->opt->ready_fd};
	struct outcome o = {OUTCOME_SETUP, 0};
	struct netjoin join = NETJOIN_NONE;
	struct tools t;
	int status;

	if (tools_find(&t, e) < 0) {
		status_ended(&sinks, &o);
		return fail(e, outcome_status(&o));
	}
	if (p->opt->dry_run) {
		status = dryrun(p, &t, range, e) < 0 ? fail(e, 125) : 0;
		tools_free(&t);
		return status;
	}
	if (p->accel == ACCEL_TCG && !p->opt->quiet)
		log_warn("software emulation (TCG): slow, and no security "
			 "boundary; see vmrun-security(7)");
	if (join_net(p, &join, e) == 0)
		run_plan(p, &t, range, &sinks, &o, e);
	netjoin_close(&join);
	p->join = NULL;
	tools_free(&t);
	status_ended(&sinks, &o);
	if (e->msg[0] && o.kind != OUTCOME_EXIT && o.kind != OUTCOME_SIGNAL)
		log_err(LOG_LEVEL_ERR, e);
	return outcome_status(&o);
}

static void set_log(const struct options *o)
{
	enum log_level level = LOG_LEVEL_WARN;

	if (o->quiet)
		level = LOG_LEVEL_ERR;
	else if (o->verbose)
		level = o->verbose > 1 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
	log_setup("vmrun", level);
}

/* Looks, decides, acts. */
static int launch(const struct options *o, struct facts *f, struct err *e)
{
	struct state_range range;
	struct plan p;
	int status;

	if (probe_privilege(e) < 0 || probe_subids(f, &range, e) < 0 ||
	    plan_make(&p, o, f, e) < 0) {
		status_ended(&(struct status_sinks){o->status_fd, -1},
			     &(struct outcome){OUTCOME_SETUP, 0});
		return fail(e, 125);
	}
	status = act(&p, &range, e);
	plan_free(&p);
	return status;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct facts f;
	struct options o;
	const char *dirs[4] = {NULL};
	int status;

	tsc_begin();
	log_setup("vmrun", LOG_LEVEL_WARN);
	if (facts_probe(&f, &e) < 0)
		return fail(&e, 125);
	dirs[0] = f.config_home;
	dirs[1] = VMRUN_SYSCONFDIR;
	dirs[2] = VMRUN_DATADIR;
	if (options_parse(&o, argc, argv, f.home, dirs, &e) < 0) {
		facts_free(&f);
		return fail(&e, 125);
	}
	set_log(&o);
	if (o.show_help) {
		options_help();
		status = 0;
	} else if (o.show_version) {
		status = printf("vmrun %s\n", VMRUN_VERSION) < 0;
	} else {
		status = launch(&o, &f, &e);
	}
	options_free(&o);
	facts_free(&f);
	return status;
}
