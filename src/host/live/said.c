/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages of helpers that read guest bytes.  The person's own authority. */
#include "host/live/said.h"

#include "base/log.h"
#include "wire/edge.h"

#include <string.h>

void said_log(struct said *s, const char *who, uint32_t level, const char *text)
{
	char shown[2 * EDGE_TEXT_MAX];
	struct timespec now;

	/* The helper counts too, but it is the guest's if it was broken. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec != s->second)
		s->n = 0;
	s->second = now.tv_sec;
	if (s->n++ >= SAID_A_SECOND)
		return;
	log_escape(shown, sizeof(shown), text, strlen(text));
	log_at(level <= LOG_LEVEL_WARN ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
	       "%s: %s", who, shown);
}
