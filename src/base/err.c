/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors as values.  Used by every program; no authority. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#ifdef __clang_analyzer__
#undef err_set
#undef err_wrap
#undef err_hint
#endif

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;
	size_t used;

	e->code = code;
	e->hint[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	used = strlen(e->msg);
	if (code && used + 1 < sizeof(e->msg))
		snprintf(e->msg + used, sizeof(e->msg) - used, ": %s",
			 strerror(code));
	return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	char old[ERR_MSG_MAX];
	va_list ap;
	size_t used;

	memcpy(old, e->msg, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	used = strlen(e->msg);
	if (used + 1 < sizeof(e->msg))
		snprintf(e->msg + used, sizeof(e->msg) - used, ": %.*s",
			 (int)(sizeof(e->msg) - used), old);
	return -1;
}

int err_hint(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->hint, sizeof(e->hint), fmt, ap);
	va_end(ap);
	return -1;
}

bool err_is_full(const struct err *e)
{
	return e->code == ENOSPC || e->code == EDQUOT;
}
