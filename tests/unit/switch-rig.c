/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The surroundings of vmrun-switch in a test; see switch-rig.h. */
#include "switch-rig.h"

#include "base/err.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static _Noreturn void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static void spawn(struct rig *r, int fd)
{
	static char path[4096];
	const char *top = getenv("top_builddir");
	char *argv[] = {path, NULL}, *envp[] = {NULL};
	const struct proc_fd fds[] = {{2, 2}, {fd, 3}};
	struct proc_spec spec = {.path = path,
				 .argv = argv,
				 .envp = envp,
				 .fds = fds,
				 .n_fds = 2};
	struct err e = ERR_INIT;

	if (!top)
		top = getcwd(path, sizeof(path));
	if (top != path)
		snprintf(path, sizeof(path), "%s", top);
	strncat(path, "/vmrun-switch", sizeof(path) - strlen(path) - 1);
	if (proc_spawn(&spec, &r->child, &e) < 0) {
		printf("Bail out! %s\n", e.msg);
		exit(1);
	}
}

static void start_program(struct rig *r)
{
	int two[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, two) < 0)
		die("socketpair");
	spawn(r, two[1]);
	close(two[1]);
	r->launcher = two[0];
	memset(r->gone, 0, sizeof(r->gone));
}

void rig_start(struct rig *r, bool bare)
{
	static const unsigned ports[] = {UP, A, B};

	alarm(600);
	signal(SIGPIPE, SIG_IGN);
	memset(r, 0, sizeof(*r));
	for (unsigned i = 0; i < SWITCH_PORTS_MAX; i++)
		r->vm[i] = r->kept[i] = -1;
	start_program(r);
	for (unsigned i = 0; i < 3 && !bare; i++) {
		struct switch_record how =
			rig_record(ports[i], ports[i] == UP ? SWITCH_UPLINK
							    : SWITCH_CLIENT);

		if (rig_attach(r, &how))
			die("attaching");
	}
}

static struct switch_record answer(struct rig *r)
{
	for (;;) {
		struct switch_record a;
		ssize_t n = io_recv(r->launcher, &a, sizeof(a), NULL, NULL);

		if (n <= 0 || !switch_is_event(&a, (size_t)n))
			die("an answer");
		if (a.kind != SWITCH_EV_GONE)
			return a;
		r->gone[a.port] = a;
	}
}

struct switch_record rig_command_n(struct rig *r, const void *p, size_t n,
				   const int *fds, size_t nfds)
{
	if (io_send(r->launcher, p, n, fds, nfds) < 0)
		die("a command");
	return answer(r);
}

void rig_kill(struct rig *r)
{
	child_kill(&r->child);
	close(r->launcher);
	r->launcher = -1;
}

void rig_restart(struct rig *r)
{
	if (r->launcher >= 0)
		rig_kill(r);
	start_program(r);
	for (unsigned i = 0; i < SWITCH_PORTS_MAX; i++) {
		const struct switch_record *how = &r->role[i];

		if (r->kept[i] >= 0 &&
		    rig_command_n(r, how, sizeof(*how), &r->kept[i], 1).kind !=
			    SWITCH_EV_DONE)
			die("attaching again");
	}
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int rig_end(struct rig *r)
{
	for (unsigned i = 0; i < SWITCH_PORTS_MAX; i++) {
		shut(&r->vm[i]);
		shut(&r->kept[i]);
	}
	shut(&r->launcher);
	return child_wait(&r->child);
}

struct switch_record rig_record(unsigned port, enum switch_role role)
{
	struct switch_record r = {.version = SWITCH_VERSION,
				  .kind = SWITCH_CMD_ATTACH,
				  .port = port,
				  .role = role,
				  .mac = {2, 0x76, 0x6d, 0, 0, port}};

	if (role == SWITCH_UPLINK) {
		memcpy(r.mac, mac_up, 6);
		return r;
	}
	memcpy(r.ip4, ip_a, 4);
	memcpy(r.ip6[0], ip6_a, 16);
	memcpy(r.ip6[1], ip6_local, 16);
	r.ip4[3] = (unsigned char)port;
	r.ip6[0][15] = (unsigned char)port;
	r.ip6[1][15] = (unsigned char)port;
	return r;
}

int rig_attach(struct rig *r, const struct switch_record *how)
{
	struct switch_record a;
	int two[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, two) < 0)
		die("socketpair");
	a = rig_command_n(r, how, sizeof(*how), &two[1], 1);
	if (a.kind != SWITCH_EV_DONE) {
		close(two[0]);
		close(two[1]);
		return a.code;
	}
	shut(&r->vm[how->port]);
	shut(&r->kept[how->port]);
	r->vm[how->port] = two[0];
	r->kept[how->port] = two[1];
	r->role[how->port] = *how;
	return 0;
}

int rig_detach(struct rig *r, unsigned port)
{
	struct switch_record c = {.version = SWITCH_VERSION,
				  .kind = SWITCH_CMD_DETACH,
				  .port = port};

	return rig_command_n(r, &c, sizeof(c), NULL, 0).code;
}

struct switch_counters rig_count(struct rig *r, unsigned port)
{
	struct switch_record c = {.version = SWITCH_VERSION,
				  .kind = SWITCH_CMD_COUNT,
				  .port = port};
	struct switch_record a = rig_command_n(r, &c, sizeof(c), NULL, 0);

	if (a.kind != SWITCH_EV_COUNTERS || a.port != port)
		die("counters");
	return a.counters;
}

struct switch_counters rig_gone(struct rig *r, unsigned port)
{
	while (!r->gone[port].kind) {
		struct switch_record a;
		ssize_t n = io_recv(r->launcher, &a, sizeof(a), NULL, NULL);

		if (n <= 0 || !switch_is_event(&a, (size_t)n) ||
		    a.kind != SWITCH_EV_GONE)
			die("waiting for the end of a port");
		r->gone[a.port] = a;
	}
	return r->gone[port].counters;
}

void rig_send(struct rig *r, unsigned port, const struct frame *f)
{
	if (send(r->vm[port], f->b, f->n, 0) != (ssize_t)f->n)
		die("sending a frame");
}

bool rig_try(struct rig *r, unsigned port, const struct frame *f)
{
	if (send(r->vm[port], f->b, f->n, MSG_DONTWAIT) == (ssize_t)f->n)
		return true;
	if (errno != EAGAIN)
		die("sending a frame");
	return false;
}

void rig_receive(struct rig *r, unsigned port, struct frame *f)
{
	ssize_t n = recv(r->vm[port], f->b, sizeof(f->b), 0);

	if (n <= 0)
		die("receiving a frame");
	f->n = (size_t)n;
}

unsigned rig_drain(struct rig *r, unsigned port)
{
	struct frame f;
	unsigned n = 0;

	while (recv(r->vm[port], f.b, sizeof(f.b), MSG_DONTWAIT) > 0)
		n++;
	return n;
}

unsigned rig_sync(struct rig *r, unsigned port)
{
	static struct frame last, got;
	const struct switch_record *how = &r->role[port];
	unsigned n = 0;

	f_ip4(&last, mac_up, how->mac, how->ip4, 4);
	memcpy(last.b + last.n - 4, "last", 4);
	rig_send(r, port, &last);
	for (;; n++) {
		rig_receive(r, UP, &got);
		if (got.n == last.n && !memcmp(got.b, last.b, last.n))
			return n;
	}
}

unsigned long long rig_status(const struct rig *r, const char *field, int base)
{
	size_t n = strlen(field);
	char line[256], path[64];
	unsigned long long v = ~0ULL;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)r->child.pid);
	f = fopen(path, "re");
	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, field, n) && line[n] == ':')
			v = strtoull(line + n + 1, NULL, base);
	fclose(f);
	return v;
}
