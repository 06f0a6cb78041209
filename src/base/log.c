/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Log lines.  Used by every program; no authority. */
#include "base/log.h"

#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *log_tag = "vmrun";
static enum log_level log_most = LOG_LEVEL_WARN;

void log_setup(const char *tag, enum log_level most)
{
	log_tag = tag;
	log_most = most;
}

enum log_level log_level(void)
{
	return log_most;
}

/* Whoever made the message has escaped what is others' (log_escape()); this is
 * for the case that it was forgotten.  Also U+0080 to U+009F. */
static void disarm(char *p)
{
	for (; *p; p++) {
		const unsigned char c = (unsigned char)*p;
		const unsigned char next = (unsigned char)p[1];

		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
			*p = '?';
		else if (c == 0xc2 && next >= 0x80 && next < 0xa0)
			p[0] = p[1] = '?';
	}
}

void log_at(enum log_level level, const char *fmt, ...)
{
	char line[2048];
	va_list ap;
	size_t n;
	ssize_t put;

	if (level > log_most)
		return;
	n = (size_t)snprintf(line, sizeof(line) - 2, "%s: ", log_tag);
	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(line) - 1 - n, fmt, ap);
	va_end(ap);
	disarm(line);
	n = strlen(line);
	line[n++] = '\n';
	/* One write for one line, so that lines of several programs that
	 * share a terminal do not mix.  A lost line is no reason to fail. */
	put = write(STDERR_FILENO, line, n);
	(void)put;
}

void log_err(enum log_level level, const struct err *e)
{
	log_at(level, "%s", e->msg);
	if (e->hint[0])
		log_at(level, "hint: %s", e->hint);
	else if (err_is_full(e))
		log_at(level, "hint: make room on that file system");
}

int log_output(int status)
{
	const char *why = fflush(stdout)   ? strerror(errno)
			  : ferror(stdout) ? "some of it is lost"
					   : NULL;

	if (!why)
		return status;
	log_error("cannot write standard output: %s", why);
	return 125;
}

void log_phase(struct timespec *since, const char *name)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	log_info("phase %-8s %8.1f ms", name,
		 (double)(t.tv_sec - since->tv_sec) * 1e3 +
			 (double)(t.tv_nsec - since->tv_nsec) / 1e6);
	*since = t;
}

char *log_escape(char *out, size_t outsz, const void *text, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *p = text;
	size_t o = 0;

	for (size_t i = 0; i < n && o + 5 <= outsz; i++) {
		if (p[i] >= 0x20 && p[i] < 0x7f && p[i] != '\\') {
			out[o++] = (char)p[i];
		} else {
			out[o++] = '\\';
			out[o++] = 'x';
			out[o++] = hex[p[i] >> 4];
			out[o++] = hex[p[i] & 15];
		}
	}
	if (outsz)
		out[o] = '\0';
	return out;
}
