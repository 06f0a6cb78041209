/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of what cannot be taken back: each in a child, judged by its end. */
#ifndef TESTS_UNIT_CHILD_H
#define TESTS_UNIT_CHILD_H

#include "tap.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs it in a child; the wait status. */
static int in_child(int (*f)(void))
{
	pid_t pid = fork();
	int st = -1;

	if (pid == 0)
		_exit(f());
	if (pid < 0 || waitpid(pid, &st, 0) < 0)
		return -1;
	return st;
}

static void exits(int (*f)(void), const char *what)
{
	int st = in_child(f);

	if (!tap_ok(WIFEXITED(st) && WEXITSTATUS(st) == 0, "%s", what))
		printf("# status %#x\n", (unsigned)st);
}

static bool is_killed(int st)
{
	return WIFSIGNALED(st) && WTERMSIG(st) == SIGSYS;
}

#ifdef __x86_64__
/* A harmless call through the 32-bit entry: getpid, number 20 there. */
static int enter_i386(void)
{
	long r = 20;

	__asm__ volatile("int $0x80" : "+a"(r) : : "memory");
	return r > 0 ? 0 : 1;
}

/* f() seals itself and then calls enter_i386().  Some kernels are built
 * without that entry: then everybody dies there (of SIGSEGV, which a sanitizer
 * makes an exit status of). */
static void i386_kills(int (*f)(void))
{
	int without = in_child(enter_i386);
	int st = in_child(f);

	if (without)
		tap_ok(st != 0, "this kernel has no 32-bit entry");
	else
		tap_ok(is_killed(st), "the 32-bit entry kills");
}
#endif

#endif
