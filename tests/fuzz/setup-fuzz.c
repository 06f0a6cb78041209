/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The setup record: any bytes are refused, or are exactly what encoding their
 * meaning gives.
 */
#include "fuzz.h"

#include "base/buf.h"
#include "base/err.h"
#include "wire/setup.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct err e = ERR_INIT;
	struct setup s;
	struct buf b;

	if (setup_decode(p, n, &s, &e) < 0)
		return 0;
	buf_init(&b, SETUP_MAX);
	setup_encode(&b, &s);
	if (b.bad || b.len != n || memcmp(b.data, p, n))
		abort();
	buf_free(&b);
	setup_free(&s);
	return 0;
}
