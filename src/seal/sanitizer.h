/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Builds with AddressSanitizer: SEAL_SANITIZED is defined in them.
 *
 * To be included by the source with main() of a program that seals itself, and
 * by no other: it defines a function that the sanitizer's runtime looks for.
 */
#ifndef SEAL_SANITIZER_H
#define SEAL_SANITIZER_H

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SEAL_SANITIZED
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SEAL_SANITIZED
#endif

#if defined(SEAL_SANITIZED) && !defined(SEAL_LIBRARY)
const char *__asan_default_options(void);

/* Leaks are looked for by a second process, which the seal forbids. */
const char *__asan_default_options(void)
{
	return "detect_leaks=0:symbolize=0";
}
#endif

#endif
