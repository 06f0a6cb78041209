/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Self-confinement.  Runs in every program, each on itself only.
 *
 * The only user of libcap and libseccomp.
 */
#include "seal/seal.h"

#include "base/err.h"
#include "base/own.h"
#define SEAL_LIBRARY
#include "seal/sanitizer.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <sys/auxv.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef SEAL_LOG
#define SEAL_ACTION SCMP_ACT_LOG
#else
#define SEAL_ACTION SCMP_ACT_KILL_PROCESS
#endif

int seal_inherited(struct err *e)
{
	const struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return err_set(e, errno, "giving up core files");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(e, errno, "giving up new privileges");
	return 0;
}

int seal_early(struct err *e)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(e, errno, "giving up dumps");
	return seal_inherited(e);
}

static bool is_kept(int cap, const int *caps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (caps[i] == cap)
			return true;
	return false;
}

/*
 * Before the other sets: dropping from the bounding set takes CAP_SETPCAP.
 * Without it the set stays, which gives nothing to a process that has
 * no_new_privs or no file with capabilities to execute.
 */
static int drop_bounding(const int *caps, size_t n, struct err *e)
{
	for (int cap = 0; cap < cap_max_bits(); cap++) {
		int has = cap_get_bound((cap_value_t)cap);

		if (has < 0)
			break; /* the kernel knows no more of them */
		if (!has || is_kept(cap, caps, n))
			continue;
		if (cap_drop_bound((cap_value_t)cap) < 0) {
			if (errno == EPERM)
				return 0;
			return err_set(e, errno, "the bounding set");
		}
	}
	return 0;
}

/* Makes permitted, effective and inheritable exactly `caps`. */
static int set_caps(const int *caps, size_t n, struct err *e)
{
	const cap_flag_t sets[] = {CAP_PERMITTED, CAP_EFFECTIVE,
				   CAP_INHERITABLE};
	cap_t want = cap_init();
	int r = 0;

	if (!want)
		return err_set(e, errno, "capabilities");
	for (size_t i = 0; i < n && r == 0; i++) {
		cap_value_t v = (cap_value_t)caps[i];

		for (size_t s = 0; s < 3 && r == 0; s++)
			r = cap_set_flag(want, sets[s], 1, &v, CAP_SET);
	}
	if (r == 0)
		r = cap_set_proc(want);
	if (r < 0)
		err_set(e, errno, "setting capabilities");
	cap_free(want);
	return r < 0 ? -1 : 0;
}

int seal_keep_caps(const int *caps, size_t n, struct err *e)
{
	if (drop_bounding(caps, n, e) < 0)
		return -1;
	/* EINVAL: a kernel without ambient capabilities has none to clear. */
	if (cap_reset_ambient() < 0 && (n || errno != EINVAL))
		return err_set(e, errno, "clearing ambient capabilities");
	if (set_caps(caps, n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (cap_set_ambient((cap_value_t)caps[i], CAP_SET) < 0)
			return err_set(e, errno,
				       "raising ambient capability %d",
				       caps[i]);
	return 0;
}

int seal_drop_caps(struct err *e)
{
	return seal_keep_caps(NULL, 0, e);
}

/* What a sanitizer's runtime does behind a program's back. */
static const struct seal_call sanitizer[] = {
#ifdef SEAL_SANITIZED
	{SCMP_SYS(mmap), "shadow memory"},
	{SCMP_SYS(munmap), "shadow memory"},
	{SCMP_SYS(madvise), "shadow memory"},
	{SCMP_SYS(mprotect), "shadow memory"},
	{SCMP_SYS(sigaltstack), "the end of a thread, leaving the stack"},
	{SCMP_SYS(rt_sigaction), "reports"},
	{SCMP_SYS(rt_sigprocmask), "reports"},
	{SCMP_SYS(getpid), "reports"},
	{SCMP_SYS(gettid), "reports"},
	{SCMP_SYS(futex), "locks"},
	{SCMP_SYS(sched_yield), "locks"},
	{SCMP_SYS(openat), "its map of the process"},
	{SCMP_SYS(read), "its map of the process"},
	{SCMP_SYS(close), "its map of the process"},
	{SCMP_SYS(readlink), "its map of the process"},
	{SCMP_SYS(getrlimit), "limits of the stack"},
	{SCMP_SYS(prlimit64), "limits of the stack"},
#endif
	{-1, "none"},
};

static int add_calls(scmp_filter_ctx ctx, const struct seal_call *calls,
		     size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		int r;

		if (calls[i].nr == __NR_SCMP_ERROR)
			return err_set(e, EINVAL, "row %zu of a seal", i);
		if (calls[i].nr < 0)
			continue; /* not on this architecture */
		for (size_t k = 0; k < i; k++)
			if (calls[k].nr == calls[i].nr)
				return err_set(e, EEXIST,
					       "row %zu of a seal (%s)", i,
					       calls[i].why);
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i].nr, 0);
		if (r < 0)
			return err_set(e, -r, "row %zu of a seal (%s)", i,
				       calls[i].why);
	}
	return 0;
}

/*
 * The filter of the table as a program for the kernel; its length in
 * instructions, or -1.  By way of a memory file: seccomp_load() would install
 * it before libseccomp frees its memory, which may take a system call that
 * the table does not have.
 */
static int compile(const struct seal_call *calls, size_t n,
		   struct sock_filter *code, size_t max, struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(SEAL_ACTION);
	own_fd fd = memfd_create("seal", MFD_CLOEXEC);
	ssize_t got = -1;
	int r;

	if (!ctx || fd < 0) {
		seccomp_release(ctx);
		return err_set(e, ENOMEM, "making a system call filter");
	}
	/* Another architecture's numbers mean other calls; on x86-64 libseccomp
	 * counts the x32 bit as another architecture as well. */
	r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
			     SCMP_ACT_KILL_PROCESS);
	if (r < 0)
		err_set(e, -r, "making a system call filter");
	if (r == 0)
		r = add_calls(ctx, calls, n, e);
	for (size_t i = 0; r == 0 && sanitizer[i].nr >= 0; i++) {
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, sanitizer[i].nr, 0);
		r = r == -EEXIST ? 0 : r;
	}
	if (r == 0) {
		r = seccomp_export_bpf(ctx, fd);
		if (r == 0)
			got = pread(fd, code, max * sizeof(*code), 0);
		if (got <= 0 || (size_t)got == max * sizeof(*code))
			r = err_set(e, E2BIG, "making a system call filter");
	}
	seccomp_release(ctx);
	return r < 0 ? -1 : (int)((size_t)got / sizeof(*code));
}

int seal_running(const struct seal_call *calls, size_t n, struct err *e)
{
	static struct sock_filter code[2048];
	struct sock_fprog prog = {.filter = code};
	int len;

	/* The kernel would take the filter of a process with CAP_SYS_ADMIN
	 * without it; none of our programs may still have that here. */
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return err_set(e, EPERM, "sealing before no_new_privs");
	len = compile(calls, n, code, sizeof(code) / sizeof(code[0]), e);
	if (len < 0)
		return -1;
	prog.len = (unsigned short)len;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0) {
		err_set(e, errno, "loading the system call filter");
		return err_hint(e, "the kernel needs CONFIG_SECCOMP_FILTER");
	}
	return 0;
}

int seal_nofile(uint64_t n, struct err *e)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) < 0)
		return err_set(e, errno, "the limit of open files");
	lim.rlim_cur = n ? n : lim.rlim_max;
	if (n && lim.rlim_max > n)
		lim.rlim_max = n;
	if (setrlimit(RLIMIT_NOFILE, &lim) < 0) {
		err_set(e, errno, "a limit of %llu open files",
			(unsigned long long)lim.rlim_cur);
		return err_hint(e, "raise the hard limit (ulimit -Hn)");
	}
	return 0;
}

/* A capability beside CAP_WAKE_ALARM; systemd's user sessions hand that out. */
static bool holds_caps(void)
{
	cap_t have = cap_get_proc();
	bool held = false;

	if (!have)
		return true; /* cannot tell: say the worse */
	for (int cap = 0; cap < cap_max_bits() && !held; cap++) {
		cap_flag_value_t is = CAP_CLEAR;

		if (cap == CAP_WAKE_ALARM)
			continue;
		cap_get_flag(have, (cap_value_t)cap, CAP_PERMITTED, &is);
		held = is == CAP_SET;
	}
	cap_free(have);
	return held;
}

int seal_is_privileged(void)
{
	return getuid() == 0 || geteuid() == 0 || getuid() != geteuid() ||
	       getgid() != getegid() || getauxval(AT_SECURE) || holds_caps();
}
