/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vmrun-mux: joins the guest's port, the person's descriptors and the guest's
 * console.  Runs as the VM's own UID in an empty root, without network.
 *
 * Descriptors at the start; of 5 to 8 any may be missing:
 *
 *     0 1  /dev/null             2  messages (usually /dev/null)
 *     3    vmrun: SOCK_SEQPACKET, records of wire/edge.h
 *     4    the guest's port: SOCK_STREAM to QEMU
 *     5 6  the guest's serial console; its ring file
 *     7 8  standard error of QEMU and virtiofsd; its ring file
 *
 * One loop over poll(2); no threads, no timers.  It lives until vmrun closes
 * its end of 3.
 */
#include "command.h"
#include "console.h"
#include "host.h"
#include "port.h"
#include "session.h"

#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "seal/sanitizer.h"
#include "seal/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>

enum {
	FD_VMRUN = 3,
	FD_PORT,
	FD_CONSOLE,
	FD_CONSOLE_RING,
	FD_VMM,
	FD_VMM_RING
};

/* Ours, four for each session, one for each connection, and those of one record
 * under way. */
#define FILES (16 + 4 * CTL_SESSIONS + EDGE_CONNS + IO_FDS_MAX)

static const struct seal_call calls[] = {
	{SCMP_SYS(poll), "the loop"},
	{SCMP_SYS(ppoll), "the same, where poll(2) is made from it"},
	{SCMP_SYS(restart_syscall), "poll(2) after SIGSTOP and SIGCONT"},
	{SCMP_SYS(read), "pipes, terminals, files, the console"},
	{SCMP_SYS(write), "the same; the last words on 2"},
	{SCMP_SYS(recvfrom), "the port, sockets of the person"},
	{SCMP_SYS(sendto), "the same"},
	{SCMP_SYS(recvmsg), "commands of vmrun, with descriptors"},
	{SCMP_SYS(sendmsg), "events for vmrun"},
	{SCMP_SYS(shutdown), "forwarded sockets: the guest's end of file"},
	{SCMP_SYS(pread64), "the launch record in its memory file"},
	{SCMP_SYS(close), "descriptors of sessions that are over"},
	{SCMP_SYS(fstat), "what kind of descriptor came"},
	{SCMP_SYS(newfstatat), "the same, as glibc before 2.39 does it"},
	{SCMP_SYS(fcntl), "F_GETFL: may a write wait?"},
	{SCMP_SYS(clock_gettime), "log rate, where there is no vDSO"},
	{SCMP_SYS(brk), "malloc"},
	{SCMP_SYS(mmap), "malloc"},
	{SCMP_SYS(mremap), "realloc"},
	{SCMP_SYS(munmap), "free"},
	{SCMP_SYS(madvise), "free"},
	{SCMP_SYS(exit_group), "the end"},
};

struct program {
	struct host host;
	struct port port;
	struct sessions sessions;
	struct console console, vmm;
};

/* The descriptor, or -1 if we were started without it. */
static int given(int fd)
{
	return fcntl(fd, F_GETFD) < 0 ? -1 : fd;
}

static int start(struct program *p, struct err *e)
{
	/* All before the first open: a free number would look as if given. */
	int console = given(FD_CONSOLE), console_ring = given(FD_CONSOLE_RING);
	int vmm = given(FD_VMM), vmm_ring = given(FD_VMM_RING);

	/* A reader that went away is an error of write(2), not our end; a file
	 * of the person's that may not grow is one, too. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (given(FD_VMRUN) < 0 || given(FD_PORT) < 0)
		return err_set(e, 0, "to be started by vmrun only");
	if (host_init(&p->host, FD_VMRUN, e) < 0 ||
	    port_init(&p->port, FD_PORT, e) < 0 ||
	    console_init(&p->console, console, console_ring, e) < 0 ||
	    console_init(&p->vmm, vmm, vmm_ring, e) < 0)
		return -1;
	sessions_init(&p->sessions, &p->host, &p->port);
	return 0;
}

/* Commands that are there.  -1: vmrun is gone. */
static int commands(struct program *p, const struct watch *w)
{
	struct edge_record r;
	int fds[IO_FDS_MAX], got;
	size_t n;

	if (!host_has_commands(&p->host, w))
		return 0;
	got = host_command(&p->host, &r, fds, &n);
	if (got > 0)
		command_do(&p->sessions, &r, fds, n);
	return got < 0 ? -1 : 0;
}

static int loop(struct program *p, struct err *e)
{
	for (;;) {
		struct watch w = {.n = 0};

		host_watch(&p->host, &w);
		port_watch(&p->port, &w);
		console_watch(&p->console, &w);
		console_watch(&p->vmm, &w);
		sessions_watch(&p->sessions, &w);
		if (poll(w.fds, (nfds_t)w.n, -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_set(e, errno, "waiting");
		}
		if (commands(p, &w) < 0)
			return 0;
		sessions_turn(&p->sessions, &w);
		port_read(&p->port, &w);
		sessions_port(&p->sessions);
		console_turn(&p->console, &w);
		console_turn(&p->vmm, &w);
		sessions_settle(&p->sessions);
		port_flush(&p->port);
		if (host_flush(&p->host) < 0)
			return 0;
	}
}

int main(void)
{
	static struct program p;
	struct err e = ERR_INIT;

	log_setup("vmrun-mux", LOG_LEVEL_WARN);
	if (seal_early(&e) < 0 || start(&p, &e) < 0 || seal_drop_caps(&e) < 0 ||
	    seal_nofile(FILES, &e) < 0 ||
	    seal_running(calls, sizeof(calls) / sizeof(*calls), &e) < 0 ||
	    loop(&p, &e) < 0) {
		log_err(LOG_LEVEL_ERR, &e);
		return 125;
	}
	sessions_free(&p.sessions);
	port_free(&p.port);
	host_free(&p.host);
	return 0;
}
