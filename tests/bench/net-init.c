/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One TCP connection of a guest's, to whoever measures.
 *
 *     net-init up|down HOST PORT BYTES
 *
 * `up` sends that many bytes and waits for one; `down` sends one, receives that
 * many, sends one, and waits for the end.  As PID 1 it loads the network's
 * modules, gives eth0 the addresses of QEMU's user network, and takes its words
 * from the kernel's command line: way=, host=, port=, bytes=.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static char room[256 * 1024];

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "net-init: %s: %s\n", what, strerror(errno));
	if (getpid() == 1)
		reboot(RB_AUTOBOOT);
	_exit(1);
}

/* The image's list: `GROUP FILE` lines. */
static void load_modules(const char *wanted)
{
	FILE *f = fopen("/modules/list", "re");
	char group[64], name[128], path[256];

	while (f && fscanf(f, "%63s %127s", group, name) == 2) {
		int fd;

		if (strcmp(group, wanted) != 0)
			continue;
		snprintf(path, sizeof(path), "/modules/%s", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			syscall(SYS_finit_module, fd, "", 0);
		close(fd);
	}
	if (f)
		fclose(f);
}

static void set_address(struct sockaddr *to, const char *ip)
{
	struct sockaddr_in a = {.sin_family = AF_INET};

	inet_pton(AF_INET, ip, &a.sin_addr);
	memcpy(to, &a, sizeof(a));
}

static void set_up(void)
{
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq q = {.ifr_name = "eth0"};
	struct rtentry r = {.rt_flags = RTF_UP | RTF_GATEWAY};

	set_address(&q.ifr_addr, "10.0.2.15");
	if (s < 0 || ioctl(s, SIOCSIFADDR, &q) < 0)
		die("eth0");
	set_address(&q.ifr_netmask, "255.255.255.0");
	ioctl(s, SIOCSIFNETMASK, &q);
	q.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(s, SIOCSIFFLAGS, &q) < 0)
		die("starting eth0");
	set_address(&r.rt_dst, "0.0.0.0");
	set_address(&r.rt_genmask, "0.0.0.0");
	set_address(&r.rt_gateway, "10.0.2.2");
	if (ioctl(s, SIOCADDRT, &r) < 0)
		die("the gateway");
	close(s);
}

static int join(const char *host, const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons((uint16_t)atoi(port))};
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, host, &a.sin_addr);
	if (s < 0 || connect(s, (struct sockaddr *)&a, sizeof(a)) < 0)
		die("connecting");
	return s;
}

static void up(int s, size_t n)
{
	while (n) {
		ssize_t w = write(s, room, n < sizeof(room) ? n : sizeof(room));

		if (w <= 0)
			die("sending");
		n -= (size_t)w;
	}
	if (read(s, room, 1) != 1)
		die("the answer");
}

static void down(int s, size_t n)
{
	if (write(s, "r", 1) != 1)
		die("asking");
	while (n) {
		ssize_t r = read(s, room, sizeof(room));

		if (r <= 0)
			die("receiving");
		n -= (size_t)r;
	}
	/* This end stays until the other one has it. */
	if (write(s, "e", 1) != 1 || read(s, room, 1) != 0)
		die("the answer");
}

static const char *word(const char *name)
{
	const char *value = getenv(name);

	if (!value)
		die(name);
	return value;
}

int main(int argc, char **argv)
{
	const char *way, *host, *port, *bytes;
	int s;

	if (getpid() == 1) {
		load_modules("boot");
		load_modules("net");
		set_up();
		way = word("way");
		host = word("host");
		port = word("port");
		bytes = word("bytes");
	} else if (argc == 5) {
		way = argv[1];
		host = argv[2];
		port = argv[3];
		bytes = argv[4];
	} else {
		die("usage");
	}
	s = join(host, port);
	if (strcmp(way, "up") == 0)
		up(s, strtoull(bytes, NULL, 10));
	else
		down(s, strtoull(bytes, NULL, 10));
	if (getpid() == 1)
		reboot(RB_AUTOBOOT);
	return 0;
}
