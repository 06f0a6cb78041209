/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Strings, numbers and path names as text.  Part of vmrun; pure. */
#include "host/text.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *text_dup(const char *s, struct err *e)
{
	char *copy = strdup(s);

	if (!copy)
		err_set(e, ENOMEM, "no memory for a string");
	return copy;
}

char *text_fmt(struct err *e, const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0) {
		err_set(e, ENOMEM, "no memory for a string");
		return NULL;
	}
	return s;
}

int text_add(char ***v, const char *s, struct err *e)
{
	size_t n = strv_len(*v);
	own_free char *copy = text_dup(s, e);
	char **more;

	if (!copy)
		return -1;
	more = reallocarray(*v, n + 2, sizeof(*more));
	if (!more)
		return err_set(e, ENOMEM, "no memory for a list");
	more[n] = steal_ptr(&copy);
	more[n + 1] = NULL;
	*v = more;
	return 0;
}

static char **find_env(char **v, const char *name)
{
	size_t n = strlen(name);

	for (; v && *v; v++) {
		if (!strncmp(*v, name, n) && (*v)[n] == '=')
			return v;
	}
	return NULL;
}

int text_setenv(char ***v, const char *name, const char *value, struct err *e)
{
	own_free char *row = text_fmt(e, "%s=%s", name, value);
	char **old = find_env(*v, name);

	if (!row)
		return -1;
	if (!old)
		return text_add(v, row, e);
	free(*old);
	*old = steal_ptr(&row);
	return 0;
}

const char *text_getenv(char *const *v, const char *name)
{
	char **row = find_env((char **)(uintptr_t)v, name);

	return row ? *row + strlen(name) + 1 : NULL;
}

/* Bytes of the printable UTF-8 character at p; 0 if there is none. */
static size_t utf8_len(const unsigned char *p)
{
	size_t n;
	unsigned v;

	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] != 0x7f;
	if (p[0] >= 0xc2 && p[0] < 0xe0)
		n = 2;
	else if (p[0] >= 0xe0 && p[0] < 0xf0)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] < 0xf5)
		n = 4;
	else
		return 0;
	v = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (p[i] & 0x3f);
	}
	/* C1 controls; overlong forms and surrogates; marks that turn the
	 * direction of what follows; more than Unicode has. */
	if (v < 0xa0 || (n == 3 && v < 0x800) || (v >= 0xd800 && v < 0xe000) ||
	    (v >= 0x200b && v <= 0x200f) || (v >= 0x2028 && v <= 0x202e) ||
	    (v >= 0x2066 && v <= 0x2069) || (n == 4 && v < 0x10000) ||
	    v > 0x10ffff)
		return 0;
	return n;
}

char *text_show(char *out, size_t outsz, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t o = 0;

	while (*p && o + 5 <= outsz) {
		size_t n = utf8_len(p);

		if (n) {
			memcpy(out + o, p, n);
			o += n;
			p += n;
		} else {
			o += (size_t)snprintf(out + o, outsz - o, "\\x%02x",
					      (unsigned)*p++);
		}
	}
	if (outsz)
		out[o] = '\0';
	return out;
}

/* Digits at *s, which moves behind them. */
static int digits(const char **s, uint64_t max, uint64_t *v)
{
	*v = 0;
	if (!isdigit((unsigned char)**s))
		return -1;
	for (; isdigit((unsigned char)**s); ++*s) {
		uint64_t d = (uint64_t)(**s - '0');

		if (*v > (max - d) / 10 || d > max)
			return -1;
		*v = *v * 10 + d;
	}
	return 0;
}

int text_number(const char *s, uint64_t max, uint64_t *v)
{
	return digits(&s, max, v) || *s ? -1 : 0;
}

struct unit {
	const char *suffix;
	uint64_t times;
};

static int with_unit(const char *s, const struct unit *units, uint64_t *v)
{
	uint64_t n;

	if (digits(&s, UINT64_MAX, &n))
		return -1;
	for (const struct unit *u = units; u->suffix; u++) {
		if (strcasecmp(s, u->suffix))
			continue;
		if (n > UINT64_MAX / u->times)
			return -1;
		*v = n * u->times;
		return 0;
	}
	return -1;
}

int text_size(const char *s, uint64_t unit, uint64_t *bytes)
{
	const uint64_t k = 1024;
	const struct unit units[] = {
		{"", unit},
		{"k", k},
		{"kb", k},
		{"kib", k},
		{"m", k * k},
		{"mb", k * k},
		{"mib", k * k},
		{"g", k * k * k},
		{"gb", k * k * k},
		{"gib", k * k * k},
		{"t", k * k * k * k},
		{"tb", k * k * k * k},
		{"tib", k * k * k * k},
		{NULL, 0},
	};

	return with_unit(s, units, bytes);
}

int text_duration(const char *s, uint64_t *ms)
{
	static const struct unit units[] = {
		{"", 1000},	{"ms", 1},	{"s", 1000},	 {"m", 60000},
		{"min", 60000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0},
	};

	return with_unit(s, units, ms);
}

char *text_bytes(char *out, size_t outsz, uint64_t v)
{
	static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	size_t i = 0;

	while (i + 1 < sizeof(names) / sizeof(*names) && v && v % 1024 == 0) {
		v /= 1024;
		i++;
	}
	snprintf(out, outsz, "%llu %s", (unsigned long long)v, names[i]);
	return out;
}

bool text_is_name(const char *s)
{
	size_t n = strlen(s);

	if (n < 1 || n > 64 || !isascii(s[0]) || !isalnum((unsigned char)s[0]))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!isascii(s[i]) ||
		    (!isalnum((unsigned char)s[i]) && !strchr("._-", s[i])))
			return false;
	}
	return true;
}

bool path_is_below(const char *path, const char *above)
{
	size_t n = strlen(above);

	if (!strcmp(above, "/"))
		return path[0] == '/' && path[1];
	return !strncmp(path, above, n) && path[n] == '/';
}

bool path_is_at_or_below(const char *path, const char *above)
{
	return !strcmp(path, above) || path_is_below(path, above);
}

int path_clean(const char *path, char **clean, struct err *e)
{
	own_free char *out = NULL;
	char shown[TEXT_SHOWN];
	size_t o = 0;

	text_show(shown, sizeof(shown), path);
	if (path[0] != '/')
		return err_set(e, 0, "\"%s\" is not an absolute path", shown);
	out = malloc(strlen(path) + 2);
	if (!out)
		return err_set(e, ENOMEM, "no memory for a path");
	for (const char *p = path; *p;) {
		size_t n;

		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (n == 2 && p[0] == '.' && p[1] == '.')
			return err_set(e, 0, "\"%s\" has \"..\" in it", shown);
		if (n && !(n == 1 && p[0] == '.')) {
			out[o++] = '/';
			memcpy(out + o, p, n);
			o += n;
		}
		if (n > NAME_MAX)
			return err_set(e, ENAMETOOLONG, "a part of a path");
		p += n;
	}
	if (!o)
		out[o++] = '/';
	out[o] = '\0';
	if (o >= PATH_MAX)
		return err_set(e, ENAMETOOLONG, "a path");
	*clean = steal_ptr(&out);
	return 0;
}

char *path_join(const char *above, const char *rest, struct err *e)
{
	size_t n = strlen(above);

	while (n && above[n - 1] == '/')
		n--;
	rest += strspn(rest, "/");
	if (!*rest && n)
		return text_fmt(e, "%.*s", (int)n, above);
	return text_fmt(e, "%.*s/%s", (int)n, above, rest);
}

char *path_tilde(const char *path, const char *home, struct err *e)
{
	if (!home || path[0] != '~' || (path[1] && path[1] != '/'))
		return text_dup(path, e);
	return path_join(home, path + 1, e);
}
