/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding or starting the service of a network, and a port in it.  Part of
 * vmrun, the person's own authority. */
#include "host/net/netjoin.h"

#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/own.h"
#include "host/net/netaddr.h"
#include "host/net/netconf.h"
#include "host/plan/plan.h"
#include "host/vm/stagespawn.h"
#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A service that does not answer in this time has hung. */
#define ANSWER_MS 60000
/* Of a loop that has more to do; what was started goes on starting. */
#define RETRY_MS 5000
/* Of a person, who can end it. */
#define SLOW_MS 10000
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
	char *argv[] = {s->program, (char *)(uintptr_t)s->j->spec.name,
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
static int wait_report(const struct netjoin *j, int report, bool patient,
		       struct err *e)
{
	/* As long as it lives: a home may have to be looked through. */
	const int most = j->spec.vmrun ? ANSWER_MS : -1;
	struct pollfd p = {.fd = report, .events = POLLIN};
	struct err said = ERR_INIT;
	ssize_t n;

	if (poll(&p, 1, patient ? SLOW_MS : RETRY_MS) <= 0) {
		if (!patient)
			return err_set(e, EAGAIN, "vmrun-net");
		log_warn("waiting for the network's service, which starts");
		if (poll(&p, 1, most) <= 0)
			return err_set(e, ETIMEDOUT, "vmrun-net");
	}
	n = io_read_full(report, &said, sizeof(said));
	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(said))
		return err_set(e, 0, "vmrun-net ended while it started");
	said.msg[sizeof(said.msg) - 1] = said.hint[sizeof(said.hint) - 1] = 0;
	*e = said;
	e->code = 0; /* EAGAIN is ours to say */
	return -1;
}

static int find_vmrun(struct starter *s, struct err *e)
{
	static const char gone[] = " (deleted)";
	ssize_t n, end;

	if (s->j->spec.vmrun) {
		snprintf(s->vmrun, sizeof(s->vmrun), "%s", s->j->spec.vmrun);
		return 0;
	}
	n = readlink("/proc/self/exe", s->vmrun, sizeof(s->vmrun) - 1);
	if (n < 0)
		return err_set(e, errno, "finding vmrun");
	/* After an upgrade there is another one. */
	end = n - (ssize_t)strlen(gone);
	if (end > 0 && !strcmp(s->vmrun + end, gone))
		s->vmrun[end] = '\0';
	return 0;
}

/* Holding the lock, so that it is the only one. */
static int start_service(const struct netjoin *j, int lock, bool patient,
			 struct err *e)
{
	struct starter s = {.j = j, .lock = lock};
	const struct proc_spec spec = {.child = start_child, .arg = &s};
	own_free char *program = NULL;
	own_fd ours = -1;
	int two[2];
	int r;

	if (find_vmrun(&s, e) < 0)
		return -1;
	if (stage_program("vmrun-net", &program, e) < 0)
		return -1;
	s.program = program;
	if (pipe2(two, O_CLOEXEC) < 0)
		return err_set(e, errno, "making a pipe");
	ours = two[0];
	s.report = two[1];
	r = proc_run(&spec, e);
	own_close(&s.report);
	return r < 0 ? -1 : wait_report(j, ours, patient, e);
}

/* -1 with EAGAIN in e: a service starts or ends just now, and has the lock. */
static int lock_net(int dir, bool patient, struct err *e)
{
	int lock = patient ? net_lock(dir, e) : net_try_lock(dir);

	if (lock < 0 && !patient)
		err_set(e, errno == EACCES ? EAGAIN : errno,
			"its service starts or ends just now");
	return lock;
}

static int find_service(struct netjoin *j, bool patient, struct err *e)
{
	own_fd lock = -1;

	j->conn = net_connect(j->dir, patient);
	if (j->conn >= 0)
		return 0;
	/* It is there, and many others wait for it: no reason for another. */
	if (errno == EAGAIN)
		return err_set(e, EAGAIN, "reaching vmrun-net");
	lock = lock_net(j->dir, patient, e);
	if (lock < 0)
		return -1;
	j->conn = net_connect(j->dir, patient);
	if (j->conn >= 0)
		return 0;
	if (start_service(j, lock, patient, e) < 0)
		return -1;
	j->conn = net_connect(j->dir, patient);
	return j->conn < 0 ? err_set(e, errno, "reaching vmrun-net") : 0;
}

static int address_is_lost(const char *text, struct err *e)
{
	err_set(e, 0, "%s", text);
	e->code = EADDRNOTAVAIL;
	return -1;
}

/* -1: the service has just ended. */
static int ask(const struct netjoin *j)
{
	struct net_record r = {
		.version = NET_VERSION, .kind = NET_ATTACH, .value = j->host};

	for (; r.n_publish < j->spec.n_publish; r.n_publish++)
		r.publish[r.n_publish] = j->spec.publish[r.n_publish];
	snprintf(r.text, sizeof(r.text), "%s", j->spec.who ? j->spec.who : "");
	return net_send(j->conn, &r, j->port);
}

int netjoin_answer(struct netjoin *j, struct err *e)
{
	struct net_record r;
	own_fd none = -1;
	int got;

	got = net_recv(j->conn, &r, &none, e);
	if (got <= 0)
		return got;
	if (r.kind == NET_FAILED) {
		if (r.value == NET_FAILED_TAKEN)
			address_is_lost(r.text, e);
		else
			err_set(e, 0, "%s", r.text);
		return r.hint[0] ? err_hint(e, "%s", r.hint) : -1;
	}
	if (r.kind != NET_PORT || r.value < NET_HOST_FIRST ||
	    r.value > NET_HOST_LAST)
		return err_set(e, EPROTO, "vmrun-net");
	/* One of before NET_FAILED_TAKEN. */
	if (j->host && r.value != j->host)
		return address_is_lost("its address is another machine's now",
				       e);
	if (!j->host && r.text[0]) {
		log_warn("network %s: %s", j->spec.name, r.text);
		log_warn("hint: vmrunctl net reload %s", j->spec.name);
	}
	j->host = r.value;
	return 1;
}

/* As netjoin_answer(). */
static int ask_and_wait(struct netjoin *j, struct err *e)
{
	struct pollfd p = {.fd = j->conn, .events = POLLIN};

	if (ask(j) < 0)
		return 0;
	if (poll(&p, 1, ANSWER_MS) <= 0)
		return err_set(e, ETIMEDOUT, "vmrun-net");
	return netjoin_answer(j, e);
}

/* What a person asked for: --net, or a line of a file. */
static const char *option(const struct netjoin *j)
{
	return netconf_is_vm(j->spec.name) ? "" : "--net ";
}

int netjoin_again(struct netjoin *j, struct err *e)
{
	own_close(&j->conn);
	for (int i = 0; i < TRIES; i++) {
		int r = find_service(j, true, e);

		if (r == 0)
			r = ask_and_wait(j, e);
		if (r > 0)
			return 0;
		own_close(&j->conn);
		if (r < 0)
			return err_wrap(e, "%s%s", option(j), j->spec.name);
	}
	return err_set(e, 0, "%s%s: its service does not stay", option(j),
		       j->spec.name);
}

int netjoin_retry(struct netjoin *j, struct err *e)
{
	own_close(&j->conn);
	if (find_service(j, false, e) == 0) {
		if (ask(j) == 0)
			return 0;
		err_set(e, EAGAIN, "its service has just ended");
	}
	own_close(&j->conn);
	return err_wrap(e, "%s%s", option(j), j->spec.name);
}

int netjoin_open(struct netjoin *j, const struct netjoin_spec *spec,
		 struct nic *n, struct err *e)
{
	*j = (struct netjoin)NETJOIN_NONE;
	j->spec = *spec;
	j->dir = net_dir(spec->facts->runtime, spec->name, e);
	if (j->dir >= 0)
		net_belong(j->dir, true);
	if (j->dir < 0 ||
	    stage_pair(SOCK_SEQPACKET, &j->card, &j->port, e) < 0 ||
	    netjoin_again(j, e) < 0) {
		netjoin_close(j);
		return -1;
	}
	netaddr_client(netconf_is_vm(spec->name) ? NET_OF_NET_VM
						 : NET_OF_FIREWALL,
		       j->host, n);
	return 0;
}

void netjoin_close(struct netjoin *j)
{
	own_close(&j->dir);
	own_close(&j->card);
	own_close(&j->port);
	own_close(&j->conn);
}
