/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The log of a network.  The person's own authority. */
#include "host/net/netlog.h"

#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_file(struct netlog *l, int more)
{
	struct stat st;

	own_close(&l->fd);
	l->fd = openat(l->dir, "log",
		       O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
			       more,
		       0600);
	if (l->fd < 0 || fstat(l->fd, &st) < 0 ||
	    dup2(l->fd, STDERR_FILENO) < 0)
		return -1;
	l->size = st.st_size;
	return 0;
}

int netlog_open(struct netlog *l, int dir, struct err *e)
{
	memset(l, 0, sizeof(*l));
	l->dir = dir;
	l->fd = -1;
	return open_file(l, 0) < 0 ? err_set(e, errno, "the log of a network")
				   : 0;
}

void netlog_close(struct netlog *l)
{
	own_close(&l->fd);
}

static void write_line(struct netlog *l, const char *who, const char *text)
{
	char line[4 * NETLOG_LINE + 128], stamp[32];
	time_t now = time(NULL);
	struct tm tm;
	int n;

	if (l->size > NETLOG_MAX &&
	    (renameat(l->dir, "log", l->dir, "log.1") < 0 ||
	     open_file(l, O_TRUNC) < 0))
		return;
	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S", &tm);
	n = snprintf(line, sizeof(line), "%s %s: %s\n", stamp, who, text);
	if (io_write_all(l->fd, line, (size_t)n) == 0)
		l->size += n;
}

/* Who says too much in a second is counted. */
static int is_too_much(struct netlog *l)
{
	struct timespec now;
	unsigned lost = l->lost;
	char text[64];

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec == l->second) {
		if (l->n++ < NETLOG_A_SECOND)
			return 0;
		l->lost++;
		return 1;
	}
	l->second = now.tv_sec;
	l->n = 1;
	l->lost = 0;
	if (lost) {
		snprintf(text, sizeof(text), "%u more lines were not kept",
			 lost);
		write_line(l, "log", text);
	}
	return 0;
}

void netlog_put(struct netlog *l, const char *who, const char *text, size_t n)
{
	char shown[4 * NETLOG_LINE];

	if (is_too_much(l))
		return;
	log_escape(shown, sizeof(shown), text,
		   n < NETLOG_LINE ? n : NETLOG_LINE);
	write_line(l, who, shown);
}

void netlog_say(struct netlog *l, const char *who, const char *fmt, ...)
{
	char text[NETLOG_LINE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	netlog_put(l, who, text, strlen(text));
}

static void end_line(struct netlog *l, struct netlog_source *s)
{
	if (!s->n)
		return;
	netlog_put(l, s->who, s->line, s->n);
	/* What it was; not what could be done about it, nor of packets. */
	if (!memmem(s->line, s->n, "hint: ", strlen("hint: ")) &&
	    !memmem(s->line, s->n, "vmrun-deny ", strlen("vmrun-deny ")))
		log_escape(s->last, sizeof(s->last), s->line, s->n);
	s->n = 0;
}

int netlog_take(struct netlog *l, struct netlog_source *s, int fd)
{
	char bytes[4096];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	for (ssize_t i = 0; i < n; i++) {
		if (bytes[i] == '\n')
			end_line(l, s);
		else if (s->n < NETLOG_LINE)
			s->line[s->n++] = bytes[i];
	}
	if (n == 0)
		end_line(l, s);
	return n ? 0 : -1;
}

void netlog_follow(struct netlog *l, struct netlog_source *s, int *fd)
{
	if (netlog_take(l, s, *fd) < 0)
		own_close(fd);
}
