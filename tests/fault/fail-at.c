/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs a program and lets its N-th system call of a kind fail.  Its threads are
 * followed, its children are not.
 *
 *   fail-at [-]N ERRNO WHAT FILE PROGRAM [ARG...]
 *
 * WHAT is `acl`: calls that set or remove an xattr; an absolute path: calls
 * that write to, sync or size a file below it; `list:` and a path: calls that
 * list that directory, or one below it.  ERRNO can be `run:COMMAND`, which the
 * shell does while the program waits; the call goes on then.  -N: the N-th and
 * all later ones. N = 0 counts only.  FILE gets the number of such calls. Exits
 * as the program does; 77 where this is not known how to do.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __x86_64__

#define THREADS_MAX 64

struct ask {
	long at; /* below 0: from there on */
	int code;
	const char *command; /* or NULL */
	const char *what;
	long met;
};

/* Threads whose call was made to fail and is to return that. */
static pid_t failing[THREADS_MAX];

static bool is_below(pid_t pid, unsigned long fd, const char *dir)
{
	size_t n = strlen(dir);
	char link[64], path[4096];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/%d/fd/%lu", pid, fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < (ssize_t)n || strncmp(path, dir, n) != 0)
		return false;
	return len == (ssize_t)n || path[n] == '/';
}

static bool is_meant(const struct ask *a, pid_t pid,
		     const struct user_regs_struct *r)
{
	switch (r->orig_rax) {
	case SYS_setxattr:
	case SYS_lsetxattr:
	case SYS_fsetxattr:
	case SYS_removexattr:
	case SYS_lremovexattr:
	case SYS_fremovexattr:
		return !strcmp(a->what, "acl");
	case SYS_getdents64:
		return !strncmp(a->what, "list:", 5) &&
		       is_below(pid, r->rdi, a->what + 5);
	case SYS_write:
	case SYS_pwrite64:
	case SYS_writev:
	case SYS_pwritev:
	case SYS_fsync:
	case SYS_fdatasync:
	case SYS_ftruncate:
	case SYS_fallocate:
		return a->what[0] == '/' && is_below(pid, r->rdi, a->what);
	default:
		return false;
	}
}

static void run_command(const char *command)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
		fprintf(stderr, "fail-at: %s\n", command);
}

static void on_call(struct ask *a, pid_t tid)
{
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGS, tid, NULL, &r) < 0)
		return;
	for (int i = 0; i < THREADS_MAX; i++)
		if (failing[i] == tid) { /* this is the end of the call */
			failing[i] = 0;
			r.rax = (unsigned long)-(long)a->code;
			ptrace(PTRACE_SETREGS, tid, NULL, &r);
			return;
		}
	/* How the kernel marks the beginning of one. */
	if (r.rax != (unsigned long)-(long)ENOSYS || !is_meant(a, tid, &r))
		return;
	a->met++;
	if (!a->at || (a->at > 0 ? a->met != a->at : a->met < -a->at))
		return;
	if (a->command) {
		run_command(a->command);
		return;
	}
	for (int i = 0; i < THREADS_MAX; i++)
		if (!failing[i]) {
			failing[i] = tid;
			r.orig_rax = (unsigned long)-1L; /* no such call */
			ptrace(PTRACE_SETREGS, tid, NULL, &r);
			return;
		}
}

static int follow(struct ask *a, pid_t pid)
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
		if (WSTOPSIG(st) == (SIGTRAP | 0x80))
			on_call(a, tid);
		else if (WSTOPSIG(st) != SIGTRAP && WSTOPSIG(st) != SIGSTOP)
			sig = WSTOPSIG(st);
		ptrace(PTRACE_SYSCALL, tid, NULL, sig);
	}
	return 0;
}

static int tell(const char *file, long calls)
{
	FILE *f = fopen(file, "w");

	if (!f)
		return -1;
	fprintf(f, "%ld\n", calls);
	return fclose(f);
}

int main(int argc, char **argv)
{
	struct ask a = {0};
	pid_t pid;
	int st;

	if (argc < 6)
		return 125;
	a.at = strtol(argv[1], NULL, 10);
	if (!strncmp(argv[2], "run:", 4))
		a.command = argv[2] + 4;
	else
		a.code = (int)strtol(argv[2], NULL, 10);
	a.what = argv[3];
	pid = fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		execvp(argv[5], argv + 5);
		_exit(127);
	}
	waitpid(pid, &st, 0);
	ptrace(PTRACE_SETOPTIONS, pid, NULL,
	       PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
	ptrace(PTRACE_SYSCALL, pid, NULL, 0);
	st = follow(&a, pid);
	if (tell(argv[4], a.met) < 0)
		return 125;
	return WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
}

#else

int main(void)
{
	fputs("fail-at: not on this machine\n", stderr);
	return 77;
}

#endif
