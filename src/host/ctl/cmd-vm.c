/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmrunctl stop, kill, logs, console, wayland: verbs about one running VM. */
#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "host/ctl/cmd-vms.h"
#include "host/ctl/cmd.h"
#include "host/ctl/signame.h"
#include "host/live/manage.h"
#include "host/live/quote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* Of a busy machine, too. */
#define PATIENCE_MS 10000

static int fail(const struct err *e)
{
	log_err(LOG_LEVEL_ERR, e);
	return 125;
}

static int usage(const char *text)
{
	log_error("hint: usage: vmrunctl %s", text);
	return 125;
}

/* Finds the VM and connects; the caller owns *sock and closes v. */
static int reach(const char *name, struct vms *v, int *sock, int64_t *run,
		 struct err *e)
{
	const struct state_run *r;

	if (vms_open(v, e) < 0)
		return -1;
	r = vms_find(v, name, e);
	if (!r) {
		vms_close(v);
		return -1;
	}
	*run = r->id.run;
	*sock = manage_connect(v->facts.runtime, r->id.run, e);
	if (*sock < 0) {
		vms_close(v);
		return -1;
	}
	return 0;
}

static int request(int sock, const char *name, const struct manage_record *q,
		   struct err *e)
{
	/* EPIPE: it says why it does not listen. */
	if (manage_send(sock, q, NULL, 0) < 0 && errno != EPIPE)
		return err_set(e, errno, "asking VM %s", name);
	return 0;
}

/* As manage_recv(), from a vmrun that may be stopped: then -1 and e. */
static int answer(int sock, const char *name, struct manage_record *q,
		  struct err *e)
{
	struct pollfd p = {.fd = sock, .events = POLLIN};
	struct ucred peer = {0};
	socklen_t n = sizeof(peer);

	if (poll(&p, 1, PATIENCE_MS) != 0)
		return manage_recv(sock, q, NULL, NULL, e);
	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
		return err_set(e, errno, "asking VM %s", name);
	err_set(e, 0, "VM %s: its vmrun, process %d, does not answer", name,
		(int)peer.pid);
	return err_hint(e,
			"if it is stopped (^Z), `kill -CONT %d` lets it "
			"go on",
			(int)peer.pid);
}

static int ask(const char *name, enum manage_kind kind, uint32_t value)
{
	struct manage_record q = {
		.version = MANAGE_VERSION, .kind = kind, .value = value};
	struct err e = ERR_INIT;
	own_fd sock = -1;
	struct vms v;
	int64_t run;
	int r;

	if (reach(name, &v, &sock, &run, &e) < 0)
		return fail(&e);
	vms_close(&v);
	if (request(sock, name, &q, &e) < 0)
		return fail(&e);
	r = answer(sock, name, &q, &e);
	if (r < 0)
		return fail(&e);
	if (r > 0 && q.kind == MANAGE_FAILED) {
		err_set(&e, 0, "%s", q.text);
		return fail(&e);
	}
	return 0;
}

int cmd_stop(int argc, char **argv)
{
	const char *word = NULL;
	int signo = SIGTERM;

	if (argc > 2 && !strcmp(argv[1], "--signal")) {
		word = argv[2];
		argv += 2;
		argc -= 2;
	} else if (argc > 1 && !strncmp(argv[1], "--signal=", 9)) {
		word = argv[1] + 9;
		argv++;
		argc--;
	}
	if (word && (signo = signame_parse(word)) < 0) {
		log_error("stop: no such signal: %s", word);
		return usage("stop [--signal N] VM");
	}
	if (argc != 2 || argv[1][0] == '-') {
		log_error("stop: which VM?");
		return usage("stop [--signal N] VM");
	}
	return ask(argv[1], MANAGE_STOP, (uint32_t)signo);
}

int cmd_kill(int argc, char **argv)
{
	if (argc != 2 || argv[1][0] == '-') {
		log_error("kill: which VM?");
		return usage("kill VM");
	}
	return ask(argv[1], MANAGE_KILL, 0);
}

int cmd_wayland(int argc, char **argv)
{
	struct manage_record q = {.version = MANAGE_VERSION,
				  .kind = MANAGE_WINDOWS};
	struct err e = ERR_INIT;
	own_fd sock = -1;
	struct vms v;
	int64_t run;
	int r;

	if (argc != 2 || argv[1][0] == '-') {
		log_error("wayland: which VM?");
		return usage("wayland VM");
	}
	if (reach(argv[1], &v, &sock, &run, &e) < 0)
		return fail(&e);
	vms_close(&v);
	if (request(sock, argv[1], &q, &e) < 0)
		return fail(&e);
	printf("%-44s %7s %10s\n", "GLOBAL", "OFFERED", "COMPOSITOR");
	while ((r = answer(sock, argv[1], &q, &e)) > 0 && q.kind == MANAGE_ROW)
		puts(q.text);
	if (r == 0) {
		err_set(&e, 0, "the answer of %s is cut short", argv[1]);
		r = err_hint(&e, "ask again");
	}
	if (r > 0 && q.kind == MANAGE_FAILED)
		r = err_set(&e, 0, "%s", q.text);
	return r < 0 ? fail(&e) : 0;
}

static int open_ring(const char *runtime, int64_t run, const char *name,
		     struct err *e)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%lld/%s", runtime, (long long)run,
		 name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		err_set(e, errno, "%s", path);
	return fd;
}

int cmd_logs(int argc, char **argv)
{
	struct err e = ERR_INIT;
	own_fd sock = -1;
	own_fd console = -1;
	own_fd log = -1;
	uint64_t from = 0;
	struct vms v;
	int64_t run;

	if (argc != 2 || argv[1][0] == '-') {
		log_error("logs: which VM?");
		return usage("logs VM");
	}
	if (reach(argv[1], &v, &sock, &run, &e) < 0)
		return fail(&e);
	console = open_ring(v.facts.runtime, run, "console", &e);
	log = open_ring(v.facts.runtime, run, "log", &e);
	vms_close(&v);
	if (console < 0 || log < 0)
		return fail(&e);
	if (quote_ring(log, &from, "helpers: ", 1, stdout) < 0)
		return 1;
	from = 0;
	return quote_ring(console, &from, "console: ", 1, stdout) < 0;
}

/*
 * The ring has no way to tell that it grew, so it is looked at a few times a
 * second; the end of the VM is the end of its control socket.
 */
int cmd_console(int argc, char **argv)
{
	struct err e = ERR_INIT;
	own_fd sock = -1;
	own_fd ring = -1;
	struct pollfd p = {.events = POLLIN};
	uint64_t from = 0;
	struct vms v;
	int64_t run;

	if (argc != 2 || argv[1][0] == '-') {
		log_error("console: which VM?");
		return usage("console VM");
	}
	if (reach(argv[1], &v, &sock, &run, &e) < 0)
		return fail(&e);
	ring = open_ring(v.facts.runtime, run, "console", &e);
	vms_close(&v);
	if (ring < 0)
		return fail(&e);
	p.fd = sock;
	do {
		if (quote_ring(ring, &from, "", 0, stdout) < 0)
			return 1;
	} while (poll(&p, 1, 200) == 0);
	return quote_ring(ring, &from, "", 1, stdout) < 0;
}
