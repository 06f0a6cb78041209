/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From fork() to execve().  Runs in the guest: as a copy of PID 1 first, as the
 * VM's user from become_user() on.
 */
#include "guest-init/init.h"
#include "guest-init/restrict.h"

#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"
#define CAPS_MAX 64

static int report_fd;

__attribute__((format(printf, 3, 4))) static _Noreturn void
fail(enum ctl_exit kind, int code, const char *fmt, ...)
{
	struct child_report r = {.kind = kind, .value = (uint32_t)code};
	size_t used;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r.text, sizeof(r.text), fmt, ap);
	va_end(ap);
	used = strlen(r.text);
	if (code)
		snprintf(r.text + used, sizeof(r.text) - used, ": %s",
			 strerror(code));
	if (write(report_fd, &r, sizeof(r)) != sizeof(r))
		_exit(126);
	_exit(kind == CTL_EXIT_NOT_FOUND ? 127 : 126);
}

/* As at the start of any program. */
static void reset_signals(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * The command's descriptors: 0, 1 and 2, and spec->ready_fd.  All others are
 * close-on-exec from birth.
 */
static void place_fds(const struct child_plan *c)
{
	int number = (int)c->spec->ready_fd;

	/* Out of the way of the number that the command wants. */
	report_fd = fcntl(c->report, F_DUPFD_CLOEXEC, number + 3);
	if (report_fd < 0) {
		report_fd = c->report;
		fail(CTL_EXIT_SETUP, errno, "descriptor for errors");
	}
	if (dup2(c->in, 0) < 0 || dup2(c->out, 1) < 0 || dup2(c->err, 2) < 0)
		fail(CTL_EXIT_SETUP, errno, "standard streams");
	if (c->ready < 0)
		return;
	if (c->ready == number)
		fcntl(number, F_SETFD, 0);
	else if (dup2(c->ready, number) < 0)
		fail(CTL_EXIT_SETUP, errno, "descriptor %d for readiness",
		     number);
}

/*
 * Keeps: nothing.  Gives up: all groups, all capabilities and the ways to get
 * any; a setuid program of the guest would be one.
 */
static void become_user(const struct child_plan *c)
{
	for (int cap = 0; cap < CAPS_MAX; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			break;
	if (setgroups(0, NULL) < 0 || setresgid(c->gid, c->gid, c->gid) < 0 ||
	    setresuid(c->uid, c->uid, c->uid) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		fail(CTL_EXIT_SETUP, errno, "becoming user %u", c->uid);
}

/* The environment; ours are the last words on what only we know. */
static char **make_env(char **given)
{
	static char ours[] = "NOTIFY_SOCKET=" NOTIFY_PATH;
	size_t n = strcspn(ours, "=") + 1, have = 0;
	char **env = calloc(strv_len(given) + 2, sizeof(*env));

	if (!env)
		fail(CTL_EXIT_SETUP, ENOMEM, "environment");
	for (; given && *given; given++)
		if (strncmp(*given, ours, n))
			env[have++] = *given;
	env[have] = ours;
	return env;
}

static const char *get_path(char **env)
{
	for (; *env; env++)
		if (!strncmp(*env, "PATH=", 5))
			return *env + 5;
	return DEFAULT_PATH;
}

/*
 * execve() failed.  Returns if another directory may have it; keeps the most
 * telling reason in *code.
 */
static void judge(const char *path, int *code)
{
	int why = errno;

	if (why == ENOENT && access(path, F_OK) == 0)
		fail(CTL_EXIT_NOT_FOUND, 0,
		     "%s is there, but the interpreter it names is not", path);
	if (why == EACCES)
		*code = why;
	else if (why != ENOENT && why != ENOTDIR)
		fail(CTL_EXIT_NOT_EXEC, why, "%s", path);
}

/* No machine code that this kernel does not know: its first line is text. */
static bool is_script(const char *path)
{
	own_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	char head[128];
	ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof(head));
	const char *line = n > 0 ? memchr(head, '\n', (size_t)n) : NULL;

	return n >= 0 &&
	       !memchr(head, 0, line ? (size_t)(line - head) : (size_t)n);
}

/* sh with the script and its arguments. */
static void execute_script(const char *path, char **argv, char **env)
{
	own_free char **all = NULL;
	size_t n = 0;

	while (argv[n])
		n++;
	all = calloc(n + 2, sizeof(*all));
	if (!all)
		return;
	all[0] = argv[0];
	all[1] = (char *)path;
	memcpy(all + 2, argv + 1, n * sizeof(*all));
	execve("/bin/sh", all, env);
}

/* As execvp(3) and every shell: what names no interpreter is for sh. */
static void execute_file(const char *path, char **argv, char **env)
{
	execve(path, argv, env);
	if (errno != ENOEXEC)
		return;
	if (is_script(path))
		execute_script(path, argv, env);
	errno = ENOEXEC;
}

static void search(const char *name, char **argv, char **env, int *code)
{
	const char *dir = get_path(env);

	while (*dir) {
		size_t n = strcspn(dir, ":");
		char path[PATH_MAX];

		/* An empty entry would be the working directory: not here. */
		if (n && snprintf(path, sizeof(path), "%.*s/%s", (int)n, dir,
				  name) < (int)sizeof(path)) {
			execute_file(path, argv, env);
			judge(path, code);
		}
		dir += n;
		dir += *dir == ':';
	}
}

static _Noreturn void execute(char **argv, char **env)
{
	int code = 0;

	if (strchr(argv[0], '/')) {
		execute_file(argv[0], argv, env);
		judge(argv[0], &code);
	} else if (argv[0][0]) {
		search(argv[0], argv, env, &code);
	}
	if (code)
		fail(CTL_EXIT_NOT_EXEC, code, "%s", argv[0]);
	fail(CTL_EXIT_NOT_FOUND, 0, "%s: not found in the VM",
	     argv[0][0] ? argv[0] : "a command without a name");
}

void child_run(const struct child_plan *c)
{
	report_fd = c->report;
	reset_signals();
	if (setsid() < 0)
		fail(CTL_EXIT_SETUP, errno, "new session");
	place_fds(c);
	if (c->spec->terminal && ioctl(0, TIOCSCTTY, 0) < 0)
		fail(CTL_EXIT_SETUP, errno, "terminal");
	become_user(c);
	umask(022);
	/* As the user: root may not enter what is the user's own. */
	if (chdir(c->spec->cwd) < 0)
		fail(CTL_EXIT_SETUP, errno, "working directory %s",
		     c->spec->cwd);
	if (c->restricted && restrict_calls() < 0)
		fail(CTL_EXIT_SETUP, errno, "restricting system calls");
	execute(c->spec->argv, make_env(c->spec->env));
}
