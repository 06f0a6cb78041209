/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames from one process to another, one system call for each as QEMU does
 * it, over a link of a kind.  Prints frames per second as the receiver counts
 * them, and the length of the last one.
 *
 *     pump pair SIZE MS              a bare SOCK_SEQPACKET pair
 *     pump up|down SIZE MS SWITCH    vmrun-switch: from or to the client
 *     pump vde SIZE MS DIR           a vde_switch that runs there
 *     pump tap SIZE MS               two taps on a bridge, in a user and
 *                                    network namespace of one's own
 */
#include "frames.h"
#include "wire/switch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct link {
	int from, to;
	pid_t helper;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "pump: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int check(int r, const char *what)
{
	if (r < 0)
		die(what);
	return r;
}

static void seqpacket(int two[2])
{
	check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, two), "socketpair");
}

static void pair(struct link *l)
{
	const int size = 1 << 20;
	int two[2];

	seqpacket(two);
	/* As vmrun-switch does on its side. */
	setsockopt(two[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	l->from = two[0];
	l->to = two[1];
}

static int attach(int control, const struct switch_record *r)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} c;
	struct switch_record answer;
	struct iovec v = {(void *)(uintptr_t)r, sizeof(*r)};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = c.room,
			   .msg_controllen = sizeof(c.room)};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	int two[2];

	seqpacket(two);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &two[1], sizeof(int));
	check((int)sendmsg(control, &m, 0), "attaching");
	if (recv(control, &answer, sizeof(answer), 0) != sizeof(answer) ||
	    answer.kind != SWITCH_EV_DONE)
		die("attaching");
	close(two[1]);
	return two[0];
}

static void ours(struct link *l, const char *program, bool up)
{
	struct switch_record uplink = {.version = SWITCH_VERSION,
				       .kind = SWITCH_CMD_ATTACH,
				       .role = SWITCH_UPLINK};
	struct switch_record client = {.version = SWITCH_VERSION,
				       .kind = SWITCH_CMD_ATTACH,
				       .port = 1,
				       .role = SWITCH_CLIENT};
	int two[2], fd[2];

	memcpy(uplink.mac, mac_up, 6);
	memcpy(client.mac, mac_a, 6);
	memcpy(client.ip4, ip_a, 4);
	seqpacket(two);
	l->helper = check(fork(), "fork");
	if (!l->helper) {
		dup2(two[1], 3);
		close_range(4, ~0U, 0);
		execl(program, program, (char *)NULL);
		die(program);
	}
	close(two[1]);
	fd[0] = attach(two[0], &client);
	fd[1] = attach(two[0], &uplink);
	l->from = fd[!up];
	l->to = fd[up];
}

/* The request and answer of vde_switch's ctl socket, version 3. */
struct vde_request {
	uint32_t magic, version, type;
	struct sockaddr_un mine;
	char about[128];
} __attribute__((packed));

static int vde_port(const char *dir, unsigned n)
{
	struct vde_request q = {.magic = 0xfeedface, .version = 3};
	struct sockaddr_un ctl = {.sun_family = AF_UNIX}, data;
	int c = socket(AF_UNIX, SOCK_STREAM, 0);
	int d = socket(AF_UNIX, SOCK_DGRAM, 0);
	const int size = 1 << 20;

	snprintf(ctl.sun_path, sizeof(ctl.sun_path), "%.80s/ctl", dir);
	q.mine.sun_family = AF_UNIX;
	snprintf(q.mine.sun_path, sizeof(q.mine.sun_path), "%.80s/port-%d-%u",
		 dir, (int)getpid(), n);
	check(bind(d, (struct sockaddr *)&q.mine, sizeof(q.mine)), "bind");
	check(connect(c, (struct sockaddr *)&ctl, sizeof(ctl)), ctl.sun_path);
	check((int)write(c, &q, sizeof(q)), "asking vde_switch");
	if (read(c, &data, sizeof(data)) != sizeof(data))
		die("vde_switch's answer");
	check(connect(d, (struct sockaddr *)&data, sizeof(data)),
	      data.sun_path);
	setsockopt(d, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return d;
}

static void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

static void interface_up(const char *name, int mtu)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq q = {0};

	strncpy(q.ifr_name, name, IFNAMSIZ - 1);
	q.ifr_mtu = mtu;
	check(ioctl(s, SIOCSIFMTU, &q), "SIOCSIFMTU");
	q.ifr_flags = IFF_UP;
	check(ioctl(s, SIOCSIFFLAGS, &q), "SIOCSIFFLAGS");
	close(s);
}

static int tap(const char *name)
{
	int fd = check(open("/dev/net/tun", O_RDWR), "/dev/net/tun");
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq q = {.ifr_flags = IFF_TAP | IFF_NO_PI};

	strncpy(q.ifr_name, name, IFNAMSIZ - 1);
	check(ioctl(fd, TUNSETIFF, &q), "TUNSETIFF");
	check(ioctl(s, SIOCGIFINDEX, &q), "SIOCGIFINDEX");
	strncpy(q.ifr_name, "br0", IFNAMSIZ - 1);
	check(ioctl(s, SIOCBRADDIF, &q), "SIOCBRADDIF");
	close(s);
	interface_up(name, 9000);
	return fd;
}

static void taps(struct link *l)
{
	char map[64];
	uid_t uid = getuid();
	int s;

	check(unshare(CLONE_NEWUSER | CLONE_NEWNET), "unshare");
	snprintf(map, sizeof(map), "0 %u 1\n", (unsigned)uid);
	put_file("/proc/self/uid_map", map);
	s = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	check(ioctl(s, SIOCBRADDBR, "br0"), "making a bridge");
	close(s);
	l->from = tap("tap0");
	l->to = tap("tap1");
	interface_up("br0", 9000);
}

static pid_t sender(const struct link *l, const struct frame *f)
{
	pid_t pid = check(fork(), "fork");

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		if (write(l->from, f->b, f->n) < 0 && errno != ENOBUFS &&
		    errno != EAGAIN)
			die("sending");
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Until the first of the frames: a bridge needs a moment, and says things. */
static size_t receive(int fd, const struct frame *f)
{
	static unsigned char b[16384];
	struct pollfd w = {.fd = fd, .events = POLLIN};
	ssize_t n;

	do {
		if (poll(&w, 1, 10000) <= 0)
			die("nothing arrives");
		n = read(fd, b, sizeof(b));
		if (n <= 0)
			die("receiving");
	} while (n < 14 || memcmp(b, f->b, 12));
	return (size_t)n;
}

static void measure(const struct link *l, const struct frame *f, double seconds)
{
	unsigned long count = 0;
	static unsigned char b[16384];
	double begin, end;
	ssize_t n = (ssize_t)receive(l->to, f);

	begin = end = now();
	while (end - begin < seconds) {
		for (int i = 0; i < 256; i++) {
			n = read(l->to, b, sizeof(b));
			if (n <= 0)
				die("receiving");
		}
		count += 256;
		end = now();
	}
	printf("%.0f %zd\n", (double)count / (end - begin), n);
}

int main(int argc, char **argv)
{
	const char *kind = argc > 3 ? argv[1] : "";
	struct link l = {-1, -1, 0};
	bool down = !strcmp(kind, "down");
	static struct frame f;
	pid_t pid;

	if (!strcmp(kind, "pair")) {
		pair(&l);
	} else if (argc == 5 && (down || !strcmp(kind, "up"))) {
		ours(&l, argv[4], !down);
	} else if (argc == 5 && !strcmp(kind, "vde")) {
		l.from = vde_port(argv[4], 0);
		l.to = vde_port(argv[4], 1);
	} else if (!strcmp(kind, "tap")) {
		taps(&l);
	} else {
		fprintf(stderr, "usage: see the head of pump.c\n");
		return 2;
	}
	/* A learning switch has to have heard of the receiver. */
	f_ip4(&f, mac_all, mac_up, ip_b, 22);
	if (strcmp(kind, "pair") && !down)
		check((int)write(l.to, f.b, f.n), "a first frame");
	f_ip4(&f, down ? mac_a : mac_up, down ? mac_up : mac_a,
	      down ? ip_b : ip_a, strtoul(argv[2], NULL, 10) - 42);
	pid = sender(&l, &f);
	measure(&l, &f, strtod(argv[3], NULL) / 1000);
	kill(pid, SIGKILL);
	if (l.helper)
		kill(l.helper, SIGKILL);
	while (wait(NULL) > 0)
		;
	return 0;
}
