/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rate of the processor's time stamp counter.
 *
 * Under TCG the guest reads the host's counter (QEMU's cpu_get_tsc()), and a
 * microvm has no second clock to calibrate it against, so the guest's kernel
 * is told.  Two readings, the first early, the second late: over 10 ms the
 * error is a few parts in a million.
 */
#ifndef HOST_TSC_H
#define HOST_TSC_H

#include <stdint.h>

/* The first reading; call it first thing in main(). */
void tsc_begin(void);
/*
 * kHz since then; 0 where the counter does not run at a constant rate
 * (/proc/cpuinfo: constant_tsc and nonstop_tsc) or there is none.
 */
uint32_t tsc_khz(void);

#endif
