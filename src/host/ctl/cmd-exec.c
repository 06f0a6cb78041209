/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmrunctl exec: a second command in a running VM, its streams and status. */
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/own.h"
#include "host/ctl/cmd-vms.h"
#include "host/ctl/cmd.h"
#include "host/live/front.h"
#include "host/live/manage.h"
#include "host/live/status.h"
#include "host/live/terminal.h"
#include "host/text.h"
#include "proc/inherit.h"
#include "wire/edge.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/signalfd.h>

struct exec_options {
	char **env; /* NAME=value; owned */
	char *cwd;  /* borrowed, or NULL */
	enum opt_tty tty;
};

static int set_env(void *ctx, const struct opt *o, const char *value,
		   struct err *e)
{
	struct exec_options *x = ctx;
	own_free char *name = NULL;
	const char *eq = strchr(value, '=');

	(void)o;
	if (!*value || eq == value)
		return err_set(e, 0, "\"%s\" is not NAME=VALUE or NAME", value);
	if (eq) {
		name = strndup(value, (size_t)(eq - value));
		return name ? text_setenv(&x->env, name, eq + 1, e)
			    : err_set(e, ENOMEM, "%s", value);
	}
	/* As vmrun's --env: what is not set here is not set there. */
	if (!getenv(value))
		return 0;
	return text_setenv(&x->env, value, getenv(value), e);
}

static int set_cwd(void *ctx, const struct opt *o, const char *value,
		   struct err *e)
{
	struct exec_options *x = ctx;

	(void)o;
	if (value[0] != '/')
		return err_set(e, 0, "%s is not an absolute path", value);
	x->cwd = (char *)(uintptr_t)value;
	return 0;
}

static int set_tty(void *ctx, const struct opt *o, const char *value,
		   struct err *e)
{
	struct exec_options *x = ctx;

	(void)value;
	(void)e;
	x->tty = o->letter == 't' ? TTY_YES : TTY_NO;
	return 0;
}

static const struct opt table[] = {
	{.name = "env",
	 .letter = 'e',
	 .arg = "K[=V]",
	 .set = set_env,
	 .help = "add to the command's environment"},
	{.name = "cwd",
	 .arg = "DIR",
	 .set = set_cwd,
	 .help = "the command's working directory"},
	{.name = "tty",
	 .letter = 't',
	 .set = set_tty,
	 .help = "a terminal in the guest"},
	{.name = "no-tty",
	 .letter = 'T',
	 .set = set_tty,
	 .help = "no terminal in the guest"},
	{.name = NULL},
};

/* A command that runs. */
struct exec {
	int sock, signals;
	bool tty; /* has a terminal in the guest */
	struct front front;
};

static int send_exec(const struct exec *c, const struct exec_options *x,
		     char **argv, struct err *e)
{
	struct manage_record q = {.version = MANAGE_VERSION,
				  .kind = MANAGE_EXEC,
				  .value = x->cwd != NULL};
	/* vmrun chooses the session; 0 would be the application's. */
	struct session_spec s = {.session = 1,
				 .argv = argv,
				 .env = x->env,
				 .cwd = x->cwd ? x->cwd
					       : (char *)(uintptr_t) "/"};
	int fds[4] = {-1, -1, -1, -1};
	size_t n = 1;
	struct buf b;

	buf_init(&b, CTL_HOST_MAX);
	ctl_put_exec(&b, &s);
	fds[0] = b.bad ? err_set(e, E2BIG, "the command")
		       : io_memfd("exec", b.data, b.len, e);
	buf_free(&b);
	if (fds[0] < 0)
		return -1;
	n += terminal_take_stdio(c->tty, fds + 1, &q.stdio);
	if (c->tty)
		terminal_size(STDIN_FILENO, &q.win);
	else if (c->front.paused && q.stdio & EDGE_STDIO_IN)
		q.stdio |= EDGE_STDIO_PAUSED;
	/* EPIPE: it says why it does not listen. */
	if (manage_send(c->sock, &q, fds, n) < 0 && errno != EPIPE)
		err_set(e, errno, "asking the VM");
	for (size_t i = 0; i < n; i++)
		own_close(&fds[i]);
	return e->msg[0] ? -1 : 0;
}

static int watch_signals(void)
{
	sigset_t set;

	proc_asked_by(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTSTP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void tell(const struct exec *c, enum manage_kind kind, uint32_t value)
{
	struct manage_record q = {
		.version = MANAGE_VERSION, .kind = kind, .value = value};

	terminal_size(STDIN_FILENO, &q.win);
	manage_send(c->sock, &q, NULL, 0);
}

static void tell_paused(struct exec *c, bool paused)
{
	tell(c, paused ? MANAGE_PAUSE : MANAGE_RESUME, 0);
}

static void on_typed(struct exec *c)
{
	if (front_look(&c->front))
		tell_paused(c, c->front.paused);
}

/* SIGTSTP: what is typed is the shell's.  See host/live/input.c. */
static int stop_terminal(struct exec *c, struct err *e)
{
	int got;

	tell_paused(c, true);
	terminal_restore();
	got = front_stop_terminal(STDIN_FILENO, e);
	if (got <= 0)
		return got;
	if (terminal_raw(STDIN_FILENO, e) < 0)
		return -1;
	tell(c, MANAGE_WINSIZE, 0);
	tell_paused(c, false);
	return 0;
}

static void stop(struct exec *c)
{
	if (c->front.watch >= 0)
		tell_paused(c, true);
	if (front_stop(&c->front))
		tell_paused(c, false);
}

static int on_signal(struct exec *c, struct err *e)
{
	struct signalfd_siginfo si;

	if (read(c->signals, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return 0;
	if (si.ssi_signo == SIGTSTP && c->tty)
		return stop_terminal(c, e);
	if (si.ssi_signo == SIGTSTP) {
		stop(c);
		return 0;
	}
	tell(c, si.ssi_signo == SIGWINCH ? MANAGE_WINSIZE : MANAGE_SIGNAL,
	     si.ssi_signo);
	return 0;
}

static int ended(const struct manage_record *r, struct err *e)
{
	struct outcome o = {OUTCOME_SETUP, (int)(r->value & 255)};

	if (r->error)
		outcome_lost(r->stdio, r->error, e);
	switch ((enum ctl_exit)r->exit) {
	case CTL_EXIT_CODE:
		o.kind = outcome_exited(o.value, r->stdio, r->error);
		return outcome_status(&o);
	case CTL_EXIT_SIGNAL:
		o.kind = OUTCOME_SIGNAL;
		return outcome_status(&o);
	case CTL_EXIT_NOT_FOUND:
		o.kind = OUTCOME_NOT_FOUND;
		break;
	case CTL_EXIT_NOT_EXEC:
		o.kind = OUTCOME_NOT_EXEC;
		break;
	case CTL_EXIT_SETUP:
		break;
	}
	err_set(e, 0, "%s", r->text);
	return outcome_status(&o);
}

/* Until the command ends; its exit status, and e where it did not run. */
static int serve(struct exec *c, struct err *e)
{
	struct pollfd p[3] = {{.fd = c->sock, .events = POLLIN},
			      {.fd = c->signals, .events = POLLIN},
			      {.fd = c->front.watch, .events = POLLIN}};
	struct manage_record r;
	int got;

	for (;;) {
		if (poll(p, 3, -1) < 0)
			continue;
		if (p[1].revents && on_signal(c, e) < 0)
			return 125;
		if (p[2].revents)
			on_typed(c);
		if (!p[0].revents)
			continue;
		got = manage_recv(c->sock, &r, NULL, NULL, e);
		if (got < 0)
			return 125;
		if (got == 0) {
			err_set(e, 0, "the VM ended");
			return 255;
		}
		if (r.kind == MANAGE_ENDED)
			return ended(&r, e);
		if (r.kind == MANAGE_FAILED) {
			err_set(e, 0, "%s", r.text);
			return 125;
		}
	}
}

static int run_exec(const struct exec_options *x, const char *vm, char **argv,
		    struct err *e)
{
	bool tty = x->tty == TTY_YES || (x->tty == TTY_AUTO && isatty(0) &&
					 isatty(1) && front_is(0));
	struct exec c = {.tty = tty, .front = FRONT_NONE};
	const struct state_run *r;
	own_fd sock = -1, signals = -1;
	struct vms v;
	int status;

	/* One terminal is both: output would not go elsewhere. */
	if (tty && !(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))) {
		err_set(e, 0,
			"-t: standard input and output are not a terminal");
		err_hint(e, "leave -t out, or run vmrunctl from a terminal");
		return 125;
	}
	if (vms_open(&v, e) < 0)
		return 125;
	r = vms_find(&v, vm, e);
	sock = r ? manage_connect(v.facts.runtime, r->id.run, e) : -1;
	vms_close(&v);
	if (sock < 0)
		return 125;
	if (tty && front_take(STDIN_FILENO, e) < 0)
		return 125;
	c.sock = sock;
	c.signals = signals = watch_signals();
	if (!tty && isatty(STDIN_FILENO) &&
	    front_begin(&c.front, STDIN_FILENO, e) < 0)
		return 125;
	if (send_exec(&c, x, argv, e) < 0 ||
	    (tty && terminal_raw(STDIN_FILENO, e) < 0))
		status = 125;
	else
		status = serve(&c, e);
	terminal_restore();
	front_end(&c.front);
	return status;
}

int cmd_exec(int argc, char **argv)
{
	struct exec_options x = {.tty = TTY_AUTO};
	struct err e = ERR_INIT;
	int used = 0;
	int status = 125;

	(void)argc;
	if (opt_parse(table, argv + 1, &x, &used, &e) == 0) {
		char *vm = argv[1 + used];
		char **command = argv + 1 + used + (vm != NULL);

		if (vm && *command && !strcmp(*command, "--"))
			command++;
		if (vm && *command) {
			status = run_exec(&x, vm, command, &e);
		} else {
			err_set(&e, 0, "exec: a VM and a command are needed");
			err_hint(&e, "usage: vmrunctl exec VM -- COMMAND "
				     "[ARG...]");
		}
	}
	if (e.msg[0])
		log_err(LOG_LEVEL_ERR, &e);
	strv_free(x.env);
	return status;
}
