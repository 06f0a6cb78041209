/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding or starting the service of a network, and a port in it.  Part of
 * vmrun, the person's own authority. */
#include "host/net/netjoin.h"

#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/net/netaddr.h"
#include "host/plan/plan.h"
#include "host/vm/stagespawn.h"
#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A service that does not answer in this time has hung. */
#define ANSWER_MS 60000
/* One that ends just now is met, and then the next one, and bad luck. */
#define TRIES 5

struct starter {
	const struct netjoin *j;
	char *program;
	char vmrun[PATH_MAX];
	int report, lock;
};

/* Who am I now: a child of vmrun that ends at once, so that the service is
 * nobody's child but init's. */
static int start_child(void *arg, struct err *e)
{
	const struct starter *s = arg;
	const struct proc_fd fds[] = {{s->report, NET_FD_REPORT},
				      {s->lock, NET_FD_LOCK}};
	char *argv[] = {s->program, (char *)(uintptr_t)s->j->name,
			(char *)(uintptr_t)s->vmrun, NULL};
	const struct proc_spec spec = {.path = s->program,
				       .argv = argv,
				       .envp = environ,
				       .fds = fds,
				       .n_fds = 2};
	struct child c = CHILD_NONE;

	return proc_spawn(&spec, &c, e);
}

/* Its answer: nothing, and the end of the pipe; or why not. */
static int wait_report(int report, struct err *e)
{
	struct pollfd p = {.fd = report, .events = POLLIN};
	struct err said = ERR_INIT;
	ssize_t n;

	if (poll(&p, 1, ANSWER_MS) <= 0)
		return err_set(e, ETIMEDOUT, "vmrun-net");
	n = io_read_full(report, &said, sizeof(said));
	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(said))
		return err_set(e, 0, "vmrun-net ended while it started");
	said.msg[sizeof(said.msg) - 1] = said.hint[sizeof(said.hint) - 1] = 0;
	*e = said;
	return -1;
}

/* Holding the lock, so that it is the only one. */
static int start_service(const struct netjoin *j, int lock, struct err *e)
{
	struct starter s = {.j = j, .lock = lock};
	const struct proc_spec spec = {.child = start_child, .arg = &s};
	own_free char *program = NULL;
	own_fd ours = -1;
	int two[2];
	ssize_t n = readlink("/proc/self/exe", s.vmrun, sizeof(s.vmrun) - 1);
	int r;

	if (n < 0)
		return err_set(e, errno, "finding vmrun");
	if (stage_program("vmrun-net", &program, e) < 0)
		return -1;
	s.program = program;
	if (pipe2(two, O_CLOEXEC) < 0)
		return err_set(e, errno, "making a pipe");
	ours = two[0];
	s.report = two[1];
	r = proc_run(&spec, e);
	own_close(&s.report);
	return r < 0 ? -1 : wait_report(ours, e);
}

static int find_service(struct netjoin *j, struct err *e)
{
	own_fd lock = -1;

	j->conn = net_connect(j->dir);
	if (j->conn >= 0)
		return 0;
	lock = net_lock(j->dir, e);
	if (lock < 0)
		return -1;
	j->conn = net_connect(j->dir);
	if (j->conn >= 0)
		return 0;
	if (start_service(j, lock, e) < 0)
		return -1;
	j->conn = net_connect(j->dir);
	return j->conn < 0 ? err_set(e, errno, "reaching vmrun-net") : 0;
}

/* 1: the port is there; 0: the service has just ended; -1 and e. */
static int ask(struct netjoin *j, struct err *e)
{
	struct net_record r = {
		.version = NET_VERSION, .kind = NET_ATTACH, .value = j->host};
	struct pollfd p = {.fd = j->conn, .events = POLLIN};
	own_fd none = -1;
	int got;

	if (net_send(j->conn, &r, j->port) < 0)
		return 0;
	if (poll(&p, 1, ANSWER_MS) <= 0)
		return err_set(e, ETIMEDOUT, "vmrun-net");
	got = net_recv(j->conn, &r, &none, e);
	if (got <= 0)
		return got;
	if (r.kind == NET_FAILED) {
		err_set(e, 0, "%s", r.text);
		return r.hint[0] ? err_hint(e, "%s", r.hint) : -1;
	}
	if (r.kind != NET_PORT || r.value < NET_HOST_FIRST ||
	    r.value > NET_HOST_LAST || (j->host && r.value != j->host))
		return err_set(e, EPROTO, "vmrun-net");
	j->host = r.value;
	return 1;
}

int netjoin_again(struct netjoin *j, struct err *e)
{
	own_close(&j->conn);
	for (int i = 0; i < TRIES; i++) {
		int r = find_service(j, e);

		if (r == 0)
			r = ask(j, e);
		if (r > 0)
			return 0;
		own_close(&j->conn);
		if (r < 0)
			return err_wrap(e, "--net %s", j->name);
	}
	return err_set(e, 0, "--net %s: its service does not stay", j->name);
}

int netjoin_open(struct netjoin *j, const struct facts *f, const char *name,
		 struct nic *n, struct err *e)
{
	*j = (struct netjoin)NETJOIN_NONE;
	j->facts = f;
	j->name = name;
	j->dir = net_dir(f->runtime, name, e);
	if (j->dir < 0 ||
	    stage_pair(SOCK_SEQPACKET, &j->card, &j->port, e) < 0 ||
	    netjoin_again(j, e) < 0) {
		netjoin_close(j);
		return -1;
	}
	netaddr_client(j->host, n);
	return 0;
}

void netjoin_close(struct netjoin *j)
{
	own_close(&j->dir);
	own_close(&j->card);
	own_close(&j->port);
	own_close(&j->conn);
}
