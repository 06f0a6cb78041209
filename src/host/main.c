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
#include "proc/inherit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>

static int fail(const struct err *e, int status)
{
	log_err(LOG_LEVEL_ERR, e);
	return status;
}

/* --net: the firewall VM starts while this one does. */
static int join_net(struct plan *p, struct netjoin *j, struct err *e)
{
	const struct netjoin_spec spec = {
		.facts = p->facts,
		.name = p->net,
		.publish = p->opt->publish,
		.n_publish = p->opt->n_publish,
	};
	struct plan_nic *card;

	if (!p->net)
		return 0;
	card = &p->nics[p->n_nics - 1]; /* plannet.c adds it last */
	if (netjoin_open(j, &spec, &card->nic, e) < 0)
		return -1;
	card->fd = j->card;
	p->join = j;
	return 0;
}

static void warn_unsafe(const struct plan *p)
{
	if (p->opt->quiet)
		return;
	if (p->accel == ACCEL_TCG)
		log_warn("software emulation (TCG): slow, and no security "
			 "boundary; see vmrun-security(7)");
	if (p->opt->qemu_args)
		log_warn("--qemu-arg is unsafe: it can undo every promise of "
			 "vmrun-security(7)");
	/* The X server's compositor has no clipboard in common with ours. */
	if (p->windows >= 0 && p->sockets[p->windows].kind == OPT_SOCKET_X11 &&
	    p->policy.clipboard != WAYLAND_CLIPBOARD_OFF)
		log_warn("--clipboard %s: X11 programs share a clipboard among "
			 "themselves only",
			 p->opt->clipboard);
	if (p->cwd_forgotten)
		log_warn("the current directory is not shared: what the "
			 "command writes there is gone afterwards");
}

/* An alias that there is has a pair of its own, which is put into *range. */
static bool find_alias(const struct plan *p, struct state_range *range)
{
	own_fd dir =
		open(p->facts->state_home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct state_alias a;
	struct state *s;
	struct err e = ERR_INIT;
	bool found;

	/* Opening would make it, and --dry-run makes nothing. */
	if (!p->opt->alias || dir < 0 || !state_is_there(dir) ||
	    state_open(dir, &s, &e) < 0)
		return false;
	found = state_alias_find(s, p->opt->alias, &a, &e) == 1;
	if (found)
		*range = (struct state_range){
			.uid_first = a.uid, .gid_first = a.gid, .count = 1};
	state_close(s);
	return found;
}

static int show_plan(const struct plan *p, const struct tools *t,
		     const struct state_range *range, struct err *e)
{
	struct state_range r = *range;
	bool known = find_alias(p, &r);

	return dryrun(p, t, &r, known, e) < 0 ? fail(e, 125) : 0;
}

/* The run itself: everything is decided, say how it went. */
static int act(struct plan *p, const struct state_range *range, struct err *e)
{
	struct status_sinks sinks = {p->opt->status_fd, p->opt->ready_fd};
	struct outcome o = {OUTCOME_SETUP, 0};
	struct netjoin join = NETJOIN_NONE;
	struct tools t;
	int status;

	/* Before anything is made or granted. */
	if (tools_find(&t, e) < 0 || tools_check(&t, p, e) < 0) {
		tools_free(&t);
		status_ended(&sinks, &o);
		return fail(e, outcome_status(&o));
	}
	if (p->opt->dry_run) {
		status = show_plan(p, &t, range, e);
		tools_free(&t);
		return status;
	}
	warn_unsafe(p);
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

	bool planned = false;

	if (probe_privilege(e) == 0 && probe_subids(f, &range, e) == 0) {
		planned = plan_make(&p, o, f, e) == 0;
		/* Whoever did not name it may not know of its options. */
		if (!planned && o->profile_used && !o->profile && !e->hint[0])
			err_hint(e, "%s was read; --no-profile leaves it out",
				 o->profile_used);
	}
	if (!planned) {
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
	/* Each share has one; systemd's soft limit is 1024, for select(2). */
	proc_lift_limit(RLIMIT_NOFILE);
	log_setup("vmrun", LOG_LEVEL_WARN);
	if (proc_begin(&e) < 0 || facts_probe(&f, &e) < 0)
		return fail(&e, 125);
	dirs[0] = f.config_home;
	dirs[1] = VMRUN_SYSCONFDIR;
	dirs[2] = VMRUN_DATADIR;
	if (options_parse(&o, argc, argv, f.home, dirs, &e) < 0) {
		status_ended(&(struct status_sinks){o.status_fd, -1},
			     &(struct outcome){OUTCOME_SETUP, 0});
		facts_free(&f);
		return fail(&e, 125);
	}
	set_log(&o);
	if (o.show_help) {
		options_help();
		status = log_output(0);
	} else if (o.show_version) {
		printf("vmrun %s\n", VMRUN_VERSION);
		status = log_output(0);
	} else {
		status = launch(&o, &f, &e);
	}
	options_free(&o);
	facts_free(&f);
	return status;
}
