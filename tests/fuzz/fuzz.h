/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each fuzz target is. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Returns 0; a finding is a crash: abort(), assert(), a sanitizer. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#endif
