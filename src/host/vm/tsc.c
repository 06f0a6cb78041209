/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The time stamp counter's rate.  The person's own authority. */
#include "host/vm/tsc.h"

#include "base/own.h"

#include <cpuid.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

/* A shorter time than this is waited for: less would be too inexact. */
#define TSC_NS_MIN 5000000u

struct reading {
	uint64_t tsc, ns;
};

static struct reading tsc_first;

/* The tightest of a few tries: an interrupt in between spoils one. */
static struct reading take(void)
{
	struct reading best = {0, 0};
	uint64_t width = UINT64_MAX;

	for (int i = 0; i < 8; i++) {
		struct timespec t;
		uint64_t before = __rdtsc();
		uint64_t after;

		clock_gettime(CLOCK_MONOTONIC_RAW, &t);
		after = __rdtsc();
		if (after - before >= width)
			continue;
		width = after - before;
		best.tsc = before + width / 2;
		best.ns =
			(uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	}
	return best;
}

/* CPUID 80000007H: invariant TSC, what Linux calls constant and nonstop. */
static int is_invariant(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & (1u << 8));
}

void tsc_begin(void)
{
	tsc_first = take();
}

uint32_t tsc_khz(void)
{
	struct reading now = take();

	if (!is_invariant() || !tsc_first.ns)
		return 0;
	while (now.ns - tsc_first.ns < TSC_NS_MIN)
		now = take();
	return (uint32_t)((now.tsc - tsc_first.tsc) * 1000000u /
			  (now.ns - tsc_first.ns));
}
