/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What went wrong, as a value on the caller's stack.
 *
 * A message has three parts: what was asked for (added by err_wrap() on the
 * way up), what went wrong with which object (err_set()), and what to try
 * (err_hint()).  Libraries fill a struct err and return -1; only a main.c
 * prints one.  Nothing here allocates, so that reporting cannot fail.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#define ERR_MSG_MAX 768
#define ERR_HINT_MAX 384

struct err {
	int code; /* an errno value, or 0 where no system call failed */
	char msg[ERR_MSG_MAX];	 /* one line, no trailing newline */
	char hint[ERR_HINT_MAX]; /* empty where there is nothing to try */
};

/* clang-format off */
#define ERR_INIT { 0, "", "" }
/* clang-format on */

/*
 * Sets the message.  With code != 0 ": " and strerror(code) are appended.  An
 * earlier message is replaced.  Over-long text is cut, never overrun.
 * Returns -1, so that a function can end with `return err_set(...)`.
 */
int err_set(struct err *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "text: " in front of the message.  Returns -1. */
int err_wrap(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Sets the remedy, one line.  Returns -1. */
int err_hint(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Whether the file system is full, or the quota used up. */
bool err_is_full(const struct err *e);

#ifdef __clang_analyzer__
/* It looks at one file at a time and would doubt the -1. */
#define err_set(...) (err_set(__VA_ARGS__), -1)
#define err_wrap(...) (err_wrap(__VA_ARGS__), -1)
#define err_hint(...) (err_hint(__VA_ARGS__), -1)
#endif

#endif
