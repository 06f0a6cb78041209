/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Marks.  Runs in vmrun-wayland as U, on guest bytes; pure. */
#include "mark.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The character at p, in *c; its length, or 0 if there is none. */
static size_t character(const unsigned char *p, size_t n, uint32_t *c)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len;

	if (p[0] < 0x80)
		len = 1;
	else if (p[0] >= 0xc2 && p[0] < 0xe0)
		len = 2;
	else if (p[0] >= 0xe0 && p[0] < 0xf0)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] < 0xf5)
		len = 4;
	else
		return 0;
	if (len > n)
		return 0;
	*c = len == 1 ? p[0] : p[0] & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (p[i] & 0x3f);
	}
	if (*c < least[len] || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000))
		return 0;
	return len;
}

static bool is_shown(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return false; /* controls */
	if (c == 0x61c || c == 0x200e || c == 0x200f ||
	    (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
		return false; /* directions */
	if (c == 0x2028 || c == 0x2029)
		return false; /* lines and paragraphs */
	/* tags, and what no text has */
	return !(c >= 0xe0000 && c < 0xe0080) && (c & 0xfffe) != 0xfffe;
}

/* Appends what may be shown of text, as long as `max` bytes are enough. */
static size_t append(char *out, size_t at, size_t max, const char *text,
		     size_t n)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t used = 0;

	while (n) {
		uint32_t c = 0;
		size_t len = character(p, n, &c);

		if (len && is_shown(c)) {
			if (used + len > max)
				break;
			memcpy(out + at + used, p, len);
			used += len;
		}
		p += len ? len : 1;
		n -= len ? len : 1;
	}
	out[at + used] = '\0';
	return at + used;
}

size_t mark_app_id(char *out, const char *name, const char *text, size_t n)
{
	size_t at = (size_t)snprintf(out, MARK_ROOM, "vmrun.%s.", name);
	size_t end = append(out, at, MARK_APP_ID_MAX, text, n);

	return end > at ? end : append(out, at, MARK_APP_ID_MAX, "unnamed", 7);
}

size_t mark_title(char *out, const char *name, const char *text, size_t n)
{
	/* U+200E: of a name without letters a title in Hebrew or Arabic would
	 * decide on which side the mark is (UAX #9, P2). */
	bool has_letter = false;
	size_t at;

	for (const char *p = name; *p; p++)
		has_letter =
			has_letter || ((*p | 32) >= 'a' && (*p | 32) <= 'z');
	at = (size_t)snprintf(out, MARK_ROOM, "%s[%s] ",
			      has_letter ? "" : "\xe2\x80\x8e", name);
	return append(out, at, MARK_TITLE_MAX, text, n);
}
