/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of the guest's PID 1, its console and its end. */
#include "guest-init/init.h"

#include "base/err.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NOFILE_HARD 524288

void say(const char *fmt, ...)
{
	char line[1024] = "vmrun-init: ";
	size_t at = strlen(line);
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line + at, sizeof(line) - at - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	at = strlen(line);
	line[at++] = '\n';
	if (write(2, line, at) < 0)
		return; /* nobody is left to tell */
}

int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/*
 * The kernel's console for messages; its log where there is none.  Never a
 * terminal of ours, and never waited for.
 */
static void console_open(void)
{
	int fd = open("/dev/console",
		      O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		fd = null;
	dup3(null, 0, O_CLOEXEC);
	dup3(fd, 1, O_CLOEXEC);
	dup3(fd, 2, O_CLOEXEC);
	if (fd > 2 && fd != null)
		close(fd);
	if (null > 2)
		close(null);
}

static _Noreturn void power_off(void)
{
	sync();
	/* With reboot=t and QEMU's -no-reboot this ends the VM on every
	 * machine; a power-off needs ACPI, which not all of them have. */
	reboot(RB_AUTOBOOT);
	_exit(0); /* a panic: the host sees the VM end */
}

/* A fault in here would be a panic of the guest: an orderly end instead. */
static void on_fault(int signo)
{
	static const char text[] = "vmrun-init: ended by a fault of its own\n";

	(void)signo;
	/* NOLINTBEGIN(bugprone-signal-handler,cert-sig30-c): system calls */
	if (write(2, text, sizeof(text) - 1) < 0)
		reboot(RB_AUTOBOOT);
	reboot(RB_AUTOBOOT);
	/* NOLINTEND(bugprone-signal-handler,cert-sig30-c) */
	_exit(1);
}

/* SIGCHLD comes by descriptor; a broken pipe is an error of write(). */
static int signals_open(struct err *e)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
	sigset_t set;
	int fd;

	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		signal(faults[i], on_fault);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_set(e, errno, "signals");
	return fd;
}

/* The soft limit stays the kernel's; programs that need more may have it. */
static void limits_set(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	r.rlim_max = NOFILE_HARD;
	setrlimit(RLIMIT_NOFILE, &r);
}

void set_priority(enum priority p)
{
	const struct sched_param first = {.sched_priority = 1}, none = {0};
	bool is_first = p == PRIORITY_FIRST;

	/* The C library has no such function that works. */
	if (syscall(SYS_sched_setscheduler, 0,
		    (is_first ? SCHED_FIFO : SCHED_BATCH) | SCHED_RESET_ON_FORK,
		    is_first ? &first : &none) < 0)
		say("scheduling: %s", strerror(errno));
}

/* Up to HELLO: nothing here knows which VM this is. */
static int boot(struct init *in, struct err *e)
{
	own_fd uevents = -1;

	umask(022);
	if (root_early(e) < 0)
		return -1;
	console_open();
	limits_set();
	set_priority(PRIORITY_FIRST);
	in->signals = signals_open(e);
	if (in->signals < 0)
		return -1;
	in->initramfs = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	in->modules = modules_open();
	uevents = uevents_open();
	modules_load(in->modules, "boot");
	if (port_open(in, uevents, e) < 0)
		return -1;
	ctl_put_hello(&in->ctl_out);
	clock_begin(in);
	return 0;
}

static void init_start(struct init *in)
{
	in->port = in->signals = in->notify = -1;
	in->modules = in->initramfs = -1;
	in->kmsg = in->resolver = in->nft = in->reload = -1;
	in->helper_ready = in->helper_report = -1;
	buf_init(&in->ctl_in, CTL_HOST_MAX + MUX_WINDOW);
	buf_init(&in->ctl_out, 1 << 20);
	for (size_t i = 0; i < MUX_STREAMS; i++) {
		in->streams[i].fd = -1;
		queue_init(&in->streams[i].pending, MUX_WINDOW + 1);
	}
	for (size_t i = 0; i < CTL_SESSIONS; i++) {
		in->sessions[i].start_fd = in->sessions[i].ready_fd = -1;
		in->sessions[i].slave_fd = -1;
	}
}

static bool is_over(const struct init *in)
{
	return in->said_exit || in->stop || in->gone;
}

static bool is_said(const struct init *in)
{
	return in->gone ||
	       (in->stop && !in->ctl_out.len && !mux_out(in->mux)->len);
}

int main(void)
{
	static struct init in;
	struct err e = ERR_INIT;

	if (getpid() != 1) {
		fprintf(stderr, "vmrun-init: runs as the first process of a "
				"VM only; see vmrun-init(8)\n");
		return 125;
	}
	/* The kernel runs us as /init; ps in the guest should say who we are.
	 */
	prctl(PR_SET_NAME, "vmrun-init");
	init_start(&in);
	if (boot(&in, &e) < 0) {
		say("%s", e.msg);
		power_off();
	}
	loop_run(&in, is_over, -1);
	session_end_all(&in);
	/* The driver does not say when the host has taken the last bytes: it
	 * ends the VM, or is gone. */
	loop_run(&in, is_said, -1);
	power_off();
}
