/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records to and from vmrun.  Runs in vmrun-mux as U, sealed. */
#include "host.h"

#include "base/err.h"
#include "base/io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int host_init(struct host *h, int fd, struct err *e)
{
	*h = (struct host){.fd = fd, .slot = -1};
	if (io_nonblock(fd, 1) < 0)
		return err_set(e, errno, "the socket to vmrun");
	h->queue = calloc(HOST_QUEUE, sizeof(*h->queue));
	if (!h->queue)
		return err_set(e, ENOMEM, "the queue of events");
	return 0;
}

void host_free(struct host *h)
{
	free(h->queue);
	h->queue = NULL;
}

static bool wants_commands(const struct host *h)
{
	return h->len < HOST_QUEUE / 2;
}

void host_watch(struct host *h, struct watch *w)
{
	short events = 0;

	if (wants_commands(h))
		events |= POLLIN;
	if (h->len)
		events |= POLLOUT;
	/* Even without a wish: POLLHUP says that vmrun is gone. */
	h->slot = watch_add(w, h->fd, events);
}

bool host_has_commands(const struct host *h, const struct watch *w)
{
	return watch_got(w, h->slot) & (POLLIN | POLLHUP | POLLERR | POLLNVAL);
}

int host_command(struct host *h, struct edge_record *r, int *fds, size_t *n)
{
	ssize_t got;

	*n = IO_FDS_MAX;
	got = io_recv(h->fd, r, sizeof(*r), fds, n);
	if (got < 0 && (errno == EAGAIN || errno == EMSGSIZE)) {
		*n = 0;
		return 0;
	}
	if (got <= 0)
		return -1;
	if (got == sizeof(*r))
		return 1;
	/* Another size is another version: never guess at it. */
	r->version = 0;
	return 1;
}

void host_text(struct edge_record *r, const char *text)
{
	size_t n = strnlen(text, sizeof(r->text) - 1);

	memcpy(r->text, text, n);
	r->text[n] = '\0';
}

static void push(struct host *h, const struct edge_record *r)
{
	if (h->len == HOST_QUEUE)
		return;
	h->queue[(h->head + h->len) % HOST_QUEUE] = *r;
	h->queue[(h->head + h->len) % HOST_QUEUE].version = EDGE_VERSION;
	h->len++;
}

void host_send(struct host *h, const struct edge_record *r)
{
	push(h, r);
	/* That vmrun is gone is found when the loop asks for commands. */
	host_flush(h);
}

void host_event(struct host *h, enum edge_kind kind, uint32_t session)
{
	struct edge_record r = {.kind = kind, .session = session};

	host_send(h, &r);
}

/* May one more log record go out now?  No timer: asked when there is one. */
static bool log_allowed(struct host *h)
{
	struct timespec now;

	if (h->len)
		return false;
	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		return false;
	if ((uint64_t)now.tv_sec != h->second) {
		h->second = (uint64_t)now.tv_sec;
		h->logged = 0;
	}
	return h->logged++ < HOST_LOG_RATE;
}

static void send_log(struct host *h, enum log_level level, const char *text)
{
	struct edge_record r = {.kind = EDGE_EV_LOG, .value = level};

	host_text(&r, text);
	host_send(h, &r);
}

void host_log(struct host *h, enum log_level level, const char *text)
{
	char said[80];

	if (!log_allowed(h)) {
		h->dropped++;
		return;
	}
	if (h->dropped) {
		snprintf(said, sizeof(said), "%llu messages were left out",
			 (unsigned long long)h->dropped);
		h->dropped = 0;
		send_log(h, LOG_LEVEL_WARN, said);
	}
	send_log(h, level, text);
}

int host_flush(struct host *h)
{
	while (h->len) {
		const struct edge_record *r = &h->queue[h->head];

		if (io_send(h->fd, r, sizeof(*r), NULL, 0) < 0)
			return errno == EAGAIN ? 0 : -1;
		h->head = (h->head + 1) % HOST_QUEUE;
		h->len--;
	}
	return 0;
}
