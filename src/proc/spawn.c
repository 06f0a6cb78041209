/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Starting children.  Runs with whatever authority the caller has.
 *
 * The error pipe: the child writes its struct err there and exits; a
 * successful execve() closes it.  The gate pipe: the child waits on it until
 * the parent has written the id maps.
 */
#include "proc/spawn.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct pipes {
	int err_r, err_w;
	int gate_r, gate_w; /* -1 unless spec->parent */
};

static void pipes_close(struct pipes *p)
{
	own_close(&p->err_r);
	own_close(&p->err_w);
	own_close(&p->gate_r);
	own_close(&p->gate_w);
}

static int pipes_open(struct pipes *p, int gate, struct err *e)
{
	int two[2];

	if (pipe2(two, O_CLOEXEC) < 0)
		return err_set(e, errno, "making a pipe");
	p->err_r = two[0];
	p->err_w = two[1];
	if (!gate)
		return 0;
	if (pipe2(two, O_CLOEXEC) < 0)
		return err_set(e, errno, "making a pipe");
	p->gate_r = two[0];
	p->gate_w = two[1];
	return 0;
}

/*
 * fork() with namespace flags and a pidfd.  The raw system call: there is one
 * thread, and no fork handler that would matter.  See clone(2), clone3().
 */
/* NOLINTNEXTLINE(readability-non-const-parameter): the kernel writes it */
static pid_t fork_pidfd(uint64_t flags, int *pidfd)
{
	struct clone_args a = {
		.flags = flags | CLONE_PIDFD,
		.pidfd = (uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
	};

	return (pid_t)syscall(SYS_clone3, &a, sizeof(a));
}

static void default_signals(bool keep_mask)
{
	sigset_t none;

	/* Neither does what is ignored end one that keeps the mask. */
	for (int s = 1; s < NSIG; s++)
		if (signal(s, SIG_DFL) == SIG_IGN && keep_mask)
			signal(s, SIG_IGN);
	if (keep_mask)
		return;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Moves *fd to a number of at least `low`; the old one is closed. */
static int lift(int *fd, int low)
{
	int up = fcntl(*fd, F_DUPFD_CLOEXEC, low);

	if (up < 0)
		return -1;
	close(*fd);
	*fd = up;
	return 0;
}

/*
 * Makes the descriptor table: everything of the list at its number, nothing
 * else but *err_w, which is close-on-exec and above the highest number.
 */
static int make_table(const struct proc_spec *s, int *err_w, struct err *e)
{
	int high = 3;
	int tmp[64];

	if (s->n_fds > 64)
		return err_set(e, EMFILE, "descriptor table");
	for (size_t i = 0; i < s->n_fds; i++)
		if (s->fds[i].to >= high)
			high = s->fds[i].to + 1;
	if (lift(err_w, high) < 0)
		return err_set(e, errno, "descriptor table");
	/* First all out of the way, then each to its place. */
	for (size_t i = 0; i < s->n_fds; i++) {
		tmp[i] = fcntl(s->fds[i].from, F_DUPFD_CLOEXEC, high);
		if (tmp[i] < 0)
			return err_set(e, errno, "descriptor %d",
				       s->fds[i].from);
	}
	for (int fd = 0; fd < high; fd++) {
		size_t i = 0;

		while (i < s->n_fds && s->fds[i].to != fd)
			i++;
		if (i < s->n_fds) {
			if (dup2(tmp[i], fd) < 0)
				return err_set(e, errno, "descriptor %d", fd);
		} else if (fd < 3) {
			int null = open("/dev/null", O_RDWR | O_CLOEXEC);

			if (null < 0)
				return err_set(e, errno, "/dev/null");
			if (null != fd && dup2(null, fd) < 0)
				return err_set(e, errno, "descriptor %d", fd);
			fcntl(fd, F_SETFD, 0);
			if (null != fd)
				close(null);
		} else {
			close(fd);
		}
	}
	if (close_range((unsigned)high, (unsigned)*err_w - 1, 0) < 0 &&
	    *err_w > high)
		return err_set(e, errno, "closing descriptors");
	if (close_range((unsigned)*err_w + 1, ~0U, 0) < 0)
		return err_set(e, errno, "closing descriptors");
	return 0;
}

/* Who am I now: the child, in its new namespaces.  Returns only to fail. */
static int child_side(const struct proc_spec *s, struct pipes *p, int exec,
		      struct err *e)
{
	default_signals(s->keep_mask);
	if (s->parent) {
		char go;

		own_close(&p->gate_w);
		if (io_read_full(p->gate_r, &go, 1) != 1)
			return err_set(e, ECANCELED, "starting a child");
	}
	if (s->child && s->child(s->arg, e) < 0)
		return -1;
	if (!exec)
		return 0;
	if (make_table(s, &p->err_w, e) < 0)
		return err_wrap(e, "cannot start %s", s->path);
	execve(s->path, s->argv, s->envp);
	return err_set(e, errno, "cannot execute %s", s->path);
}

static int start(const struct proc_spec *s, int exec, struct child *c,
		 struct pipes *p, struct err *e)
{
	struct child none = CHILD_NONE;
	struct err ce = ERR_INIT;
	pid_t pid;

	*c = none;
	if (pipes_open(p, s->parent != NULL, e) < 0)
		return -1;
	pid = fork_pidfd(s->clone_flags, &c->pidfd);
	if (pid < 0) {
		err_set(e, errno, "cannot start a process%s",
			s->clone_flags ? " in new namespaces" : "");
		if (s->clone_flags & CLONE_NEWUSER)
			err_hint(e, "run `vmrunctl doctor`: it knows the "
				    "settings that forbid user namespaces");
		return -1;
	}
	if (pid == 0) {
		if (child_side(s, p, exec, &ce) < 0) {
			io_write_all(p->err_w, &ce, sizeof(ce));
			_exit(125);
		}
		_exit(0);
	}
	c->pid = pid;
	fcntl(c->pidfd, F_SETFD, FD_CLOEXEC);
	own_close(&p->err_w);
	own_close(&p->gate_r);
	if (s->parent) {
		if (s->parent(s->arg, pid, e) < 0)
			return -1;
		if (io_write_all(p->gate_w, "", 1) < 0)
			return err_set(e, errno, "starting a child");
	}
	return 0;
}

/* What the child said before it exec'ed, exited or died. */
static int child_error(struct pipes *p, struct err *e)
{
	struct err ce;
	ssize_t got = io_read_full(p->err_r, &ce, sizeof(ce));

	if (got == 0)
		return 0;
	if (got != (ssize_t)sizeof(ce))
		return err_set(e, 0, "a child ended before it could start");
	ce.msg[sizeof(ce.msg) - 1] = '\0';
	ce.hint[sizeof(ce.hint) - 1] = '\0';
	*e = ce;
	return -1;
}

int proc_spawn(const struct proc_spec *s, struct child *c, struct err *e)
{
	struct pipes p = {-1, -1, -1, -1};
	int r = start(s, 1, c, &p, e);

	if (r == 0)
		r = child_error(&p, e);
	pipes_close(&p);
	if (r < 0)
		child_kill(c);
	return r;
}

int proc_run(const struct proc_spec *s, struct err *e)
{
	struct pipes p = {-1, -1, -1, -1};
	struct child c;
	int r = start(s, 0, &c, &p, e);
	int st;

	if (r == 0)
		r = child_error(&p, e);
	pipes_close(&p);
	if (r < 0) {
		child_kill(&c);
		return -1;
	}
	st = child_wait(&c);
	if (st != 0)
		return err_set(e, 0, "a helper process ended with status %d",
			       WIFEXITED(st) ? WEXITSTATUS(st)
					     : 128 + WTERMSIG(st));
	return 0;
}

int proc_start(const struct proc_spec *s, struct child *c, struct err *e)
{
	struct pipes p = {-1, -1, -1, -1};
	int r = start(s, 0, c, &p, e);

	pipes_close(&p);
	if (r < 0)
		child_kill(c);
	return r;
}

int child_wait(struct child *c)
{
	int st;

	if (c->pid <= 0) {
		errno = ECHILD;
		return -1;
	}
	while (waitpid(c->pid, &st, 0) < 0)
		if (errno != EINTR) {
			/* No child any more: the number may be another's. */
			st = -1;
			break;
		}
	c->pid = 0;
	own_close(&c->pidfd);
	return st;
}

void child_kill(struct child *c)
{
	if (c->pid <= 0)
		return;
	kill(c->pid, SIGKILL); /* ours and not yet reaped: no other has it */
	child_wait(c);
}

int proc_capture(const struct proc_spec *spec, struct buf *out, struct err *e)
{
	struct proc_fd fds[16];
	struct proc_spec s = *spec;
	struct child c = CHILD_NONE;
	own_fd r = -1;
	own_fd w = -1;
	char chunk[4096];
	int two[2], st;
	ssize_t got;

	if (s.n_fds >= 16)
		return err_set(e, EMFILE, "descriptor table");
	if (pipe2(two, O_CLOEXEC) < 0)
		return err_set(e, errno, "making a pipe");
	r = two[0];
	w = two[1];
	if (s.n_fds)
		memcpy(fds, s.fds, s.n_fds * sizeof(fds[0]));
	fds[s.n_fds].from = w;
	fds[s.n_fds++].to = STDOUT_FILENO;
	s.fds = fds;
	if (proc_spawn(&s, &c, e) < 0)
		return -1;
	own_close(&w);
	/* What writes too much is not read to its end: it may have none. */
	while (!(out && out->bad) &&
	       (got = io_read_full(r, chunk, sizeof(chunk))) > 0)
		if (out)
			buf_put(out, chunk, (size_t)got);
	if (out && out->bad) {
		child_kill(&c);
		return err_set(e, EFBIG, "output of %s", s.path);
	}
	st = child_wait(&c);
	return st < 0 ? err_set(e, errno, "waiting for %s", s.path) : st;
}

const char *proc_find(const char *const *places)
{
	for (; *places; places++)
		if (access(*places, X_OK) == 0)
			return *places;
	return NULL;
}

int proc_write(pid_t pid, const char *name, const char *text, struct err *e)
{
	char path[64];
	own_fd fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || io_write_all(fd, text, strlen(text)) < 0)
		return err_set(e, errno, "%s", path);
	return 0;
}

int proc_map_root(void *arg, pid_t pid, struct err *e)
{
	char text[64];

	(void)arg;
	snprintf(text, sizeof(text), "0 %u 1\n", (unsigned)getuid());
	if (proc_write(pid, "uid_map", text, e) < 0 ||
	    proc_write(pid, "setgroups", "deny", e) < 0)
		return -1;
	snprintf(text, sizeof(text), "0 %u 1\n", (unsigned)getgid());
	return proc_write(pid, "gid_map", text, e);
}
