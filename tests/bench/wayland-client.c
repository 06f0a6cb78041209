/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client of the compositor that only measures: prints "sync NS" and "pool
 * NS", the median of a round trip and of one with a descriptor, "damage
 * PER_SECOND", "pools PER_SECOND" (one after the other).
 *
 *     wait MS      waits instead, connected
 *     repaint MS   draws sixty times a second instead
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { DISPLAY = 1, REGISTRY, COMPOSITOR, SHM, SURFACE, CALLBACK, POOL };

static int fd;
static uint32_t compositor, shm; /* names */

static void die(const char *what)
{
	fprintf(stderr, "wayland-client: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void put(const void *p, size_t n, int with)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} c;
	struct iovec iov = {(void *)(uintptr_t)p, n};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (with >= 0) {
		struct cmsghdr *h;

		m.msg_control = c.room;
		m.msg_controllen = sizeof(c.room);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &with, sizeof(int));
	}
	while (iov.iov_len) {
		ssize_t put = sendmsg(fd, &m, MSG_NOSIGNAL);

		if (put < 0)
			die("send");
		iov.iov_base = (char *)iov.iov_base + put;
		iov.iov_len -= (size_t)put;
		m.msg_control = NULL;
		m.msg_controllen = 0;
	}
}

#define PUT(...)                                                               \
	put((const uint32_t[]){__VA_ARGS__},                                   \
	    sizeof((const uint32_t[]){__VA_ARGS__}), -1)
#define HEAD(size, opcode) ((uint32_t)(size) << 16 | (opcode))

/* One event that matters; true if it was the callback's. */
static int event(const uint32_t *m)
{
	if (m[0] == DISPLAY && (m[1] & 0xffff) == 0)
		die((const char *)(m + 5));
	if (m[0] == REGISTRY && (m[1] & 0xffff) == 0) {
		if (!strcmp((const char *)(m + 4), "wl_compositor"))
			compositor = m[2];
		if (!strcmp((const char *)(m + 4), "wl_shm"))
			shm = m[2];
	}
	return m[0] == DISPLAY && (m[1] & 0xffff) == 1 && m[2] == CALLBACK;
}

/* Until the compositor has deleted the callback. */
static void await(void)
{
	static unsigned char in[65536];
	static size_t have;

	for (;;) {
		size_t at = 0;
		int done = 0;

		while (have - at >= 8) {
			size_t n = *(uint32_t *)(in + at + 4) >> 16;

			if (have - at < n)
				break;
			done |= event((uint32_t *)(in + at));
			at += n;
		}
		memmove(in, in + at, have - at);
		have -= at;
		if (done)
			return;
		ssize_t got = recv(fd, in + have, sizeof(in) - have, 0);
		if (got <= 0)
			die("the compositor's end");
		have += (size_t)got;
	}
}

static void sync_all(void)
{
	PUT(DISPLAY, HEAD(12, 0), CALLBACK);
	await();
}

static void text(uint32_t *m, const char *s)
{
	memcpy(m, s, strlen(s) + 1);
}

static void start(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	const char *dir = getenv("XDG_RUNTIME_DIR");
	const char *name = getenv("WAYLAND_DISPLAY");
	uint32_t m[12] = {REGISTRY, HEAD(40, 0), 0, 14};
	uint32_t s[10] = {REGISTRY, HEAD(32, 0), 0, 7};

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s%s%s",
		 *name == '/' ? "" : dir, *name == '/' ? "" : "/", name);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		die(sa.sun_path);
	PUT(DISPLAY, HEAD(12, 1), REGISTRY);
	PUT(DISPLAY, HEAD(12, 0), COMPOSITOR);
	/* the callback has the compositor's id until it is deleted */
	{
		unsigned char in[65536];
		size_t have = 0;
		int done = 0;

		while (!done) {
			size_t at = 0;
			ssize_t got = recv(fd, in + have, sizeof(in) - have, 0);

			if (got <= 0)
				die("the compositor's end");
			have += (size_t)got;
			while (have - at >= 8) {
				uint32_t *e = (uint32_t *)(in + at);
				size_t n = e[1] >> 16;

				if (have - at < n)
					break;
				event(e);
				done |= e[0] == DISPLAY && e[2] == COMPOSITOR;
				at += n;
			}
			memmove(in, in + at, have - at);
			have -= at;
		}
	}
	m[2] = compositor;
	text(m + 4, "wl_compositor");
	m[8] = 4;
	m[9] = COMPOSITOR;
	put(m, 40, -1);
	s[2] = shm;
	text(s + 4, "wl_shm");
	s[6] = 1;
	s[7] = SHM;
	put(s, 32, -1);
	PUT(COMPOSITOR, HEAD(12, 0), SURFACE);
	sync_all();
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void round_trips(void)
{
	enum { N = 3000 };
	static uint64_t took[N];

	for (int i = 0; i < N; i++) {
		uint64_t t = now();

		sync_all();
		took[i] = now() - t;
	}
	qsort(took, N, sizeof(*took), by_size);
	printf("sync %llu\n", (unsigned long long)took[N / 2]);
}

static void damage(void)
{
	enum { ONCE = 170, N = 2400 }; /* libwayland writes 4 KiB at a time */
	static uint32_t m[ONCE][6];
	uint64_t t;

	for (int i = 0; i < ONCE; i++)
		memcpy(m[i], (uint32_t[]){SURFACE, HEAD(24, 2), 0, 0, 9, 9},
		       24);
	t = now();
	for (int i = 0; i < N; i++)
		put(m, sizeof(m), -1);
	sync_all();
	printf("damage %.0f\n", ONCE * N / ((double)(now() - t) / 1e9));
}

static void pools(void)
{
	enum { N = 4000 };
	static uint64_t took[N];
	int file = memfd_create("bench", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint64_t begin = now();

	if (ftruncate(file, 4096) < 0)
		die("memory file");
	for (int i = 0; i < N; i++) {
		uint64_t t = now();

		/* in one write, as libwayland would */
		put((uint32_t[]){SHM, HEAD(16, 0), POOL, 4096, POOL, HEAD(8, 1),
				 DISPLAY, HEAD(12, 0), CALLBACK},
		    36, file);
		await();
		took[i] = now() - t;
	}
	printf("pools %.0f\n", N / ((double)(now() - begin) / 1e9));
	qsort(took, N, sizeof(*took), by_size);
	printf("pool %llu\n", (unsigned long long)took[N / 2]);
}

/* Without a frame callback, which a surface without a window does not get. */
static void repaint(int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	for (int i = 0; i < ms * 60 / 1000; i++) {
		t.tv_nsec += 1000000000 / 60;
		t.tv_sec += t.tv_nsec / 1000000000;
		t.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		PUT(SURFACE, HEAD(24, 2), 0, 0, 9, 9, SURFACE, HEAD(8, 6),
		    DISPLAY, HEAD(12, 0), CALLBACK);
		await();
	}
}

int main(int argc, char **argv)
{
	start();
	if (argc == 3) {
		if (!strcmp(argv[1], "repaint"))
			repaint(atoi(argv[2]));
		else
			poll(NULL, 0, atoi(argv[2]));
		return 0;
	}
	round_trips();
	damage();
	pools();
	return 0;
}
