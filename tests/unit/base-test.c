/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base: errors, buffers, escaping, descriptors over sockets. */
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/own.h"
#include "base/queue.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

static void test_err(void)
{
	char big[4000];
	struct err e = ERR_INIT;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	tap_ok(err_set(&e, ENOENT, "%s", "/a") == -1 && e.code == ENOENT,
	       "err_set() returns -1 and keeps the code");
	tap_str(e.msg, "/a: No such file or directory", "its message");
	err_hint(&e, "make it");
	err_wrap(&e, "cannot share %d", 7);
	tap_str(e.msg, "cannot share 7: /a: No such file or directory",
		"err_wrap() puts its phrase in front");
	tap_str(e.hint, "make it", "and keeps the hint");
	err_set(&e, EIO, "%s", big);
	tap_ok(strlen(e.msg) == ERR_MSG_MAX - 1 && !e.hint[0],
	       "over-long text is cut, an old hint is gone");
	err_wrap(&e, "%s", big);
	tap_ok(strlen(e.msg) == ERR_MSG_MAX - 1, "also when wrapping");
}

static void test_buf(void)
{
	struct buf b;
	struct rd r;
	char *s;
	char **v;
	char *list[] = {(char *)(uintptr_t) "a", (char *)(uintptr_t) "", NULL};

	buf_init(&b, 64);
	buf_put_u16(&b, 0x1234);
	buf_put_u32(&b, 0x89abcdef);
	buf_put_str(&b, "hello");
	buf_put_strv(&b, list);
	tap_ok(!b.bad && b.data[0] == 0x34 && b.data[1] == 0x12,
	       "integers are little-endian");
	rd_init(&r, b.data, b.len);
	tap_ok(rd_u16(&r) == 0x1234 && rd_u32(&r) == 0x89abcdef,
	       "integers come back");
	s = rd_str(&r, 5);
	tap_str(s, "hello", "a string comes back");
	free(s);
	v = rd_strv(&r, 2, 1);
	tap_ok(v && !strcmp(v[0], "a") && !v[1][0] && !v[2] && !r.left,
	       "a vector comes back");
	strv_free(v);
	tap_ok(rd_u8(&r) == 0 && r.bad, "reading past the end is bad, not UB");
	buf_put(&b, "0123456789012345678901234567890123456789", 40);
	tap_ok(b.bad, "the maximum is hard");
	buf_free(&b);
	rd_init(&r, "\377\377\377\377aaaa", 8);
	tap_ok(!rd_strv(&r, 1u << 30, 10) && r.bad,
	       "a count that cannot be true allocates nothing");
	rd_init(&r, "\3\0\0\0a\0b", 7);
	tap_ok(!rd_str(&r, 10) && r.bad, "NUL inside a string is refused");
	rd_init(&r, "\5\0\0\0abcde", 9);
	tap_ok(!rd_str(&r, 4) && r.bad, "a string over its maximum is refused");
}

/*
 * A queue: in at the end, out at the front, in uneven steps, against counters.
 * Moving what is left to the front is put off, so the steps have to meet every
 * way of finding room.
 */
static void test_buf_queue(void)
{
	unsigned in = 0, out = 0, wrong = 0, nowhere = 0;
	size_t most = 0, moved = 0;
	const void *mem = NULL;
	struct buf b;

	buf_init(&b, 1000);
	for (unsigned i = 0; i < 20000; i++) {
		size_t n = i * 7919 % 400, m;
		unsigned char *at;

		if (n > b.max - b.len)
			n = b.max - b.len;
		at = buf_grow(&b, n);
		nowhere += !at;
		for (size_t j = 0; j < n && at; j++)
			at[j] = (unsigned char)in++;
		m = i * 104729 % (b.len + 1);
		for (size_t j = 0; j < m; j++)
			wrong += b.data[j] != (unsigned char)out++;
		buf_consume(&b, m);
		moved += b.mem != mem;
		mem = b.mem;
		most = b.cap > most ? b.cap : most;
	}
	tap_ok(!b.bad && !nowhere && in - out == b.len && out > 1000000,
	       "bytes go through a buffer");
	tap_ok(!wrong, "in their order");
	tap_ok(most <= 2 * b.max, "in at most twice its maximum");
	tap_ok(moved < 10, "without new memory all the time");
	tap_ok(b.len < b.max && buf_grow(&b, b.max - b.len) && !b.bad,
	       "it can be filled to its maximum");
	tap_ok(!buf_grow(&b, 1) && b.bad, "and no further");
	buf_clear(&b);
	tap_ok(!b.len && !b.bad && b.data == b.mem, "and be emptied");
	buf_free(&b);
}

/* The same of the store with a maximum, half of it put in without a copy. */
static void test_queue(void)
{
	unsigned char in = 0, out = 0;
	struct queue q;
	bool good = true;

	queue_init(&q, 1000);
	for (unsigned i = 0; i < 10000 && good; i++) {
		size_t room = 0, n = (i * 37) % 300, m;
		unsigned char *at = queue_room(&q, &room);
		const unsigned char *p;

		good = at ? room && room <= q.max - q.len : q.len == q.max;
		if (n > room)
			n = room;
		for (size_t j = 0; j < n; j++)
			at[j] = in++;
		queue_added(&q, n);
		if (q.len < q.max) {
			good = good && queue_put(&q, &in, 1) == 0;
			in++;
		}
		p = queue_peek(&q, &m);
		if (m > (i * 53) % 311)
			m = (i * 53) % 311;
		for (size_t j = 0; j < m; j++)
			good = good && p[j] == out++;
		queue_drop(&q, m);
	}
	tap_ok(good, "a queue of %u bytes keeps their order", 1000u);
	while (queue_put(&q, &in, 1) == 0)
		;
	tap_ok(q.len == q.max && !queue_room(&q, &(size_t){0}),
	       "takes as many as were allowed, and no more");
	queue_free(&q);
	tap_ok(!q.len && queue_put(&q, &in, 1) == 0, "and is usable again");
	queue_free(&q);
}

static void test_escape(void)
{
	char out[11];

	tap_str(log_escape(out, sizeof(out), "a\033[b\nc", 6), "a\\x1b[b",
		"control bytes are escaped, and the room is respected");
	tap_str(log_escape(out, sizeof(out), "\\x", 2), "\\x5cx",
		"the escape character too");
	tap_str(log_escape(out, sizeof(out), "\xc3\xa4", 2), "\\xc3\\xa4",
		"nothing beyond ASCII");
}

/* What log_at() has written, in out. */
static void logged(char *out, size_t n, const char *text)
{
	int ends[2], err = dup(STDERR_FILENO);
	ssize_t got = 0;

	out[0] = '\0';
	if (pipe(ends) < 0)
		return;
	dup2(ends[1], STDERR_FILENO);
	log_at(LOG_LEVEL_ERR, "%s", text);
	dup2(err, STDERR_FILENO);
	close(err);
	close(ends[1]);
	got = read(ends[0], out, n - 1);
	out[got > 0 ? got : 0] = '\0';
	close(ends[0]);
}

static void test_log(void)
{
	char out[64];

	logged(out, sizeof(out), "a\033]52;\a\x7f \xc2\x9b \xc3\xa4\n\tb");
	tap_ok(strstr(out, ": a?]52;?? ?? \xc3\xa4\n\tb\n") != NULL,
	       "what nobody has escaped moves no terminal");
}

static void test_io(void)
{
	int sv[2];
	int fds[2] = {-1, -1};
	char room[8];
	size_t n = 2;
	struct err e = ERR_INIT;
	own_fd mem = io_memfd("t", "data", 4, &e);

	tap_ok(mem >= 0 && write(mem, "x", 1) < 0 && errno == EPERM,
	       "a memory file is sealed");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return;
	tap_ok(io_send(sv[0], "hi", 2, &mem, 1) == 0 &&
		       io_recv(sv[1], room, sizeof(room), fds, &n) == 2 &&
		       n == 1 && (fcntl(fds[0], F_GETFD) & FD_CLOEXEC),
	       "a descriptor crosses, close-on-exec");
	own_close(&fds[0]);
	io_send(sv[0], "too long for it", 15, &mem, 1);
	n = 2;
	tap_ok(io_recv(sv[1], room, sizeof(room), fds, &n) < 0 &&
		       errno == EMSGSIZE && n == 0,
	       "an over-long message is refused, its descriptor closed");
	io_send(sv[0], "x", 1, &mem, 1);
	tap_ok(io_recv(sv[1], room, sizeof(room), NULL, NULL) == 1,
	       "descriptors nobody asked for are closed");
	close(sv[0]);
	tap_ok(io_recv(sv[1], room, sizeof(room), NULL, NULL) == 0,
	       "end of file is 0");
	close(sv[1]);
}

int main(void)
{
	test_err();
	test_buf();
	test_buf_queue();
	test_queue();
	test_escape();
	test_log();
	test_io();
	return tap_done();
}
