/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of signals; pure. */
#include "host/ctl/signame.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int signame_parse(const char *s)
{
	char *end;
	long n = strtol(s, &end, 10);

	if (end != s && *end == '\0')
		return n > 0 && n < 65 ? (int)n : -1;
	if (!strncasecmp(s, "SIG", 3))
		s += 3;
	for (int i = 1; i < 32; i++) {
		const char *name = sigabbrev_np(i);

		if (name && !strcasecmp(name, s))
			return i;
	}
	return -1;
}
