/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lines of /proc/PID/mountinfo. */
#include "base/mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A decimal number and the space behind it. */
static bool get_number(char **at, uint64_t *n)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	*n = strtoull(*at, &end, 10);
	if (*end != ' ')
		return false;
	*at = end + 1;
	return true;
}

/* A word that is followed by another; *at goes behind the space. */
static char *get_word(char **at)
{
	char *word = *at, *end = strchr(word, ' ');

	if (!end || end == word)
		return NULL;
	*end = '\0';
	*at = end + 1;
	return word;
}

static bool is_octal(const char *s)
{
	return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' &&
	       s[2] >= '0' && s[2] <= '7';
}

/* The kernel writes blanks and backslashes as three octal digits. */
static void decode(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s != '\\' || !is_octal(s + 1)) {
			*to++ = *s;
			continue;
		}
		*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
			       (s[3] - '0'));
		s += 3;
	}
	*to = '\0';
}

int mountinfo_next(char **text, struct mountinfo *m)
{
	char *at = *text, *point, *end;

	if (!*at)
		return 0;
	end = strchr(at, '\n');
	if (!end)
		return -1;
	*end = '\0';
	*text = end + 1;
	if (!get_number(&at, &m->id) || !get_number(&at, &m->parent) ||
	    !get_word(&at) || !get_word(&at)) /* major:minor, root */
		return -1;
	point = get_word(&at);
	if (!point || point[0] != '/')
		return -1;
	decode(point);
	m->point = point;
	return 1;
}

uint64_t mountinfo_id(int fd)
{
	struct statx x;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID,
		  &x) < 0 ||
	    !(x.stx_mask & STATX_MNT_ID))
		return 0;
	return x.stx_mnt_id;
}
