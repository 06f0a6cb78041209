/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What waypipe may ask of the kernel.  It reads guest bytes and does not
 * confine itself, so the filter is there before it is executed, and has what
 * the dynamic linker needs too.
 *
 * Seen with 0.8.4 (Debian 12), built with ffmpeg, in the
 * order of a life: linking, listening, a process for each client.
 */
#include "stage/member.h"

#include "seal/fence.h"
#include "seal/seal.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* As in denied.c */
#define LAST_JUDGED 462

static const struct seal_call calls[] = {
	/* the rest of our own start, and the dynamic linker */
	{SCMP_SYS(execve), "becoming waypipe"},
	{SCMP_SYS(dup2), "the descriptor table"},
	{SCMP_SYS(dup3), "the same"},
	{SCMP_SYS(close_range), "the same"},
	{SCMP_SYS(write), "an error of execve(); wake-ups; messages"},
	{SCMP_SYS(brk), "memory"},
	{SCMP_SYS(mmap), "memory, libraries, the guest's pictures"},
	{SCMP_SYS(mprotect), "libraries"},
	{SCMP_SYS(munmap), "memory"},
	{SCMP_SYS(mremap), "a picture that grows"},
	{SCMP_SYS(madvise), "memory"},
	{SCMP_SYS(openat), "libraries"},
	{SCMP_SYS(read), "libraries, sockets"},
	{SCMP_SYS(pread64), "libraries"},
	{SCMP_SYS(fstat), "libraries"},
	{SCMP_SYS(newfstatat), "the same, as glibc before 2.39 does it"},
	{SCMP_SYS(statfs), "libselinux looks whether it is needed"},
	{SCMP_SYS(access), "the dynamic linker; libselinux"},
	{SCMP_SYS(faccessat), "the same"},
	{SCMP_SYS(readlink), "the dynamic linker"},
	{SCMP_SYS(close), "everywhere"},
	{SCMP_SYS(arch_prctl), "thread-local storage"},
	{SCMP_SYS(set_tid_address), "starting"},
	{SCMP_SYS(set_robust_list), "starting, and each child"},
	{SCMP_SYS(rseq), "starting, and each child"},
	{SCMP_SYS(prlimit64), "the size of the stack"},
	{SCMP_SYS(getrandom), "malloc"},
	{SCMP_SYS(futex), "one-time set-up of libraries"},
	{SCMP_SYS(sched_getaffinity), "how many threads would be right"},
	{SCMP_SYS(get_mempolicy), "libnuma, which ffmpeg drags in"},
	{SCMP_SYS(set_mempolicy), "the same"},
	{SCMP_SYS(sysinfo), "libraries that ask for the memory's size"},
	{SCMP_SYS(uname), "libraries that ask for the kernel"},
	{SCMP_SYS(getuid), "libraries"},
	{SCMP_SYS(geteuid), "libraries"},
	{SCMP_SYS(getgid), "libraries"},
	{SCMP_SYS(getegid), "libraries"},
	{SCMP_SYS(getpid), "the tag of its messages"},
	{SCMP_SYS(gettid), "the same"},
	{SCMP_SYS(clock_gettime), "the time of its messages, without a vDSO"},
	{SCMP_SYS(ioctl), "is standard error a terminal?"},
	/* listening, and a process for each client */
	{SCMP_SYS(fchdir), "sockets by a short name"},
	{SCMP_SYS(chdir), "the same"},
	{SCMP_SYS(socket), "Unix sockets: it has no network"},
	{SCMP_SYS(socketpair), "reconnecting, which vmrun does not use"},
	{SCMP_SYS(bind), "its socket"},
	{SCMP_SYS(listen), "its socket"},
	{SCMP_SYS(accept), "streams of the guest"},
	{SCMP_SYS(accept4), "streams of the guest"},
	{SCMP_SYS(connect), "vmrun-wayland"},
	{SCMP_SYS(unlink), "its socket, at the end"},
	{SCMP_SYS(unlinkat), "the same"},
	{SCMP_SYS(clone), "fork()"},
	{SCMP_SYS(wait4), "reaping"},
	{SCMP_SYS(kill), "its children, at the end"},
	{SCMP_SYS(rt_sigaction), "SIGCHLD and the end"},
	{SCMP_SYS(rt_sigprocmask), "fork()"},
	{SCMP_SYS(rt_sigreturn), "SIGCHLD"},
	{SCMP_SYS(restart_syscall), "poll() after a stop"},
	{SCMP_SYS(pipe2), "copy and paste; wake-ups"},
	{SCMP_SYS(pipe), "the same"},
	{SCMP_SYS(fcntl), "non-blocking sockets; seals of pictures"},
	{SCMP_SYS(getdents64), "which descriptors it was given"},
	{SCMP_SYS(poll), "the loop"},
	{SCMP_SYS(ppoll), "the loop"},
	{SCMP_SYS(readv), "streams"},
	{SCMP_SYS(writev), "streams"},
	{SCMP_SYS(recvmsg), "the Wayland connection"},
	{SCMP_SYS(sendmsg), "the same, with descriptors"},
	{SCMP_SYS(recvfrom), "the same"},
	{SCMP_SYS(sendto), "the same"},
	{SCMP_SYS(shutdown), "ends of streams"},
	{SCMP_SYS(memfd_create), "pictures, keymaps"},
	{SCMP_SYS(ftruncate), "their size, up to RLIMIT_FSIZE"},
	{SCMP_SYS(fallocate), "the same"},
	{SCMP_SYS(lseek), "their size"},
	{SCMP_SYS(exit), "the end"},
	{SCMP_SYS(exit_group), "the end"},
};

/* Of those, what the list cannot say: it knows no arguments. */
static const struct fence_row rows[] = {
	{SYS_socket, EPERM, FENCE_OTHER_THAN, 0, ~0U, AF_UNIX,
	 "its own socket, and the filter's"},
	{SYS_socketpair, EPERM, FENCE_OTHER_THAN, 0, ~0U, AF_UNIX, "the same"},
	{SYS_clone, EPERM, FENCE_ANY_BIT, 0,
	 CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
		 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET,
	 0, "no more namespaces"},
	{SYS_ioctl, EPERM, FENCE_EQUAL, 1, ~0U, TIOCSTI,
	 "typing into a terminal"},
};

int waypipe_seal(struct err *e)
{
	if (seal_fence(rows, sizeof(rows) / sizeof(rows[0]), LAST_JUDGED, e) <
	    0)
		return -1;
	return seal_running(calls, sizeof(calls) / sizeof(calls[0]), e);
}
