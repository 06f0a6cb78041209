/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What asks the application to end.  Part of vmrun, the person's own authority.
 */
#include "host/live/asked.h"

#include "base/clock.h"
#include "base/log.h"
#include "host/live/input.h"
#include "host/live/terminal.h"
#include "proc/inherit.h"
#include "wire/edge.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define GRACE_SECONDS 5
#define AGAIN_MS 250
/* Of a firewall, before its service loses its patience (netguest.h). */
#define FIREWALL_SECONDS 15

static void signal_app(struct supervisor *v, uint32_t signo)
{
	struct edge_record r = {.kind = EDGE_CMD_SIGNAL, .value = signo};

	supervise_edge(v, &r, NULL, 0);
}

static bool is_hup_or_term(uint32_t signo)
{
	return signo == SIGHUP || signo == SIGTERM;
}

/*
 * The second signal that asks for the end.  The same one again at once is no
 * other: bash and the kernel each send a SIGHUP when a terminal is closed,
 * timeout(1) signals us and then our group, systemd sends SIGTERM and SIGHUP at
 * the end of a session (SendSIGHUP=).  SIGUSR1 and SIGUSR2 ask nothing.
 */
static bool is_second(struct supervisor *v, uint32_t signo)
{
	int64_t now = clock_ms();
	uint32_t first = v->signalled;

	if (!proc_is_end((int)signo))
		return false;
	if (!first) {
		v->signalled = signo;
		v->signalled_ms = now;
		return false;
	}
	return now - v->signalled_ms >= AGAIN_MS ||
	       !(signo == first ||
		 (is_hup_or_term(signo) && is_hup_or_term(first)));
}

/*
 * Who asks a firewall to end may be a service that is gone (PDEATHSIG): nobody
 * would ask a second time.  A --timeout that comes before that does the same.
 */
static void give_grace(struct supervisor *v)
{
	struct itimerspec t;

	if (!v->s->plan->firewall || v->timed_out || v->firewall_asked ||
	    timerfd_gettime(v->timeout, &t) < 0)
		return;
	if ((t.it_value.tv_sec || t.it_value.tv_nsec) &&
	    t.it_value.tv_sec < FIREWALL_SECONDS)
		return;
	v->firewall_asked = true;
	supervise_arm(v->timeout, FIREWALL_SECONDS, 0);
}

void asked_on_signal(struct supervisor *v)
{
	struct signalfd_siginfo si;
	struct edge_record r = {.kind = EDGE_CMD_WINSIZE};

	if (read(v->signals, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;
	if (si.ssi_signo == SIGWINCH) {
		if (!v->s->plan->terminal)
			return;
		terminal_size(STDIN_FILENO, &r.win);
		supervise_edge(v, &r, NULL, 0);
		return;
	}
	if (si.ssi_signo == SIGTSTP) {
		input_on_stop(v);
		return;
	}
	supervise_catch_up(v);
	if (is_second(v, si.ssi_signo) || !v->started) {
		supervise_end(v, OUTCOME_KILLED, (int)si.ssi_signo);
		return;
	}
	signal_app(v, si.ssi_signo);
	if (proc_is_end((int)si.ssi_signo))
		give_grace(v);
}

void asked_on_timeout(struct supervisor *v)
{
	uint64_t times;

	if (read(v->timeout, &times, sizeof(times)) < 0)
		return;
	supervise_catch_up(v);
	if (v->firewall_asked) {
		log_warn("the firewall does not end by itself");
		supervise_end(v, OUTCOME_KILLED, (int)v->signalled);
		return;
	}
	if (v->timed_out || !v->started) {
		if (!v->started)
			log_warn("--timeout is over; the command had not "
				 "started yet");
		supervise_end(v, OUTCOME_TIMEOUT, 0);
		return;
	}
	v->timed_out = true;
	log_warn("--timeout is over; ending the application");
	signal_app(v, SIGTERM);
	supervise_arm(v->timeout, GRACE_SECONDS, 0);
}
