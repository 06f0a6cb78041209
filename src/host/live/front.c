/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Foreground and background.  vmrun and vmrunctl, the person's authority. */
#include "host/live/front.h"

#include "base/err.h"
#include "base/own.h"
#include "proc/inherit.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define AGAIN_NS (100L * 1000 * 1000)
/* SIGTTIN may be ignored, or the shell that would go on with us be gone. */
#define TRIES 16

bool front_is(int tty)
{
	pid_t front = tcgetpgrp(tty);

	/* Of a terminal that is not ours there are no jobs. */
	return front < 0 || front == getpgrp();
}

/* In the signalfd of who has blocked it. */
static bool is_ending(void)
{
	sigset_t set;

	if (sigpending(&set) < 0)
		return false;
	for (int s = 1; s < NSIG; s++)
		if (proc_is_end(s) && sigismember(&set, s) == 1)
			return true;
	return false;
}

int front_take(int tty, struct err *e)
{
	for (int i = 0; !front_is(tty) && !is_ending(); i++) {
		if (i == TRIES)
			return err_set(e, 0, "the terminal is another job's");
		kill(0, SIGTTIN);
	}
	return 0;
}

static void stop(void)
{
	sigset_t set;

	/* Not SIGSTOP: the kernel knows where nobody would continue us. */
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

int front_stop_terminal(int tty, struct err *e)
{
	stop();
	if (front_take(tty, e) < 0)
		return -1;
	return !is_ending();
}

int front_begin(struct front *f, int tty, struct err *e)
{
	struct epoll_event typed = {.events = EPOLLIN | EPOLLET};
	struct epoll_event later = {.events = EPOLLIN};

	f->tty = tty;
	f->watch = epoll_create1(EPOLL_CLOEXEC);
	f->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (f->watch < 0 || f->timer < 0 ||
	    epoll_ctl(f->watch, EPOLL_CTL_ADD, tty, &typed) < 0 ||
	    epoll_ctl(f->watch, EPOLL_CTL_ADD, f->timer, &later) < 0) {
		err_set(e, errno, "watching the terminal");
		front_end(f);
		return -1;
	}
	f->paused = !front_is(tty);
	return 0;
}

bool front_look(struct front *f)
{
	struct itimerspec again = {.it_value.tv_nsec = AGAIN_NS};
	const struct itimerspec never = {{0, 0}, {0, 0}};
	bool was = f->paused;
	struct epoll_event ev[2];
	int unread = 0;

	epoll_wait(f->watch, ev, 2, 0);
	f->paused = !front_is(f->tty);
	/* In place of a read of the timer: it is not over any more. */
	if (f->paused && ioctl(f->tty, FIONREAD, &unread) == 0 && unread)
		timerfd_settime(f->timer, 0, &again, NULL);
	else
		timerfd_settime(f->timer, 0, &never, NULL);
	return f->paused != was;
}

bool front_stop(struct front *f)
{
	stop();
	if (f->watch < 0)
		return false;
	f->paused = true;
	return front_look(f);
}

void front_end(struct front *f)
{
	own_close(&f->watch);
	own_close(&f->timer);
	f->tty = -1;
}
