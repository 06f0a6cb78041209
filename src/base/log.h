/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines on standard error: `vmrun: text`, `vmrun[7/mux]: text`.
 *
 * A normal run prints nothing.  Text that came from elsewhere is passed
 * through log_escape() first; no byte of it reaches a terminal raw.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>

enum log_level {
	LOG_LEVEL_ERR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

struct err;

/* `tag` is borrowed for the life of the program. */
void log_setup(const char *tag, enum log_level most);
enum log_level log_level(void);
void log_at(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Prints a struct err: the message, and its hint on a line of its own. */
void log_err(enum log_level level, const struct err *e);

/* At a program's end: its exit status, or 125, and an error is printed, if what
 * stdio(3) had for standard output cannot be written. */
int log_output(int status);

struct timespec;
/* `phase NAME 1.2 ms` since *since, as info; *since becomes now. */
void log_phase(struct timespec *since, const char *name);

#define log_error(...) log_at(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn(...) log_at(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)

/*
 * Copies n bytes of foreign text to out as printable ASCII: everything else,
 * and the backslash, becomes \xNN.  Cut to outsz, always terminated.
 * Returns out.
 */
char *log_escape(char *out, size_t outsz, const void *text, size_t n);

#endif
