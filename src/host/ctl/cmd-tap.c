/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vmrunctl net tap: a TAP in a user and network namespace of its own.
 *
 * Either COMMAND runs here and has the TAP as a descriptor, while a process
 * that does nothing keeps a place in the namespace for nsenter(1); or COMMAND
 * runs inside, and the TAP is lent to whoever of the same person connects to a
 * socket.
 */
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/own.h"
#include "host/ctl/cmd.h"
#include "host/net/tap.h"
#include "host/text.h"
#include "proc/inherit.h"
#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TAP_FD 3 /* of COMMAND, without --fd */

struct tap_options {
	struct tap_spec tap;
	char **ips;
	int fd;		    /* --fd */
	int from;	    /* --from; -1: none */
	const char *listen; /* borrowed, or NULL */
	char **argv;	    /* borrowed; empty: no command */
};

/* What comes from the namespace, beside the TAP. */
struct tap_news {
	pid_t pid;
	struct err e; /* with a message: there is no TAP */
};

/* ---- options ---- */

static int set_name(void *ctx, const struct opt *o, const char *value,
		    struct err *e)
{
	struct tap_options *x = ctx;

	(void)o;
	if (!tap_is_name(value))
		return err_set(e, 0, "that is no name of an interface");
	x->tap.name = value;
	return 0;
}

static int set_ip(void *ctx, const struct opt *o, const char *value,
		  struct err *e)
{
	struct tap_options *x = ctx;
	bool is6 = strchr(value, ':') != NULL;

	(void)o;
	if (!tap_is_address(value))
		return err_set(e, 0,
			       "not an address and the length of its "
			       "network's prefix, such as 10.0.0.1/24");
	for (char **ip = x->ips; ip && *ip; ip++)
		if ((strchr(*ip, ':') != NULL) == is6)
			return err_set(e, 0, "two addresses for IPv%d",
				       is6 ? 6 : 4);
	return text_add(&x->ips, value, e);
}

static int set_vnet_hdr(void *ctx, const struct opt *o, const char *value,
			struct err *e)
{
	struct tap_options *x = ctx;

	(void)o;
	(void)value;
	(void)e;
	x->tap.vnet_hdr = true;
	return 0;
}

static int set_fd(void *ctx, const struct opt *o, const char *value,
		  struct err *e)
{
	struct tap_options *x = ctx;
	uint64_t fd;

	(void)o;
	if (text_number(value, 1023, &fd) || fd < 3)
		return err_set(e, 0, "a descriptor from 3 to 1023 is wanted");
	x->fd = (int)fd;
	return 0;
}

static int set_from(void *ctx, const struct opt *o, const char *value,
		    struct err *e)
{
	struct tap_options *x = ctx;
	uint64_t fd;

	(void)o;
	if (text_number(value, 1023, &fd))
		return err_set(e, 0, "a descriptor is wanted");
	x->from = (int)fd;
	if (tap_check(x->from, e) < 0)
		return -1;
	fcntl(x->from, F_SETFD, FD_CLOEXEC);
	return 0;
}

static int set_listen(void *ctx, const struct opt *o, const char *value,
		      struct err *e)
{
	struct tap_options *x = ctx;

	(void)o;
	if (!*value)
		return err_set(e, 0, "a path is wanted");
	x->listen = value;
	return 0;
}

static const struct opt table[] = {
	{.name = "name", .arg = "NAME", .set = set_name},
	{.name = "ip", .arg = "IP/PREFIX", .times = OPT_REPEAT, .set = set_ip},
	{.name = "vnet-hdr", .set = set_vnet_hdr},
	{.name = "fd", .arg = "N", .set = set_fd},
	{.name = "listen", .arg = "PATH", .set = set_listen},
	{.name = "from", .arg = "N", .set = set_from},
	{.name = NULL},
};

static int usage(void)
{
	log_error("hint: usage: vmrunctl net tap [--name NAME] [--ip "
		  "IP/PREFIX] [--vnet-hdr] [--fd N | --listen PATH] -- COMMAND "
		  "[ARG...]");
	log_error("hint: or: vmrunctl net tap --from N --listen PATH");
	return 125;
}

static int check(const struct tap_options *x, struct err *e)
{
	if (x->from >= 0 && !x->listen)
		return err_set(e, 0,
			       "--from is for --listen (vmrun takes a TAP by "
			       "--nic)");
	if (x->from >= 0 && (x->ips || x->tap.vnet_hdr || *x->argv))
		return err_set(e, 0,
			       "--from is of a TAP that is there: no address "
			       "and no command go with it");
	if (x->listen && x->fd)
		return err_set(e, 0, "either --fd or --listen");
	if (x->from < 0 && !*x->argv)
		return err_set(e, 0, "a command is missing");
	return 0;
}

/* ---- inside of the namespace ---- */

struct inside {
	const struct tap_options *x;
	int sock;  /* to who waits for the TAP */
	int until; /* pidfd: the end of that is the end */
};

static int tell(const struct inside *in, struct err *e)
{
	struct tap_news news = {.pid = getpid(), .e = ERR_INIT};
	own_fd tap = tap_make(&in->x->tap, e);

	if (tap < 0)
		news.e = *e;
	if (io_send(in->sock, &news, sizeof(news), &tap, tap >= 0) < 0)
		return err_set(e, errno, "handing over the TAP");
	return tap < 0 ? -1 : 0;
}

/* Who am I now: root of the namespace, waiting for COMMAND's end. */
static int hold(void *arg, struct err *e)
{
	struct inside *in = arg;
	struct pollfd p = {.events = POLLIN};

	if (tell(in, e) < 0)
		return -1;
	/* What it inherited would keep pipes open. */
	p.fd = dup2(in->until, 0);
	if (p.fd < 0 || syscall(SYS_close_range, 1u, ~0u, 0) < 0 ||
	    chdir("/") < 0)
		return -1;
	setsid();
	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		;
	return 0;
}

static int become(const struct tap_options *x)
{
	setenv("VMRUN_TAP", x->tap.name, 1);
	execvp(x->argv[0], x->argv);
	log_error("net: %s: %s", x->argv[0], strerror(errno));
	return errno == ENOENT ? 127 : 126;
}

/* Who am I now: root of the namespace, COMMAND to be. */
static int enter(void *arg, struct err *e)
{
	const struct inside *in = arg;

	if (tell(in, e) < 0)
		return -1;
	_exit(become(in->x));
}

/* ---- outside ---- */

static int make_pair(int *ours, int *theirs, struct err *e)
{
	int two[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, two) < 0)
		return err_set(e, errno, "a pair of sockets");
	*ours = two[0];
	*theirs = two[1];
	return 0;
}

static int start_inside(struct inside *in, int (*child)(void *, struct err *),
			struct child *c, struct err *e)
{
	const struct proc_spec s = {.clone_flags = CLONE_NEWUSER | CLONE_NEWNET,
				    .parent = proc_map_root,
				    .child = child,
				    .arg = in};

	if (proc_start(&s, c, e) == 0)
		return 0;
	return err_wrap(e, "a user and network namespace");
}

/* The holder is nobody's child: COMMAND waits for its own only. */
static int start_holder(void *arg, struct err *e)
{
	struct child c = CHILD_NONE;

	return start_inside(arg, hold, &c, e);
}

/* The TAP; the caller's. */
static int wait_tap(int sock, struct tap_news *news, struct err *e)
{
	own_fd tap = -1;
	size_t n = 1;
	ssize_t got = io_recv(sock, news, sizeof(*news), &tap, &n);

	if (!n)
		tap = -1;
	if (got != (ssize_t)sizeof(*news))
		return err_set(e, 0, "its namespace is gone");
	if (tap < 0) {
		*e = news->e;
		return -1;
	}
	return steal_fd(&tap);
}

/* COMMAND with the TAP: instead of us. */
static int run_with_fd(const struct tap_options *x, struct err *e)
{
	struct inside in = {.x = x, .sock = -1, .until = -1};
	const struct proc_spec s = {.child = start_holder, .arg = &in};
	int want = x->fd ? x->fd : TAP_FD;
	own_fd ours = -1, tap = -1;
	struct tap_news news;
	char pid[16];
	int r;

	in.until = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (in.until < 0 || make_pair(&ours, &in.sock, e) < 0)
		return err_set(e, errno, "making a TAP");
	r = proc_run(&s, e);
	own_close(&in.sock);
	own_close(&in.until);
	tap = r < 0 ? -1 : wait_tap(ours, &news, e);
	if (tap < 0)
		return -1;
	if (tap == want ? fcntl(tap, F_SETFD, 0) < 0 : dup2(tap, want) < 0)
		return err_set(e, errno, "descriptor %d", want);
	if (tap == want)
		steal_fd(&tap);
	snprintf(pid, sizeof(pid), "%d", (int)news.pid);
	setenv("VMRUN_TAP_PID", pid, 1);
	return become(x);
}

static int watch_signals(void)
{
	sigset_t set;

	proc_asked_by(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* One loan at a time, until COMMAND ends, or a signal where there is none. */
static void lend(int listener, int tap, int signals, const struct child *c)
{
	own_fd loan = -1;

	for (;;) {
		struct signalfd_siginfo si;
		char unread[64];
		struct pollfd p[] = {
			{.fd = loan < 0 ? listener : loan, .events = POLLIN},
			{.fd = c->pidfd, .events = POLLIN},
			{.fd = signals, .events = POLLIN},
		};

		if (poll(p, 3, -1) < 0)
			continue;
		if (p[1].revents)
			return;
		if (read(signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
			if (c->pid <= 0)
				return;
			kill(c->pid, (int)si.ssi_signo);
		}
		if (!p[0].revents)
			continue;
		if (loan < 0)
			loan = tap_lend(listener, tap);
		else if (read(loan, unread, sizeof(unread)) <= 0)
			own_close(&loan);
	}
}

static int run_lender(const struct tap_options *x, struct err *e)
{
	own_fd listener = tap_listen(x->listen, e);
	own_fd ours = -1, signals = watch_signals();
	own_fd tap = x->from < 0 ? -1 : fcntl(x->from, F_DUPFD_CLOEXEC, 3);
	struct inside in = {.x = x, .sock = -1, .until = -1};
	struct child c = CHILD_NONE;
	struct tap_news news;
	int status = 0;

	if (listener < 0)
		return -1;
	if (x->from < 0 && make_pair(&ours, &in.sock, e) == 0 &&
	    start_inside(&in, enter, &c, e) == 0) {
		own_close(&in.sock);
		tap = wait_tap(ours, &news, e);
	}
	own_close(&in.sock);
	if (tap >= 0)
		lend(listener, tap, signals, &c);
	unlink(x->listen);
	if (tap < 0)
		child_kill(&c);
	else if (c.pid)
		status = child_wait(&c);
	if (tap < 0)
		return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

int cmd_net_tap(int argc, char **argv)
{
	struct tap_options x = {.tap = {.name = "tap0"}, .from = -1};
	struct err e = ERR_INIT;
	int used = 0, r;

	(void)argc;
	r = opt_parse(table, argv + 1, &x, &used, &e);
	x.tap.ips = x.ips;
	x.argv = argv + 1 + used;
	if (r == 0)
		r = check(&x, &e);
	if (r < 0) {
		err_wrap(&e, "net tap");
		log_err(LOG_LEVEL_ERR, &e);
		strv_free(x.ips);
		return usage();
	}
	r = x.listen ? run_lender(&x, &e) : run_with_fd(&x, &e);
	strv_free(x.ips);
	if (r >= 0)
		return r;
	err_wrap(&e, "net tap");
	log_err(LOG_LEVEL_ERR, &e);
	return 125;
}
