/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records to and from vmrun.  Runs in vmrun-wayland as U, sealed. */
#include "vmrun.h"

#include "base/err.h"
#include "base/io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The rows of one STATS, with the counts. */
#define ONE_ANSWER 130u

int vmrun_init(struct vmrun *v, int fd, struct err *e)
{
	*v = (struct vmrun){.fd = fd, .may = VMRUN_LOG_FIRST};
	if (io_nonblock(fd, 1) < 0)
		return err_set(e, errno, "the socket to vmrun");
	v->queue = calloc(VMRUN_QUEUE, sizeof(*v->queue));
	if (!v->queue)
		return err_set(e, ENOMEM, "the queue of events");
	return 0;
}

void vmrun_free(struct vmrun *v)
{
	free(v->queue);
	v->queue = NULL;
}

bool vmrun_has_room(const struct vmrun *v)
{
	return v->len + ONE_ANSWER <= VMRUN_QUEUE;
}

int vmrun_command(struct vmrun *v, struct wayland_record *r, int *fd)
{
	int fds[IO_FDS_MAX];
	size_t n = IO_FDS_MAX;
	ssize_t got;

	memset(r, 0, sizeof(*r));
	got = io_recv(v->fd, r, sizeof(*r), fds, &n);
	*fd = -1;
	if (got < 0 && errno == EAGAIN)
		return 0;
	/* There was no place for its descriptor: what it says still holds. */
	if (got < 0 && errno == EMSGSIZE)
		got = sizeof(*r);
	if (got <= 0)
		return -1;
	/* Another size is another version: never guess at it. */
	if (got != sizeof(*r) || r->version != WAYLAND_VERSION)
		r->kind = 0;
	while (n > 1)
		close(fds[--n]);
	if (n)
		*fd = fds[0];
	return 1;
}

void vmrun_send(struct vmrun *v, const struct wayland_record *r)
{
	struct wayland_record *at;

	if (v->len == VMRUN_QUEUE)
		return;
	at = &v->queue[(v->head + v->len++) % VMRUN_QUEUE];
	*at = *r;
	at->version = WAYLAND_VERSION;
	/* That vmrun is gone is found when the loop asks for commands. */
	vmrun_flush(v);
}

static void send_log(struct vmrun *v, enum log_level level, const char *text)
{
	struct wayland_record r = {.kind = WAYLAND_EV_LOG, .value = level};

	memcpy(r.text, text, strnlen(text, sizeof(r.text) - 1));
	vmrun_send(v, &r);
}

void vmrun_log(struct vmrun *v, uint64_t now_ms, enum log_level level,
	       const char *text)
{
	uint64_t more = (now_ms - v->since) / VMRUN_LOG_EACH_MS;
	char said[80];

	v->may += more;
	if (v->may > VMRUN_LOG_FIRST)
		v->may = VMRUN_LOG_FIRST;
	v->since += more * VMRUN_LOG_EACH_MS;
	if (v->len || !v->may) {
		v->dropped++;
		return;
	}
	v->may--;
	if (v->dropped) {
		snprintf(said, sizeof(said), "%llu messages were left out",
			 (unsigned long long)v->dropped);
		v->dropped = 0;
		send_log(v, LOG_LEVEL_WARN, said);
	}
	send_log(v, level, text);
}

int vmrun_flush(struct vmrun *v)
{
	while (v->len) {
		if (io_send(v->fd, &v->queue[v->head], sizeof(*v->queue), NULL,
			    0) < 0)
			return errno == EAGAIN ? 0 : -1;
		v->head = (v->head + 1) % VMRUN_QUEUE;
		v->len--;
	}
	return 0;
}
