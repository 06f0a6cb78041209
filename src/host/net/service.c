/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The service's life: start, loop, end.  Runs in vmrun-net, the
 * person's own authority. */
#include "host/net/service.h"

#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/net/netproto.h"
#include "host/net/resolvconf.h"
#include "host/net/service-impl.h"
#include "host/probe/probe.h"
#include "host/reclaim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

void service_count(struct service *s)
{
	service_arm(s->linger, service_clients(s) ? 0 : s->spec->linger_ms + 1);
}
/* ---- what clients want ---- */

void service_wake(struct service *s)
{
	if (uplink_comes_back(&s->uplink))
		service_arm(s->retry, 1);
	if (!s->asleep)
		return;
	s->asleep = false;
	if (s->uplink.state == UPLINK_OFF)
		service_arm(s->retry, 1);
	else
		s->restarts = true;
}
/* ---- the end ---- */

/*
 * Nobody starts another one before all of this one is gone: the lock is held
 * until this process ends.
 */
static void end(struct service *s)
{
	struct net_record done = {.version = NET_VERSION, .kind = NET_DONE};

	if (s->listen >= 0)
		unlinkat(s->dir, "ctl", 0);
	own_close(&s->listen);
	uplink_close(&s->uplink);
	segment_close(&s->segment);
	for (unsigned i = 0; i < SERVICE_CONNS; i++) {
		if (s->conns[i].fd >= 0 && s->conns[i].stops)
			net_send(s->conns[i].fd, &done, -1);
		own_close(&s->conns[i].fd);
	}
	rebuild_close(&s->db);
}

static void on_linger(struct service *s, int *lock)
{
	struct pollfd p = {.fd = s->listen, .events = POLLIN};
	uint64_t times;

	if (read(s->linger, &times, sizeof(times)) < 0 || service_clients(s))
		return;
	*lock = net_try_lock(s->dir);
	/* Where the folder is gone, at the end of a session, nobody can come.
	 */
	if (*lock < 0 ? errno != EAGAIN && errno != EACCES
		      : poll(&p, 1, 0) == 0) {
		s->ending = true;
		return;
	}
	/* Somebody comes. */
	own_close(lock);
	service_arm(s->linger, 1000);
}

/* ---- the loop ---- */

enum source {
	SRC_SIGNAL,
	SRC_RETRY,
	SRC_LINGER,
	SRC_WATCHDOG,
	SRC_HOSTNET,
	SRC_RESOLVCONF,
	SRC_VM_END,
	SRC_INSIDE_END,
	SRC_OUTSIDE_END,
	SRC_PASST,
	SRC_LOAN,
	SRC_JOIN,
	SRC_SWITCH,
	SRC_SWITCH_HELPER,
	SRC_STATUS,
	SRC_INSIDE_STATUS,
	SRC_OUTSIDE_STATUS,
	SRC_LISTEN,
	SRC_SWITCH_SAYS,
	SRC_PASST_SAYS,
	SRC_VM_SAYS,
	SRC_INSIDE_SAYS,
	SRC_OUTSIDE_SAYS,
	SRC_CONN,
	SOURCES = SRC_CONN + SERVICE_CONNS,
};

static void watch(const struct service *s, struct pollfd p[SOURCES])
{
	const struct uplink *u = &s->uplink;
	const struct netguest *inside = &u->bridges[NETCONF_INSIDE].guest,
			      *outside = &u->bridges[NETCONF_OUTSIDE].guest;
	const int fds[SRC_CONN] = {
		[SRC_SIGNAL] = s->signals,
		[SRC_RETRY] = s->retry,
		[SRC_LINGER] = s->linger,
		[SRC_WATCHDOG] = s->watchdog,
		[SRC_HOSTNET] = s->hostnet,
		[SRC_RESOLVCONF] = s->resolvconf,
		[SRC_VM_END] = u->vm.vm.pidfd,
		[SRC_INSIDE_END] = inside->vm.pidfd,
		[SRC_OUTSIDE_END] = outside->vm.pidfd,
		[SRC_PASST] = u->passt.ctl,
		[SRC_LOAN] = u->loan,
		[SRC_JOIN] = u->join.conn,
		[SRC_SWITCH] = s->segment.ctl,
		[SRC_SWITCH_HELPER] = s->segment.helper.ctl,
		[SRC_STATUS] = u->vm.status,
		[SRC_INSIDE_STATUS] = inside->status,
		[SRC_OUTSIDE_STATUS] = outside->status,
		[SRC_LISTEN] = s->listen,
		[SRC_SWITCH_SAYS] = s->segment.helper.said,
		[SRC_PASST_SAYS] = u->passt.said,
		[SRC_VM_SAYS] = u->vm.said,
		[SRC_INSIDE_SAYS] = inside->said,
		[SRC_OUTSIDE_SAYS] = outside->said,
	};

	for (unsigned i = 0; i < SOURCES; i++) {
		p[i].fd = i < SRC_CONN ? fds[i] : s->conns[i - SRC_CONN].fd;
		p[i].events = POLLIN;
		p[i].revents = 0;
	}
}

/* Its answers, or its sandbox's. */
static void on_switch(struct service *s, bool answers)
{
	struct err e = ERR_INIT;
	int r = answers ? segment_on_ctl(&s->segment, &e)
			: helper_on_ctl(&s->segment.helper, "vmrun-switch", &e);

	if (r < 0)
		service_switch_failed(s, e.msg);
}

/* The standard error of a helper or of a VM. */
static void on_says(struct service *s, unsigned what)
{
	struct uplink *u = &s->uplink;
	struct netguest *g = &u->vm;

	if (what == SRC_SWITCH_SAYS) {
		netlog_follow(&s->log, &s->switch_says,
			      &s->segment.helper.said);
		return;
	}
	if (what == SRC_PASST_SAYS) {
		netlog_follow(&s->log, &u->passt_says, &u->passt.said);
		return;
	}
	if (what != SRC_VM_SAYS)
		g = &u->bridges[what - SRC_INSIDE_SAYS].guest;
	netlog_follow(&s->log, &g->says, &g->said);
}

static void dispatch(struct service *s, unsigned what, int *lock)
{
	struct uplink *u = &s->uplink;

	switch ((enum source)(what < SRC_CONN ? what : SRC_CONN)) {
	case SRC_SIGNAL:
		/* Not what a person asked for: with the session that it was
		 * started in, perhaps.  Who is left starts another one. */
		s->ending = true;
		return;
	case SRC_RETRY:
		service_on_retry(s);
		return;
	case SRC_LINGER:
		on_linger(s, lock);
		return;
	case SRC_WATCHDOG:
		service_on_watchdog(s);
		return;
	case SRC_HOSTNET:
		service_on_hostnet(s);
		return;
	case SRC_RESOLVCONF:
		service_on_resolvconf(s);
		return;
	case SRC_VM_END:
		uplink_on_vm_end(u);
		return;
	case SRC_INSIDE_END:
	case SRC_OUTSIDE_END:
		service_on_bridge_end(s, what - SRC_INSIDE_END);
		return;
	case SRC_PASST:
		uplink_on_passt(u);
		return;
	case SRC_LOAN:
		uplink_on_loan(u);
		return;
	case SRC_JOIN:
		service_on_join(s);
		return;
	case SRC_SWITCH:
	case SRC_SWITCH_HELPER:
		on_switch(s, what == SRC_SWITCH);
		return;
	case SRC_STATUS:
		uplink_on_status(u);
		return;
	case SRC_INSIDE_STATUS:
	case SRC_OUTSIDE_STATUS:
		service_on_bridge_status(s, what - SRC_INSIDE_STATUS);
		return;
	case SRC_LISTEN:
		service_accept(s);
		return;
	case SRC_SWITCH_SAYS:
	case SRC_PASST_SAYS:
	case SRC_VM_SAYS:
	case SRC_INSIDE_SAYS:
	case SRC_OUTSIDE_SAYS:
		on_says(s, what);
		return;
	case SRC_CONN:
	case SOURCES:
		service_on_conn(s, &s->conns[what - SRC_CONN]);
		return;
	}
}

/* One event a turn: each may close descriptors that others were seen on.  The
 * rotation is for those that come later in the list. */
static void loop(struct service *s, int *lock)
{
	struct pollfd p[SOURCES];
	unsigned first = 0;

	while (!s->ending) {
		enum uplink_state before = s->uplink.state;
		unsigned i = 0;

		watch(s, p);
		if (poll(p, SOURCES, -1) < 0)
			continue;
		while (i < SOURCES && !p[(first + i) % SOURCES].revents)
			i++;
		if (i == SOURCES)
			continue;
		i = (first + i) % SOURCES;
		dispatch(s, i, lock);
		service_settle(s, before);
		first = (i + 1) % SOURCES;
	}
}

/* ---- the start ---- */

static int watch_signals(struct service *s, struct err *e)
{
	static const int wanted[] = {SIGINT, SIGTERM, SIGHUP};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		sigaddset(&set, wanted[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	s->retry = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	s->linger = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	s->watchdog =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->signals < 0 || s->retry < 0 || s->linger < 0 || s->watchdog < 0)
		return err_set(e, errno, "watching events");
	s->hostnet = hostnet_watch(e);
	return s->hostnet < 0 ? -1 : 0;
}

/* Going without is better than no network. */
static void watch_resolvers(struct service *s)
{
	struct err e = ERR_INIT;

	s->resolvconf = resolvconf_watch(RESOLVCONF_PATH, &e);
	if (s->resolvconf < 0)
		netlog_say(&s->log, "service", "%s", e.msg);
}

static int open_all(struct service *s, struct err *e)
{
	const struct service_spec *spec = s->spec;

	if (stage_program("vmrun-stage", &s->stage, e) < 0 ||
	    watch_signals(s, e) < 0)
		return -1;
	s->dir = net_dir(spec->facts->runtime, spec->name, e);
	if (s->dir < 0 || netlog_open(&s->log, s->dir, e) < 0)
		return -1;
	s->next_host = net_next(s->dir);
	watch_resolvers(s);
	if (probe_subids(spec->facts, &s->range, e) < 0 ||
	    rebuild_open(spec->facts, &s->range, &s->db, e) < 0)
		return -1;
	s->home = (struct helper_home){.facts = spec->facts,
				       .range = &s->range,
				       .state = s->db.state,
				       .state_dir = s->db.dir,
				       .stage = s->stage};
	return 0;
}

/* Up to where clients can be served; e is for who started it. */
static int start(struct service *s, struct err *e)
{
	bool passt;

	if (netconf_check(s->spec->name, s->spec->dirs, &passt, e) < 0 ||
	    service_read_rules(s, &s->rules, e) < 0 || open_all(s, e) < 0)
		return -1;
	if (segment_start(&s->segment, e) < 0)
		return -1;
	s->listen = net_listen(s->dir, e);
	return s->listen < 0 ? -1 : 0;
}

static void init(struct service *s, const struct service_spec *spec)
{
	memset(s, 0, sizeof(*s));
	s->spec = spec;
	s->dir = s->listen = s->signals = s->linger = s->retry = -1;
	s->watchdog = s->hostnet = s->resolvconf = s->log.fd = -1;
	s->db = (struct rebuilt){.dir = -1, .ids = -1};
	s->switch_says.who = "switch";
	segment_init(&s->segment, &s->home, spec->name);
	uplink_init(&s->uplink, spec->name);
	s->uplink.home = &s->home;
	s->uplink.rules = &s->rules;
	s->uplink.vmrun = spec->vmrun;
	s->uplink.dirs = spec->dirs;
	s->uplink.segment = &s->segment;
	s->uplink.log = &s->log;
	for (unsigned i = 0; i < SERVICE_CONNS; i++)
		s->conns[i].fd = -1;
}

int service_run(const struct service_spec *spec, struct err *e)
{
	static struct service s;
	own_fd report = spec->report;
	own_fd lock = spec->lock;
	int r;

	init(&s, spec);
	r = start(&s, e);
	if (r < 0)
		io_write_all(report, e, sizeof(*e));
	own_close(&report);
	if (r == 0) {
		own_close(&lock);
		service_count(&s);
		s.asleep = true;
		loop(&s, &lock);
		/* Who is at it has connected, and comes again. */
		if (lock < 0)
			lock = net_lock(s.dir, e);
	}
	end(&s);
	netlog_close(&s.log);
	service_reload_close(&s);
	ruleset_free(&s.rules);
	free(s.stage);
	return r;
}
