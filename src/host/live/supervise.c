/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The supervisor.  The person's own authority; reads only fixed-size records.
 *
 * Theory of operation
 *
 * What can happen, and what follows:
 *
 *     a signal to vmrun     of those that ask for an end: to the application;
 *                           the second one, or one before it started, ends the
 *                           VM, as does time if it is a firewall.  USR1 USR2:
 *                           to the application.
 *                           WINCH: the guest's terminal gets the new size.
 *                           TSTP: we stop; what is typed is the shell's
 *     vmrun-stage reports   a member ended: the VM is over, and it is named
 *     vmrun-mux reports     HELLO STARTED READY LOG, EXIT of a session; the
 *                           EXIT of session 0 is the end of the run; CONNECT
 *                           to one of the person's sockets
 *     vmrunctl connects     stop, kill, exec (host/live/request.c)
 *     a timer               --timeout: TERM, and KILL five seconds later; the
 *                           guest that does not say HELLO in time
 *     the clock was set     (also after the host slept) the guest's is set too
 *
 * The first outcome that is decided stays.  Nothing here waits for anything
 * but the next event.
 */
#include "host/live/supervise.h"

#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/own.h"
#include "host/live/asked.h"
#include "host/live/input.h"
#include "host/live/network.h"
#include "host/live/request.h"
#include "host/live/sockets.h"
#include "host/live/supervise-impl.h"
#include "host/live/terminal.h"
#include "host/live/windows.h"
#include "proc/inherit.h"
#include "wire/edge.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

void supervise_end(struct supervisor *v, enum outcome_kind kind, int value)
{
	if (v->out->kind != OUTCOME_NONE)
		return;
	v->out->kind = kind;
	v->out->value = value;
}

int supervise_edge(struct supervisor *v, struct edge_record *r, const int *fds,
		   size_t n)
{
	r->version = EDGE_VERSION;
	return io_send(v->s->sandbox->edge, r, sizeof(*r), fds, n);
}

uint64_t supervise_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void supervise_arm(int timer, time_t seconds, long ns)
{
	struct itimerspec t = {.it_value = {seconds, ns}};

	timerfd_settime(timer, 0, &t, NULL);
}

/* A timer that never fires, but reports when the clock is set. */
static void arm_clock(int timer)
{
	struct itimerspec t = {.it_value = {INT64_MAX / 1000000000, 0}};

	timerfd_settime(timer, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &t,
			NULL);
}

/* ---- events ---- */

static void on_edge(struct supervisor *v);

void supervise_catch_up(struct supervisor *v)
{
	struct pollfd p = {.fd = v->s->sandbox->edge, .events = POLLIN};

	/* No more than vmrun-mux ever has waiting: it may be the guest's. */
	for (int i = 0; i < 512 && !v->started && !v->gone_port &&
			v->out->kind == OUTCOME_NONE && poll(&p, 1, 0) > 0;
	     i++)
		on_edge(v);
}

/*
 * The guest did not say HELLO in time, or a VM that is gone gave its reasons.
 * Of one that ended in good order vmrun-mux still has output, and says EXIT or
 * GONE when it is read.
 */
static void on_boot_timer(struct supervisor *v)
{
	uint64_t times;

	if (read(v->boot, &times, sizeof(times)) < 0)
		return;
	if (v->gone_port || (v->gone_rank && !v->is_off)) {
		supervise_end(v, OUTCOME_GONE, 0);
	} else if (!v->hello && !v->gone_rank) {
		err_set(v->err, 0,
			"the guest did not start within %llu seconds",
			(unsigned long long)(v->s->plan->boot_ms / 1000));
		supervise_end(v, OUTCOME_GONE, 0);
	}
}

static void tell_clock(struct supervisor *v)
{
	struct edge_record r = {.kind = EDGE_CMD_CLOCK,
				.ns = supervise_now_ns()};

	supervise_edge(v, &r, NULL, 0);
}

static void on_clock(struct supervisor *v)
{
	uint64_t times;
	bool was_set =
		read(v->clock, &times, sizeof(times)) < 0 && errno == ECANCELED;

	/* Before the clock is read: what changes after that is told again. */
	arm_clock(v->clock);
	if (!was_set)
		return;
	tell_clock(v);
}

static void describe_status(char *out, size_t n, int st)
{
	if (WIFSIGNALED(st))
		snprintf(out, n, "was killed by signal %d", WTERMSIG(st));
	else
		snprintf(out, n, "ended with status %d", WEXITSTATUS(st));
}

/*
 * A VM that ends by itself is seen several times: its port closes, QEMU ends,
 * virtiofsd ends because QEMU did.  The first only starts a short timer, so
 * that the one that tells most can be named, and vmrun-mux has time to read
 * the console's last words.
 */
static void vm_is_gone(struct supervisor *v)
{
	if (v->gone_port && v->gone_rank >= 2)
		supervise_end(v, OUTCOME_GONE, 0);
	else
		supervise_arm(v->boot, 1, 0);
}

/* How much a member's end explains: 3 a crash, 2 QEMU's own end, 1 the rest. */
static int rank_of(const struct supervisor *v, const struct stage_record *r)
{
	if (r->status != 0)
		return 3;
	return sandbox_member_at(v->s->plan, r->member) == MEMBER_VMM ? 2 : 1;
}

static const char *member_name(const struct supervisor *v,
			       const struct stage_record *r)
{
	return sandbox_member_name(sandbox_member_at(v->s->plan, r->member));
}

static void on_member_gone(struct supervisor *v, const struct stage_record *r)
{
	char how[64];

	describe_status(how, sizeof(how), r->status);
	log_debug("%s %s", member_name(v, r), how);
	if (rank_of(v, r) == 2)
		v->is_off = true;
	if (v->out->kind != OUTCOME_NONE || rank_of(v, r) <= v->gone_rank)
		return;
	v->gone_rank = rank_of(v, r);
	err_set(v->err, 0, "the VM is gone: %s %s", member_name(v, r), how);
	vm_is_gone(v);
}

static void on_stage(struct supervisor *v)
{
	struct stage_record r;
	own_fd fd = -1;
	size_t n = 1;
	ssize_t got = io_recv(v->s->sandbox->ctl, &r, sizeof(r), &fd, &n);

	if (got != (ssize_t)sizeof(r) || r.version != SETUP_VERSION) {
		err_set(v->err, 0, "the sandbox's first process is gone");
		supervise_end(v, OUTCOME_GONE, 0);
		return;
	}
	r.text[sizeof(r.text) - 1] = '\0';
	r.hint[sizeof(r.hint) - 1] = '\0';
	switch (r.kind) {
	case STAGE_EV_MEMBER:
		log_debug("%s runs", member_name(v, &r));
		if (n)
			windows_on_transport(v, steal_fd(&fd));
		break;
	case STAGE_EV_READY:
		log_phase(&v->since, "stage");
		break;
	case STAGE_EV_GONE:
		on_member_gone(v, &r);
		break;
	case STAGE_EV_ERROR:
		err_set(v->err, 0, "%s", r.text);
		err_hint(v->err, "%s", r.hint);
		v->err->code = r.code;
		supervise_end(v, OUTCOME_SETUP, 0);
		break;
	}
}

void supervise_ready(struct supervisor *v)
{
	struct err e = ERR_INIT;

	if (v->ready)
		return;
	v->ready = true;
	log_phase(&v->since, "ready");
	status_ready(v->s->sinks);
	if (state_set_ready(v->s->state, v->s->id->run, &e) < 0)
		log_err(LOG_LEVEL_WARN, &e);
}

/* Beside the outcome, which may be another one. */
static void say_lost(const struct edge_record *r)
{
	struct err e = ERR_INIT;

	outcome_lost(r->stdio, r->error, &e);
	log_err(LOG_LEVEL_ERR, &e);
}

static enum outcome_kind how_exited(const struct supervisor *v,
				    const struct edge_record *r)
{
	if (v->timed_out)
		return OUTCOME_TIMEOUT;
	return outcome_exited((int)(r->value & 255), r->stdio, r->error);
}

/* Session 0 ended: that is the run's outcome. */
static void on_app_exit(struct supervisor *v, const struct edge_record *r)
{
	char text[2 * EDGE_TEXT_MAX];

	log_escape(text, sizeof(text), r->text, strlen(r->text));
	if (r->error)
		say_lost(r);
	switch ((enum ctl_exit)r->exit) {
	case CTL_EXIT_CODE:
		supervise_end(v, how_exited(v, r), (int)(r->value & 255));
		return;
	case CTL_EXIT_SIGNAL:
		supervise_end(v,
			      v->timed_out ? OUTCOME_TIMEOUT : OUTCOME_SIGNAL,
			      (int)(r->value & 127));
		return;
	case CTL_EXIT_NOT_FOUND:
		err_set(v->err, 0, "%s", text);
		err_hint(v->err, "the guest has the host's /usr and what --ro "
				 "and --rw name; is it in one of these?");
		supervise_end(v, OUTCOME_NOT_FOUND, 0);
		return;
	case CTL_EXIT_NOT_EXEC:
		err_set(v->err, 0, "%s", text);
		supervise_end(v, OUTCOME_NOT_EXEC, 0);
		return;
	case CTL_EXIT_SETUP:
		err_set(v->err, 0, "the guest could not be set up: %s", text);
		supervise_end(v, OUTCOME_SETUP, 0);
		return;
	}
	err_set(v->err, EPROTO, "vmrun-mux reported an impossible exit");
	supervise_end(v, OUTCOME_GONE, 0);
}

static void on_edge_gone(struct supervisor *v, const struct edge_record *r)
{
	char text[2 * EDGE_TEXT_MAX];

	log_escape(text, sizeof(text), r->text, strlen(r->text));
	log_debug("port: %s", text);
	if (!v->gone_rank)
		err_set(v->err, 0, "the VM is gone: %s", text);
	v->gone_port = true;
	vm_is_gone(v);
}

/*
 * From here on ^C is the guest terminal's business.  Not before: nobody would
 * read it there, and it should end a VM that is still booting.
 */
static void on_hello(struct supervisor *v)
{
	/* A second one would take raw settings for the person's own. */
	if (v->hello)
		return;
	v->hello = true;
	tell_clock(v);
	log_phase(&v->since, "boot");
	if (v->s->plan->terminal && terminal_raw(STDIN_FILENO, v->err) < 0)
		supervise_end(v, OUTCOME_SETUP, 0);
}

static void on_started(struct supervisor *v, const struct edge_record *r)
{
	if (r->session != 0)
		return;
	v->started = true;
	log_phase(&v->since, "launch");
}

static void on_full(struct supervisor *v, const struct edge_record *r)
{
	if (r->session != 0) {
		request_on_full(v, r);
		return;
	}
	err_set(v->err, 0, "vmrun-mux refused the command");
	supervise_end(v, OUTCOME_SETUP, 0);
}

static void on_edge(struct supervisor *v)
{
	struct edge_record r;
	ssize_t got = io_recv(v->s->sandbox->edge, &r, sizeof(r), NULL, NULL);

	/* supervise_catch_up() may have taken what this turn of the loop was
	 * told of. */
	if (got < 0 && errno == EAGAIN)
		return;
	if (got != (ssize_t)sizeof(r) || r.version != EDGE_VERSION) {
		/* vmrun-stage says which member it was, and how it ended. */
		epoll_ctl(v->epoll, EPOLL_CTL_DEL, v->s->sandbox->edge, NULL);
		if (!v->gone_rank && !v->gone_port)
			err_set(v->err, 0, "the VM is gone: mux ended");
		v->gone_port = true;
		vm_is_gone(v);
		return;
	}
	r.text[sizeof(r.text) - 1] = '\0';
	switch (r.kind) {
	case EDGE_EV_HELLO:
		on_hello(v);
		break;
	case EDGE_EV_STARTED:
		on_started(v, &r);
		break;
	case EDGE_EV_ASK_CLOCK:
		tell_clock(v);
		break;
	case EDGE_EV_READY:
		if (r.session == 0)
			supervise_ready(v);
		break;
	case EDGE_EV_EXIT:
		if (r.session == 0)
			on_app_exit(v, &r);
		else
			request_on_exit(v, &r);
		break;
	case EDGE_EV_LOG:
		said_log(&v->guest, "guest", r.value, r.text);
		break;
	case EDGE_EV_GONE:
		on_edge_gone(v, &r);
		break;
	case EDGE_EV_FULL:
		on_full(v, &r);
		break;
	case EDGE_EV_CONNECT:
		sockets_on_connect(v, &r);
		break;
	default:
		err_set(v->err, EPROTO, "vmrun-mux sent record %u", r.kind);
		supervise_end(v, OUTCOME_GONE, 0);
	}
}

/* ---- set-up ---- */

void supervise_forget(struct supervisor *v, int *fd)
{
	if (*fd >= 0)
		epoll_ctl(v->epoll, EPOLL_CTL_DEL, *fd, NULL);
	own_close(fd);
}

int supervise_watch(struct supervisor *v, int fd, uint32_t what, struct err *e)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u32 = what};

	if (fd < 0 || epoll_ctl(v->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		return err_set(e, errno, "watching events");
	return 0;
}

static int open_all(struct supervisor *v, struct err *e)
{
	sigset_t set;

	proc_asked_by(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTSTP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	v->epoll = epoll_create1(EPOLL_CLOEXEC);
	v->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	v->timeout =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	v->boot = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	v->full_timer =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	v->clock = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	/* One that does not read its commands must not stop us. */
	if (v->epoll < 0 || io_nonblock(v->s->sandbox->edge, 1) < 0 ||
	    (v->s->sandbox->wayland >= 0 &&
	     io_nonblock(v->s->sandbox->wayland, 1) < 0))
		return err_set(e, errno, "watching events");
	if (supervise_watch(v, v->signals, SRC_SIGNAL, e) < 0 ||
	    supervise_watch(v, v->s->sandbox->ctl, SRC_STAGE, e) < 0 ||
	    supervise_watch(v, v->s->sandbox->edge, SRC_EDGE, e) < 0 ||
	    supervise_watch(v, v->s->manage, SRC_MANAGE, e) < 0 ||
	    supervise_watch(v, v->timeout, SRC_TIMEOUT, e) < 0 ||
	    supervise_watch(v, v->boot, SRC_BOOT, e) < 0 ||
	    supervise_watch(v, v->full_timer, SRC_SOCKETS, e) < 0 ||
	    supervise_watch(v, v->clock, SRC_CLOCK, e) < 0)
		return -1;
	if (v->s->sandbox->wayland >= 0 &&
	    supervise_watch(v, v->s->sandbox->wayland, SRC_WINDOWS, e) < 0)
		return -1;
	supervise_arm(v->boot, (time_t)(v->s->plan->boot_ms / 1000),
		      (long)(v->s->plan->boot_ms % 1000) * 1000000);
	arm_clock(v->clock);
	if (v->s->plan->opt->timeout_ms)
		supervise_arm(v->timeout,
			      (time_t)(v->s->plan->opt->timeout_ms / 1000),
			      (long)(v->s->plan->opt->timeout_ms % 1000) *
				      1000000);
	return 0;
}

static void close_all(struct supervisor *v)
{
	request_close_all(v);
	own_close(&v->epoll);
	own_close(&v->signals);
	own_close(&v->timeout);
	own_close(&v->boot);
	own_close(&v->clock);
	own_close(&v->transport);
	own_close(&v->net_timer);
	own_close(&v->full_timer);
	front_end(&v->front);
}

static void dispatch(struct supervisor *v, uint32_t what)
{
	switch ((enum source)what) {
	case SRC_SIGNAL:
		asked_on_signal(v);
		return;
	case SRC_STAGE:
		on_stage(v);
		return;
	case SRC_EDGE:
		on_edge(v);
		return;
	case SRC_MANAGE:
		request_on_accept(v);
		return;
	case SRC_TIMEOUT:
		asked_on_timeout(v);
		return;
	case SRC_BOOT:
		on_boot_timer(v);
		return;
	case SRC_CLOCK:
		on_clock(v);
		return;
	case SRC_WINDOWS:
		windows_on_record(v);
		return;
	case SRC_NETWORK:
		network_on_record(v);
		return;
	case SRC_NETWORK_TIMER:
		network_on_timer(v);
		return;
	case SRC_SOCKETS:
		sockets_on_timer(v);
		return;
	case SRC_INPUT:
		input_on_typed(v);
		return;
	case SRC_CONN:
		break;
	}
	request_on_request(v, what - SRC_CONN);
}

void supervise_run(const struct supervise *s, struct outcome *o, struct err *e)
{
	struct supervisor v = {.s = s,
			       .out = o,
			       .err = e,
			       .epoll = -1,
			       .signals = -1,
			       .timeout = -1,
			       .boot = -1,
			       .clock = -1,
			       .transport = -1,
			       .net_timer = -1,
			       .full_timer = -1,
			       .front = FRONT_NONE};

	clock_gettime(CLOCK_MONOTONIC, &v.since);
	request_init(&v);
	if (open_all(&v, e) < 0 || input_begin(&v, e) < 0 ||
	    (s->plan->net ? network_wait(&v, e) : supervise_launch(&v, e)) < 0)
		supervise_end(&v, OUTCOME_SETUP, 0);
	while (o->kind == OUTCOME_NONE) {
		struct epoll_event ev[8];
		int n = epoll_wait(v.epoll, ev, 8, -1);

		for (int i = 0; i < n && o->kind == OUTCOME_NONE; i++)
			dispatch(&v, ev[i].data.u32);
	}
	terminal_restore();
	log_phase(&v.since, "app");
	close_all(&v);
}
