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
#include "host/live/manage.h"
#include "host/live/status.h"
#include "host/live/terminal.h"
#include "host/text.h"
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

static int send_exec(int sock, const struct exec_options *x, char **argv,
		     bool tty, struct err *e)
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
	if (tty) {
		fds[n] = terminal_private_fd(STDIN_FILENO, O_RDWR);
		q.stdio = fds[n] < 0 ? 0 : EDGE_STDIO_TTY;
		n += fds[n] >= 0;
		terminal_size(STDIN_FILENO, &q.win);
	} else {
		for (int fd = 0; fd < 3; fd++) {
			fds[n] = terminal_private_fd(fd,
						     fd ? O_WRONLY : O_RDONLY);
			if (fds[n] < 0)
				continue;
			q.stdio |= 1u << fd;
			n++;
		}
	}
	if (manage_send(sock, &q, fds, n) < 0)
		err_set(e, errno, "asking the VM");
	for (size_t i = 0; i < n; i++)
		own_close(&fds[i]);
	return e->msg[0] ? -1 : 0;
}

static int watch_signals(void)
{
	static const int wanted[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT,
				     SIGWINCH};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		sigaddset(&set, wanted[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void forward(int sock, int signals)
{
	struct manage_record q = {.version = MANAGE_VERSION};
	struct signalfd_siginfo si;

	if (read(signals, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;
	q.kind = si.ssi_signo == SIGWINCH ? MANAGE_WINSIZE : MANAGE_SIGNAL;
	q.value = si.ssi_signo;
	terminal_size(STDIN_FILENO, &q.win);
	manage_send(sock, &q, NULL, 0);
}

static int ended(const struct manage_record *r, struct err *e)
{
	struct outcome o = {OUTCOME_SETUP, (int)(r->value & 255)};

	switch ((enum ctl_exit)r->exit) {
	case CTL_EXIT_CODE:
		o.kind = OUTCOME_EXIT;
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
static int serve(int sock, int signals, struct err *e)
{
	struct pollfd p[2] = {{.fd = sock, .events = POLLIN},
			      {.fd = signals, .events = POLLIN}};
	struct manage_record r;
	int got;

	for (;;) {
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents)
			forward(sock, signals);
		if (!p[0].revents)
			continue;
		got = manage_recv(sock, &r, NULL, NULL, e);
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
	bool tty = x->tty == TTY_YES ||
		   (x->tty == TTY_AUTO && isatty(0) && isatty(1) && isatty(2));
	const struct state_run *r;
	own_fd sock = -1;
	own_fd signals = -1;
	struct vms v;
	int status;

	if (tty && !isatty(STDIN_FILENO)) {
		err_set(e, 0, "-t: standard input is not a terminal");
		return 125;
	}
	if (vms_open(&v, e) < 0)
		return 125;
	r = vms_find(&v, vm, e);
	sock = r ? manage_connect(v.facts.runtime, r->id.run, e) : -1;
	vms_close(&v);
	if (sock < 0)
		return 125;
	signals = watch_signals();
	if (send_exec(sock, x, argv, tty, e) < 0)
		return 125;
	if (tty && terminal_raw(STDIN_FILENO, e) < 0)
		return 125;
	status = serve(sock, signals, e);
	terminal_restore();
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
		char **rest = argv + 1 + used;

		if (rest[0] && rest[1] && !strcmp(rest[1], "--"))
			status = rest[2] ? run_exec(&x, rest[0], rest + 2, &e)
					 : 125;
		else if (rest[0] && rest[1])
			status = run_exec(&x, rest[0], rest + 1, &e);
		if (status == 125 && !e.msg[0]) {
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
