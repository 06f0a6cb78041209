/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands and what becomes of them.  Runs in the guest as PID 1. */
#include "guest-init/init.h"

#include "base/err.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define TTY_GID 5

/* The descriptors of a command before it has them. */
struct ends {
	int child[3];		/* its 0, 1 and 2 */
	int ours[3];		/* the other ends; with a terminal none at 0 */
	int ready[2], start[2]; /* read end, write end */
};

static void ends_close(struct ends *x)
{
	for (size_t i = 0; i < 3; i++) {
		own_close(&x->child[i]);
		own_close(&x->ours[i]);
	}
	for (size_t i = 0; i < 2; i++) {
		own_close(&x->ready[i]);
		own_close(&x->start[i]);
	}
}

static uint32_t number_of(const struct init *in, const struct session *s)
{
	return (uint32_t)(s - in->sessions);
}

/*
 * A pipe for stream i of the command; only our end does not block.  It belongs
 * to the user, so that the command can open /dev/stderr and its like anew.
 */
static int make_pipe(struct ends *x, const struct init *in, int i)
{
	int mine = i == 0 ? 1 : 0, p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return -1;
	x->ours[i] = p[mine];
	x->child[i] = p[!mine];
	fcntl(p[mine], F_SETPIPE_SZ, PIPE_SIZE);
	if (fchown(p[mine], in->launch.uid, in->launch.gid) < 0)
		return -1;
	return fcntl(p[mine], F_SETFL, O_NONBLOCK);
}

/* For what has no stream of its own. */
static int make_terminal(struct ends *x, const struct init *in,
			 const struct session_spec *spec)
{
	const struct winsize_msg *w = &spec->win;
	struct winsize ws = {.ws_row = w->rows,
			     .ws_col = w->cols,
			     .ws_xpixel = w->xpixels,
			     .ws_ypixel = w->ypixels};
	struct termios t;
	int unlock = 0;

	x->ours[1] =
		open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (x->ours[1] < 0 || ioctl(x->ours[1], TIOCSPTLCK, &unlock) < 0 ||
	    ioctl(x->ours[1], TIOCSWINSZ, &ws) < 0)
		return -1;
	x->child[0] =
		ioctl(x->ours[1], TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (x->child[0] < 0)
		return -1;
	/* A character is erased as a whole: all terminals of today are so. */
	if (tcgetattr(x->child[0], &t) == 0) {
		t.c_iflag |= IUTF8;
		tcsetattr(x->child[0], TCSANOW, &t);
	}
	for (int i = 1; i < (spec->err ? 2 : 3); i++) {
		x->child[i] = fcntl(x->child[0], F_DUPFD_CLOEXEC, 3);
		if (x->child[i] < 0)
			return -1;
	}
	return fchown(x->child[0], in->launch.uid, TTY_GID);
}

static int make_streams(struct ends *x, const struct init *in,
			const struct session_spec *spec)
{
	const uint32_t id[3] = {spec->in, spec->out, spec->err};

	if (spec->terminal && make_terminal(x, in, spec) < 0)
		return -1;
	for (int i = 0; i < 3; i++) {
		if (x->child[i] >= 0)
			continue;
		if (id[i] && make_pipe(x, in, i) < 0)
			return -1;
		if (id[i])
			continue;
		x->child[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (x->child[i] < 0)
			return -1;
	}
	return 0;
}

static int make_ends(struct ends *x, const struct init *in,
		     const struct session_spec *spec, struct err *e)
{
	if (spec->ready_fd && (spec->ready_fd < CTL_READY_FD_MIN ||
			       spec->ready_fd > CTL_READY_FD_MAX))
		return err_set(e, 0, "descriptor %u cannot be for readiness",
			       spec->ready_fd);
	if (make_streams(x, in, spec) < 0)
		return err_set(e, errno, "streams of the command");
	if (pipe2(x->start, O_CLOEXEC) < 0 ||
	    fcntl(x->start[0], F_SETFL, O_NONBLOCK) < 0 ||
	    (spec->ready_fd && (pipe2(x->ready, O_CLOEXEC) < 0 ||
				fcntl(x->ready[0], F_SETFL, O_NONBLOCK) < 0)))
		return err_set(e, errno, "pipes of the command");
	return 0;
}

static pid_t fork_child(struct init *in, const struct session_spec *spec,
			const struct ends *x)
{
	const struct child_plan c = {
		.spec = spec,
		.uid = in->launch.uid,
		.gid = in->launch.gid,
		.restricted = in->launch.restricted,
		.in = x->child[0],
		.out = x->child[1],
		.err = x->child[2],
		.ready = x->ready[1],
		.report = x->start[1],
	};
	pid_t pid = fork();

	if (!pid && in->launch.firewall[0])
		firewall_command(in, &c);
	if (!pid)
		child_run(&c);
	return pid;
}

/* Refuses a command that has not become a session. */
static void refuse(struct init *in, const struct session_spec *spec,
		   const struct err *e)
{
	ctl_put_exit(&in->ctl_out, spec->session, CTL_EXIT_SETUP,
		     (uint32_t)e->code, e->msg);
	stream_close(in, spec->in);
	stream_close(in, spec->out);
	stream_close(in, spec->err);
	if (!spec->session)
		in->said_exit = true;
}

static void bind_streams(struct init *in, const struct session_spec *spec,
			 struct ends *x)
{
	if (spec->in)
		stream_bind(in, spec->in, steal_fd(&x->ours[0]), STREAM_IN);
	if (spec->out)
		stream_bind(in, spec->out, steal_fd(&x->ours[1]),
			    spec->terminal ? STREAM_BOTH : STREAM_OUT);
	if (spec->err)
		stream_bind(in, spec->err, steal_fd(&x->ours[2]), STREAM_OUT);
}

void session_start(struct init *in, const struct session_spec *spec)
{
	struct ends x = {{-1, -1, -1}, {-1, -1, -1}, {-1, -1}, {-1, -1}};
	struct session *s = &in->sessions[spec->session];
	struct err e = ERR_INIT;
	pid_t pid = -1;

	if (s->state != SESSION_FREE) {
		say("session %u runs already", spec->session);
		return;
	}
	if (make_ends(&x, in, spec, &e) == 0 &&
	    (!in->launch.firewall[0] || firewall_prepare(in, s, &e) == 0)) {
		pid = fork_child(in, spec, &x);
		if (pid < 0)
			err_set(&e, errno, "a process for the command");
	}
	if (pid < 0) {
		firewall_unprepare(in, s);
		refuse(in, spec, &e);
		ends_close(&x);
		return;
	}
	memset(s, 0, sizeof(*s));
	s->state = SESSION_STARTING;
	s->pid = pid;
	s->start_fd = steal_fd(&x.start[0]);
	s->ready_fd = steal_fd(&x.ready[0]);
	/* Held until the process is reaped: without any holder the terminal
	 * would look hung up while the command merely closes its descriptors,
	 * and to close our end would then kill it by SIGHUP. */
	s->slave_fd = spec->terminal ? steal_fd(&x.child[0]) : -1;
	s->in = spec->in;
	s->out = spec->out;
	s->err = spec->err;
	bind_streams(in, spec, &x);
	ends_close(&x);
}

void session_started(struct init *in, struct session *s)
{
	struct child_report r;
	ssize_t n = read(s->start_fd, &r, sizeof(r));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	close(s->start_fd);
	s->start_fd = -1;
	s->state = SESSION_RUNNING;
	if (n == sizeof(r)) {
		s->kind = (enum ctl_exit)r.kind;
		s->value = r.value;
		snprintf(s->text, sizeof(s->text), "%s", r.text);
		return;
	}
	ctl_put_session(&in->ctl_out, CTL_STARTED, number_of(in, s));
	if (!number_of(in, s))
		modules_late(in);
}

void session_signal(struct init *in, uint32_t session, int signo)
{
	struct session *s = &in->sessions[session];

	/* What a terminal would send goes to the whole process group, as a
	 * terminal sends it; the rest is for the application, which knows its
	 * children.  Before execve() there may be no process group yet. */
	bool group = signo == SIGINT || signo == SIGQUIT || signo == SIGHUP ||
		     signo == SIGTSTP || signo == SIGCONT;

	if (s->state == SESSION_RUNNING && group)
		kill(-s->pid, signo);
	else if (s->state == SESSION_RUNNING || s->state == SESSION_STARTING)
		kill(s->pid, signo);
}

void session_winsize(struct init *in, uint32_t session,
		     const struct winsize_msg *w)
{
	struct session *s = &in->sessions[session];
	struct winsize ws = {.ws_row = w->rows,
			     .ws_col = w->cols,
			     .ws_xpixel = w->xpixels,
			     .ws_ypixel = w->ypixels};

	if (s->state != SESSION_FREE && s->out &&
	    in->streams[s->out].terminal && in->streams[s->out].fd >= 0)
		ioctl(in->streams[s->out].fd, TIOCSWINSZ, &ws);
}

void session_ready(struct init *in, struct session *s)
{
	if (s->ready ||
	    (s->state != SESSION_RUNNING && s->state != SESSION_STARTING))
		return;
	s->ready = true;
	ctl_put_session(&in->ctl_out, CTL_READY, number_of(in, s));
}

void session_ready_read(struct init *in, struct session *s)
{
	char text[256];
	ssize_t n = read(s->ready_fd, text, sizeof(text));
	bool line = n > 0 && memchr(text, '\n', (size_t)n);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (line)
		session_ready(in, s);
	if (line || n <= 0)
		own_close(&s->ready_fd);
}

struct session *session_of(struct init *in, pid_t pid)
{
	pid_t leader = pid > 0 ? getsid(pid) : -1;

	for (size_t i = 0; leader > 0 && i < CTL_SESSIONS; i++)
		if (in->sessions[i].state == SESSION_RUNNING &&
		    in->sessions[i].pid == leader)
			return &in->sessions[i];
	return &in->sessions[0];
}

/* The process is gone: what it wrote is in its pipes, no more than they hold.
 */
static void note_end(struct init *in, struct session *s, int status)
{
	if (s->state == SESSION_STARTING)
		session_started(in, s);
	s->state = SESSION_ENDED;
	s->out_left = s->err_left = PIPE_SIZE;
	own_close(&s->ready_fd);
	if (s->kind != CTL_EXIT_CODE)
		return; /* it never became the command */
	if (WIFSIGNALED(status)) {
		s->kind = CTL_EXIT_SIGNAL;
		s->value = (uint32_t)WTERMSIG(status);
	} else {
		s->value = (uint32_t)WEXITSTATUS(status);
	}
	if (in->launch.firewall[0])
		firewall_ended(in, s);
}

void session_reap(struct init *in)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < CTL_SESSIONS; i++)
			if (in->sessions[i].pid == pid &&
			    (in->sessions[i].state == SESSION_STARTING ||
			     in->sessions[i].state == SESSION_RUNNING))
				note_end(in, &in->sessions[i], status);
}

/* Background processes may hold the streams open: they are not waited for. */
static bool output_is_out(struct init *in, struct session *s)
{
	bool out = !s->out || stream_read(in, s->out, &s->out_left);
	bool err = !s->err || stream_read(in, s->err, &s->err_left);

	return out && err;
}

static void close_streams(struct init *in, struct session *s)
{
	stream_close(in, s->in);
	stream_close(in, s->out);
	stream_close(in, s->err);
	own_close(&s->slave_fd);
	s->in = s->out = s->err = 0;
}

static void send_exit(struct init *in, struct session *s)
{
	ctl_put_exit(&in->ctl_out, number_of(in, s), s->kind, s->value,
		     s->text);
	s->state = SESSION_FREE;
}

void session_settle(struct init *in)
{
	for (size_t i = 0; i < CTL_SESSIONS; i++) {
		struct session *s = &in->sessions[i];

		if (s->state != SESSION_ENDED || !output_is_out(in, s))
			continue;
		close_streams(in, s);
		/* Session 0's EXIT says that the files are synced, too. */
		if (i)
			send_exit(in, s);
		else
			session_end_all(in);
	}
}

/* Until no child is left, or REAP_MS are over: a process can hang in a call
 * that even SIGKILL does not end. */
static void kill_all(struct init *in)
{
	int64_t deadline = now_ms() + REAP_MS, left;
	struct pollfd p = {.fd = in->signals, .events = POLLIN};
	siginfo_t child;
	char info[512];

	kill(-1, SIGKILL);
	for (;;) {
		session_reap(in);
		left = deadline - now_ms();
		if (waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) < 0 ||
		    left <= 0)
			return;
		if (poll(&p, 1, (int)left) > 0 &&
		    read(in->signals, info, sizeof(info)) < 0)
			return;
	}
}

/* Else the command's end by SIGKILL, or a child's, would have no reason. */
static void say_memory(struct init *in)
{
	static const char word[] = "\noom_kill ";
	own_fd fd = open("/proc/vmstat", O_RDONLY | O_CLOEXEC);
	char text[16384];
	size_t n = 0;
	ssize_t got;
	const char *at;

	while (fd >= 0 && n < sizeof(text) - 1 &&
	       (got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	at = strstr(text, word);
	if (at && at[sizeof(word) - 1] != '0')
		ctl_put_log(&in->ctl_out, GUEST_LOG_WARN,
			    "the machine ran out of memory, and programs were "
			    "killed: see --mem");
}

void session_end_all(struct init *in)
{
	if (in->said_exit)
		return;
	in->said_exit = true;
	say_memory(in);
	kill_all(in);
	/* The host ends nothing before it has what they sent. */
	for (unsigned i = 0; i < in->n_sockets; i++)
		sockets_accept(in, i);
	streams_end_conns(in);
	for (size_t i = CTL_SESSIONS; i-- > 1;) {
		struct session *s = &in->sessions[i];

		if (s->state == SESSION_FREE)
			continue;
		output_is_out(in, s);
		close_streams(in, s);
		send_exit(in, s);
	}
	close_streams(in, &in->sessions[0]);
	sync();
	if (in->sessions[0].state == SESSION_ENDED)
		send_exit(in, &in->sessions[0]);
}

void session_setup_failed(struct init *in, const struct err *e)
{
	say("%s", e->msg);
	refuse(in, &in->launch.app, e);
}
