/* SPDX-License-Identifier: GPL-3.0-or-later */
/* VMs of a network's service.  Part of vmrun-net, the person's own
 * authority. */
#include "host/net/netguest.h"

#include "base/err.h"
#include "base/json.h"
#include "base/own.h"
#include "host/net/helper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define JSON_MAX 65536u

void netguest_init(struct netguest *g, const char *what, const char *who)
{
	memset(g, 0, sizeof(*g));
	g->what = what;
	g->says.who = who;
	g->vm = (struct child)CHILD_NONE;
	g->status = g->said = -1;
	buf_init(&g->json, JSON_MAX);
}

/* Who am I now: the vmrun to be. */
static int vm_side(void *arg, struct err *e)
{
	const pid_t *service = arg;

	/* It cleans up and ends if the service dies. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		return err_set(e, errno, "tying a VM to its service");
	if (getppid() != *service)
		return err_set(e, ECANCELED, "the service is gone");
	return 0;
}

static int spawn(struct netguest *g, const struct netguest_spec *s, int status,
		 int said, struct err *e)
{
	const struct proc_fd table[] = {
		{s->rules, NETGUEST_FD_RULES}, {s->inner, NETGUEST_FD_INNER},
		{status, NETGUEST_FD_STATUS},  {said, STDERR_FILENO},
		{s->outer, NETGUEST_FD_OUTER}, /* last: there may be none */
	};
	const size_t n_fds = sizeof(table) / sizeof(*table);
	char *argv[] = {"vmrun",
			"--alias",
			g->alias,
			"--firewall",
			"3",
			"--nic",
			(char *)(uintptr_t)s->inner_card,
			"--nic",
			(char *)(uintptr_t)s->outer_card,
			"--json-status-fd",
			"6",
			NULL};
	pid_t self = getpid();
	const struct proc_spec p = {
		.path = s->vmrun,
		.argv = argv,
		.envp = environ,
		.fds = table,
		.n_fds = s->outer < 0 ? n_fds - 1 : n_fds,
		.child = vm_side,
		.arg = &self,
	};

	return proc_spawn(&p, &g->vm, e);
}

int netguest_start(struct netguest *g, const struct netguest_spec *s,
		   struct err *e)
{
	own_fd status = -1, said = -1;

	g->says.last[0] = '\0';
	g->ready = false;
	g->run = 0;
	if (helper_pipe(&g->status, &status, e) == 0 &&
	    helper_pipe(&g->said, &said, e) == 0 &&
	    spawn(g, s, status, said, e) == 0)
		return 0;
	own_close(&g->status);
	own_close(&g->said);
	return -1;
}

bool netguest_runs(const struct netguest *g)
{
	return g->vm.pid > 0;
}

void netguest_signal(struct netguest *g, int signo)
{
	/* Not reaped yet: the number is its own. */
	if (netguest_runs(g))
		kill(g->vm.pid, signo);
}

static void clear(struct netguest *g)
{
	own_close(&g->status);
	own_close(&g->said);
	buf_clear(&g->json);
	g->ready = false;
	g->run = 0;
}

void netguest_on_end(struct netguest *g, struct netlog *log, char *why,
		     size_t n)
{
	int status = child_wait(&g->vm);

	while (g->said >= 0 && netlog_take(log, &g->says, g->said) == 0 &&
	       poll(&(struct pollfd){.fd = g->said, .events = POLLIN}, 1, 0) >
		       0)
		;
	snprintf(why, n, "the %s ended (%s %d)%s%s", g->what,
		 WIFSIGNALED(status) ? "signal" : "status",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		 *g->says.last ? ": " : "", g->says.last);
	clear(g);
}

void netguest_close(struct netguest *g)
{
	struct pollfd p = {.fd = g->vm.pidfd, .events = POLLIN};

	netguest_signal(g, SIGTERM);
	if (netguest_runs(g)) {
		poll(&p, 1, NETGUEST_END_MS);
		child_kill(&g->vm);
	}
	clear(g);
	buf_free(&g->json);
}

/* One JSON line of its vmrun. */
static void on_line(struct netguest *g, const void *p, size_t n)
{
	struct err e = ERR_INIT;
	struct json *j = json_parse(p, n, &e);
	int64_t run = json_get_int(j, "vm", 0);

	if (run)
		g->run = run;
	if (json_get_bool(j, "ready", false))
		g->ready = true;
	json_free(j);
}

void netguest_on_status(struct netguest *g)
{
	char bytes[1024];
	ssize_t n = read(g->status, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		own_close(&g->status);
		return;
	}
	buf_put(&g->json, bytes, (size_t)n);
	for (;;) {
		const unsigned char *end =
			g->json.len ? memchr(g->json.data, '\n', g->json.len)
				    : NULL;
		size_t len;

		if (!end)
			return;
		len = (size_t)(end - g->json.data);
		on_line(g, g->json.data, len);
		buf_consume(&g->json, len + 1);
	}
}
