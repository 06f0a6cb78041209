/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --wrap restricted: what fails behind the fence, and what does not. */
#include "child.h"

#include "guest-init/restrict.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int inside(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || restrict_calls();
}

/* 0 if the call failed with that error. */
static int fails(long r, int code)
{
	return r == -1 && errno == code ? 0 : 1;
}

static int foreign_socket(void)
{
	int bad = inside();

	bad |= fails(socket(AF_PACKET, SOCK_RAW, 0), EAFNOSUPPORT);
	bad |= fails(socket(AF_ALG, SOCK_SEQPACKET, 0), EAFNOSUPPORT);
	bad |= fails(socket(AF_VSOCK, SOCK_STREAM, 0), EAFNOSUPPORT);
	return bad | fails(socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER),
			   EAFNOSUPPORT);
}

static int usual_socket(void)
{
	int two[2], bad = inside();

	bad |= socket(AF_UNIX, SOCK_STREAM, 0) < 0;
	bad |= socket(AF_INET, SOCK_STREAM, 0) < 0;
	bad |= socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) < 0;
	return bad | socketpair(AF_UNIX, SOCK_STREAM, 0, two);
}

static int user_namespace(void)
{
	return inside() | fails(unshare(CLONE_NEWUSER), EPERM);
}

static int cloned_namespace(void)
{
	return inside() | fails(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0,
					NULL, NULL, 0),
				EPERM);
}

static int high_bits(void)
{
	uint64_t flags = UINT64_C(1) << 40 | CLONE_NEWUSER;

	return inside() | fails(syscall(SYS_unshare, flags), EPERM);
}

static int other_namespace(void)
{
	int bad = inside();

	bad |= fails(syscall(SYS_clone3, NULL, 0), ENOSYS);
	return bad | fails(syscall(SYS_setns, -1, 0), EPERM);
}

static int processes(void)
{
	int st = 0;
	pid_t pid;

	if (inside())
		return 1;
	pid = fork();
	if (pid == 0)
		_exit(7);
	if (waitpid(pid, &st, 0) != pid || WEXITSTATUS(st) != 7)
		return 2;
	execl("/bin/sh", "sh", "-c", "true | cat", (char *)NULL);
	return 3;
}

static int unshares_files(void)
{
	return inside() | unshare(CLONE_FILES | CLONE_FS);
}

static int kernel_programs(void)
{
	int bad = inside();

	bad |= fails(syscall(SYS_bpf, 0, NULL, 0), EPERM);
	bad |= fails(syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0), EPERM);
	bad |= fails(syscall(SYS_io_uring_setup, 0, NULL), ENOSYS);
	bad |= fails(syscall(SYS_userfaultfd, 0), EPERM);
	bad |= fails(syscall(SYS_keyctl, 0, 0, 0), EPERM);
	return bad | fails(ptrace(PTRACE_TRACEME, 0, NULL, NULL), EPERM);
}

static int terminals(void)
{
	struct winsize w;
	int bad = inside();

	bad |= fails(ioctl(0, TIOCSTI, "x"), EPERM);
	bad |= fails(syscall(SYS_ioctl, 0, UINT64_C(1) << 32 | TIOCSTI, "x"),
		     EPERM);
	return bad | (ioctl(-1, TIOCGWINSZ, &w) == 0 || errno != EBADF);
}

static int inherited(void)
{
	if (inside())
		return 1;
	execlp("python3", "python3", "-c",
	       "import socket, sys\n"
	       "try: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\n"
	       "except OSError as e: sys.exit(e.errno != 97)\n"
	       "sys.exit(2)",
	       (char *)NULL);
	return 3;
}

#ifdef __x86_64__
static int foreign_call(void)
{
	return inside() ? 1 : enter_i386();
}
#endif

int main(void)
{
	exits(user_namespace, "no user namespace by unshare()");
	exits(cloned_namespace, "nor by clone()");
	exits(high_bits, "nor with bits that the kernel ignores");
	exits(other_namespace, "nor by clone3() or setns()");
	exits(foreign_socket, "no socket of an unusual family");
	exits(kernel_programs, "no programs for the kernel, keys, tracing");
	exits(terminals, "no typing on terminals");
	exits(inherited, "nor in what is started from there");
#ifdef __x86_64__
	i386_kills(foreign_call);
#endif
	exits(usual_socket, "the usual sockets are there");
	exits(unshares_files, "a thread may have its own descriptors");
	exits(processes, "processes, pipes, programs");
	return tap_done();
}
