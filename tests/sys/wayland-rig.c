/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The surroundings of vmrun-wayland without a VM: plays vmrun's part, and runs
 * a command whose WAYLAND_DISPLAY is the filter.
 *
 *     wayland-rig [OPTION...] SOCKET COMMAND [ARG...]
 *
 *     -c off|in|out|both   clipboard; default off
 *     -n NAME              default "web"
 *     -a GLOBAL  -d GLOBAL allow, deny
 *     -p                   prints "pid N" of the filter first
 *     -r FILE              records what the first two clients and the
 *                          compositor send, as tests/fuzz/wayland-fuzz.c
 *                          reads it
 *     -s                   at the end: "global NAME OFFERED THEIRS" for each,
 *                          and "stats NAME N"
 *
 * On standard error, log records: "log LEVEL TEXT".  The compositor is the one
 * of the environment.  Exits as the command did.
 */
#include "base/err.h"
#include "base/io.h"
#include "host/plan/windows.h"
#include "proc/spawn.h"
#include "wire/wayland.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PUMPS 64
/* What is no way: not recorded. */
#define NO_WAY 0xff
#define LIST 16

static char *nothing[] = {"true", NULL};

static struct {
	struct windows_wish wish;
	char *allow[LIST + 1], *deny[LIST + 1];
	const char *record;
	const char *socket; /* never NULL */
	bool pid, stats;
	char **command;
} opt = {.wish.alias = "web", .socket = "", .command = nothing};

/* Of a recording: what is read here is written there. */
static struct pump {
	int from, to;
	unsigned char way; /* as in a recording, or NO_WAY */
} pumps[PUMPS];
static size_t n_pumps;
static FILE *recording;

static struct child filter = CHILD_NONE;
static int records;

static void die(const char *what)
{
	fprintf(stderr, "wayland-rig: %s: %s\n", what, strerror(errno));
	child_kill(&filter);
	exit(99);
}

static void say(const struct err *e)
{
	fprintf(stderr, "wayland-rig: %s\n", e->msg);
	child_kill(&filter);
	exit(99);
}

static int unix_socket(const char *path, bool listens)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	if (strlen(path) >= sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	memcpy(sa.sun_path, path, strlen(path) + 1);
	if (listens)
		unlink(path);
	r = listens ? bind(fd, (struct sockaddr *)&sa, sizeof(sa))
		    : connect(fd, (struct sockaddr *)&sa, sizeof(sa));
	if (r < 0 || (listens && listen(fd, 64) < 0))
		die(path);
	return fd;
}

static int compositor(void)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	const char *name = getenv("WAYLAND_DISPLAY");
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : "",
		 name ? name : "wayland-0");
	return unix_socket(name && *name == '/' ? name : path, false);
}

static void start_filter(int listening)
{
	static char path[4096];
	const char *top = getenv("top_builddir");
	char *argv[] = {path, NULL}, *envp[] = {NULL};
	struct wayland_policy policy;
	struct err e = ERR_INIT;
	struct buf b;
	int pair[2], memory;
	struct proc_fd fds[] = {{2, 2}, {-1, 3}, {-1, 4}, {-1, 5}};
	struct proc_spec spec = {.path = path,
				 .argv = argv,
				 .envp = envp,
				 .fds = fds,
				 .n_fds = 4};

	snprintf(path, sizeof(path), "%s/vmrun-wayland", top ? top : ".");
	buf_init(&b, WAYLAND_POLICY_MAX);
	if (windows_policy(&opt.wish, &policy, &e) < 0)
		say(&e);
	wayland_policy_encode(&b, &policy);
	memory = io_memfd("policy", b.data, b.len, &e);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		die("socketpair");
	fds[1].from = pair[1];
	fds[2].from = memory;
	fds[3].from = listening;
	if (memory < 0 || proc_spawn(&spec, &filter, &e) < 0)
		say(&e);
	close(pair[1]);
	close(memory);
	buf_free(&b);
	wayland_policy_free(&policy);
	records = pair[0];
}

static unsigned char kind_of(int fd)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode)))
		return 2;
	return seals >= 0 && (seals & F_SEAL_SEAL) && !(seals & F_SEAL_SHRINK);
}

static void record(unsigned char way, const unsigned char *p, size_t n,
		   const int *fds, size_t n_fds)
{
	if (way == NO_WAY)
		return;
	while (n) {
		size_t part = n < 65535 ? n : 65535;
		unsigned char head[4] = {way, (unsigned char)(n_fds << 4),
					 (unsigned char)(part & 0xff),
					 (unsigned char)(part >> 8)};

		if (n_fds)
			head[1] |= kind_of(fds[0]);
		n_fds = 0;
		fwrite(head, 1, 4, recording);
		fwrite(p, 1, part, recording);
		p += part;
		n -= part;
	}
}

static bool pump(struct pump *u)
{
	static unsigned char bytes[65536];
	int fds[IO_FDS_MAX];
	size_t n_fds = IO_FDS_MAX;
	ssize_t n = io_recv(u->from, bytes, sizeof(bytes), fds, &n_fds);

	if (n <= 0)
		return false;
	record(u->way, bytes, (size_t)n, fds, n_fds);
	for (size_t at = 0; at < (size_t)n;) {
		struct iovec iov = {bytes + at, (size_t)n - at};
		struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
		ssize_t put;

		if (!at && n_fds) {
			if (io_send(u->to, bytes, (size_t)n, fds, n_fds) < 0)
				return false;
			break;
		}
		put = sendmsg(u->to, &m, MSG_NOSIGNAL);
		if (put < 0)
			return false;
		at += (size_t)put;
	}
	while (n_fds)
		close(fds[--n_fds]);
	return true;
}

static void add_pump(int from, int to, unsigned char way)
{
	if (n_pumps == PUMPS)
		die("too many clients to record");
	pumps[n_pumps++] = (struct pump){from, to, way};
}

/* What the n-th client, or its compositor, sends. */
static unsigned char way_of(uint32_t n, unsigned host)
{
	return (unsigned char)(n > 2 ? NO_WAY : host | (n - 1) << 3);
}

/* The filter wants a connection; one that is recorded goes through us. */
static void connect_for(uint32_t client)
{
	struct wayland_record r = {.version = WAYLAND_VERSION,
				   .kind = WAYLAND_CMD_COMPOSITOR,
				   .client = client};
	int fd = compositor(), pair[2];

	if (recording) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) <
		    0)
			die("socketpair");
		add_pump(fd, pair[0], way_of(client, 1));
		add_pump(pair[0], fd, NO_WAY);
		fd = pair[1];
	}
	io_send(records, &r, sizeof(r), &fd, 1);
	close(fd);
}

/* One record; false when the filter is gone, or has said all. */
static bool take_record(void)
{
	struct wayland_record r;
	const struct wayland_counts *k = &r.counts;

	if (io_recv(records, &r, sizeof(r), NULL, NULL) != sizeof(r))
		return false;
	switch ((enum wayland_kind)r.kind) {
	case WAYLAND_EV_CONNECT:
		connect_for(r.client);
		return true;
	case WAYLAND_EV_LOG:
		fprintf(stderr, "log %u %s\n", r.value, r.text);
		return true;
	case WAYLAND_EV_GLOBAL:
		printf("global %s %u %u\n", r.text, r.value, r.theirs);
		return true;
	case WAYLAND_EV_STATS:
		printf("stats clients %llu\nstats accepted %llu\n"
		       "stats violated %llu\nstats to-host %llu\n"
		       "stats to-guest %llu\nstats fds-to-host %llu\n"
		       "stats fds-to-guest %llu\nstats withheld %llu\n",
		       (unsigned long long)k->clients,
		       (unsigned long long)k->accepted,
		       (unsigned long long)k->violated,
		       (unsigned long long)k->messages_to_host,
		       (unsigned long long)k->messages_to_guest,
		       (unsigned long long)k->fds_to_host,
		       (unsigned long long)k->fds_to_guest,
		       (unsigned long long)k->withheld);
		return false;
	case WAYLAND_EV_READY:
	case WAYLAND_CMD_COMPOSITOR:
	case WAYLAND_CMD_REFUSE:
	case WAYLAND_CMD_STATS:
		break;
	}
	return true;
}

/* A client of a recording, on its way to the filter. */
static void take_client(int listening, const char *path)
{
	/* cppcheck-suppress nullPointer; accept(2) takes it */
	int client = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	int to = unix_socket(path, false);
	static uint32_t n;

	add_pump(client, to, way_of(++n, 0));
	add_pump(to, client, NO_WAY);
}

static pid_t run_command(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setenv("WAYLAND_DISPLAY", opt.socket, 1);
	unsetenv("WAYLAND_SOCKET");
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(opt.command[0], opt.command);
	_exit(127);
}

/* Until the command has ended; its status. */
static int serve(int signals, pid_t command, int recorder, const char *path)
{
	int status;

	for (;;) {
		struct pollfd p[3 + PUMPS] = {{records, POLLIN, 0},
					      {signals, POLLIN, 0},
					      {recorder, POLLIN, 0}};

		for (size_t i = 0; i < n_pumps; i++)
			p[3 + i] = (struct pollfd){pumps[i].from, POLLIN, 0};
		if (poll(p, 3 + n_pumps, -1) < 0 && errno != EINTR)
			die("poll");
		if (p[0].revents && !take_record())
			return 99 << 8;
		for (size_t i = 0; i < n_pumps; i++)
			if (p[3 + i].revents && !pump(&pumps[i])) {
				shutdown(pumps[i].to, SHUT_RDWR);
				pumps[i].from = -1;
			}
		if (p[2].revents)
			take_client(recorder, path);
		if (p[1].revents) {
			struct signalfd_siginfo si;

			if (read(signals, &si, sizeof(si)) < 0)
				die("signals");
			if (waitpid(command, &status, WNOHANG) == command)
				return status;
		}
	}
}

static void parse(int argc, char **argv)
{
	struct err e = ERR_INIT;
	size_t n_allow = 0, n_deny = 0;
	int o;

	while ((o = getopt(argc, argv, "+c:n:a:d:r:ps")) >= 0) {
		if (o == 'c' &&
		    windows_clipboard(optarg, &opt.wish.clipboard, &e) < 0)
			say(&e);
		else if (o == 'n')
			opt.wish.alias = optarg;
		else if (o == 'a' && n_allow < LIST)
			opt.allow[n_allow++] = optarg;
		else if (o == 'd' && n_deny < LIST)
			opt.deny[n_deny++] = optarg;
		else if (o == 'r')
			opt.record = optarg;
		else if (o == 'p')
			opt.pid = true;
		else if (o == 's')
			opt.stats = true;
		else if (o == '?')
			exit(99);
	}
	opt.wish.allow = opt.allow;
	opt.wish.deny = opt.deny;
	if (argc - optind < 2)
		exit(99);
	opt.socket = argv[optind];
	opt.command = argv + optind + 1;
}

int main(int argc, char **argv)
{
	struct wayland_record stats = {.version = WAYLAND_VERSION,
				       .kind = WAYLAND_CMD_STATS};
	char inner[4096];
	sigset_t set;
	int recorder = -1, status;
	int signals;

	parse(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	snprintf(inner, sizeof(inner), "%s%s", opt.socket,
		 opt.record ? ".inner" : "");
	start_filter(unix_socket(inner, true));
	if (opt.record) {
		recording = fopen(opt.record, "wb");
		recorder = unix_socket(opt.socket, true);
		if (!recording)
			die(opt.record);
	}
	if (opt.pid) {
		printf("pid %d\n", (int)filter.pid);
		fflush(stdout);
	}
	status = serve(signals, run_command(), recorder, inner);
	if (opt.stats) {
		io_send(records, &stats, sizeof(stats), NULL, 0);
		while (take_record())
			;
	}
	if (recording)
		fclose(recording);
	close(records);
	unlink(inner);
	unlink(opt.socket);
	/* It ends by itself when its socket to us is closed. */
	if (child_wait(&filter) != 0)
		return 98;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
