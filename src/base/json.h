/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON values: built member by member and printed, or read from a small file.
 *
 * A struct json is a tree.  What json_new_*(), json_parse() and json_load()
 * return is the caller's until json_free() or until it is put into another
 * value; what json_get() and json_at() return is borrowed.  Members keep the
 * order in which they were set.
 *
 * Nothing here fails on the way: a value that could not be added for want of
 * memory makes each later json_print() and json_put() of the process fail.
 * NULL is allowed wherever a value is, and does nothing or has nothing in it.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct buf;
struct err;
struct json; /* opaque */

struct json *json_new_object(void);
struct json *json_new_array(void);
void json_free(struct json *j);

/*
 * Members of an object; an earlier one of that key is replaced.  Keys are
 * literals of ours.  A string may hold any bytes: those that are not UTF-8
 * become the four characters \xNN; NULL becomes null.  json_set() takes value.
 */
void json_set_str(struct json *obj, const char *key, const char *s);
void json_set_int(struct json *obj, const char *key, int64_t v);
void json_set_bool(struct json *obj, const char *key, bool v);
void json_set_null(struct json *obj, const char *key);
/* A NULL-terminated vector of strings as an array; NULL is an empty one. */
void json_set_strv(struct json *obj, const char *key, char *const *v);
void json_set(struct json *obj, const char *key, struct json *value);

/* The same at the end of an array; json_add() takes value. */
void json_add_str(struct json *arr, const char *s);
void json_add_int(struct json *arr, int64_t v);
void json_add(struct json *arr, struct json *value);

enum json_style {
	JSON_LINE,   /* one line: for streams of records */
	JSON_PRETTY, /* indented by two: for people and files */
};

/*
 * Writes an object or array and a newline, in ASCII without control
 * characters: safe on a terminal whatever the strings hold.  0, or -1 with
 * errno.
 */
int json_print(const struct json *j, enum json_style style, FILE *f);
/* Appends the same to b. */
int json_put(const struct json *j, enum json_style style, struct buf *b);

/* An object or array from n bytes; duplicate keys and NUL are refused. */
struct json *json_parse(const void *p, size_t n, struct err *e);
/* The same from a file of at most `max` bytes, path relative to dirfd. */
struct json *json_load(int dirfd, const char *path, size_t max, struct err *e);

/* NULL, or `otherwise`, if the member is missing or of another type. */
const char *json_get_str(const struct json *obj, const char *key);
int64_t json_get_int(const struct json *obj, const char *key,
		     int64_t otherwise);
bool json_get_bool(const struct json *obj, const char *key, bool otherwise);
struct json *json_get(const struct json *obj, const char *key);
/* Of an array: 0 and NULL for everything else. */
size_t json_len(const struct json *arr);
struct json *json_at(const struct json *arr, size_t i);
/* The string that a value is, or NULL. */
const char *json_str(const struct json *j);

#endif
