/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Status for vmrun's parent.  The person's own authority. */
#include "host/live/status.h"

#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "wire/edge.h"

#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int outcome_status(const struct outcome *o)
{
	switch (o->kind) {
	case OUTCOME_EXIT:
		return o->value & 255;
	case OUTCOME_SIGNAL:
	case OUTCOME_KILLED:
		return 128 + o->value;
	case OUTCOME_TIMEOUT:
		return 128 + SIGTERM;
	case OUTCOME_NOT_FOUND:
		return 127;
	case OUTCOME_NOT_EXEC:
		return 126;
	case OUTCOME_GONE:
		return 255;
	case OUTCOME_NONE:
	case OUTCOME_SETUP:
	case OUTCOME_LOST:
	case OUTCOME_UNREAD:
		break;
	}
	return 125;
}

void outcome_lost(uint32_t stdio, uint32_t error, struct err *e)
{
	err_set(e, (int)(error & INT_MAX), "cannot %s",
		stdio & EDGE_STDIO_IN	 ? "read standard input"
		: stdio & EDGE_STDIO_ERR ? "write standard error"
					 : "write standard output");
}

enum outcome_kind outcome_exited(int code, uint32_t stdio, uint32_t error)
{
	if (!error || code)
		return OUTCOME_EXIT;
	return stdio & EDGE_STDIO_IN ? OUTCOME_UNREAD : OUTCOME_LOST;
}

const char *outcome_word(enum outcome_kind k)
{
	switch (k) {
	case OUTCOME_EXIT:
		return "exit";
	case OUTCOME_SIGNAL:
		return "signal";
	case OUTCOME_NOT_FOUND:
		return "not-found";
	case OUTCOME_NOT_EXEC:
		return "not-executable";
	case OUTCOME_LOST:
		return "output";
	case OUTCOME_UNREAD:
		return "input";
	case OUTCOME_TIMEOUT:
		return "timeout";
	case OUTCOME_KILLED:
		return "killed";
	case OUTCOME_GONE:
		return "gone";
	case OUTCOME_NONE:
	case OUTCOME_SETUP:
		break;
	}
	return "setup";
}

static void put_line(int fd, const char *line)
{
	/* A parent that stopped listening is no reason to end the run. */
	if (fd >= 0 && io_write_all(fd, line, strlen(line)) < 0)
		return;
}

void status_started(const struct status_sinks *s, int64_t run, uid_t uid)
{
	char line[128];

	snprintf(line, sizeof(line), "{\"vm\":%lld,\"uid\":%u,\"pid\":%d}\n",
		 (long long)run, (unsigned)uid, (int)getpid());
	put_line(s->json_fd, line);
}

/* sd_notify(3)'s protocol: one datagram; '@' stands for the abstract space. */
static void notify_parent(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	own_fd s = -1;
	size_t n = path ? strlen(path) : 0;

	if (n < 2 || n >= sizeof(a.sun_path) || !strchr("/@", path[0]))
		return;
	memcpy(a.sun_path, path, n + 1);
	if (path[0] == '@')
		a.sun_path[0] = '\0';
	s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s >= 0)
		sendto(s, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
		       (struct sockaddr *)&a,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
}

void status_ready(const struct status_sinks *s)
{
	put_line(s->json_fd, "{\"ready\":true}\n");
	put_line(s->ready_fd, "\n");
	notify_parent("READY=1");
}

void status_ended(const struct status_sinks *s, const struct outcome *o)
{
	char line[128];

	snprintf(line, sizeof(line), "{\"exit-code\":%d,\"reason\":\"%s\"}\n",
		 outcome_status(o), outcome_word(o->kind));
	put_line(s->json_fd, line);
}
