/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of /proc/PID/mountinfo. */
#include "base/mountinfo.h"
#include "tap.h"

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

static void bad(const char *line)
{
	char text[256];
	char *at = text;
	struct mountinfo m;

	snprintf(text, sizeof(text), "%s", line);
	tap_ok(mountinfo_next(&at, &m) == -1, "no such line: %s", line);
}

static void test_bad(void)
{
	bad("\n");
	bad("22\n");
	bad("22 1\n");
	bad("22 1 8:1 /\n");
	bad("22 1 8:1 / /mnt\n"); /* cut short: the point may be, too */
	bad("22 1 8:1 / mnt rw\n");
	bad("x 1 8:1 / /mnt rw\n");
	bad("-2 1 8:1 / /mnt rw\n");
	bad("22  1 8:1 / /mnt rw\n");
	bad("22 1 8:1 / /mnt rw - ext4 /dev/sda1 rw"); /* no end */
}

static void point(const char *written, const char *is)
{
	char text[256];
	char *at = text;
	struct mountinfo m;

	snprintf(text, sizeof(text),
		 "36 35 0:9 / %s rw shared:1 - tmpfs t rw\n", written);
	tap_ok(mountinfo_next(&at, &m) == 1 && m.id == 36 && m.parent == 35,
	       "a line");
	tap_str(m.point, is, "its place");
	tap_ok(mountinfo_next(&at, &m) == 0, "and no more");
}

/* All that the kernel has: in the order of the list, the root first or not. */
static void test_live(void)
{
	static char text[1 << 20];
	char *at = text;
	struct mountinfo m;
	int fd = open("/proc/self/mountinfo", O_RDONLY), r;
	int root = open("/", O_PATH);
	bool seen = false;
	size_t n = 0;
	ssize_t got;

	while ((got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	close(fd);
	while ((r = mountinfo_next(&at, &m)) > 0)
		seen = seen ||
		       (!strcmp(m.point, "/") && m.id == mountinfo_id(root));
	tap_ok(r == 0, "this machine's mounts can be read");
	tap_ok(seen, "and / is one of them, with the number that statx() has");
	close(root);
	tap_ok(mountinfo_id(-1) == 0, "no number without a file");
}

int main(void)
{
	test_bad();
	point("/mnt", "/mnt");
	point("/a\\040b\\011c\\012d\\134e", "/a b\tc\nd\\e");
	point("/\\377\\001", "/\377\001");
	point("/a\\04", "/a\\04"); /* none of the kernel's */
	point("/a\\477x", "/a\\477x");
	test_live();
	return tap_done();
}
