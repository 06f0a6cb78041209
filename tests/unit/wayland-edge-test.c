/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The real vmrun-wayland, between sockets of this test: what it asks vmrun for,
 * that one side which does not read costs no other client anything, and its
 * end.
 */
#include "tap.h"

#include "base/err.h"
#include "base/io.h"
#include "proc/spawn.h"
#define SEAL_LIBRARY /* nothing of it but whether this is such a build */
#include "seal/sanitizer.h"
#include "wire.h"
#include "wire/wayland.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* KiB of a client; a sanitizer keeps what was freed. */
#ifdef SEAL_SANITIZED
#define COST_MAX 4096
#else
#define COST_MAX 2048
#endif

/* Bytes of a buffer that takes long to be copied, four hundred times. */
#define FRAME (32u << 20)

static struct child child = CHILD_NONE;
static int vmrun, listening;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t address_len;
static char log_text[WAYLAND_TEXT_MAX];

static void bail(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	child_kill(&child);
	exit(1);
}

/* n bytes of policy; the program's end is for child_wait(). */
static void start(const void *policy, size_t n)
{
	static char path[4096];
	const char *top = getenv("top_builddir");
	char *argv[] = {path, NULL}, *envp[] = {NULL};
	struct proc_fd fds[] = {{2, 2}, {-1, 3}, {-1, 4}, {-1, 5}};
	struct proc_spec spec = {.path = path,
				 .argv = argv,
				 .envp = envp,
				 .fds = fds,
				 .n_fds = 4};
	struct err e = ERR_INIT;
	int pair[2], memory = io_memfd("policy", policy, n, &e);

	snprintf(path, sizeof(path), "%s/vmrun-wayland", top ? top : ".");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		bail("socketpair");
	/* An address that the kernel gives: nothing to clean up. */
	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address_len = sizeof(address);
	if (bind(listening, (struct sockaddr *)&address, sizeof(sa_family_t)) <
		    0 ||
	    getsockname(listening, (struct sockaddr *)&address, &address_len) <
		    0 ||
	    listen(listening, 128) < 0)
		bail("listening");
	fds[1].from = pair[1];
	fds[2].from = memory;
	fds[3].from = listening;
	if (memory < 0 || proc_spawn(&spec, &child, &e) < 0)
		bail(e.msg);
	close(pair[1]);
	close(memory);
	close(listening);
	vmrun = pair[0];
}

static void start_good(void)
{
	static char name[] = "web", shm[] = "wl_shm";
	static char compositor_[] = "wl_compositor";
	static struct wayland_global globals[] = {{shm, 1}, {compositor_, 4}};
	struct wayland_policy p = {
		.name = name,
		.clients = WAYLAND_CLIENTS_MAX,
		.pool = FRAME,
		.memory = FRAME,
		.copies = FRAME,
		.globals = globals,
		.n_globals = 2,
	};
	struct buf b;

	buf_init(&b, WAYLAND_POLICY_MAX);
	wayland_policy_encode(&b, &p);
	start(b.data, b.len);
	buf_free(&b);
}

/* The next record that is no log; its kind, 0 at the end. */
static uint32_t record(struct wayland_record *r)
{
	for (;;) {
		if (io_recv(vmrun, r, sizeof(*r), NULL, NULL) != sizeof(*r))
			return 0;
		if (r->kind != WAYLAND_EV_LOG)
			return r->kind;
		memcpy(log_text, r->text, sizeof(log_text));
	}
}

static int client(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&address, address_len) < 0)
		bail("connect");
	return fd;
}

/* Answers the CONNECT that is next; the compositor's end. */
static int compositor(void)
{
	struct wayland_record r;
	int pair[2];

	if (record(&r) != WAYLAND_EV_CONNECT)
		bail("no CONNECT");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		bail("socketpair");
	r = (struct wayland_record){.version = WAYLAND_VERSION,
				    .kind = WAYLAND_CMD_COMPOSITOR,
				    .client = r.client};
	io_send(vmrun, &r, sizeof(r), &pair[1], 1);
	close(pair[1]);
	return pair[0];
}

static void put(int fd, const uint32_t *w, size_t n)
{
	if (send(fd, w, n * 4, MSG_NOSIGNAL) != (ssize_t)(n * 4))
		bail("send");
}
#define PUT(fd, ...)                                                           \
	put(fd, (const uint32_t[]){__VA_ARGS__},                               \
	    sizeof((const uint32_t[]){__VA_ARGS__}) / 4)
#define HEAD(size, opcode) ((uint32_t)(size) << 16 | (opcode))

/* What comes within a minute; 0: the end. */
static ssize_t get(int fd, void *p, size_t n)
{
	struct pollfd w = {fd, POLLIN, 0};

	if (poll(&w, 1, 60000) != 1)
		return -1;
	return recv(fd, p, n, 0);
}

/* Writes until the socket takes no more for a while. */
static size_t stuff(int fd, const uint32_t *w, size_t n)
{
	struct pollfd p = {fd, POLLOUT, 0};
	size_t sent = 0;

	while (poll(&p, 1, 300) == 1 && sent < (64u << 20)) {
		ssize_t put = send(fd, w, n * 4, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (put < 0)
			break;
		sent += (size_t)put;
	}
	return sent;
}

static void test_policy(void)
{
	start("rubbish", 7);
	tap_ok(child_wait(&child) == 125 << 8,
	       "without a policy that it understands it does not start");
	close(vmrun);
}

static bool status_has(const char *line)
{
	char path[64], text[4096] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)child.pid);
	f = fopen(path, "r");
	if (f) {
		text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
		fclose(f);
	}
	return strstr(text, line);
}

static void test_pass(void)
{
	struct wayland_record r;
	uint32_t w[64];
	int c, h, fd;
	size_t n = 1;

	tap_ok(record(&r) == WAYLAND_EV_READY, "it is ready");
	tap_ok(status_has("Seccomp:\t2\n") && status_has("NoNewPrivs:\t1\n"),
	       "and sealed then");
	c = client();
	PUT(c, 1, HEAD(12, 1), 2); /* before there is a compositor */
	h = compositor();
	tap_ok(get(h, w, sizeof(w)) == 12 && w[2] == 2,
	       "a request reaches the compositor");
	PUT(h, 2, HEAD(28, 0), 7, 7, 0x735f6c77, 0x00006d68, 1);
	tap_ok(get(c, w, sizeof(w)) == 28 && w[2] == 7,
	       "an event reaches the client");
	PUT(c, 2, HEAD(32, 0), 7, 7, 0x735f6c77, 0x00006d68, 1, 3);
	tap_ok(get(h, w, sizeof(w)) == 32, "so does a bind");
	fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (ftruncate(fd, 4096) < 0)
		bail("ftruncate");
	memcpy(w, (uint32_t[]){3, HEAD(16, 0), 4, 4096}, 16);
	io_send(c, w, 16, &fd, 1);
	close(fd);
	fd = -1;
	tap_ok(io_recv(h, w, sizeof(w), &fd, &n) == 16 && n == 1 &&
		       fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK,
	       "and a pool, with its file, which is sealed now");
	close(fd);
	r = (struct wayland_record){.version = WAYLAND_VERSION,
				    .kind = WAYLAND_CMD_STATS};
	io_send(vmrun, &r, sizeof(r), NULL, 0);
	tap_ok(record(&r) == WAYLAND_EV_GLOBAL && !strcmp(r.text, "wl_shm") &&
		       r.value == 1,
	       "vmrun hears of the globals");
	tap_ok(record(&r) == WAYLAND_EV_STATS && r.counts.clients == 1 &&
		       r.counts.messages_to_host == 3 &&
		       r.counts.fds_to_host == 1,
	       "and how much passed");
	close(c);
	tap_ok(get(h, w, sizeof(w)) == 0, "the compositor sees a client's end");
	close(h);
	c = client();
	h = compositor();
	PUT(h, 1, HEAD(24, 0), 1, 2, 3, 0x006f6e);
	close(h);
	tap_ok(get(c, w, sizeof(w)) == 24 && get(c, w, sizeof(w)) == 0,
	       "the client sees the compositor's last words, and its end");
	close(c);
}

/* Until its reader has read all of it, ten seconds at most. */
static bool is_read(int fd)
{
	int left = 1;

	for (int i = 0; i < 10000 && left; i++) {
		if (ioctl(fd, TIOCOUTQ, &left) < 0)
			return false;
		poll(NULL, 0, 1);
	}
	return !left;
}

/*
 * A client that does not read, so that the compositor's last words are still in
 * its socket when it closes; what the client asks for then reaches nobody.
 */
static void test_last_words(void)
{
	static uint32_t event[1024 * 3];
	static char w[1 << 18];
	const int more = 4 << 20;
	int c = client(), h = compositor();
	const uint32_t error[] = {1, HEAD(24, 0), 1, 2, 3, 0x006f6e};
	char last[sizeof(error)] = "";
	ssize_t n;

	for (size_t i = 0; i < 1024; i++)
		memcpy(event + i * 3, (uint32_t[]){2, HEAD(12, 1), 7}, 12);
	PUT(c, 1, HEAD(12, 1), 2);
	get(h, w, sizeof(w));
	PUT(h, 2, HEAD(28, 0), 7, 7, 0x735f6c77, 0x00006d68, 1);
	stuff(h, event, 1024 * 3);
	setsockopt(h, SOL_SOCKET, SO_SNDBUF, &more, sizeof(more));
	put(h, error, 6);
	shutdown(h, SHUT_RD);
	PUT(c, 1, HEAD(12, 0), 3);
	tap_ok(is_read(c), "a client goes on writing");
	/* The end of it is in `last`. */
	while ((n = get(c, w, sizeof(w))) > 0) {
		size_t keep =
			n < (ssize_t)sizeof(last) ? (size_t)n : sizeof(last);

		memmove(last, last + keep, sizeof(last) - keep);
		memcpy(last + sizeof(last) - keep, w + n - keep, keep);
	}
	tap_ok(n == 0 && !memcmp(last, error, sizeof(error)),
	       "it sees the last words of a compositor that reads no more, "
	       "and the end");
	close(c);
	close(h);
}

static void test_refused(void)
{
	struct wayland_record r;
	char text[256] = "";
	int c = client(), fds[64];

	if (record(&r) != WAYLAND_EV_CONNECT)
		bail("no CONNECT");
	/* Asks at once, as programs do; nobody is going to read that. */
	PUT(c, 1, HEAD(12, 1), 2);
	r = (struct wayland_record){.version = WAYLAND_VERSION,
				    .kind = WAYLAND_CMD_REFUSE,
				    .client = r.client};
	io_send(vmrun, &r, sizeof(r), NULL, 0);
	tap_ok(get(c, text, sizeof(text)) > 20 &&
		       !strcmp(text + 20, "the compositor cannot be reached") &&
		       get(c, text, 1) == 0,
	       "a client that vmrun refuses is told so");
	close(c);
	/* Another version of a command is no command. */
	r = (struct wayland_record){.version = WAYLAND_VERSION + 1,
				    .kind = WAYLAND_CMD_STATS};
	io_send(vmrun, &r, sizeof(r), NULL, 0);
	c = client();
	fds[0] = compositor();
	tap_ok(fds[0] >= 0, "a record of another version is not answered");
	close(fds[0]);
	close(c);
}

/* A client with a surface, and a buffer that is copied, attached to it. */
static void draw(int c, int h)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	uint32_t w[64];

	PUT(c, 1, HEAD(12, 1), 2);
	PUT(h, 2, HEAD(28, 0), 7, 7, 0x735f6c77, 0x00006d68, 1);
	PUT(h, 2, HEAD(36, 0), 8, 14, 0x635f6c77, 0x6f706d6f, 0x6f746973,
	    0x00000072, 4);
	for (ssize_t n = 0; n < 28 + 36;)
		n += get(c, w, sizeof(w));
	PUT(c, 2, HEAD(32, 0), 7, 7, 0x735f6c77, 0x00006d68, 1, 3);
	PUT(c, 2, HEAD(40, 0), 8, 14, 0x635f6c77, 0x6f706d6f, 0x6f746973,
	    0x00000072, 4, 4);
	if (ftruncate(fd, FRAME) < 0)
		bail("ftruncate");
	memcpy(w, (uint32_t[]){3, HEAD(16, 0), 5, FRAME}, 16);
	io_send(c, w, 16, &fd, 1);
	close(fd);
	PUT(c, 5, HEAD(32, 0), 6, 0, 2048, FRAME / 8192, 8192, 0);
	PUT(c, 4, HEAD(12, 0), 7);
	PUT(c, 7, HEAD(20, 1), 6, 0, 0);
	for (ssize_t n = 0; n < 12 + 32 + 40 + 16 + 32 + 12 + 20;) {
		ssize_t got = get(h, w, sizeof(w));

		if (got <= 0)
			bail("a client that draws");
		n += got;
	}
}

/* One that has much copied does not keep the others from theirs. */
static void test_busy(void)
{
	enum { COMMITS = 400 };
	int c = client(), h = compositor(), c2 = client(), h2 = compositor();
	static uint32_t w[COMMITS * 8];
	ssize_t n, sum = 0;

	draw(c, h);
	PUT(c2, 1, HEAD(12, 1), 2);
	tap_ok(get(h2, w, sizeof(w)) == 12, "another client");
	for (size_t i = 0; i < COMMITS; i++)
		memcpy(w + i * 8,
		       (uint32_t[]){7, HEAD(24, 2), 0, 0, 1, 1, 7, HEAD(8, 6)},
		       32);
	/* Both have something for it to do when it looks again. */
	kill(child.pid, SIGSTOP);
	put(c, w, COMMITS * 8);
	PUT(c2, 1, HEAD(12, 0), 3);
	kill(child.pid, SIGCONT);
	n = get(h2, w, sizeof(w));
	kill(child.pid, SIGSTOP);
	tap_ok(n == 12, "it is heard");
	while ((n = recv(h, w, sizeof(w), MSG_DONTWAIT)) > 0)
		sum += n;
	tap_ok(sum < COMMITS * 32, "before a busy one is done: %zd of %d", sum,
	       COMMITS * 32);
	kill(child.pid, SIGCONT);
	for (int i = 0; i < 10 && sum < 10 * 32; i++) {
		n = get(h, w, sizeof(w));
		sum += n > 0 ? n : 0;
	}
	tap_ok(sum >= 10 * 32, "which goes on without anything new");
	close(c);
	close(h);
	close(c2);
	close(h2);
}

/* More descriptors than any client sends ahead. */
static void test_descriptors(void)
{
	int c = client(), h = compositor(), fds[IO_FDS_MAX];
	char text[256];
	bool ended = false;

	for (int i = 0; i < IO_FDS_MAX; i++)
		fds[i] = 0;
	/* a message that never becomes whole */
	PUT(c, 1);
	for (int i = 0; i < 20 && !ended; i++)
		ended = io_send(c, "\0", 1, fds, IO_FDS_MAX) < 0;
	tap_ok(get(h, text, sizeof(text)) == 0, "descriptors without end");
	close(c);
	close(h);
}

static long resident(void)
{
	char path[64], text[4096] = "";
	const char *at;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)child.pid);
	f = fopen(path, "r");
	if (!f)
		return -1;
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	at = strstr(text, "RssAnon:");
	return at ? strtol(at + 8, NULL, 10) : -1;
}

static void test_stalled(void)
{
	enum { STALLED = 8 };
	static uint32_t event[1024 * 3];
	int c[STALLED], h[STALLED], c2, h2;
	long before = resident(), after;
	size_t most = 0;
	uint32_t w[16];

	/* wl_registry.global_remove, which has no end */
	for (size_t i = 0; i < 1024; i++)
		memcpy(event + i * 3, (uint32_t[]){2, HEAD(12, 1), 7}, 12);
	for (int i = 0; i < STALLED; i++) {
		c[i] = client();
		h[i] = compositor();
		PUT(c[i], 1, HEAD(12, 1), 2);
		get(h[i], w, sizeof(w));
		PUT(h[i], 2, HEAD(28, 0), 7, 7, 0x735f6c77, 0x00006d68, 1);
		/* the client reads no more */
		most = stuff(h[i], event, 1024 * 3);
	}
	after = resident();
	tap_ok(most > 0 && most < (8u << 20) && before > 0 &&
		       (after - before) / STALLED < COST_MAX,
	       "a client that does not read costs %ld KiB, and %zu KiB of the "
	       "compositor's wait",
	       (after - before) / STALLED, most / 1024);
	c2 = client();
	h2 = compositor();
	PUT(c2, 1, HEAD(12, 1), 2);
	tap_ok(get(h2, w, sizeof(w)) == 12, "others go on meanwhile");
	for (int i = 0; i < STALLED; i++) {
		close(c[i]);
		close(h[i]);
	}
	close(c2);
	close(h2);
}

/* A compositor that does not read. */
static void test_stalled_host(void)
{
	static uint32_t bind[1024 * 8];
	int c = client(), h = compositor();
	uint32_t w[16];
	size_t sent = 0;
	bool stopped = false;

	PUT(c, 1, HEAD(12, 1), 2);
	get(h, w, sizeof(w));
	PUT(h, 2, HEAD(28, 0), 7, 7, 0x735f6c77, 0x00006d68, 1);
	get(c, w, sizeof(w));
	for (uint32_t id = 3; id < 60000; id += 1024) {
		for (uint32_t i = 0; i < 1024; i++)
			memcpy(bind + i * 8,
			       (uint32_t[]){2, HEAD(32, 0), 7, 7, 0x735f6c77,
					    0x00006d68, 1, id + i},
			       32);
		for (size_t at = 0; at < sizeof(bind);) {
			struct pollfd p = {c, POLLOUT, 0};
			ssize_t put;

			if (poll(&p, 1, 300) != 1) {
				stopped = true;
				break;
			}
			put = send(c, (char *)bind + at, sizeof(bind) - at,
				   MSG_DONTWAIT | MSG_NOSIGNAL);
			if (put > 0)
				at += (size_t)put;
		}
		if (stopped)
			break;
		sent += sizeof(bind);
	}
	tap_ok(stopped && sent < (4u << 20),
	       "a compositor that does not read stops the client");
	close(c);
	close(h);
}

static void test_many(void)
{
	int c[WAYLAND_CLIENTS_MAX], h[WAYLAND_CLIENTS_MAX], last, good = 0;
	char text[256] = "";

	for (size_t i = 0; i < WAYLAND_CLIENTS_MAX; i++) {
		c[i] = client();
		h[i] = compositor();
		PUT(c[i], 1, HEAD(12, 1), 2);
	}
	for (size_t i = 0; i < WAYLAND_CLIENTS_MAX; i++)
		good += get(h[i], text, sizeof(text)) == 12;
	tap_ok(good == WAYLAND_CLIENTS_MAX, "%u clients at once",
	       WAYLAND_CLIENTS_MAX);
	last = client();
	memset(text, 0, sizeof(text));
	tap_ok(get(last, text, sizeof(text)) > 20 &&
		       !strcmp(text + 20, "too many clients") &&
		       get(last, text, 1) == 0,
	       "one more is turned away, and told so");
	close(last);
	close(vmrun);
	tap_ok(child_wait(&child) == 0, "it ends when vmrun does");
	good = 0;
	for (size_t i = 0; i < WAYLAND_CLIENTS_MAX; i++) {
		good += get(c[i], text, 1) == 0 && get(h[i], text, 1) == 0;
		close(c[i]);
		close(h[i]);
	}
	tap_ok(good == WAYLAND_CLIENTS_MAX, "and all connections with it");
}

int main(void)
{
	alarm(600);
	signal(SIGPIPE, SIG_IGN);
	test_policy();
	start_good();
	test_pass();
	test_last_words();
	test_refused();
	test_busy();
	test_descriptors();
	test_stalled();
	test_stalled_host();
	test_many();
	return tap_done();
}
