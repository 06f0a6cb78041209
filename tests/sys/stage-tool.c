/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Starts vmrun-stage as vmrun does, from a command line: for tests.
 *
 * usage: stage-tool [-n] [-l N] STAGE UID [mount]... member...
 *   mount:   ro|rw|rx NAME SRC      o: read-only, w: writable, x: and exec
 *            po|pw NAME SRC         the same in the plain tree
 *            and + behind it: with what is mounted inside
 *   member:  tree|server|plain|plain-server|vmm|empty|uplink NAME
 *            [-d DEVICE]...
 *            [-f SRC DST]... [-l TO] [-c TO] PROGRAM [ARG]... ,
 * A server has the capabilities of the C file server, an uplink the network of
 * who starts the tool.  -l gives the
 * member a listening socket at descriptor TO, -c one connected to it.  Every
 * member has the tool's own stdout and stderr.  -n: leave out the record's
 * seals.  -l N: add N to the inode numbers of mounts.
 *
 * Runs as an ordinary user; ends when a member did, with its status; 125 with
 * the stage's own error.  Environment: SETUP_TIMES prints when the records
 * came, SETUP_AUDIT what PID 1 is when all run; STAY goes to the members.
 */
#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/own.h"
#include "proc/spawn.h"
#include "seal/seal.h"
#include "wire/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <pwd.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

enum { FD_OUT = 5, FD_ERR = 6, FD_LISTEN = 7, FD_CONNECT = 8 };

struct tool {
	struct setup s;
	struct setup_mount mounts[SETUP_MOUNTS_MAX];
	struct setup_member members[SETUP_MEMBERS_MAX];
	char *env[3];
	char *none[1];
	uint32_t sub_first, sub_count;
	int listener, client;
	uint64_t lie;
	bool unsealed;
};

static struct tool t;

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "stage-tool: %s\n", what);
	exit(125);
}

static void identify(const char *path, uint64_t *dev, uint64_t *ino, bool *file)
{
	struct stat st;

	if (stat(path, &st) < 0)
		die(path);
	*dev = st.st_dev;
	*ino = st.st_ino;
	*file = !S_ISDIR(st.st_mode);
}

/* The first range of this user; the file is the same for groups here. */
static void find_range(void)
{
	FILE *f = fopen("/etc/subuid", "r");
	struct passwd *pw = getpwuid(getuid());
	char line[256];

	if (!f || !pw)
		die("no /etc/subuid");
	while (fgets(line, sizeof(line), f)) {
		size_t n = strlen(pw->pw_name);

		if (strncmp(line, pw->pw_name, n) || line[n] != ':')
			continue;
		if (sscanf(line + n, ":%u:%u", &t.sub_first, &t.sub_count) == 2)
			break;
	}
	fclose(f);
	if (!t.sub_count)
		die("no line in /etc/subuid");
}

static void add_mount(char **argv)
{
	struct setup_mount *m = &t.mounts[t.s.n_mounts++];

	m->readonly = argv[0][1] == 'o';
	m->exec = argv[0][1] == 'x';
	m->inner = argv[0][2] == '+';
	m->tree = argv[0][0] == 'p' ? SETUP_TREE_PLAIN : SETUP_TREE_GRANTED;
	m->name = argv[1];
	m->src = argv[2];
	identify(m->src, &m->dev, &m->ino, &m->file);
	m->ino += t.lie;
}

static void add_fd(struct setup_member *m, uint32_t from, uint32_t to)
{
	m->fds[m->n_fds].from = from;
	m->fds[m->n_fds++].to = to;
}

static void add_file(struct setup_member *m, char **argv)
{
	struct setup_file *f = &m->files[m->n_files++];
	bool file;

	f->src = argv[0];
	f->dst = argv[1];
	identify(f->src, &f->dev, &f->ino, &file);
}

/* One member's words up to ","; returns what follows. */
static char **add_member(char **argv)
{
	struct setup_member *m = &t.members[t.s.n_members++];
	size_t devices = 0;

	m->view = !strcmp(argv[0], "vmm")	  ? SETUP_VIEW_VMM
		  : !strcmp(argv[0], "empty")	  ? SETUP_VIEW_EMPTY
		  : !strcmp(argv[0], "uplink")	  ? SETUP_VIEW_UPLINK
		  : !strncmp(argv[0], "plain", 5) ? SETUP_VIEW_PLAIN
						  : SETUP_VIEW_TREE;
	if (m->view == SETUP_VIEW_UPLINK)
		m->calls = SETUP_CALLS_UPLINK;
	if (strstr(argv[0], "server"))
		m->caps = SETUP_CAPS_FILESERVER;
	m->name = argv[1];
	m->env = t.env;
	m->devices = calloc(8, sizeof(*m->devices));
	m->files = calloc(16, sizeof(*m->files));
	m->fds = calloc(8, sizeof(*m->fds));
	if (!m->devices || !m->files || !m->fds)
		die("memory");
	add_fd(m, FD_OUT, 1);
	add_fd(m, FD_ERR, 2);
	for (argv += 2; *argv && **argv == '-'; argv += 2)
		if (!strcmp(*argv, "-d"))
			m->devices[devices++] = argv[1];
		else if (!strcmp(*argv, "-f"))
			add_file(m, ++argv);
		else if (!strcmp(*argv, "-l"))
			add_fd(m, FD_LISTEN, (uint32_t)atoi(argv[1]));
		else if (!strcmp(*argv, "-c"))
			add_fd(m, FD_CONNECT, (uint32_t)atoi(argv[1]));
	m->argv = argv;
	while (*argv && strcmp(*argv, ","))
		argv++;
	if (!*argv)
		return argv;
	*argv = NULL;
	return argv + 1;
}

static void parse(char **argv, const char *uid)
{
	static char path[] = "PATH=/usr/bin";
	static char stay[] = "STAY=1";

	t.env[0] = path;
	t.env[1] = getenv("STAY") ? stay : NULL;
	t.s.uid = t.s.gid = (uint32_t)atoi(uid);
	t.s.host_uid = getuid();
	t.s.host_gid = getgid();
	t.s.mounts = t.mounts;
	t.s.members = t.members;
	while (*argv)
		if (strlen(argv[0]) == 2 || argv[0][2] == '+') {
			add_mount(argv);
			argv += 3;
		} else {
			argv = add_member(argv);
		}
}

/* A listening socket and one connected to it, without a path. */
static void make_sockets(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t n = sizeof(a);

	t.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	t.client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(t.listener, (void *)&a, sizeof(a.sun_family)) < 0 ||
	    listen(t.listener, 1) < 0 ||
	    getsockname(t.listener, (void *)&a, &n) < 0 ||
	    connect(t.client, (void *)&a, n) < 0)
		die("sockets");
}

static int map_ids(const char *tool, pid_t pid, uint32_t own, struct err *e)
{
	char words[7][16];
	char *argv[9] = {(char *)(uintptr_t)tool};
	char *none[] = {NULL};
	struct proc_spec spec = {.path = tool, .argv = argv, .envp = none};
	const struct proc_fd fds[] = {{2, 2}};
	const uint32_t v[7] = {(uint32_t)pid, own,	   own,	       1,
			       t.sub_first,   t.sub_first, t.sub_count};

	for (int i = 0; i < 7; i++) {
		snprintf(words[i], sizeof(words[i]), "%u", v[i]);
		argv[i + 1] = words[i];
	}
	spec.fds = fds;
	spec.n_fds = 1;
	if (proc_capture(&spec, NULL, e) != 0)
		return err_set(e, 0, "%s", tool);
	return 0;
}

static int in_parent(void *arg, pid_t pid, struct err *e)
{
	(void)arg;
	if (map_ids("/usr/bin/newuidmap", pid, getuid(), e) < 0)
		return -1;
	return map_ids("/usr/bin/newgidmap", pid, getgid(), e);
}

static int in_child(void *arg, struct err *e)
{
	(void)arg;
	return seal_keep_caps(setup_stage_caps, setup_n_stage_caps, e);
}

static int start(const char *stage, int record, int ctl, struct child *c,
		 struct err *e)
{
	char *argv[] = {(char *)(uintptr_t)stage, NULL};
	const struct proc_fd fds[] = {{2, 2},
				      {ctl, SETUP_FD_CTL},
				      {record, SETUP_FD_RECORD},
				      {1, FD_OUT},
				      {2, FD_ERR},
				      {t.listener, FD_LISTEN},
				      {t.client, FD_CONNECT}};
	struct proc_spec spec = {
		.path = stage,
		.argv = argv,
		.envp = t.none,
		.fds = fds,
		.n_fds = sizeof(fds) / sizeof(fds[0]),
		.clone_flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID |
			       CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET |
			       CLONE_NEWCGROUP,
		.parent = in_parent,
		.child = in_child,
	};

	for (size_t i = 0; i < t.s.n_members; i++)
		if (t.members[i].view == SETUP_VIEW_UPLINK)
			spec.clone_flags &= ~(uint64_t)CLONE_NEWNET;
	return proc_spawn(&spec, c, e);
}

/* What the kernel says of PID 1, seen from outside. */
static void audit(pid_t pid)
{
	static const char *const wanted[] = {
		"Uid:",	   "Groups:", "CapInh:",     "CapPrm:", "CapEff:",
		"CapBnd:", "CapAmb:", "NoNewPrivs:", "Seccomp:"};
	char path[64];
	char line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f))
		for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
			if (!strncmp(line, wanted[i], strlen(wanted[i])))
				fprintf(stderr, "stage %s", line);
	fclose(f);
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fprintf(stderr, "stage mem %s\n",
		open(path, O_RDONLY) < 0 ? "closed" : "open");
}

/* A key that only this session's processes may find. */
static void add_key(void)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0)
		syscall(SYS_add_key, "user", "vmrun-stage-tool", "x", 1,
			KEY_SPEC_SESSION_KEYRING);
}

/* Until the first member ended; all of its output is out by then. */
static int follow(int ctl, pid_t pid)
{
	struct stage_record r;
	struct timespec from, now;
	ssize_t n;

	clock_gettime(CLOCK_MONOTONIC, &from);
	while ((n = io_recv(ctl, &r, sizeof(r), NULL, NULL)) ==
	       (ssize_t)sizeof(r)) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (getenv("SETUP_TIMES"))
			fprintf(stderr, "%.1f ms: record %u\n",
				(double)(now.tv_sec - from.tv_sec) * 1e3 +
					(double)(now.tv_nsec - from.tv_nsec) /
						1e6,
				r.kind);
		switch ((enum stage_kind)r.kind) {
		case STAGE_EV_MEMBER:
			break;
		case STAGE_EV_READY:
			if (getenv("SETUP_AUDIT"))
				audit(pid);
			break;
		case STAGE_EV_GONE:
			if (WIFEXITED(r.status))
				return WEXITSTATUS(r.status);
			return 128 + WTERMSIG(r.status);
		case STAGE_EV_ERROR:
			fprintf(stderr, "stage: %s\n", r.text);
			if (r.hint[0])
				fprintf(stderr, "hint: %s\n", r.hint);
			return 125;
		}
	}
	fprintf(stderr, "stage: gone without a word\n");
	return 125;
}

static int make_record(struct err *e)
{
	struct buf b;
	int fd;

	buf_init(&b, SETUP_MAX);
	setup_encode(&b, &t.s);
	if (b.bad)
		die("record");
	if (t.unsealed) {
		fd = memfd_create("setup", MFD_CLOEXEC);
		if (fd < 0 || io_write_all(fd, b.data, b.len) < 0)
			die("memory file");
	} else {
		fd = io_memfd("setup", b.data, b.len, e);
	}
	buf_free(&b);
	return fd;
}

int main(int argc, char **argv)
{
	struct child c = CHILD_NONE;
	struct err e = ERR_INIT;
	int ctl[2];
	int opt, record, status;

	while ((opt = getopt(argc, argv, "+nl:")) != -1)
		if (opt == 'n')
			t.unsealed = true;
		else if (opt == 'l')
			t.lie = (uint64_t)atoi(optarg);
	if (argc - optind < 5)
		die("usage: stage-tool [-n] [-l N] STAGE UID member...");
	find_range();
	parse(argv + optind + 2, argv[optind + 1]);
	make_sockets();
	add_key();
	record = make_record(&e);
	if (record < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ctl) < 0)
		die("record");
	if (start(argv[optind], record, ctl[1], &c, &e) < 0) {
		log_err(LOG_LEVEL_ERR, &e);
		return 125;
	}
	close(ctl[1]);
	close(t.listener);
	close(t.client);
	status = follow(ctl[0], c.pid);
	close(ctl[0]); /* the stage exits, and all with it */
	child_wait(&c);
	return status;
}
