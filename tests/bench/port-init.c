/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * PID 1 of a guest that does nothing but use its virtio-serial port: what the
 * port can do at most, without frames, credit or supervision.
 *
 * The kernel's command line says what (the kernel makes it our environment):
 *
 *     bench=echo      what comes in goes out, by this process
 *     bench=cat       the same, but through a pipe, cat(1)'s loop in a process
 *                     of its own, and another pipe
 *     bench=sink      reads `bytes`, then writes one
 *     bench=source    after one byte has come, writes `bytes`
 *
 * It writes one byte once it is ready.  Reads and writes as much at once as the
 * driver takes, and never waits while it can do either.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOM (256 * 1024)
#define PIPE_SIZE (1 << 20)
#define CAT_BUFFER (128 * 1024)

/* One direction: bytes that were read and wait to be written. */
struct way {
	int from, to;
	size_t at, have;
	char room[ROOM];
};

static struct way ways[2];

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "port-init: %s: %s\n", what, strerror(errno));
	reboot(RB_AUTOBOOT);
	_exit(1);
}

/* The image's list: `GROUP FILE` lines. */
static void load_modules(void)
{
	FILE *f = fopen("/modules/list", "re");
	char group[64], name[128], path[256];

	while (f && fscanf(f, "%63s %127s", group, name) == 2) {
		int fd;

		if (strcmp(group, "boot"))
			continue;
		snprintf(path, sizeof(path), "/modules/%s", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			syscall(SYS_finit_module, fd, "", 0);
		close(fd);
	}
	if (f)
		fclose(f);
}

/* There is one port; its device may take a moment. */
static int open_port(void)
{
	for (int tries = 0; tries < 3000; tries++) {
		int fd = open("/dev/vport0p1", O_RDWR | O_NONBLOCK | O_CLOEXEC);

		if (fd < 0)
			fd = open("/dev/vport1p1",
				  O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		poll(NULL, 0, 10);
	}
	die("the port");
}

static int would_wait(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void fill(struct way *w)
{
	ssize_t n = 1;

	while (w->have < ROOM && n > 0) {
		n = read(w->from, w->room + w->have, ROOM - w->have);
		if (n > 0)
			w->have += (size_t)n;
	}
	if (!n || (n < 0 && !would_wait(n)))
		die("reading");
}

static void drain(struct way *w)
{
	while (w->at < w->have) {
		ssize_t n = write(w->to, w->room + w->at, w->have - w->at);

		if (would_wait(n))
			return;
		if (n <= 0)
			die("writing");
		w->at += (size_t)n;
	}
	w->at = w->have = 0;
}

static _Noreturn void pump(size_t n)
{
	struct pollfd p[4];

	for (;;) {
		for (size_t i = 0; i < n; i++) {
			struct way *w = &ways[i];

			p[2 * i] = (struct pollfd){
				.fd = w->have < ROOM ? w->from : -1,
				.events = POLLIN,
			};
			p[2 * i + 1] = (struct pollfd){
				.fd = w->have ? w->to : -1,
				.events = POLLOUT,
			};
		}
		if (poll(p, (nfds_t)(2 * n), -1) < 0)
			continue;
		for (size_t i = 0; i < n; i++) {
			if (p[2 * i].revents & (POLLIN | POLLHUP))
				fill(&ways[i]);
			drain(&ways[i]);
		}
	}
}

static void wait_for(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	while (poll(&p, 1, -1) <= 0 || !(p.revents & events))
		;
}

static void sink(int port, unsigned long long bytes)
{
	while (bytes) {
		ssize_t n = read(port, ways[0].room, ROOM);

		if (would_wait(n))
			wait_for(port, POLLIN);
		else if (n <= 0)
			die("reading");
		else
			bytes -= (unsigned long long)n;
	}
	wait_for(port, POLLOUT);
	if (write(port, "e", 1) != 1)
		die("writing");
}

static void source(int port, unsigned long long bytes)
{
	wait_for(port, POLLIN);
	while (bytes) {
		ssize_t n = write(port, ways[0].room,
				  bytes < ROOM ? (size_t)bytes : ROOM);

		if (would_wait(n))
			wait_for(port, POLLOUT);
		else if (n <= 0)
			die("writing");
		else
			bytes -= (unsigned long long)n;
	}
}

static _Noreturn void cat(int in, int out)
{
	static char room[CAT_BUFFER];
	ssize_t n;

	while ((n = read(in, room, sizeof(room))) > 0)
		for (ssize_t at = 0, m; at < n; at += m) {
			m = write(out, room + at, (size_t)(n - at));
			if (m < 0)
				_exit(1);
		}
	_exit(0);
}

static _Noreturn void echo_by_cat(int port)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		die("pipes");
	fcntl(in[1], F_SETPIPE_SZ, PIPE_SIZE);
	fcntl(out[1], F_SETPIPE_SZ, PIPE_SIZE);
	if (!fork()) {
		close(in[1]);
		close(out[0]);
		cat(in[0], out[1]);
	}
	fcntl(in[1], F_SETFL, O_NONBLOCK);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	ways[0].from = port;
	ways[0].to = in[1];
	ways[1].from = out[0];
	ways[1].to = port;
	pump(2);
}

int main(void)
{
	const char *what = getenv("bench"), *count = getenv("bytes");
	unsigned long long bytes = count ? strtoull(count, NULL, 10) : 0;
	/* As vmrun-init does, so that this is no slower than it. */
	const struct sched_param first = {.sched_priority = 1};
	int port;

	mkdir("/dev", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, "");
	load_modules();
	port = open_port();
	syscall(SYS_sched_setscheduler, 0, SCHED_FIFO | SCHED_RESET_ON_FORK,
		&first);
	wait_for(port, POLLOUT);
	if (write(port, "r", 1) != 1)
		die("writing");
	ways[0].from = ways[0].to = port;
	if (what && !strcmp(what, "echo"))
		pump(1);
	if (what && !strcmp(what, "cat"))
		echo_by_cat(port);
	if (what && !strcmp(what, "sink"))
		sink(port, bytes);
	if (what && !strcmp(what, "source"))
		source(port, bytes);
	pause(); /* until the host ends the VM */
}
