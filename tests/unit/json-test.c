/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON: what is written is safe to show, what is read is bounded. */
#include "tap.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/own.h"

#include <sys/mman.h>

static char *text_of(const struct json *j, enum json_style style)
{
	struct buf b;

	buf_init(&b, 65536);
	if (json_put(j, style, &b) < 0)
		buf_free(&b);
	buf_put_u8(&b, 0);
	return (char *)b.data;
}

static void test_write(void)
{
	char *v[] = {"a", "b", NULL};
	struct json *j = json_new_object();
	struct json *arr = json_new_array();
	own_free char *line = NULL;
	own_free char *pretty = NULL;

	json_set_str(j, "z", "one \"two\" \\ \n");
	json_set_int(j, "a", -7);
	json_set_bool(j, "b", true);
	json_set_str(j, "none", NULL);
	json_set_strv(j, "v", v);
	json_set_strv(j, "empty", NULL);
	json_add_int(arr, INT64_MAX);
	json_add_str(arr, "x");
	json_set(j, "arr", arr);
	line = text_of(j, JSON_LINE);
	tap_str(line,
		"{\"z\":\"one \\\"two\\\" \\\\ \\n\",\"a\":-7,\"b\":true,"
		"\"none\":null,\"v\":[\"a\",\"b\"],\"empty\":[],"
		"\"arr\":[9223372036854775807,\"x\"]}\n",
		"one line, members in order");
	json_free(j);

	j = json_new_object();
	json_set_int(j, "a", 1);
	pretty = text_of(j, JSON_PRETTY);
	tap_str(pretty, "{\n  \"a\": 1\n}\n", "indented");
	json_free(j);
}

static void escapes_to(const char *s, const char *want, const char *what)
{
	struct json *j = json_new_array();
	own_free char *got = NULL;

	json_add_str(j, s);
	got = text_of(j, JSON_LINE);
	tap_str(got, want, what);
	json_free(j);
}

static void test_bytes(void)
{
	escapes_to("\033[2J\177", "[\"\\u001B[2J\\u007f\"]\n",
		   "no control character is written raw");
	escapes_to("\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7",
		   "[\"\\u00E4\\u20AC\\uD83D\\uDC27\"]\n",
		   "UTF-8 becomes ASCII");
	escapes_to("\xc2\x9b", "[\"\\u009B\"]\n", "C1 controls, too");
	escapes_to("a\xff\xc3\xa4\x80", "[\"a\\\\xff\\u00E4\\\\x80\"]\n",
		   "what is not UTF-8 becomes \\xNN");
	escapes_to("\xed\xa0\x80", "[\"\\\\xed\\\\xa0\\\\x80\"]\n",
		   "surrogates are not UTF-8");
	escapes_to("\xc0\xaf\xe0\x80\xaf",
		   "[\"\\\\xc0\\\\xaf\\\\xe0\\\\x80\\\\xaf\"]\n",
		   "nor are overlong forms");
	escapes_to("\xf4\x90\x80\x80", "[\"\\\\xf4\\\\x90\\\\x80\\\\x80\"]\n",
		   "nor what is behind the last character");
	escapes_to("\xe2\x82", "[\"\\\\xe2\\\\x82\"]\n",
		   "nor is a character cut short");
}

static void refused(const char *text, size_t n, const char *what)
{
	struct err e = ERR_INIT;
	struct json *j = json_parse(text, n, &e);

	tap_ok(!j && e.msg[0], "refused: %s", what);
	json_free(j);
}

static void test_refused(void)
{
	char deep[8192];

	refused("", 0, "nothing");
	refused("{", 1, "half an object");
	refused("{} x", 4, "more than one value");
	refused("7", 1, "a bare number");
	refused("{\"a\":1,\"a\":2}", 13, "a key twice");
	refused("[\"\\u0000\"]", 10, "NUL in a string");
	refused("[\"\xff\"]", 5, "bytes that are not UTF-8");
	refused("[99999999999999999999]", 22, "a number too large");
	memset(deep, '[', sizeof(deep));
	refused(deep, sizeof(deep), "a deep nest");
}

static void test_read(void)
{
	static const char text[] = "{\"s\":\"x\",\"i\":5,\"b\":true,"
				   "\"a\":[\"p\",7],\"r\":1.5}";
	struct err e = ERR_INIT;
	struct json *j = json_parse(text, sizeof(text) - 1, &e);
	struct json *a = json_get(j, "a");

	tap_ok(j != NULL, "read");
	tap_str(json_get_str(j, "s"), "x", "a string");
	tap_ok(json_get_int(j, "i", 0) == 5 && json_get_bool(j, "b", false),
	       "a number, a truth value");
	tap_ok(json_len(a) == 2 && !strcmp(json_str(json_at(a, 0)), "p") &&
		       !json_at(a, 2),
	       "an array");
	tap_ok(!json_get_str(j, "i") && json_get_int(j, "s", -1) == -1 &&
		       json_get_int(j, "r", -1) == -1 &&
		       json_get_bool(j, "i", true) && !json_get(j, "none") &&
		       json_len(j) == 0,
	       "other types are as good as missing");
	tap_ok(!json_get(NULL, "x") && !json_get_str(NULL, "x") &&
		       json_len(NULL) == 0 && !json_at(NULL, 0) &&
		       !json_str(NULL),
	       "nothing has nothing in it");
	json_free(j);
	json_free(NULL);
}

static void test_file(void)
{
	own_fd fd = memfd_create("json", MFD_CLOEXEC);
	struct err e = ERR_INIT;
	struct json *j;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	tap_ok(write(fd, "{\"a\":1}", 7) == 7, "a file");
	j = json_load(-1, path, 7, &e);
	tap_ok(json_get_int(j, "a", 0) == 1, "is read");
	json_free(j);
	tap_ok(!json_load(-1, path, 6, &e) && e.code == EFBIG,
	       "refused: larger than allowed");
	tap_ok(!json_load(-1, "/nonexistent", 6, &e) && e.code == ENOENT,
	       "refused: missing");
}

static void test_print(void)
{
	struct json *j = json_new_array();
	own_file full = fopen("/dev/full", "w");
	own_free char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	tap_ok(json_print(j, JSON_LINE, f) == 0 && fclose(f) == 0, "print");
	tap_str(text, "[]\n", "what was printed");
	setvbuf(full, NULL, _IONBF, 0);
	tap_ok(json_print(j, JSON_LINE, full) < 0 && errno == ENOSPC,
	       "a full disk is noticed");
	json_free(j);
	tap_ok(json_print(NULL, JSON_LINE, full) < 0, "refused: no value");
}

int main(void)
{
	test_refused();
	test_read();
	test_file();
	test_write();
	test_bytes();
	test_print();
	return tap_done();
}
