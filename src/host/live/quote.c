/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quoting the rings.  The person's own authority; the bytes are the guest's. */
#include "host/live/quote.h"

#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "wire/ring.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define QUOTE_LINES 12

/* A private copy: vmrun-mux may still be writing to the file. */
static void *snapshot(int fd)
{
	own_free void *copy = malloc(RING_SIZE);
	struct stat st;
	ssize_t got;

	if (!copy || fd < 0 || fstat(fd, &st) < 0 || st.st_size != RING_SIZE)
		return NULL;
	got = pread(fd, copy, RING_SIZE, 0);
	if (got != (ssize_t)RING_SIZE)
		return NULL;
	return steal_ptr(&copy);
}

static char *text_from(int fd, uint64_t from, size_t *n, uint64_t *next)
{
	own_free void *ring = snapshot(fd);
	char *text;

	if (!ring)
		return NULL;
	text = malloc(RING_DATA);
	if (text)
		*n = ring_get(ring, from, text, RING_DATA, next);
	return text;
}

/* Calls show() for each line of text; returns the bytes of whole lines. */
static size_t each_line(const char *text, size_t n, int all,
			void (*show)(void *arg, const char *line, size_t len),
			void *arg)
{
	size_t at = 0;

	while (at < n) {
		const char *nl = memchr(text + at, '\n', n - at);
		size_t len = nl ? (size_t)(nl - (text + at)) : n - at;

		if (!nl && !all)
			break;
		if (len && text[at + len - 1] == '\r')
			show(arg, text + at, len - 1);
		else
			show(arg, text + at, len);
		at += len + (nl ? 1 : 0);
	}
	return at;
}

struct tail {
	const char *line[QUOTE_LINES];
	size_t len[QUOTE_LINES];
	size_t n;
	const char *panic; /* the kernel's reason, which a trace may push out */
	size_t panic_len;
	size_t panic_at; /* its number among the lines */
};

static void keep(void *arg, const char *line, size_t len)
{
	struct tail *t = arg;

	if (!len)
		return;
	if (!t->panic && memmem(line, len, "Kernel panic", 12)) {
		t->panic = line;
		t->panic_len = len;
		t->panic_at = t->n;
	}
	t->line[t->n % QUOTE_LINES] = line;
	t->len[t->n++ % QUOTE_LINES] = len;
}

static void quote_tail(int fd, const char *what)
{
	struct tail t = {.n = 0};
	uint64_t next = 0;
	size_t n = 0;
	own_free char *text = text_from(fd, 0, &n, &next);
	char line[512];

	if (!text)
		return;
	each_line(text, n, 1, keep, &t);
	if (t.panic && t.panic_at + QUOTE_LINES < t.n)
		log_error("%s: %s", what,
			  log_escape(line, sizeof(line), t.panic, t.panic_len));
	for (size_t i = t.n > QUOTE_LINES ? t.n - QUOTE_LINES : 0; i < t.n; i++)
		log_error("%s: %s", what,
			  log_escape(line, sizeof(line),
				     t.line[i % QUOTE_LINES],
				     t.len[i % QUOTE_LINES]));
}

void quote_rings(int console, int log)
{
	quote_tail(log, "helpers");
	quote_tail(console, "guest console");
}

struct printer {
	FILE *out;
	const char *prefix;
};

static void print(void *arg, const char *line, size_t len)
{
	struct printer *p = arg;
	char shown[4096];

	fprintf(p->out, "%s%s\n", p->prefix,
		log_escape(shown, sizeof(shown), line, len));
}

int quote_ring(int fd, uint64_t *from, const char *prefix, int all, FILE *out)
{
	struct printer p = {out, prefix};
	uint64_t next = 0;
	size_t n = 0;
	own_free char *text = text_from(fd, *from, &n, &next);
	size_t used;

	if (!text)
		return -1;
	used = each_line(text, n, all, print, &p);
	*from = next - (n - used);
	return fflush(out) ? -1 : 0;
}
