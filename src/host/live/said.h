/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a helper passes on from the guest: shown escaped, and not too often. */
#ifndef HOST_SAID_H
#define HOST_SAID_H

#include <stdint.h>
#include <time.h>

/* Twice what the helpers let through, whose seconds begin elsewhere. */
#define SAID_A_SECOND 40

struct said {
	time_t second; /* of the last message */
	unsigned n;    /* in that second */
};

/* "who: text"; level is an enum log_level of the other side, text ends. */
void said_log(struct said *s, const char *who, uint32_t level,
	      const char *text);

#endif
