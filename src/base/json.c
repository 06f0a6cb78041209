/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON values over jansson, which nothing else includes.  No authority. */
#include "base/json.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/own.h"

#include <jansson.h>
#include <string.h>

/* Something could not be added; what would be printed is not the truth. */
static bool lost;

/* A struct json is jansson's value under another name. */
static json_t *in(const struct json *j)
{
	return (json_t *)(uintptr_t)j;
}

static struct json *out(json_t *t)
{
	return (struct json *)t;
}

static struct json *made(json_t *t)
{
	if (!t)
		lost = true;
	return out(t);
}

struct json *json_new_object(void)
{
	return made(json_object());
}

struct json *json_new_array(void)
{
	return made(json_array());
}

void json_free(struct json *j)
{
	json_decref(in(j));
}

/*
 * How many of the n bytes at p are one well-formed UTF-8 character (RFC 3629,
 * so no surrogates and no overlong forms); 0 if they begin none.
 */
static size_t utf8_char(const unsigned char *p, size_t n)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len;

	if (p[0] < 0x80)
		return 1;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] < 0xc2 || p[0] > 0xf4 || n < len)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return len;
}

static json_t *escaped(const char *s)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *p = (const unsigned char *)s;
	size_t left = strlen(s);
	own_free char *text = malloc(left * 4 + 1);
	char *at = text;

	if (!text)
		return NULL;
	while (left) {
		size_t n = utf8_char(p, left);

		if (n) {
			memcpy(at, p, n);
			at += n;
		} else {
			n = 1;
			*at++ = '\\';
			*at++ = 'x';
			*at++ = hex[*p >> 4];
			*at++ = hex[*p & 15];
		}
		p += n;
		left -= n;
	}
	return json_stringn(text, (size_t)(at - text));
}

static json_t *string_of(const char *s)
{
	json_t *t;

	if (!s)
		return json_null();
	t = json_string(s);
	return t ? t : escaped(s);
}

/* Takes value; a NULL one is a loss, too. */
static void put(struct json *obj, const char *key, json_t *value)
{
	if (json_object_set_new(in(obj), key, value) < 0)
		lost = true;
}

static void append(struct json *arr, json_t *value)
{
	if (json_array_append_new(in(arr), value) < 0)
		lost = true;
}

void json_set_str(struct json *obj, const char *key, const char *s)
{
	put(obj, key, string_of(s));
}

void json_set_int(struct json *obj, const char *key, int64_t v)
{
	put(obj, key, json_integer(v));
}

void json_set_bool(struct json *obj, const char *key, bool v)
{
	put(obj, key, json_boolean(v));
}

void json_set_null(struct json *obj, const char *key)
{
	put(obj, key, json_null());
}

void json_set_strv(struct json *obj, const char *key, char *const *v)
{
	struct json *arr = json_new_array();

	for (; v && *v; v++)
		append(arr, string_of(*v));
	put(obj, key, in(arr));
}

void json_set(struct json *obj, const char *key, struct json *value)
{
	put(obj, key, in(value));
}

void json_add_str(struct json *arr, const char *s)
{
	append(arr, string_of(s));
}

void json_add_int(struct json *arr, int64_t v)
{
	append(arr, json_integer(v));
}

void json_add(struct json *arr, struct json *value)
{
	append(arr, in(value));
}

/* jansson leaves DEL as it is, which some terminals act on. */
static int to_buf(const char *p, size_t n, void *arg)
{
	struct buf *b = arg;

	for (size_t i = 0; i < n; i++)
		if (p[i] == 0x7f)
			buf_put(b, "\\u007f", 6);
		else
			buf_put_u8(b, (uint8_t)p[i]);
	return b->bad ? -1 : 0;
}

int json_put(const struct json *j, enum json_style style, struct buf *b)
{
	size_t flags = JSON_ENSURE_ASCII;

	flags |= style == JSON_PRETTY ? JSON_INDENT(2) : JSON_COMPACT;
	if (lost || json_dump_callback(in(j), to_buf, b, flags) < 0) {
		errno = ENOMEM;
		return -1;
	}
	buf_put_u8(b, '\n');
	if (b->bad) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

int json_print(const struct json *j, enum json_style style, FILE *f)
{
	struct buf b;
	int r;

	buf_init(&b, SIZE_MAX / 2);
	r = json_put(j, style, &b);
	if (r == 0 && fwrite(b.data, 1, b.len, f) != b.len)
		r = -1;
	buf_free(&b);
	return r;
}

struct json *json_parse(const void *p, size_t n, struct err *e)
{
	json_error_t je;
	json_t *t = json_loadb(p, n, JSON_REJECT_DUPLICATES, &je);

	if (!t)
		err_set(e, 0, "line %d: not the JSON that was expected",
			je.line);
	return out(t);
}

struct json *json_load(int dirfd, const char *path, size_t max, struct err *e)
{
	struct json *j = NULL;
	struct buf b;

	buf_init(&b, max);
	if (io_read_file(dirfd, path, &b, e) == 0) {
		j = json_parse(b.data ? (void *)b.data : "", b.len, e);
		if (!j)
			err_wrap(e, "%s", path);
	}
	buf_free(&b);
	return j;
}

struct json *json_get(const struct json *obj, const char *key)
{
	return out(json_object_get(in(obj), key));
}

const char *json_get_str(const struct json *obj, const char *key)
{
	return json_str(json_get(obj, key));
}

int64_t json_get_int(const struct json *obj, const char *key, int64_t otherwise)
{
	json_t *t = json_object_get(in(obj), key);

	return json_is_integer(t) ? json_integer_value(t) : otherwise;
}

bool json_get_bool(const struct json *obj, const char *key, bool otherwise)
{
	json_t *t = json_object_get(in(obj), key);

	return json_is_boolean(t) ? json_is_true(t) : otherwise;
}

size_t json_len(const struct json *arr)
{
	return json_array_size(in(arr));
}

struct json *json_at(const struct json *arr, size_t i)
{
	return out(json_array_get(in(arr), i));
}

const char *json_str(const struct json *j)
{
	return json_string_value(in(j));
}
