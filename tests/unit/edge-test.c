/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of sessions in the real vmrun-mux, with a fake guest that behaves.
 */
#include "edge-rig.h"

#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define CHECK(x, ...) tap_ok((x), __VA_ARGS__)
#define MIB (1u << 20)
#define ALL_STDIO (EDGE_STDIO_IN | EDGE_STDIO_OUT | EDGE_STDIO_ERR)

static unsigned char bytes[8 * MIB];
static struct rig r;

static bool same(const struct buf *b, const void *p, size_t n)
{
	return b->len == n && !memcmp(b->data, p, n);
}

/* The record, a signal, a size. */
static bool has_early(struct rig *x)
{
	return x->got[0].len >= 108 + 16 + 20 && x->got[IN_STREAM].len;
}

static void test_launch_waits(void)
{
	struct winsize_msg win = {24, 80, 0, 0};
	struct edge_record c = {.kind = EDGE_CMD_WINSIZE, .win = win};
	struct edge_record sig = {.kind = EDGE_CMD_SIGNAL, .value = 2};
	char byte;
	int fds[3];

	rig_start(&r, NULL);
	fds[0] = rig_in(&r, true);
	fds[1] = rig_out(&r, true);
	rig_launch(&r, 0, EDGE_STDIO_IN | EDGE_STDIO_OUT, fds, 100);
	rig_command(&r, &c);
	rig_command(&r, &sig);
	rig_command(&r, &sig);
	r.feed = bytes;
	r.feed_len = 10;
	rig_until(&r, rig_is_fed);
	rig_sync(&r);
	CHECK(recv(r.port, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN,
	      "nothing goes to the guest before HELLO");
	rig_hello(&r);
	rig_until(&r, has_early);
	CHECK(rig_find(&r, EDGE_EV_HELLO)->value == CTL_VERSION,
	      "vmrun hears HELLO with the version");
	CHECK(r.opened[IN_STREAM] && r.opened[OUT_STREAM] &&
		      !r.opened[ERR_STREAM],
	      "streams are open for the descriptors that came, no others");
	CHECK(r.got[0].data[0] == CTL_LAUNCH &&
		      r.got[0].data[108] == CTL_SIGNAL &&
		      r.got[0].data[124] == CTL_WINSIZE,
	      "the record comes first, then a signal, once, and the new size");
	rig_end(&r);
}

static bool has_large_record(struct rig *x)
{
	return x->got[0].len == 3 * MIB + 8;
}

static bool is_refused(struct rig *x)
{
	return rig_find(x, EDGE_EV_FULL);
}

/* Sessions that the guest never hears of. */
static void test_never_launched(void)
{
	struct edge_record c = {.kind = EDGE_CMD_HANGUP};
	int in;

	rig_start(&r, NULL);
	in = rig_in(&r, true);
	rig_launch(&r, 0, EDGE_STDIO_IN, &in, 100);
	rig_command(&r, &c);
	rig_until(&r, is_refused);
	CHECK(write(r.in, "x", 1) < 0 && errno == EPIPE,
	      "a hangup before HELLO closes the descriptors");
	rig_hello(&r);
	rig_until(&r, rig_has_hello);
	r.n_events = 0;
	rig_launch(&r, 3, 0, NULL, CTL_HOST_MAX + 1);
	rig_until(&r, is_refused);
	CHECK(rig_find(&r, EDGE_EV_FULL)->session == 3,
	      "a record that is too large is refused");
	CHECK(!r.got[0].len, "the guest hears of neither");
	rig_end(&r);
}

static void test_large_record(void)
{
	rig_start(&r, NULL);
	rig_hello(&r);
	rig_until(&r, rig_has_hello);
	rig_launch(&r, 0, 0, NULL, 3 * MIB);
	rig_until(&r, has_large_record);
	CHECK(!memcmp(r.got[0].data + 8, bytes, 3 * MIB),
	      "a record larger than the window arrives whole");
	rig_exit(&r, 0, 0);
	rig_until(&r, rig_has_exit);
	CHECK(rig_has_exit(&r), "a session without any descriptor ends");
	rig_end(&r);
}

static void test_pipes(void)
{
	const struct edge_record *ev;
	struct buf b;

	rig_start(&r, NULL);
	rig_run(&r);
	buf_init(&b, 64);
	ctl_put_session(&b, CTL_STARTED, 0);
	ctl_put_session(&b, CTL_READY, 0);
	ctl_put_session(&b, CTL_READY, 0);
	rig_say(&r, &b);
	rig_send(&r, ERR_STREAM, "to stderr", 9);
	r.feed = bytes;
	r.feed_len = sizeof(bytes);
	r.echo = true;
	while (!rig_find(&r, EDGE_EV_EXIT)) {
		if (r.in >= 0 && r.fed == r.feed_len) {
			close(r.in);
			r.in = -1;
		}
		rig_turn(&r, -1);
	}
	while (r.out >= 0 || r.err >= 0)
		rig_turn(&r, -1);
	ev = rig_find(&r, EDGE_EV_EXIT);
	CHECK(ev->exit == CTL_EXIT_CODE && ev->value == 7 && !ev->session &&
		      ev->version == EDGE_VERSION,
	      "the exit status of the application");
	CHECK(same(&r.got[IN_STREAM], bytes, sizeof(bytes)),
	      "8 MiB arrive on stdin, then its end");
	CHECK(same(&r.out_got, bytes, sizeof(bytes)) && r.out_eof,
	      "8 MiB arrive on stdout, then its end");
	CHECK(same(&r.err_got, "to stderr", 9), "stderr is apart");
	CHECK(rig_count(&r, EDGE_EV_STARTED) == 1 &&
		      rig_count(&r, EDGE_EV_READY) == 1,
	      "started, and ready told once");
	CHECK(rig_end(&r) == 0, "vmrun-mux ends when vmrun does");
}

/* A file for stdin at an offset, one for stdout. */
static void test_files(void)
{
	int fds[2] = {memfd_create("in", MFD_CLOEXEC),
		      memfd_create("out", MFD_CLOEXEC)};
	own_fd out = dup(fds[1]);
	struct buf b;

	buf_init(&b, 16 * MIB);
	io_write_all(fds[0], bytes, 2 * MIB);
	lseek(fds[0], 5, SEEK_SET);
	rig_start(&r, NULL);
	rig_launch(&r, 0, EDGE_STDIO_IN | EDGE_STDIO_OUT, fds, 100);
	rig_hello(&r);
	r.echo = true;
	rig_until(&r, rig_has_exit);
	lseek(out, 0, SEEK_SET);
	buf_grow(&b, 4 * MIB);
	b.len = (size_t)io_read_full(out, b.data, b.len);
	CHECK(same(&b, bytes + 5, 2 * MIB - 5),
	      "files as stdin and stdout: from the offset to the end");
	CHECK(!(fcntl(out, F_GETFL) & O_NONBLOCK),
	      "their flags are not changed");
	buf_free(&b);
	rig_end(&r);
}

/* Descriptors that would block: poll(2) first, and never O_NONBLOCK. */
static void test_blocking(void)
{
	own_fd in = -1, out = -1;
	int fds[3];

	rig_start(&r, NULL);
	fds[0] = rig_in(&r, false);
	fds[1] = rig_out(&r, false);
	in = dup(fds[0]);
	out = dup(fds[1]);
	rig_launch(&r, 0, EDGE_STDIO_IN | EDGE_STDIO_OUT, fds, 100);
	rig_hello(&r);
	rig_until(&r, rig_has_record);
	r.feed = bytes;
	r.feed_len = MIB;
	rig_until(&r, rig_is_fed);
	close(in);
	in = -1;
	close(r.in);
	r.in = -1;
	r.echo = true;
	rig_until(&r, rig_has_exit);
	CHECK(!(fcntl(out, F_GETFL) & O_NONBLOCK), "blocking pipes stay so");
	close(out);
	out = -1;
	while (r.out >= 0)
		rig_turn(&r, -1);
	CHECK(same(&r.out_got, bytes, MIB), "and carry everything");
	rig_end(&r);
}

static bool err_arrived(struct rig *x)
{
	return x->err_got.len == 5;
}

/* A write to a full pipe that may block must not stop everything else. */
static void test_blocking_stalls(void)
{
	int fds[2];

	rig_start(&r, NULL);
	fds[0] = rig_out(&r, false);
	fds[1] = rig_err(&r, false);
	rig_launch(&r, 0, EDGE_STDIO_OUT | EDGE_STDIO_ERR, fds, 100);
	rig_hello(&r);
	rig_until(&r, rig_has_record);
	r.stall = true;
	rig_send(&r, OUT_STREAM, bytes, MUX_WINDOW);
	rig_send(&r, ERR_STREAM, "still", 5);
	rig_until(&r, err_arrived);
	CHECK(!r.out_got.len, "a stalled blocking pipe stalls no other");
	r.stall = false;
	rig_exit(&r, 0, 0);
	rig_until(&r, rig_has_exit);
	CHECK(rig_find(&r, EDGE_EV_EXIT)->value == 0, "and ends as ever");
	rig_end(&r);
}

/*
 * Output and errors to one pipe that may block, with room for one of them: the
 * other's write would sleep.
 */
static void test_blocking_twice(void)
{
	char path[32], page[PIPE_BUF];
	own_fd fill = -1, in = -1;
	int fds[2];

	rig_start(&r, NULL);
	fds[0] = rig_out(&r, false);
	fds[1] = dup(fds[0]);
	in = r.out;
	r.out = -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	fill = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	while (write(fill, bytes, PIPE_BUF) > 0)
		;
	rig_launch(&r, 0, EDGE_STDIO_OUT | EDGE_STDIO_ERR, fds, 100);
	rig_hello(&r);
	rig_until(&r, rig_has_record);
	rig_send(&r, OUT_STREAM, bytes, PIPE_BUF);
	rig_send(&r, ERR_STREAM, bytes, PIPE_BUF);
	rig_sync(&r);
	if (read(in, page, sizeof(page)) != (ssize_t)sizeof(page))
		exit(1);
	rig_sync(&r);
	CHECK(!rig_has_gone(&r), "two writers of one blocking pipe");
	r.out = steal_fd(&in);
	rig_exit(&r, 0, 0);
	rig_until(&r, rig_has_exit);
	rig_end(&r);
}

static void test_sockets(void)
{
	int in[2], out[2], fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out) < 0)
		exit(1);
	rig_start(&r, NULL);
	r.in = in[0];
	r.out = out[0];
	io_nonblock(r.in, 1);
	io_nonblock(r.out, 1);
	fds[0] = in[1];
	fds[1] = out[1];
	rig_launch(&r, 0, EDGE_STDIO_IN | EDGE_STDIO_OUT, fds, 100);
	rig_hello(&r);
	r.feed = bytes;
	r.feed_len = 2 * MIB;
	r.echo = true;
	rig_until(&r, rig_is_fed);
	shutdown(r.in, SHUT_WR);
	rig_until(&r, rig_has_exit);
	while (r.out >= 0)
		rig_turn(&r, -1);
	CHECK(same(&r.out_got, bytes, 2 * MIB), "sockets as stdin and stdout");
	rig_end(&r);
}

static bool has_terminal(struct rig *x)
{
	return x->got[OUT_STREAM].len == 6 && x->out_got.len == 9 &&
	       (!x->opened[ERR_STREAM] || x->err_got.len == 6);
}

/* With stderr elsewhere, or not. */
static void test_terminal(bool apart)
{
	int err[2], fds[2];
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;
	struct termios t;

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) {
		tap_skip("a terminal both ways", "no pseudo-terminals here");
		if (getenv("VMRUN_MUST_WORK"))
			tap_failed++;
		return;
	}
	slave = open(ptsname(master),
		     O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	tcgetattr(slave, &t);
	cfmakeraw(&t);
	tcsetattr(slave, TCSANOW, &t);
	rig_start(&r, NULL);
	if (pipe2(err, O_CLOEXEC | O_NONBLOCK) < 0)
		abort();
	fds[0] = slave;
	fds[1] = err[1];
	r.err = err[0];
	rig_launch(&r, 0, EDGE_STDIO_TTY | (apart ? EDGE_STDIO_ERR : 0), fds,
		   100);
	if (!apart)
		close(err[1]);
	rig_hello(&r);
	rig_until(&r, rig_has_record);
	CHECK(!r.opened[IN_STREAM] && r.opened[OUT_STREAM] &&
		      !!r.opened[ERR_STREAM] == apart,
	      apart ? "a terminal, and stderr apart"
		    : "a terminal has one stream");
	io_write_all(master, "typed\n", 6);
	r.out = master;
	rig_send(&r, OUT_STREAM, "\033[1mbold\n", 9);
	if (apart)
		rig_send(&r, ERR_STREAM, "apart\n", 6);
	rig_until(&r, has_terminal);
	CHECK(same(&r.got[OUT_STREAM], "typed\n", 6) &&
		      same(&r.out_got, "\033[1mbold\n", 9),
	      "which goes both ways");
	rig_exit(&r, 0, 3);
	rig_until(&r, rig_has_exit);
	CHECK(rig_find(&r, EDGE_EV_EXIT)->value == 3,
	      "and ends with its session");
	rig_end(&r);
}

static bool out_is_reset(struct rig *x)
{
	return x->reset[OUT_STREAM];
}

static void test_reader_gone(void)
{
	rig_start(&r, NULL);
	rig_run(&r);
	close(r.out);
	r.out = -1;
	rig_send(&r, OUT_STREAM, "nobody reads this", 17);
	rig_until(&r, out_is_reset);
	CHECK(out_is_reset(&r), "a reader that went away resets its stream");
	rig_send(&r, ERR_STREAM, "still", 5);
	rig_until(&r, err_arrived);
	CHECK(!rig_has_gone(&r), "and no other");
	rig_exit(&r, 0, 0);
	rig_until(&r, rig_has_exit);
	CHECK(!rig_count(&r, EDGE_EV_LOG) && !rig_find(&r, EDGE_EV_EXIT)->error,
	      "it is not worth a message");
	rig_end(&r);
}

/* The session's EXIT, after it said something on the stream. */
static const struct edge_record *say_and_exit(unsigned stream)
{
	rig_send(&r, stream, "lost", 4);
	r.n_events = 0;
	rig_exit(&r, 0, 0);
	rig_until(&r, rig_has_exit);
	return rig_find(&r, EDGE_EV_EXIT);
}

/* A full disk is another matter than a reader that left. */
static void test_lost_output(void)
{
	const struct edge_record *ev;
	int fds[2];

	rig_start(&r, NULL);
	fds[0] = rig_out(&r, true);
	fds[1] = open("/dev/full", O_WRONLY | O_CLOEXEC);
	rig_launch(&r, 0, EDGE_STDIO_OUT | EDGE_STDIO_ERR, fds, 100);
	rig_hello(&r);
	rig_until(&r, rig_has_record);
	ev = say_and_exit(ERR_STREAM);
	CHECK(ev->error == ENOSPC && ev->stdio == EDGE_STDIO_ERR &&
		      ev->exit == CTL_EXIT_CODE && ev->value == 0,
	      "the exit says that standard error could not be written");
	rig_end(&r);

	rig_start(&r, NULL);
	fds[0] = open("/dev/full", O_WRONLY | O_CLOEXEC);
	rig_launch(&r, 0, EDGE_STDIO_OUT, fds, 100);
	rig_hello(&r);
	rig_until(&r, rig_has_record);
	ev = say_and_exit(OUT_STREAM);
	CHECK(ev->error == ENOSPC && ev->stdio == EDGE_STDIO_OUT,
	      "and that standard output could not");
	rig_end(&r);
}

static void test_file_limit(void)
{
	struct rlimit was, less;
	const struct edge_record *ev;
	int fd = memfd_create("out", MFD_CLOEXEC);

	getrlimit(RLIMIT_FSIZE, &was);
	less = was;
	less.rlim_cur = 4096;
	setrlimit(RLIMIT_FSIZE, &less);
	rig_start(&r, NULL);
	setrlimit(RLIMIT_FSIZE, &was);
	rig_launch(&r, 0, EDGE_STDIO_OUT, &fd, 100);
	rig_hello(&r);
	rig_until(&r, rig_has_record);
	rig_send(&r, OUT_STREAM, bytes, 5000);
	rig_exit(&r, 0, 0);
	while (!rig_has_exit(&r) && !r.host_eof)
		rig_turn(&r, -1);
	ev = rig_find(&r, EDGE_EV_EXIT);
	CHECK(ev && ev->error == EFBIG, "a file that may not grow is an error");
	rig_end(&r);
}

/* A signal when the application has ended: nobody waits for its output. */
static void test_signal_after_exit(void)
{
	const struct edge_record c = {.kind = EDGE_CMD_SIGNAL, .value = 2};
	const struct edge_record *ev;

	rig_start(&r, NULL);
	rig_run(&r);
	r.stall = true;
	rig_send(&r, OUT_STREAM, bytes, MUX_WINDOW);
	rig_exit(&r, 0, 0);
	while (r.err >= 0)
		rig_turn(&r, -1);
	rig_command(&r, &c);
	rig_until(&r, rig_has_exit);
	ev = rig_find(&r, EDGE_EV_EXIT);
	CHECK(ev->exit == CTL_EXIT_SIGNAL && ev->value == 2,
	      "a signal ends a session whose output nobody reads");
	rig_end(&r);

	rig_start(&r, NULL);
	rig_run(&r);
	r.stall = true;
	rig_send(&r, OUT_STREAM, bytes, MUX_WINDOW);
	rig_sync(&r);
	close(r.port);
	r.port = -1;
	r.gone = true;
	while (r.err >= 0)
		rig_turn(&r, -1);
	rig_command(&r, &c);
	rig_until(&r, rig_has_gone);
	CHECK(rig_has_gone(&r), "and one whose VM is gone");
	rig_end(&r);
}

static size_t wanted;

static bool has_input(struct rig *x)
{
	return x->got[IN_STREAM].len >= wanted;
}

static void type_ten(void)
{
	r.feed_len += 10;
	rig_until(&r, rig_is_fed);
	rig_sync(&r);
}

/* In the background of its shell vmrun's terminal is the shell's. */
static void test_paused(void)
{
	struct edge_record c = {.kind = EDGE_CMD_RESUME};
	int fds[2];

	rig_start(&r, NULL);
	fds[0] = rig_in(&r, true);
	fds[1] = rig_out(&r, true);
	rig_launch(&r, 0, EDGE_STDIO_IN | EDGE_STDIO_OUT | EDGE_STDIO_PAUSED,
		   fds, 100);
	rig_hello(&r);
	rig_until(&r, rig_has_record);
	r.feed = bytes;
	type_ten();
	CHECK(!r.got[IN_STREAM].len, "what is paused is not read");
	rig_command(&r, &c);
	wanted = 10;
	rig_until(&r, has_input);
	c.kind = EDGE_CMD_PAUSE;
	rig_command(&r, &c);
	rig_sync(&r);
	type_ten();
	CHECK(r.got[IN_STREAM].len == 10, "nor when it is paused again");
	c.kind = EDGE_CMD_RESUME;
	rig_command(&r, &c);
	wanted = 20;
	rig_until(&r, has_input);
	CHECK(same(&r.got[IN_STREAM], bytes, 20), "and nothing is lost");
	rig_end(&r);
}

static bool in_is_closed(struct rig *x)
{
	return x->in < 0;
}

static void test_guest_closes_stdin(void)
{
	rig_start(&r, NULL);
	rig_run(&r);
	mux_reset(r.mux, IN_STREAM);
	r.feed = bytes;
	r.feed_len = sizeof(bytes);
	rig_until(&r, in_is_closed);
	CHECK(r.fed < r.feed_len, "the person's writer hears of it (EPIPE)");
	rig_exit(&r, 0, 0);
	rig_until(&r, rig_has_exit);
	rig_end(&r);
}

static void test_stdin_window(void)
{
	size_t before;

	rig_start(&r, NULL);
	rig_run(&r);
	r.hold = true;
	r.feed = bytes;
	r.feed_len = sizeof(bytes);
	do {
		before = r.fed;
		for (int i = 0; i < 8; i++)
			rig_sync(&r);
	} while (r.fed != before);
	CHECK(r.got[IN_STREAM].len == MUX_WINDOW,
	      "an application that does not read gets one window");
	CHECK(r.fed <= MUX_WINDOW + 65536,
	      "and nothing more is taken from stdin but the pipe's own room");
	r.hold = false;
	mux_consumed(r.mux, IN_STREAM, MUX_WINDOW);
	rig_until(&r, rig_is_fed);
	CHECK(r.fed == sizeof(bytes), "it goes on when the application reads");
	rig_end(&r);
}

static void test_exit_after_output(void)
{
	rig_start(&r, NULL);
	rig_run(&r);
	r.stall = true;
	rig_send(&r, OUT_STREAM, bytes, MUX_WINDOW);
	rig_exit(&r, 0, 1); /* no EOF: a grandchild holds the pipe */
	rig_sync(&r);
	rig_sync(&r);
	CHECK(!rig_has_exit(&r), "no exit while output waits for its reader");
	r.stall = false;
	rig_until(&r, rig_has_exit);
	while (r.out >= 0)
		rig_turn(&r, -1);
	CHECK(same(&r.out_got, bytes, MUX_WINDOW),
	      "all that came before EXIT is written, without EOF too");
	CHECK(r.reset[OUT_STREAM] && r.reset[IN_STREAM],
	      "the streams are reset");
	rig_end(&r);

	rig_start(&r, NULL);
	rig_run(&r);
	r.stall = true;
	rig_send(&r, OUT_STREAM, bytes, MUX_WINDOW);
	rig_exit(&r, 0, 1);
	rig_sync(&r);
	close(r.out);
	r.out = -1;
	rig_until(&r, rig_has_exit);
	CHECK(rig_has_exit(&r),
	      "a reader that goes away lets the exit through");
	rig_end(&r);
}

static void test_port_ends(void)
{
	rig_start(&r, NULL);
	rig_run(&r);
	r.stall = true;
	rig_send(&r, OUT_STREAM, bytes, MUX_WINDOW);
	while (mux_out(r.mux)->len)
		rig_turn(&r, -1);
	shutdown(r.port, SHUT_RDWR);
	rig_sync(&r);
	CHECK(!rig_has_gone(&r), "the end of the port waits for the output");
	r.stall = false;
	rig_until(&r, rig_has_gone);
	while (r.out >= 0)
		rig_turn(&r, -1);
	CHECK(same(&r.out_got, bytes, MUX_WINDOW) && !rig_has_exit(&r),
	      "which is written, and nobody invents an exit");
	CHECK(rig_end(&r) == 0, "it lives on until vmrun ends");
}

static bool has_commands(struct rig *x)
{
	return x->got[0].len == 108 + 16 + 20 + 16 + 8;
}

static void test_commands(void)
{
	struct ctl_host_msg m;
	struct err e = ERR_INIT;
	size_t at = 108, used;
	struct edge_record c = {.kind = EDGE_CMD_SIGNAL, .value = 15};

	rig_start(&r, NULL);
	rig_run(&r);
	c.session = 9;
	rig_command(&r, &c); /* nobody: dropped */
	c.session = 0;
	rig_command(&r, &c);
	rig_sync(&r);
	c = (struct edge_record){.kind = EDGE_CMD_WINSIZE,
				 .win = {30, 100, 1, 2}};
	rig_command(&r, &c);
	rig_sync(&r);
	c = (struct edge_record){.kind = EDGE_CMD_CLOCK, .ns = 1ull << 60};
	rig_command(&r, &c);
	c = (struct edge_record){.kind = EDGE_CMD_STOP};
	rig_command(&r, &c);
	rig_until(&r, has_commands);
	CHECK(ctl_get_host(r.got[0].data + at, r.got[0].len - at, &used, &m,
			   &e) == 1 &&
		      m.type == CTL_SIGNAL && m.signo == 15 && !m.session,
	      "a signal, and none for a session that is not there");
	at += used;
	CHECK(ctl_get_host(r.got[0].data + at, r.got[0].len - at, &used, &m,
			   &e) == 1 &&
		      m.type == CTL_WINSIZE && m.win.cols == 100,
	      "a size");
	at += used;
	CHECK(ctl_get_host(r.got[0].data + at, r.got[0].len - at, &used, &m,
			   &e) == 1 &&
		      m.type == CTL_CLOCK && m.clock_ns == 1ull << 60,
	      "the time");
	at += used;
	CHECK(ctl_get_host(r.got[0].data + at, r.got[0].len - at, &used, &m,
			   &e) == 1 &&
		      m.type == CTL_STOP,
	      "and stop");
	rig_end(&r);
}

static bool has_asked(struct rig *x)
{
	return rig_count(x, EDGE_EV_ASK_CLOCK);
}

static bool has_asked_again(struct rig *x)
{
	return rig_count(x, EDGE_EV_ASK_CLOCK) == 2;
}

static bool has_time(struct rig *x)
{
	return x->got[0].len == 108 + 16;
}

static void ask_clock(int times)
{
	struct buf b;

	buf_init(&b, 64);
	for (int i = 0; i < times; i++)
		ctl_put_ask_clock(&b);
	rig_say(&r, &b);
}

/* vmrun has one question at most to answer, however often the guest asks. */
static void test_clock(void)
{
	struct edge_record c = {.kind = EDGE_CMD_CLOCK, .ns = 5};

	rig_start(&r, NULL);
	rig_run(&r);
	ask_clock(3);
	rig_until(&r, has_asked);
	rig_sync(&r);
	CHECK(rig_count(&r, EDGE_EV_ASK_CLOCK) == 1,
	      "the time is asked of vmrun, once before it answers");
	rig_command(&r, &c);
	rig_until(&r, has_time);
	CHECK(r.got[0].data[108] == CTL_CLOCK && r.got[0].data[116] == 5,
	      "the guest has the answer");
	ask_clock(1);
	rig_until(&r, has_asked_again);
	CHECK(has_asked_again(&r), "and may ask again");
	rig_end(&r);
}

static bool has_second(struct rig *x)
{
	return x->opened[8];
}

static bool second_is_reset(struct rig *x)
{
	return x->reset[8];
}

static void test_more_sessions(void)
{
	struct edge_record c = {.kind = EDGE_CMD_HANGUP, .session = 2};
	int out;

	rig_start(&r, NULL);
	rig_run(&r);
	close(r.out);
	out = rig_out(&r, true);
	rig_launch(&r, 2, EDGE_STDIO_OUT, &out, 50);
	rig_until(&r, has_second);
	CHECK(!rig_count(&r, EDGE_EV_FULL), "a second session");
	out = open("/dev/null", O_WRONLY | O_CLOEXEC);
	rig_launch(&r, 2, EDGE_STDIO_OUT, &out, 50);
	rig_sync(&r);
	CHECK(r.event[1].kind == EDGE_EV_FULL && r.event[1].session == 2,
	      "its number is taken");
	rig_send(&r, 8, "two", 3);
	rig_exit(&r, 2, 22);
	rig_until(&r, rig_has_exit);
	CHECK(rig_find(&r, EDGE_EV_EXIT)->session == 2 &&
		      rig_find(&r, EDGE_EV_EXIT)->value == 22,
	      "it ends by itself");
	while (r.out >= 0)
		rig_turn(&r, -1);
	CHECK(same(&r.out_got, "two", 3), "with its own output");
	r.opened[8] = false;
	r.n_events = 0;
	out = rig_out(&r, true);
	rig_launch(&r, 2, EDGE_STDIO_OUT, &out, 50);
	rig_until(&r, has_second);
	CHECK(!rig_count(&r, EDGE_EV_FULL) && r.opened[8],
	      "the number can be used again");
	r.stall = true;
	rig_send(&r, 8, bytes, 300000);
	rig_command(&r, &c);
	rig_exit(&r, 2, 0);
	/* On the port and on the socket: which comes first is not said. */
	rig_until(&r, second_is_reset);
	rig_until(&r, rig_has_exit);
	CHECK(r.reset[8], "after a hangup its output is nobody's");
	rig_end(&r);
}

int main(void)
{
	rig_fill(bytes, sizeof(bytes));
	test_launch_waits();
	test_never_launched();
	test_large_record();
	test_pipes();
	test_files();
	test_blocking();
	test_blocking_stalls();
	test_blocking_twice();
	test_sockets();
	test_terminal(false);
	test_terminal(true);
	test_reader_gone();
	test_lost_output();
	test_file_limit();
	test_paused();
	test_signal_after_exit();
	test_guest_closes_stdin();
	test_stdin_window();
	test_exit_after_output();
	test_port_ends();
	test_commands();
	test_clock();
	test_more_sessions();
	return tap_done();
}
