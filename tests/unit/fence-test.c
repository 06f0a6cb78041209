/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The fence: each kind of row, from both sides, in a child.  Needs no
 * privileges.
 */
#include "child.h"
#include "tap.h"

#include "base/err.h"
#include "seal/fence.h"
#include "seal/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LAST 462

/* Calls that fail by themselves with another error than the row's. */
static const struct fence_row rows[] = {
	{SYS_dup, EDOM, FENCE_ALWAYS, 0, 0, 0, "one"},
	{SYS_kill, EDOM, FENCE_ANY_BIT, 1, 0x30, 0, "any bit"},
	{SYS_lseek, EDOM, FENCE_EQUAL, 2, 0xff, 7, "equal"},
	{SYS_lseek, ERANGE, FENCE_EQUAL, 2, 0xff, 8, "a second row"},
	{SYS_fcntl, EDOM, FENCE_OTHER_THAN, 1, ~0U, F_GETFD, "other than"},
};

static bool fenced(void)
{
	struct err e = ERR_INIT;

	return seal_inherited(&e) == 0 &&
	       seal_fence(rows, sizeof(rows) / sizeof(rows[0]), LAST, &e) == 0;
}

static bool gives(long r, int error)
{
	return r == -1 && errno == error;
}

static int rows_hold(void)
{
	if (!fenced())
		return 1;
	if (!gives(syscall(SYS_dup, -1), EDOM))
		return 2;
	if (!gives(syscall(SYS_kill, -1, 0x10), EDOM) ||
	    !gives(syscall(SYS_kill, -1, 0x7020), EDOM))
		return 3;
	if (!gives(syscall(SYS_lseek, -1, 0, 7), EDOM) ||
	    !gives(syscall(SYS_lseek, -1, 0, 0x107), EDOM) ||
	    !gives(syscall(SYS_lseek, -1, 0, 8), ERANGE))
		return 4;
	return gives(syscall(SYS_fcntl, -1, F_GETFL), EDOM) ? 0 : 5;
}

/* What the rows do not name gets its own answer. */
static int others_pass(void)
{
	if (!fenced())
		return 1;
	if (!gives(syscall(SYS_kill, getpid(), 0x1000), EINVAL))
		return 2;
	if (!gives(syscall(SYS_lseek, -1, 0, 6), EBADF) ||
	    !gives(syscall(SYS_lseek, -1, 0, 0x17), EBADF))
		return 3;
	if (!gives(syscall(SYS_fcntl, -1, F_GETFD), EBADF))
		return 4;
	return gives(syscall(SYS_close, -1), EBADF) ? 0 : 5;
}

/* The kernel takes 32 bits of most arguments; what is above is no way out. */
static int high_half(void)
{
	const long above = 1L << 32;

	if (!fenced())
		return 1;
	if (!gives(syscall(SYS_lseek, -1, 0, above | 7), EDOM) ||
	    !gives(syscall(SYS_kill, -1, above | 0x10), EDOM))
		return 2;
	return gives(syscall(SYS_fcntl, -1, above | F_GETFD), EBADF) ? 0 : 3;
}

static int unjudged(void)
{
	if (!fenced())
		return 1;
	if (!gives(syscall(LAST + 1), ENOSYS) ||
	    !gives(syscall(100000), ENOSYS))
		return 2;
#ifdef __x86_64__
	/* x32's dup */
	if (!gives(syscall(0x40000000L + SYS_dup, 0), ENOSYS))
		return 3;
#endif
	return 0;
}

static int across_exec(void)
{
	char *argv[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
			(char *)(uintptr_t) "kill -16 $$ 2>/dev/null || exit 0;"
					    "exit 9",
			NULL};

	if (!fenced())
		return 1;
	execv("/bin/sh", argv);
	return 2;
}

static int needs_nnp(void)
{
	struct err e = ERR_INIT;

	if (geteuid() == 0)
		return 0; /* the kernel takes it from root */
	return seal_fence(rows, 1, LAST, &e) == 0 || e.code != EACCES;
}

static int too_many(void)
{
	static struct fence_row many[1000];
	struct err e = ERR_INIT;

	return seal_inherited(&e) < 0 ||
	       seal_fence(many, 1000, LAST, &e) == 0 || e.code != E2BIG;
}

#ifdef __x86_64__
static int i386(void)
{
	return fenced() ? enter_i386() : 1;
}
#endif

int main(void)
{
	exits(rows_hold, "each kind of row denies");
	exits(high_half, "whatever the upper half of the argument is");
	exits(unjudged, "a number above the last is unknown");
	exits(others_pass, "what no row names gets its own answer");
	exits(across_exec, "it holds across execve()");
	exits(needs_nnp, "it needs no_new_privs");
	exits(too_many, "a table that is too long is an error");
#ifdef __x86_64__
	i386_kills(i386);
#endif
	return tap_done();
}
