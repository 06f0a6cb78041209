/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The policy of vmrun-wayland: any bytes are refused, or are exactly what
 * encoding their meaning gives.
 */
#include "fuzz.h"

#include "base/buf.h"
#include "base/err.h"
#include "wire/wayland.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct wayland_policy policy;
	struct err e = ERR_INIT;
	struct buf b;

	if (wayland_policy_decode(p, n, &policy, &e) < 0)
		return 0;
	buf_init(&b, WAYLAND_POLICY_MAX);
	wayland_policy_encode(&b, &policy);
	if (b.bad || b.len != n || memcmp(b.data, p, n))
		abort();
	buf_free(&b);
	wayland_policy_free(&policy);
	return 0;
}
