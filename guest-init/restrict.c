/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * --wrap restricted.  Runs in the guest, as the VM's user, before execve(). And
 * the resolver's own fence, a list of what it may.
 *
 * The command owns nothing but the VM already.  What this takes away is most of
 * the ways from there into the guest's kernel, and so to the virtual hardware:
 * who wants to break out of the machine has one more wall to climb.  An
 * ordinary program, a browser included, does not notice: where there is another
 * way, a call fails as if the kernel did not have it.
 *
 * Without libseccomp, which is not built for musl: a list of numbers, and four
 * calls whose arguments matter.  64-bit programs only.
 */
#include "guest-init/restrict.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifdef __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#define FOREIGN 0x40000000u /* x32 */
#else
#define ARCH AUDIT_ARCH_AARCH64
#define FOREIGN 0xffffffffu
#endif

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
/* CLONE_NEWTIME is no flag of clone(2): there it is part of a signal. */
#define NAMESPACES                                                             \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |         \
	 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#define NETLINK_ROUTE 0
#define NETLINK_UEVENT 15

static const struct call {
	uint32_t nr;
	uint16_t code;
} calls[] = {
	/* programs for the kernel to run */
	{SYS_bpf, EPERM},
	{SYS_perf_event_open, EPERM},
	{SYS_io_uring_setup, ENOSYS},
	{SYS_io_uring_enter, ENOSYS},
	{SYS_io_uring_register, ENOSYS},
	/* page faults that wait for as long as an attacker likes */
	{SYS_userfaultfd, EPERM},
	/* keys, which are not of any namespace */
	{SYS_add_key, EPERM},
	{SYS_keyctl, EPERM},
	{SYS_request_key, EPERM},
	/* other processes */
	{SYS_ptrace, EPERM},
	{SYS_process_vm_readv, EPERM},
	{SYS_process_vm_writev, EPERM},
	{SYS_kcmp, EPERM},
	/* its flags lie in memory; clone(2) is there */
	{SYS_clone3, ENOSYS},
	/* mounts and namespaces */
	{SYS_setns, EPERM},
	{SYS_mount, EPERM},
	{SYS_umount2, EPERM},
	{SYS_pivot_root, EPERM},
	{SYS_chroot, EPERM},
	{SYS_open_tree, ENOSYS},
	{SYS_move_mount, ENOSYS},
	{SYS_fsopen, ENOSYS},
	{SYS_fsconfig, ENOSYS},
	{SYS_fsmount, ENOSYS},
	{SYS_fspick, ENOSYS},
	{SYS_mount_setattr, ENOSYS},
	{SYS_open_by_handle_at, EPERM},
	{SYS_name_to_handle_at, EPERM},
	/* where pages lie */
	{SYS_mbind, EPERM},
	{SYS_move_pages, EPERM},
	{SYS_migrate_pages, EPERM},
	{SYS_set_mempolicy, EPERM},
	/* the administrator's, who is nobody here */
	{SYS_acct, EPERM},
	{SYS_delete_module, EPERM},
	{SYS_finit_module, EPERM},
	{SYS_init_module, EPERM},
	{SYS_kexec_load, EPERM},
	{SYS_quotactl, EPERM},
	{SYS_reboot, EPERM},
	{SYS_swapoff, EPERM},
	{SYS_swapon, EPERM},
	{SYS_syslog, EPERM},
#ifdef __x86_64__
	{SYS_ioperm, EPERM},
	{SYS_iopl, EPERM},
	{SYS_modify_ldt, EPERM},
#endif
};

/* What the resolver, and a libc for it, call; four more are looked at. */
static const uint32_t resolver_calls[] = {
#ifdef SYS_poll
	SYS_poll,
#endif
	SYS_ppoll,   SYS_recvfrom,	  SYS_sendto,
	SYS_connect, SYS_close,		  SYS_write, /* the kernel's log */
	SYS_writev,  SYS_getrandom,	  SYS_clock_gettime,
	SYS_brk, /* buffers */
	SYS_munmap,  SYS_mremap,	  SYS_madvise,
	SYS_futex,   SYS_restart_syscall, SYS_rt_sigreturn,
	SYS_exit,    SYS_exit_group,
};

#define MAX (sizeof(calls) / sizeof(calls[0]) * 2 + 64)

struct program {
	struct sock_filter at[MAX];
	unsigned short n;
};

static void put(struct program *p, unsigned code, uint32_t k, unsigned yes,
		unsigned no)
{
	p->at[p->n++] = (struct sock_filter){
		.code = (uint16_t)code,
		.jt = (uint8_t)yes,
		.jf = (uint8_t)no,
		.k = k,
	};
}

static void load(struct program *p, size_t offset)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void give(struct program *p, uint32_t action)
{
	put(p, BPF_RET | BPF_K, action, 0, 0);
}

static void refuse(struct program *p, uint16_t code)
{
	give(p, SECCOMP_RET_ERRNO | code);
}

/* The low word of an argument; what is above it the kernel ignores, too. */
static size_t argument(size_t i)
{
	return offsetof(struct seccomp_data, args) + i * sizeof(uint64_t);
}

/* Calls that make namespaces; argument 0 has the flags. */
static void put_namespaces(struct program *p, uint32_t nr, uint32_t flags)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 4);
	load(p, argument(0));
	put(p, BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1);
	refuse(p, EPERM);
	give(p, SECCOMP_RET_ALLOW);
}

/* Keys that were never pressed, on somebody else's terminal. */
static void put_ioctl(struct program *p)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 5);
	load(p, argument(1));
	put(p, BPF_JMP | BPF_JEQ | BPF_K, TIOCSTI, 1, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, TIOCLINUX, 0, 1);
	refuse(p, EPERM);
	give(p, SECCOMP_RET_ALLOW);
}

/* The families that programs use; each other one is a parser in the kernel. */
static void put_socket(struct program *p)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 10);
	load(p, argument(0));
	put(p, BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 6, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 5, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 4, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 4);
	load(p, argument(2));
	put(p, BPF_JMP | BPF_JEQ | BPF_K, NETLINK_ROUTE, 1, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, NETLINK_UEVENT, 0, 1);
	give(p, SECCOMP_RET_ALLOW);
	refuse(p, EAFNOSUPPORT);
}

/* The number of the call, of this machine's own kind. */
static void begin(struct program *p)
{
	p->n = 0;
	load(p, offsetof(struct seccomp_data, arch));
	put(p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	give(p, SECCOMP_RET_KILL_PROCESS);
	load(p, offsetof(struct seccomp_data, nr));
}

static void make(struct program *p)
{
	begin(p);
	put(p, BPF_JMP | BPF_JGE | BPF_K, FOREIGN, 0, 1);
	refuse(p, ENOSYS);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		put(p, BPF_JMP | BPF_JEQ | BPF_K, calls[i].nr, 0, 1);
		refuse(p, calls[i].code);
	}
	put_namespaces(p, SYS_clone, NAMESPACES);
	put_namespaces(p, SYS_unshare, NAMESPACES | CLONE_NEWTIME);
	put_ioctl(p);
	put_socket(p);
	give(p, SECCOMP_RET_ALLOW);
}

/* Memory, but none to run; argument 2 has the protection. */
static void put_memory(struct program *p, uint32_t nr)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 4);
	load(p, argument(2));
	put(p, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1);
	give(p, SECCOMP_RET_KILL_PROCESS);
	give(p, SECCOMP_RET_ALLOW);
}

/* Datagrams by IPv4 or IPv6, to another resolver. */
static void put_datagrams(struct program *p)
{
	const uint32_t flags = SOCK_CLOEXEC | SOCK_NONBLOCK;

	put(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 8);
	load(p, argument(0));
	put(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 4);
	load(p, argument(1));
	put(p, BPF_ALU | BPF_AND | BPF_K, ~flags, 0, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, SOCK_DGRAM, 0, 1);
	give(p, SECCOMP_RET_ALLOW);
	give(p, SECCOMP_RET_KILL_PROCESS);
}

static void make_resolver(struct program *p)
{
	const size_t n = sizeof(resolver_calls) / sizeof(resolver_calls[0]);

	begin(p);
	for (size_t i = 0; i < n; i++) {
		put(p, BPF_JMP | BPF_JEQ | BPF_K, resolver_calls[i], 0, 1);
		give(p, SECCOMP_RET_ALLOW);
	}
	put_memory(p, SYS_mmap);
	put_memory(p, SYS_mprotect);
	put_datagrams(p);
	give(p, SECCOMP_RET_KILL_PROCESS);
}

static int load_program(const struct program *p)
{
	const struct sock_fprog prog = {
		.len = p->n, .filter = (struct sock_filter *)(uintptr_t)p->at};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

int restrict_calls(void)
{
	static struct program p;

	make(&p);
	return load_program(&p);
}

int restrict_resolver(void)
{
	static struct program p;

	make_resolver(&p);
	return load_program(&p);
}
