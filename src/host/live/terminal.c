/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The person's terminal.  vmrun and vmrunctl, the person's authority. */
#include "host/live/terminal.h"

#include "base/err.h"
#include "base/io.h"
#include "wire/edge.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static struct termios terminal_was;
static volatile sig_atomic_t terminal_fd = -1;

/* NOLINTBEGIN(bugprone-signal-handler,cert-sig30-c): errno is a variable */
void terminal_restore(void)
{
	int saved = errno;
	int fd = terminal_fd;

	if (fd >= 0) {
		terminal_fd = -1;
		tcsetattr(fd, TCSADRAIN, &terminal_was);
	}
	errno = saved;
}
/* NOLINTEND(bugprone-signal-handler,cert-sig30-c) */

/* A crash of our own: leave the terminal usable, then die of it. */
static void on_crash(int signo)
{
	terminal_restore();
	signal(signo, SIG_DFL);
	raise(signo);
}

int terminal_raw(int fd, struct err *e)
{
	static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
	struct termios raw;

	if (tcgetattr(fd, &terminal_was) < 0)
		return err_set(e, errno, "reading the terminal's settings");
	raw = terminal_was;
	cfmakeraw(&raw);
	terminal_fd = fd;
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		signal(crashes[i], on_crash);
	atexit(terminal_restore);
	if (tcsetattr(fd, TCSADRAIN, &raw) < 0)
		return err_set(e, errno, "making the terminal raw");
	return 0;
}

void terminal_size(int fd, struct winsize_msg *w)
{
	struct winsize ws = {0};

	ioctl(fd, TIOCGWINSZ, &ws);
	w->rows = ws.ws_row;
	w->cols = ws.ws_col;
	w->xpixels = ws.ws_xpixel;
	w->ypixels = ws.ws_ypixel;
}

/* Of a named pipe that was over before it is opened anew that tells nothing. */
static bool is_at_end(int fd)
{
	struct pollfd p = {.fd = fd};

	return poll(&p, 1, 0) > 0 && p.revents & POLLHUP;
}

int terminal_private_fd(int fd, int flags)
{
	char path[32];
	struct stat st;
	int own;

	if (fstat(fd, &st) < 0)
		return -1;
	if (S_ISFIFO(st.st_mode) || isatty(fd)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		own = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (own >= 0 && (flags != O_RDONLY || !is_at_end(fd)))
			return own;
		if (own >= 0)
			close(own);
	}
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

size_t terminal_take_stdio(bool terminal, int fds[3], uint32_t *bits)
{
	static const int flags[] = {O_RDONLY, O_WRONLY, O_WRONLY};
	size_t n = 0;

	*bits = 0;
	if (terminal) {
		fds[0] = terminal_private_fd(STDIN_FILENO, O_RDWR);
		if (fds[0] < 0)
			return 0;
		*bits = EDGE_STDIO_TTY;
		n = 1;
	}
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (terminal && (fd != STDERR_FILENO || isatty(fd)))
			continue;
		fds[n] = terminal_private_fd(fd, flags[fd]);
		if (fds[n] < 0)
			continue;
		*bits |= 1u << fd; /* EDGE_STDIO_IN, OUT, ERR */
		n++;
	}
	return n;
}
