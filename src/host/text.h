/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Strings, vectors of strings, numbers and path names as text; all pure. */
#ifndef HOST_TEXT_H
#define HOST_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* New strings, the caller's; NULL and e when memory is short. */
char *text_dup(const char *s, struct err *e);
char *text_fmt(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Appends a copy of s to a NULL-terminated vector for strv_free(). */
int text_add(char ***v, const char *s, struct err *e);

/*
 * Sets NAME=value in such a vector of assignments, in place of an earlier one
 * of that name.
 */
int text_setenv(char ***v, const char *name, const char *value, struct err *e);
/* The value of a name, borrowed, or NULL.  v may be NULL. */
const char *text_getenv(char *const *v, const char *name);

/*
 * For messages: copies s to out without anything that a terminal would obey;
 * valid UTF-8 stays as it is, other bytes become \xNN.  Over-long text is cut,
 * out is always terminated.  Returns out.
 */
char *text_show(char *out, size_t outsz, const char *s);
#define TEXT_SHOWN 256

/*
 * Numbers, whole strings only.  0, or -1 if the text is none or too large.
 * text_size: bytes, suffix K, M, G or T (1024 each; iB or B may follow); a bare
 * number is in units of `unit`.  text_duration: milliseconds, suffix ms, s, m,
 * h or d; a bare number is seconds.
 */
int text_number(const char *s, uint64_t max, uint64_t *v);
int text_size(const char *s, uint64_t unit, uint64_t *bytes);
int text_duration(const char *s, uint64_t *ms);
/* "512 MiB": the largest unit that divides v. */
char *text_bytes(char *out, size_t outsz, uint64_t v);

/* [A-Za-z0-9][A-Za-z0-9._-]{0,63}: names of profiles and images. */
bool text_is_name(const char *s);

/*
 * Path names, compared by whole components; "/" is above everything.  Both
 * are absolute and without "//", "." and trailing "/".
 */
bool path_is_below(const char *path, const char *above);
bool path_is_at_or_below(const char *path, const char *above);

/*
 * An absolute path without "//", "." and trailing "/", as a new string.  -1
 * with e where it is relative, has a ".." in it, or is too long.
 */
int path_clean(const char *path, char **clean, struct err *e);

/* above + "/" + rest with single slashes, as a new string. */
char *path_join(const char *above, const char *rest, struct err *e);

/* `~` and `~/x` become home and home/x; everything else is copied. */
char *path_tilde(const char *path, const char *home, struct err *e);

#endif
