/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Firewall VM and passt.  Part of vmrun-net, the person's own authority. */
#include "host/net/uplink.h"

#include "base/err.h"
#include "base/io.h"
#include "base/json.h"
#include "base/own.h"
#include "host/net/netaddr.h"
#include "host/net/passt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define JSON_MAX 65536u

/* Descriptors of the firewall VM's vmrun. */
enum { VM_FD_RULES = 3, VM_FD_INNER, VM_FD_OUTER, VM_FD_STATUS };

void uplink_init(struct uplink *u, const char *network)
{
	memset(u, 0, sizeof(*u));
	u->passt = (struct helper)HELPER_NONE;
	u->vm = (struct child)CHILD_NONE;
	u->status = u->said = -1;
	buf_init(&u->json, JSON_MAX);
	u->passt_says.who = "passt";
	u->vm_says.who = "firewall";
	snprintf(u->passt_alias, sizeof(u->passt_alias), "vmrun-net-%s-passt",
		 network);
	snprintf(u->vm_alias, sizeof(u->vm_alias), "vmrun-net-%s-firewall",
		 network);
	snprintf(u->why, sizeof(u->why), "it has not been started yet");
}

int uplink_rules(const struct uplink *u, struct err *e)
{
	const struct ruleset_net net = {
		.inner = "inner",
		.outer = "outer",
		.clients4 = NET_CLIENTS4,
		.clients6 = NET_CLIENTS6,
		.gateway4 = NET_GATEWAY4,
		.gateway6 = NET_GATEWAY6,
		.resolver4 = u->host.has4 ? NET_RESOLVER4 : NULL,
		.host_addrs4 = (const char *const *)u->host.addrs4,
		.host_addrs6 = (const char *const *)u->host.addrs6,
	};
	struct buf b;
	size_t first;
	int fd;

	buf_init(&b, RULESET_INPUT_MAX);
	ruleset_compose(u->rules, &net, &b, &first);
	fd = b.bad ? err_set(e, E2BIG, "the ruleset")
		   : io_memfd("rules", b.data, b.len, e);
	buf_free(&b);
	return fd;
}

/* Who am I now: the firewall VM's vmrun to be. */
static int vm_side(void *arg, struct err *e)
{
	const pid_t *service = arg;

	/* It cleans up and ends if the service dies. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		return err_set(e, errno,
			       "tying the firewall VM to its service");
	if (getppid() != *service)
		return err_set(e, ECANCELED, "the service is gone");
	return 0;
}

static int spawn_vm(struct uplink *u, const int fds[4], int said, struct err *e)
{
	const struct proc_fd table[] = {
		{fds[0], VM_FD_RULES}, {fds[1], VM_FD_INNER},
		{fds[2], VM_FD_OUTER}, {fds[3], VM_FD_STATUS},
		{said, STDERR_FILENO},
	};
	char inner[128], outer[256];
	char *argv[] = {"vmrun",     "--alias",
			u->vm_alias, "--firewall",
			"3",	     "--nic",
			inner,	     "--nic",
			outer,	     "--json-status-fd",
			"6",	     NULL};
	pid_t self = getpid();
	struct proc_spec s = {
		.path = u->vmrun,
		.argv = argv,
		.envp = environ,
		.fds = table,
		.n_fds = sizeof(table) / sizeof(*table),
		.child = vm_side,
		.arg = &self,
	};

	snprintf(inner, sizeof(inner),
		 "%d,mac=" NET_INNER_MAC ",ip=" NET_GATEWAY4
		 "/24,ip=" NET_GATEWAY6 "/64",
		 VM_FD_INNER);
	snprintf(outer, sizeof(outer), "%d,mac=" NET_OUTER_MAC "%s%s",
		 VM_FD_OUTER,
		 u->host.has4 ? ",ip=" NET_OUTER4 "/24,gw=" NET_UPLINK4 : "",
		 u->host.has6 ? ",ip=" NET_OUTER6 "/64,gw=" NET_UPLINK6 : "");
	return proc_spawn(&s, &u->vm, e);
}

/* The switch's uplink port and the firewall VM's end of it. */
static int join_segment(struct uplink *u, int *inner, struct err *e)
{
	struct switch_record attach;
	int port;

	if (stage_pair(SOCK_SEQPACKET, inner, &port, e) < 0)
		return -1;
	netaddr_uplink(&attach);
	return segment_attach(u->segment, &attach, port, e);
}

static int start_vm(struct uplink *u, int outer, struct err *e)
{
	own_fd rules = uplink_rules(u, e);
	own_fd inner = -1, status = -1, said = -1;

	if (rules < 0 || join_segment(u, &inner, e) < 0 ||
	    helper_pipe(&u->status, &status, e) < 0 ||
	    helper_pipe(&u->said, &said, e) < 0)
		return -1;
	return spawn_vm(u, (int[]){rules, inner, outer, status}, said, e);
}

/* Nothing runs any more. */
static void clear(struct uplink *u)
{
	segment_detach(u->segment, 0);
	helper_stop(&u->passt, u->home);
	own_close(&u->status);
	own_close(&u->said);
	buf_clear(&u->json);
	hostnet_free(&u->host);
	u->run = 0;
	u->state = UPLINK_OFF;
}

static void set_why(struct uplink *u, const char *text)
{
	snprintf(u->why, sizeof(u->why), "%.*s", (int)sizeof(u->why) - 1, text);
}

int uplink_start(struct uplink *u, struct err *e)
{
	own_fd outer = -1;
	int r = hostnet_look(&u->host, e);

	u->passt_says.last[0] = u->vm_says.last[0] = '\0';
	if (r == 0 && !u->host.has4 && !u->host.has6)
		r = err_set(e, 0, "this machine has no route to anywhere else");
	if (r == 0)
		r = passt_start(&u->passt, u->home, u->passt_alias, &u->host,
				&outer, e);
	if (r == 0)
		r = start_vm(u, outer, e);
	if (r < 0) {
		set_why(u, e->msg);
		clear(u);
		return -1;
	}
	u->state = UPLINK_STARTING;
	set_why(u, "the firewall VM is starting");
	return 0;
}

void uplink_stop(struct uplink *u, const char *why)
{
	switch (u->state) {
	case UPLINK_OFF:
	case UPLINK_STOPPING:
		return;
	case UPLINK_STARTING:
	case UPLINK_UP:
		break;
	}
	set_why(u, why);
	/* No packet from here on, whatever the VM still does. */
	segment_detach(u->segment, 0);
	u->state = UPLINK_STOPPING;
	kill(u->vm.pid, SIGTERM); /* not reaped yet: the number is its own */
}

void uplink_close(struct uplink *u)
{
	struct pollfd p = {.fd = u->vm.pidfd, .events = POLLIN};

	uplink_stop(u, "the network is stopped");
	if (u->vm.pid) {
		poll(&p, 1, UPLINK_END_MS);
		child_kill(&u->vm);
	}
	clear(u);
	buf_free(&u->json);
}

void uplink_on_passt(struct uplink *u)
{
	struct err e = ERR_INIT;
	char why[ERR_MSG_MAX + NETLOG_LINE + 64];

	if (helper_on_ctl(&u->passt, "passt", &e) == 0)
		return;
	/* Its last words may say more. */
	if (netlog_take(u->log, &u->passt_says, u->passt.said) == 0)
		netlog_take(u->log, &u->passt_says, u->passt.said);
	snprintf(why, sizeof(why), "%s%s%s", e.msg,
		 *u->passt_says.last ? ": " : "", u->passt_says.last);
	own_close(&u->passt.ctl);
	uplink_stop(u, why);
}

void uplink_on_vm_end(struct uplink *u)
{
	bool asked = u->state == UPLINK_STOPPING;
	int status = child_wait(&u->vm);
	char why[ERR_MSG_MAX + NETLOG_LINE + 64];

	while (u->said >= 0 && netlog_take(u->log, &u->vm_says, u->said) == 0 &&
	       poll(&(struct pollfd){.fd = u->said, .events = POLLIN}, 1, 0) >
		       0)
		;
	snprintf(why, sizeof(why), "the firewall VM ended (%s %d)%s%s",
		 WIFSIGNALED(status) ? "signal" : "status",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		 *u->vm_says.last ? ": " : "", u->vm_says.last);
	if (!asked)
		set_why(u, why);
	clear(u);
}

/* One JSON line of the firewall VM's vmrun. */
static void on_line(struct uplink *u, const void *p, size_t n)
{
	struct err e = ERR_INIT;
	struct json *j = json_parse(p, n, &e);
	int64_t run = json_get_int(j, "vm", 0);

	if (run)
		u->run = run;
	if (json_get_bool(j, "ready", false) && u->state == UPLINK_STARTING) {
		u->state = UPLINK_UP;
		set_why(u, "");
	}
	json_free(j);
}

void uplink_on_status(struct uplink *u)
{
	char bytes[1024];
	ssize_t n = read(u->status, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		own_close(&u->status);
		return;
	}
	buf_put(&u->json, bytes, (size_t)n);
	for (;;) {
		const unsigned char *end =
			u->json.len ? memchr(u->json.data, '\n', u->json.len)
				    : NULL;
		size_t len;

		if (!end)
			return;
		len = (size_t)(end - u->json.data);
		on_line(u, u->json.data, len);
		buf_consume(&u->json, len + 1);
	}
}
