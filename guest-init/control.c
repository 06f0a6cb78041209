/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the host says on the control stream.  Runs in the guest as PID 1. */
#include "guest-init/init.h"

#include "base/err.h"

/* Once the root is there and the time is known. */
static void start_waiting(struct init *in)
{
	if (!in->waits || !in->clock.told)
		return;
	in->waits = false;
	helper_start(in);
}

static void on_launch(struct init *in, struct ctl_host_msg *m)
{
	struct err e = ERR_INIT;

	if (in->launched) {
		say("a second launch record is ignored");
		launch_free(&m->launch);
		return;
	}
	in->launched = true;
	in->launch = m->launch;
	if (in->launch.firewall[0])
		firewall_start(in);
	else if (root_compose(in, &e) < 0)
		session_setup_failed(in, &e);
	else
		in->waits = true;
	start_waiting(in);
}

static void on_exec(struct init *in, struct ctl_host_msg *m)
{
	if (in->launched && !in->said_exit)
		session_start(in, &m->exec);
	else
		ctl_put_exit(&in->ctl_out, m->session, CTL_EXIT_SETUP, 0,
			     "the VM does not run an application");
	session_spec_free(&m->exec);
}

static void on_message(struct init *in, struct ctl_host_msg *m)
{
	switch (m->type) {
	case CTL_LAUNCH:
		on_launch(in, m);
		break;
	case CTL_EXEC:
		on_exec(in, m);
		break;
	case CTL_SIGNAL:
		if (in->launched && in->launch.firewall[0] && !m->session)
			firewall_signal(in, m->signo);
		else
			session_signal(in, m->session, (int)m->signo);
		break;
	case CTL_WINSIZE:
		session_winsize(in, m->session, &m->win);
		break;
	case CTL_CLOCK:
		clock_told(in, m->clock_ns);
		start_waiting(in);
		break;
	case CTL_STOP:
		in->stop = true;
		break;
	case CTL_HELLO:
	case CTL_STARTED:
	case CTL_READY:
	case CTL_EXIT:
	case CTL_LOG:
	case CTL_ASK_CLOCK:
		break; /* ours: ctl_get_host() does not let them through */
	}
}

void control_data(struct init *in, const void *p, size_t n)
{
	struct err e = ERR_INIT;
	struct ctl_host_msg m;
	size_t at = 0, used;
	int got;

	buf_put(&in->ctl_in, p, n);
	mux_consumed(in->mux, MUX_CONTROL, n);
	while ((got = ctl_get_host(in->ctl_in.data + at, in->ctl_in.len - at,
				   &used, &m, &e)) == 1) {
		at += used;
		on_message(in, &m);
	}
	buf_consume(&in->ctl_in, at);
	if (got < 0 || in->ctl_in.bad) {
		say("control: %s", got < 0 ? e.msg : "out of memory");
		in->gone = true;
	}
}

void control_flush(struct init *in)
{
	size_t n = mux_may_send(in->mux, MUX_CONTROL);

	if (n > in->ctl_out.len)
		n = in->ctl_out.len;
	if (n && mux_send(in->mux, MUX_CONTROL, in->ctl_out.data, n) == 0)
		buf_consume(&in->ctl_out, n);
}
