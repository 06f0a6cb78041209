/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs a program and ends it with SIGKILL when one of its threads is about to
 * make the N-th system call of all of them together.  Its children are not
 * counted and not hit.
 *
 *   kill-at N FILE PROGRAM [ARG...]
 *
 * FILE gets the number of calls that were begun.  Exits as the program does,
 * 137 if it was killed.  N = 0 counts only.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static int tell(const char *file, unsigned long calls)
{
	FILE *f = fopen(file, "w");

	if (!f)
		return -1;
	fprintf(f, "%lu\n", calls);
	return fclose(f);
}

/* Whether a thread stopped at a system call is at its beginning. */
static bool is_entry(pid_t tid)
{
	struct __ptrace_syscall_info info;

	return ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) > 0 &&
	       info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

/* Stops at system calls have bit 7 set, new threads begin with SIGSTOP. */
static int follow(pid_t pid, unsigned long at, unsigned long *calls)
{
	int st = 0;
	pid_t tid;

	while ((tid = waitpid(-1, &st, __WALL)) > 0) {
		int sig = 0;

		if (!WIFSTOPPED(st)) {
			if (tid == pid)
				return st;
			continue;
		}
		if (WSTOPSIG(st) == (SIGTRAP | 0x80)) {
			if (is_entry(tid) && ++*calls == at)
				kill(pid, SIGKILL);
		} else if (WSTOPSIG(st) != SIGTRAP && WSTOPSIG(st) != SIGSTOP) {
			sig = WSTOPSIG(st);
		}
		ptrace(PTRACE_SYSCALL, tid, NULL, sig);
	}
	return st;
}

int main(int argc, char **argv)
{
	unsigned long calls = 0;
	pid_t pid;
	int st;

	if (argc < 4)
		return 125;
	pid = fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	waitpid(pid, &st, 0);
	ptrace(PTRACE_SETOPTIONS, pid, NULL,
	       PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
	ptrace(PTRACE_SYSCALL, pid, NULL, 0);
	st = follow(pid, strtoul(argv[1], NULL, 10), &calls);
	if (tell(argv[2], calls) < 0)
		return 125;
	return WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
}
