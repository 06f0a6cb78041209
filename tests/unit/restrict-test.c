/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --wrap restricted: what fails behind the fence, and what does not. */
#include "child.h"

#include "guest-init/restrict.h"

#define SEAL_LIBRARY /* nothing of it but whether this is such a build */
#include "seal/sanitizer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifdef SEAL_SANITIZED
static const bool sanitized = true;
#else
static const bool sanitized = false;
#endif

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

/* The resolver's own, by what must kill it. */
static int resolver(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || restrict_resolver();
}

static int resolver_opens(void)
{
	return resolver() || open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int resolver_forks(void)
{
	return resolver() || fork();
}

static int resolver_execs(void)
{
	return resolver() || execl("/bin/true", "true", (char *)NULL);
}

static int resolver_streams(void)
{
	return resolver() || socket(AF_INET, SOCK_STREAM, 0);
}

static int resolver_netlink(void)
{
	return resolver() || socket(AF_NETLINK, SOCK_DGRAM, 0);
}

static int resolver_runs_memory(void)
{
	return resolver() || mmap(NULL, 4096, PROT_READ | PROT_EXEC,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == NULL;
}

static int resolver_signals(void)
{
	return resolver() || kill(getppid(), 0);
}

static void kills(int (*f)(void), const char *what)
{
	tap_ok(is_killed(in_child(f)), "%s", what);
}

static int resolver_works(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct pollfd p = {.events = POLLOUT};
	struct timespec t;
	socklen_t n = sizeof(a);
	int other = socket(AF_INET, SOCK_DGRAM, 0), bad;
	char c = 0;

	if (bind(other, (struct sockaddr *)&a, n) ||
	    getsockname(other, (struct sockaddr *)&a, &n) || resolver())
		return 1;
	p.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bad = p.fd < 0 || connect(p.fd, (struct sockaddr *)&a, n);
	bad |= send(p.fd, "x", 1, MSG_DONTWAIT) != 1 || poll(&p, 1, -1) != 1;
	bad |= recv(other, &c, 1, 0) != 1 || c != 'x';
	bad |= close(p.fd);
	/* To a resolver of the other family. */
	p.fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bad |= p.fd < 0 && errno != EAFNOSUPPORT;
	/* As musl does; newer ones of the GNU library ask for more first. */
	bad |= syscall(SYS_getrandom, &c, 1, 0) != 1;
	bad |= clock_gettime(CLOCK_MONOTONIC, &t) != 0;
	free(malloc(1 << 20));
	if (p.fd >= 0)
		close(p.fd);
	return bad;
}

int main(void)
{
	kills(resolver_opens, "the resolver opens no file");
	kills(resolver_forks, "it makes no process");
	kills(resolver_execs, "it runs no program");
	kills(resolver_streams, "it makes no connection but for datagrams");
	kills(resolver_netlink, "nor any by another family");
	kills(resolver_runs_memory, "it makes no code");
	kills(resolver_signals, "it sends no signal");
	if (sanitized)
		tap_skip("what it needs works", "a sanitizer needs more");
	else
		exits(resolver_works, "what it needs works");
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
