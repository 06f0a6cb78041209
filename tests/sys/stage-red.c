/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A hostile member: says what it is and what it can reach, for stage-audit.sh.
 *
 * usage: stage-red PERSON|paths [PATH]...
 * Prints one `name value` line for each property, and for each PATH what
 * opening, creating below and executing it gave: `ok` or an error's name.  With
 * `paths` only these, for where the steps before would go to another root.
 * Runs as U inside the sandbox; uses nothing but libc, and no /proc.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* The result of a call that should have failed: its error's name. */
static void tried(const char *name, long r)
{
	printf("%s %s\n", name, r >= 0 ? "ok" : strerrorname_np(errno));
}

static void say_ids(void)
{
	uid_t u[3];
	gid_t g[3];

	if (getresuid(&u[0], &u[1], &u[2]) < 0 ||
	    getresgid(&g[0], &g[1], &g[2]) < 0)
		exit(99);
	printf("uids %u %u %u\n", u[0], u[1], u[2]);
	printf("gids %u %u %u\n", g[0], g[1], g[2]);
	printf("groups %d\n", getgroups(0, NULL));
	printf("pid %d\n", (int)getpid());
	printf("parent %d\n", (int)getppid());
}

static void say_caps(void)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2];
	int bounding = 0;
	int ambient = 0;

	memset(d, 0, sizeof(d));
	if (syscall(SYS_capget, &h, d) < 0)
		exit(99);
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
		bounding += prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1;
		ambient += prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0,
				 0) == 1;
	}
	printf("caps %x%08x %x%08x %x%08x\n", d[1].permitted, d[0].permitted,
	       d[1].effective, d[0].effective, d[1].inheritable,
	       d[0].inheritable);
	printf("bounding %d\nambient %d\n", bounding, ambient);
	printf("nnp %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

static void say_limits(void)
{
	struct rlimit core, files, procs;
	char cwd[256];
	mode_t mask = umask(022);

	if (getrlimit(RLIMIT_CORE, &core) < 0 ||
	    getrlimit(RLIMIT_NOFILE, &files) < 0 ||
	    getrlimit(RLIMIT_NPROC, &procs) < 0 || !getcwd(cwd, sizeof(cwd)))
		exit(99);
	printf("core %lu\n", (unsigned long)core.rlim_max);
	printf("nofile %s\n",
	       files.rlim_cur == files.rlim_max ? "hard" : "soft");
	printf("nproc %lu\n", (unsigned long)procs.rlim_max);
	printf("cwd %s\numask %o\n", cwd, mask);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names in a directory, sorted. */
static void say_dir(const char *path)
{
	char *names[64];
	size_t n = 0;
	DIR *d = opendir(path);

	printf("dir %s", path);
	while (d && n < 64) {
		struct dirent *de = readdir(d);

		if (!de)
			break;
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			names[n++] = strdup(de->d_name);
	}
	/* cppcheck-suppress uninitvar; n of them are set */
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++)
		printf(" %s", names[i]);
	printf("%s\n", d ? "" : " -");
	if (d)
		closedir(d);
}

static void say_surroundings(char **env)
{
	struct stat st;

	printf("fds");
	for (int fd = 0; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf(" %d", fd);
	printf("\nenv");
	for (; *env; env++)
		printf(" %s", *env);
	printf("\nroot-owner %ld\n",
	       stat("/", &st) < 0 ? -1L : (long)st.st_uid);
	say_dir("/");
	say_dir("/dev");
	say_dir("/proc");
	say_dir("/tree");
}

/*
 * The classic way out of a chroot(), for who has CAP_SYS_CHROOT: what is above
 * the root.  In a child, because it moves the root.
 */
static void say_above(void)
{
	int out = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	pid_t pid = fork();

	if (pid == 0) {
		if (chroot("/usr") < 0 || fchdir(out) < 0) {
			tried("above", -1);
			_exit(0);
		}
		for (int i = 0; i < 8; i++)
			if (chdir("..") < 0)
				exit(99);
		printf("above ");
		say_dir(".");
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	close(out);
}

/* Steps towards more rights. */
static void try_rights(uid_t person)
{
	struct mount_attr clear = {.attr_clr = MOUNT_ATTR_RDONLY};

	tried("setuid-person", setuid(person));
	tried("setuid-root", setuid(0));
	tried("setgid-person", setgid(person));
	tried("setgroups", setgroups(0, NULL));
	tried("unshare-user", unshare(CLONE_NEWUSER));
	tried("unshare-mount", unshare(CLONE_NEWNS));
	tried("mount", mount("none", "/usr", "tmpfs", 0, NULL));
	tried("umount", umount2("/usr", MNT_DETACH));
	tried("chroot", chroot("/usr"));
	tried("open-tree", open_tree(AT_FDCWD, "/usr", OPEN_TREE_CLONE));
	tried("remount",
	      mount_setattr(AT_FDCWD, "/usr", 0, &clear, sizeof(clear)));
	tried("chmod-root", chmod("/", 0777));
	tried("mknod", mknod("/x", S_IFCHR | 0666, 0));
	tried("create-root", open("/x", O_CREAT | O_WRONLY, 0600));
	tried("tty", open("/dev/tty", O_RDWR));
}

/* Steps towards others. */
static void try_others(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(9)};
	long key;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	tried("connect", connect(-1, (void *)&in, sizeof(in)));
	tried("kill-all", kill(-1, 0));
	tried("kill-2", kill(2, 0));
	tried("ptrace-2", ptrace(PTRACE_SEIZE, 2, NULL, NULL));
	key = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING,
		      "user", "vmrun-stage-tool", 0);
	tried("key", key);
}

/* Every way to a socket; the ones that are left talk to nobody else. */
static void try_sockets(void)
{
	int two[2];

	tried("socket-inet", socket(AF_INET, SOCK_DGRAM, 0));
	tried("socket-unix", socket(AF_UNIX, SOCK_STREAM, 0));
	tried("socket-netlink", socket(AF_NETLINK, SOCK_RAW, 0));
	/* cppcheck-suppress nullPointer; refused before it is looked at */
	tried("bind", bind(-1, NULL, 0));
	tried("pair-stream", socketpair(AF_UNIX, SOCK_STREAM, 0, two));
	tried("pair-packet", socketpair(AF_UNIX, SOCK_SEQPACKET, 0, two));
	tried("pair-datagram",
	      socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, two));
	tried("pair-raw", socketpair(AF_UNIX, SOCK_RAW, 0, two));
	tried("pair-tipc", socketpair(AF_TIPC, SOCK_STREAM, 0, two));
}

/* Calls that nobody in a sandbox needs. */
static void try_calls(void)
{
	tried("io-uring", syscall(SYS_io_uring_setup, 1, NULL));
	tried("clone-user", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0));
	tried("clone3", syscall(SYS_clone3, NULL, 0));
	tried("unshare-fs", unshare(CLONE_FS));
	tried("unshare-net", unshare(CLONE_NEWNET));
	tried("setns", setns(-1, 0));
	tried("openat2", syscall(SYS_openat2, -1, NULL, NULL, 0));
	tried("by-handle", open_by_handle_at(-1, NULL, 0));
	tried("readv-other", syscall(SYS_process_vm_readv, 1, 0, 0, 0, 0, 0));
	tried("getfd", syscall(SYS_pidfd_getfd, -1, 0, 0));
	tried("bpf", syscall(SYS_bpf, -1, NULL, 0));
	tried("perf", syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
	tried("uffd", syscall(SYS_userfaultfd, 0x10000));
	tried("tiocsti", ioctl(-1, TIOCSTI, "x"));
	tried("tiocsti-high", syscall(SYS_ioctl, -1, 1L << 40 | TIOCSTI, "x"));
	tried("tiocswinsz", ioctl(-1, TIOCSWINSZ, "x"));
	tried("unjudged", syscall(463));
#ifdef __x86_64__
	tried("x32", syscall(0x40000000L + SYS_getpid));
#endif
}

/* Files that are not what they seem, in a directory that may be written. */
static void try_files(const char *dir)
{
	char f[512];
	int fd;

	snprintf(f, sizeof(f), "%s/.vmrun-stage-red.odd", dir);
	tried("  whiteout", mknod(f, S_IFCHR, 0));
	tried("  block", mknod(f, S_IFBLK, 0));
	tried("  mknod-suid", mknod(f, S_IFREG | 04755, 0));
	tried("  open-suid", open(f, O_CREAT | O_WRONLY, 04755));
	tried("  open-sgid", open(f, O_CREAT | O_WRONLY, 02755));
	tried("  creat-suid", syscall(SYS_creat, f, 04755));
	tried("  left", access(f, F_OK));
	tried("  mknod", mknod(f, S_IFREG | 0644, 0));
	tried("  chmod-suid", syscall(SYS_chmod, f, 04755));
	tried("  chmodat-suid", syscall(SYS_fchmodat, AT_FDCWD, f, 06755));
	tried("  chmodat2-suid", syscall(452, AT_FDCWD, f, 04755, 0));
	fd = open(f, O_WRONLY | O_CLOEXEC);
	tried("  fchmod-suid", fchmod(fd, 04755));
	tried("  fchmod-sgid", fchmod(fd, 02755));
	tried("  fchmod", fchmod(fd, 01755));
	unlink(f);
}

/* Runs it in a child; an execve() that worked is "ok". */
static void try_exec(const char *path)
{
	int report[2];
	int failed = 0;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC) < 0)
		exit(99);
	pid = fork();
	if (pid == 0) {
		execl(path, path, (char *)NULL);
		failed = errno;
		_exit(write(report[1], &failed, sizeof(failed)) < 0);
	}
	close(report[1]);
	if (read(report[0], &failed, sizeof(failed)) < 0)
		exit(99);
	close(report[0]);
	waitpid(pid, NULL, 0);
	errno = failed;
	tried("  exec", failed ? -1 : 0);
}

static void try_path(const char *path)
{
	char below[512];
	struct stat st;
	int fd;

	printf("path %s\n", path);
	tried("  open", open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
	if (stat(path, &st) < 0)
		return;
	if (S_ISREG(st.st_mode)) {
		fd = open(path, O_WRONLY | O_CLOEXEC);
		tried("  write", fd);
		if (fd >= 0)
			close(fd); /* what is open cannot be executed */
		try_exec(path);
	}
	if (!S_ISDIR(st.st_mode))
		return;
	snprintf(below, sizeof(below), "%s/.vmrun-stage-red", path);
	fd = open(below, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	tried("  create", fd);
	if (fd < 0)
		return;
	unlink(below);
	try_files(path);
}

static void be_hostile(uid_t person, char **env)
{
	say_ids();
	say_caps();
	say_limits();
	say_surroundings(env);
	say_above();
	try_rights(person);
	try_others();
	try_sockets();
	try_calls();
}

int main(int argc, char **argv, char **env)
{
	if (argc < 2)
		return 99;
	/* whole lines, for several may write to one file */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(argv[1], "paths") != 0)
		be_hostile((uid_t)atoi(argv[1]), env);
	for (int i = 2; i < argc; i++)
		try_path(argv[i]);
	printf("end\n");
	/* stay: to be seen from outside, and to be killed */
	if (getenv("STAY"))
		pause();
	return 0;
}
