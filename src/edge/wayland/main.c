/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vmrun-wayland: a firewall for the Wayland protocol, between the clients of
 * one VM and the compositor.  Runs as the VM's own UID in an empty root,
 * without network.
 *
 * Descriptors at the start:
 *
 *     0 1  /dev/null             2  messages (usually /dev/null)
 *     3    vmrun: SOCK_SEQPACKET, records of wire/wayland.h
 *     4    the policy: a memory file
 *     5    listening Unix stream socket for the clients
 *
 * It opens nothing and connects to nothing: connections to the compositor come
 * from vmrun.  One loop over epoll(7); no threads, no timers.  It lives until
 * vmrun closes its end of 3.
 */
#include "session.h"
#include "vmrun.h"

#include "base/err.h"
#include "base/log.h"
#include "seal/sanitizer.h"
#include "seal/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static const struct seal_call calls[] = {
	{SCMP_SYS(epoll_wait), "the loop"},
	{SCMP_SYS(epoll_pwait), "the same, where it is made from this"},
	{SCMP_SYS(restart_syscall), "the same after SIGSTOP and SIGCONT"},
	{SCMP_SYS(sched_yield), "not to be in the way while looking"},
	{SCMP_SYS(epoll_ctl), "what to wait for"},
	{SCMP_SYS(accept4), "clients"},
	{SCMP_SYS(recvmsg), "clients, the compositor, vmrun; descriptors"},
	{SCMP_SYS(sendmsg), "the same"},
	{SCMP_SYS(sendto), "a client too many"},
	{SCMP_SYS(write), "the last words on 2"},
	{SCMP_SYS(close), "descriptors that were passed on"},
	{SCMP_SYS(fcntl), "seals of memory files; duplicates"},
	{SCMP_SYS(fstat), "sizes of memory files, kinds of descriptors"},
	{SCMP_SYS(newfstatat), "the same, as glibc before 2.39 does it"},
	{SCMP_SYS(memfd_create), "copies of memory files that take no seals"},
	{SCMP_SYS(ftruncate), "their size"},
	{SCMP_SYS(pread64), "what is copied into them"},
	{SCMP_SYS(mmap), "their mapping; malloc"},
	{SCMP_SYS(mremap), "when they grow; realloc"},
	{SCMP_SYS(munmap), "the end of them; free"},
	{SCMP_SYS(clock_gettime), "log rate, where there is no vDSO"},
	{SCMP_SYS(brk), "malloc"},
	{SCMP_SYS(madvise), "free; pages of copies that are used no more"},
	{SCMP_SYS(exit_group), "the end"},
};

/*
 * A round trip passes here twice, and being woken twice is most of what that
 * costs: tens of microseconds where processors sleep deeply.  While messages
 * follow each other as closely as LOOK_NS, the next one is looked for without
 * sleeping; what comes later, as each frame and each move of a mouse does, is
 * slept for.  A look is in vain when nothing came all that time, or when
 * somebody else wanted this processor and had it for GAVE_NS: whoever answers
 * us does not need it for longer.  Such a look costs more than many others
 * save, so VAIN_STEP messages are slept for after it, twice as many and more
 * after the next one, and fewer again after each look that something came of.
 */
#define LOOK_NS 200000u
#define GAVE_NS 20000u
#define VAIN_STEP 8u
#define VAIN_MAX 1023u

struct program {
	bool spins; /* there is another processor for whoever is waited for */
	bool close; /* the last message followed closely */
	/* So many are slept for after it was in vain; what is left of them. */
	unsigned vain, sleeps;
	struct vmrun vmrun;
	struct wayland_policy policy;
	struct filter filter;
	struct sessions sessions;
	uint32_t watched; /* events of the socket to vmrun */
};

static void say(void *ctx, enum log_level level, const char *text)
{
	struct program *p = ctx;

	vmrun_log(&p->vmrun, p->filter.now_ms, level, text);
}

static int read_policy(struct wayland_policy *policy, struct err *e)
{
	static unsigned char bytes[WAYLAND_POLICY_MAX];
	ssize_t n = pread(WAYLAND_FD_POLICY, bytes, sizeof(bytes), 0);

	if (n < 0)
		return err_set(e, errno, "the policy");
	close(WAYLAND_FD_POLICY);
	return wayland_policy_decode(bytes, (size_t)n, policy, e);
}

static int processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) < 0 ? 1
							   : CPU_COUNT(&set);
}

static int start(struct program *p, struct err *e)
{
	/* A client that went away is an error of sendmsg(2), not our end. */
	signal(SIGPIPE, SIG_IGN);
	p->spins = processors() > 1;
	if (fcntl(WAYLAND_FD_VMRUN, F_GETFD) < 0)
		return err_set(e, 0, "to be started by vmrun only");
	if (vmrun_init(&p->vmrun, WAYLAND_FD_VMRUN, e) < 0 ||
	    read_policy(&p->policy, e) < 0)
		return -1;
	filter_init(&p->filter, &p->policy, say, p);
	if (getrandom(p->filter.secret, sizeof(p->filter.secret), 0) !=
	    (ssize_t)sizeof(p->filter.secret))
		return err_set(e, errno, "random numbers");
	return sessions_init(&p->sessions, WAYLAND_FD_LISTEN, &p->vmrun,
			     &p->filter, e);
}

/* Commands are read while there is room for their answers. */
static int watch_vmrun(struct program *p)
{
	struct epoll_event ev = {.data.u64 = KEY_VMRUN};

	if (vmrun_has_room(&p->vmrun))
		ev.events |= EPOLLIN;
	if (p->vmrun.len)
		ev.events |= EPOLLOUT;
	if (p->watched == ev.events)
		return 0;
	if (epoll_ctl(p->sessions.epoll,
		      p->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, p->vmrun.fd,
		      &ev) < 0)
		return -1;
	p->watched = ev.events;
	return 0;
}

/* -1: vmrun is gone. */
static int command(struct program *p)
{
	struct wayland_record r;
	int fd, got = vmrun_command(&p->vmrun, &r, &fd);

	if (got > 0)
		sessions_command(&p->sessions, &r, fd);
	return got < 0 ? -1 : 0;
}

static uint64_t now_ns(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Looked for something without sleeping, and it came or not. */
static void note_look(struct program *p, bool came)
{
	if (came)
		p->vain -= (p->vain + 7) / 8;
	else
		p->vain = p->vain * 2 + VAIN_STEP;
	if (p->vain > VAIN_MAX)
		p->vain = VAIN_MAX;
	p->sleeps = came ? 0 : p->vain;
}

/* Without sleeping; 0: nothing came. */
static int look_for_events(struct program *p, struct epoll_event *ev, int max)
{
	const uint64_t since = now_ns();
	uint64_t before = since, now = since;
	int n = 0;

	while (now - since < LOOK_NS && now - before < GAVE_NS) {
		n = epoll_wait(p->sessions.epoll, ev, max, 0);
		if (n)
			break;
		before = now_ns();
		sched_yield();
		now = now_ns();
	}
	note_look(p, n);
	return n;
}

/* epoll_wait(2) until something has come, or while something is to be done. */
static int wait_for_events(struct program *p, struct epoll_event *ev, int max)
{
	const uint64_t since = now_ns();
	uint64_t now;
	int n = 0, max_wait = -1;

	if (p->sessions.n_later)
		max_wait = 0;
	else if (p->spins && p->close && !p->sleeps)
		n = look_for_events(p, ev, max);
	else if (p->close && p->sleeps)
		p->sleeps--;
	if (!n)
		n = epoll_wait(p->sessions.epoll, ev, max, max_wait);
	now = now_ns();
	p->close = now - since < LOOK_NS;
	p->filter.now_ms = now / 1000000;
	return n;
}

/* -1: vmrun is gone. */
static int turn(struct program *p, const struct epoll_event *ev)
{
	switch (ev->data.u64) {
	case KEY_VMRUN:
		if (ev->events & (EPOLLHUP | EPOLLERR | EPOLLIN))
			return command(p);
		return 0;
	case KEY_LISTEN:
		sessions_accept(&p->sessions);
		return 0;
	default:
		sessions_turn(&p->sessions, ev->data.u64, ev->events);
		return 0;
	}
}

static int loop(struct program *p, struct err *e)
{
	struct epoll_event events[32];

	for (;;) {
		int n;

		sessions_settle(&p->sessions);
		if (vmrun_flush(&p->vmrun) < 0)
			return 0;
		if (watch_vmrun(p) < 0)
			return err_set(e, errno, "watching the socket");
		n = wait_for_events(p, events, 32);
		if (n < 0 && errno != EINTR)
			return err_set(e, errno, "waiting");
		for (int i = 0; i < n; i++)
			if (turn(p, &events[i]) < 0)
				return 0;
		sessions_later(&p->sessions);
	}
}

int main(void)
{
	static struct program p;
	const struct wayland_record ready = {.kind = WAYLAND_EV_READY};
	struct err e = ERR_INIT;

	log_setup("vmrun-wayland", LOG_LEVEL_WARN);
	if (seal_early(&e) < 0 || seal_nofile(0, &e) < 0 || start(&p, &e) < 0 ||
	    seal_drop_caps(&e) < 0 ||
	    seal_running(calls, sizeof(calls) / sizeof(*calls), &e) < 0) {
		log_err(LOG_LEVEL_ERR, &e);
		return 125;
	}
	vmrun_send(&p.vmrun, &ready);
	if (loop(&p, &e) < 0) {
		log_err(LOG_LEVEL_ERR, &e);
		return 125;
	}
	sessions_free(&p.sessions);
	wayland_policy_free(&p.policy);
	vmrun_free(&p.vmrun);
	return 0;
}
