/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Self-confinement: each step in a child of its own, judged by how it ends.
 * Needs no privileges; where it has some (root), dropping them is seen too.
 */
#include "child.h"
#include "tap.h"

#include "base/err.h"
#include "seal/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void killed(int (*f)(void), const char *what)
{
	int st = in_child(f);

	if (!tap_ok(is_killed(st), "%s", what))
		printf("# status %#x\n", (unsigned)st);
}

static const struct seal_call few[] = {
	{SCMP_SYS(write), "speaking"},
	{SCMP_SYS(exit_group), "the end"},
};

static int seal_few(void)
{
	struct err e = ERR_INIT;

	return seal_early(&e) < 0 || seal_running(few, 2, &e) < 0;
}

static int sealed_may_write(void)
{
	if (seal_few())
		return 1;
	return syscall(SYS_write, -1, "", 0) == 0;
}

static int sealed_may_not_connect(void)
{
	if (seal_few())
		return 1;
	syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	return 2;
}

static int sealed_no_such_call(void)
{
	if (seal_few())
		return 1;
	syscall(100000);
	return 2;
}

#ifdef __x86_64__
/* The x32 numbers of a call that is allowed. */
static int sealed_x32(void)
{
	if (seal_few())
		return 1;
	syscall(0x40000000 + SYS_write, -1, "", 0);
	return 2;
}

static int sealed_i386(void)
{
	return seal_few() ? 1 : enter_i386();
}
#endif

static int running_needs_nnp(void)
{
	struct err e = ERR_INIT;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return 0; /* we inherited it: nothing to see */
	return seal_running(few, 2, &e) == 0 || e.code != EPERM;
}

static int running_twice_a_row(void)
{
	const struct seal_call twice[] = {
		{SCMP_SYS(write), "one"},
		{SCMP_SYS(exit_group), "two"},
		{SCMP_SYS(write), "three"},
	};
	struct err e = ERR_INIT;

	if (seal_early(&e) < 0)
		return 1;
	return seal_running(twice, 3, &e) == 0 || !strstr(e.msg, "three");
}

static int running_bad_row(void)
{
	const struct seal_call bad[] = {{__NR_SCMP_ERROR, "no such name"}};
	struct err e = ERR_INIT;

	if (seal_early(&e) < 0)
		return 1;
	return seal_running(bad, 1, &e) == 0 || e.code != EINVAL;
}

static int early_gives_up(void)
{
	struct err e = ERR_INIT;
	struct rlimit core;

	if (seal_early(&e) < 0 || getrlimit(RLIMIT_CORE, &core) < 0)
		return 1;
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 2;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 3;
	return core.rlim_cur || core.rlim_max;
}

static int inherited_stays_dumpable(void)
{
	struct err e = ERR_INIT;

	if (seal_inherited(&e) < 0)
		return 1;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 2;
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 1;
}

/* Nonzero if anything is in any of the five sets. */
static int any_caps(void)
{
	cap_t none = cap_init();
	cap_t have = cap_get_proc();
	int any = !none || !have || cap_compare(none, have) != 0;

	for (int cap = 0; cap < cap_max_bits(); cap++)
		any |= cap_get_ambient((cap_value_t)cap) == 1;
	cap_free(none);
	cap_free(have);
	return any;
}

static int drop_leaves_none(void)
{
	struct err e = ERR_INIT;
	int could = cap_get_bound(CAP_SETPCAP) == 1 && geteuid() == 0;

	if (seal_drop_caps(&e) < 0 || any_caps())
		return 1;
	/* Only who could drop from it has an empty bounding set now. */
	for (int cap = 0; could && cap < cap_max_bits(); cap++)
		if (cap_get_bound((cap_value_t)cap) == 1)
			return 2;
	return 0;
}

static int drop_twice(void)
{
	struct err e = ERR_INIT;

	return seal_drop_caps(&e) < 0 || seal_drop_caps(&e) < 0;
}

/* Dropped is dropped: without the capability, raising it is refused. */
static int keep_needs_it(void)
{
	const int one[] = {CAP_SYS_ADMIN};
	struct err e = ERR_INIT;

	if (seal_drop_caps(&e) < 0)
		return 1;
	return seal_keep_caps(one, 1, &e) == 0 || e.code != EPERM;
}

static int keep_exactly(void)
{
	const int two[] = {CAP_SYS_CHROOT, CAP_SETPCAP};
	struct err e = ERR_INIT;

	if (seal_keep_caps(two, 2, &e) < 0)
		return 1;
	for (int cap = 0; cap < cap_max_bits(); cap++) {
		int want = cap == CAP_SYS_CHROOT || cap == CAP_SETPCAP;

		if (cap_get_bound((cap_value_t)cap) >= 0 &&
		    (cap_get_ambient((cap_value_t)cap) != want ||
		     cap_get_bound((cap_value_t)cap) != want))
			return 2;
	}
	return 0;
}

static int nofile_is_exact(void)
{
	struct err e = ERR_INIT;
	struct rlimit lim;

	if (seal_nofile(40, &e) < 0 || getrlimit(RLIMIT_NOFILE, &lim) < 0)
		return 1;
	return lim.rlim_cur != 40 || lim.rlim_max != 40;
}

static int nofile_zero_is_hard(void)
{
	const struct rlimit half = {20, 50};
	struct err e = ERR_INIT;
	struct rlimit lim;

	if (setrlimit(RLIMIT_NOFILE, &half) < 0 || seal_nofile(0, &e) < 0 ||
	    getrlimit(RLIMIT_NOFILE, &lim) < 0)
		return 1;
	return lim.rlim_cur != 50 || lim.rlim_max != 50;
}

static int nofile_too_high(void)
{
	const struct rlimit low = {20, 50};
	struct err e = ERR_INIT;

	if (setrlimit(RLIMIT_NOFILE, &low) < 0 || seal_drop_caps(&e) < 0)
		return 1;
	return seal_nofile(51, &e) == 0 || !e.hint[0];
}

static int root_is_privileged(void)
{
	return !seal_is_privileged();
}

/* Root's way down: uid and capabilities, each alone, still count. */
static int uid_alone_is_privileged(void)
{
	struct err e = ERR_INIT;

	return seal_drop_caps(&e) < 0 || !seal_is_privileged();
}

static int caps_alone_are_privileged(void)
{
	const int one[] = {CAP_NET_RAW};
	struct err e = ERR_INIT;

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ||
	    setresgid(65534, 65534, 65534) < 0 ||
	    setresuid(65534, 65534, 65534) < 0 ||
	    seal_keep_caps(one, 1, &e) < 0)
		return 1;
	return !seal_is_privileged();
}

static int desktop_is_not_privileged(void)
{
	const int one[] = {CAP_WAKE_ALARM};
	struct err e = ERR_INIT;

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ||
	    setresgid(65534, 65534, 65534) < 0 ||
	    setresuid(65534, 65534, 65534) < 0 ||
	    seal_keep_caps(one, 1, &e) < 0)
		return 1;
	return seal_is_privileged();
}

static void only_root(int (*f)(void), const char *what)
{
	if (geteuid() == 0)
		exits(f, what);
	else
		tap_skip(what, "needs root");
}

int main(void)
{
	killed(sealed_may_not_connect, "a call outside the table kills");
	killed(sealed_no_such_call, "an unknown call kills");
#ifdef __x86_64__
	killed(sealed_x32, "x32 kills");
	i386_kills(sealed_i386);
#endif
	exits(sealed_may_write, "a call of the table works");
	exits(running_needs_nnp, "sealing needs no_new_privs");
	exits(running_twice_a_row, "a call that is there twice is an error");
	exits(running_bad_row, "a call without a number is an error");
	exits(early_gives_up, "early gives up dumps and new privileges");
	exits(inherited_stays_dumpable, "inherited stays dumpable");
	exits(drop_leaves_none, "no capability is left");
	exits(drop_twice, "dropping twice is harmless");
	exits(keep_needs_it, "what was dropped cannot be kept");
	exits(nofile_is_exact, "nofile sets both limits");
	exits(nofile_zero_is_hard, "nofile 0 is the hard limit");
	exits(nofile_too_high, "nofile above the hard limit has a remedy");
	only_root(keep_exactly, "kept are exactly those asked for");
	only_root(root_is_privileged, "root is privileged");
	only_root(uid_alone_is_privileged, "root without capabilities is too");
	only_root(caps_alone_are_privileged, "a capability alone is too");
	only_root(desktop_is_not_privileged, "CAP_WAKE_ALARM alone is not");
	return tap_done();
}
