/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The real vmrun-mux: what it keeps of the console, and how it is sealed. */
#include "edge-rig.h"

#include "base/io.h"
#include "base/own.h"
#include "tap.h"
#include "wire/ring.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHECK(x, ...) tap_ok((x), __VA_ARGS__)

static unsigned char bytes[8u << 20];
static struct rig r;

static void test_console(void)
{
	int con[2], vmm[2];
	int ring = memfd_create("ring", MFD_CLOEXEC);
	int ring2 = memfd_create("ring", MFD_CLOEXEC);
	const void *file, *file2;
	int extra[4];

	if (ftruncate(ring, RING_SIZE) < 0 || ftruncate(ring2, RING_SIZE) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, con) < 0 ||
	    pipe2(vmm, O_CLOEXEC) < 0)
		exit(1);
	file = mmap(NULL, RING_SIZE, PROT_READ, MAP_SHARED, ring, 0);
	file2 = mmap(NULL, RING_SIZE, PROT_READ, MAP_SHARED, ring2, 0);
	extra[0] = con[1];
	extra[1] = ring;
	extra[2] = vmm[0];
	extra[3] = ring2;
	rig_start(&r, extra);
	for (int i = 0; i < 4; i++)
		close(extra[i]);
	rig_run(&r);
	io_write_all(vmm[1], "qemu: hello", 11);
	/* Blocks if nobody reads: 8 MiB are more than a socket takes. */
	io_write_all(con[0], bytes, sizeof(bytes));
	while (ring_total(file) < sizeof(bytes) || ring_total(file2) < 11)
		rig_sync(&r);
	CHECK(!memcmp((const char *)file2 + RING_HEADER, "qemu: hello", 11),
	      "messages of QEMU are kept");
	CHECK(ring_total(file) == sizeof(bytes) &&
		      !memcmp((const char *)file + RING_HEADER,
			      bytes + sizeof(bytes) - RING_DATA, RING_DATA),
	      "of the console the last part, and its writer never waits");
	close(con[0]);
	close(vmm[1]);
	rig_sync(&r);
	rig_exit(&r, 0, 0);
	rig_until(&r, rig_has_exit);
	CHECK(rig_has_exit(&r) && !rig_has_gone(&r),
	      "their ends change nothing");
	CHECK(rig_end(&r) == 0, "and it ends as ever");
	munmap((void *)(uintptr_t)file, RING_SIZE);
	munmap((void *)(uintptr_t)file2, RING_SIZE);
}

static bool status_has(const char *line)
{
	char path[64], text[8192];
	own_fd fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)r.child.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : io_read_full(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	return strstr(text, line);
}

static void test_sealed(void)
{
	rig_start(&r, NULL);
	rig_run(&r);
	CHECK(status_has("\nSeccomp:\t2\n"), "it has a system call filter");
	CHECK(status_has("\nNoNewPrivs:\t1\n"), "and no new privileges");
	CHECK(status_has("\nCapPrm:\t0000000000000000\n"),
	      "and no capabilities");
	rig_end(&r);
}

int main(void)
{
	rig_fill(bytes, sizeof(bytes));
	test_console();
	test_sealed();
	return tap_done();
}
