/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clock that deadlines are measured by. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC, in milliseconds: it is not set, and stands still while this
 * machine sleeps. */
int64_t clock_ms(void);

#endif
