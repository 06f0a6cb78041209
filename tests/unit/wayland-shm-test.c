/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared memory: what the compositor maps cannot be cut short. */
#include "tap.h"
#include "wayland-script.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct script s;

#define POOL NEXT
#define BUFFER (NEXT + 1)

static int pool(struct client *c, int fd, uint32_t size)
{
	from_guest(c, SHM, RQ_WL_SHM_CREATE_POOL, "nhu", POOL, dup(fd), size);
	to_host(c);
	return dup(seen_fd());
}

static void buffer(struct client *c, uint32_t id, uint32_t offset)
{
	from_guest(c, POOL, RQ_WL_SHM_POOL_CREATE_BUFFER, "nuuuuu", id, offset,
		   4, 4, 16, 0);
}

static void show(struct client *c, uint32_t id, uint32_t y, uint32_t rows)
{
	from_guest(c, SURFACE, RQ_WL_SURFACE_ATTACH, "ouu", id, 0, 0);
	from_guest(c, SURFACE, RQ_WL_SURFACE_DAMAGE_BUFFER, "uuuu", 0, y, 4,
		   rows);
	from_guest(c, SURFACE, RQ_WL_SURFACE_COMMIT, "");
}

static void sealable(void)
{
	struct client *c = script_client(&s);
	int fd = memory_file(4096, true);
	int got = pool(c, fd, 4096);

	tap_ok(fcntl(got, F_GET_SEALS) & F_SEAL_SHRINK && ftruncate(fd, 0) < 0,
	       "a file that takes seals is passed on, and not shortened");
	tap_ok(pwrite(fd, "x", 1, 9) == 1 && ftruncate(fd, 8192) == 0,
	       "it can still be written and grown");
	from_guest(c, POOL, RQ_WL_SHM_POOL_RESIZE, "u", 8192);
	tap_str(to_host(c), "14.2(8192)", "and its pool with it");
	close(fd);
	close(got);
	client_free(c);
}

static void put(int fd, const char *byte, off_t where)
{
	if (pwrite(fd, byte, 1, where) != 1)
		abort();
}

static char at(int fd, off_t where)
{
	char b = '?';

	return pread(fd, &b, 1, where) == 1 ? b : '!';
}

static void copied(void)
{
	struct client *c = script_client(&s);
	int fd = memory_file(4096, false);
	int got = pool(c, fd, 4096);
	char *map;

	tap_ok(fcntl(got, F_GET_SEALS) & F_SEAL_SHRINK && at(got, 4095) == 0,
	       "instead of a file that takes none the compositor gets another");
	put(fd, "a", 0);
	buffer(c, BUFFER, 0);
	tap_ok(at(got, 0) == 0, "nothing is copied before it is shown");
	show(c, BUFFER, 0, 4);
	tap_ok(at(got, 0) == 'a', "what is shown is");
	put(fd, "b", 0);
	put(fd, "c", 48);
	show(c, BUFFER, 3, 1);
	tap_ok(at(got, 0) == 'a' && at(got, 48) == 'c',
	       "the second time what is damaged");
	from_guest(c, SURFACE, RQ_WL_SURFACE_DAMAGE, "uuuu", 0, 0, 1, 1);
	from_guest(c, SURFACE, RQ_WL_SURFACE_COMMIT, "");
	tap_ok(at(got, 0) == 'b', "all of it where that is not so clear");
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, got, 0);
	tap_ok(ftruncate(fd, 0) == 0, "the client cuts its own file short");
	show(c, BUFFER, 0, 4);
	tap_ok(!c->over && map[0] == 'b',
	       "the compositor's and ours do not change");
	munmap(map, 4096);
	from_guest(c, POOL, RQ_WL_SHM_POOL_RESIZE, "u", 8192);
	tap_ok(!c->over && at(got, 8191) == 0, "it grows with the pool");
	close(fd);
	close(got);
	client_free(c);
}

/* Two buffers in turn: each gets what the other one showed in between. */
static void alternate(void)
{
	struct client *c = script_client(&s);
	int fd = memory_file(4096, false);
	int got = pool(c, fd, 4096);

	buffer(c, BUFFER, 0);
	buffer(c, BUFFER + 1, 64);
	show(c, BUFFER, 0, 4);
	show(c, BUFFER + 1, 0, 4);
	put(fd, "1", 0);
	show(c, BUFFER, 0, 1);
	/* the second buffer now has the first row's news, and its own */
	put(fd, "1", 64);
	put(fd, "2", 64 + 32);
	show(c, BUFFER + 1, 2, 1);
	tap_ok(at(got, 64) == '1' && at(got, 96) == '2',
	       "damage of one buffer is copied with the other");
	from_guest(c, SURFACE, RQ_WL_SURFACE_DESTROY, "");
	from_host(c, DISPLAY, EV_WL_DISPLAY_DELETE_ID, "u", SURFACE);
	from_guest(c, COMPOSITOR, RQ_WL_COMPOSITOR_CREATE_SURFACE, "n",
		   SURFACE);
	put(fd, "3", 48);
	show(c, BUFFER, 0, 1);
	tap_ok(at(got, 48) == '3', "another surface gets the whole buffer");
	close(fd);
	close(got);
	client_free(c);
}

static void lives(void)
{
	struct client *c = script_client(&s);
	int fd = memory_file(1 << 20, false), got;

	for (int i = 0; i < 100 && !c->over; i++) {
		got = pool(c, fd, 1 << 20);
		close(got);
		buffer(c, BUFFER, 0);
		from_guest(c, POOL, RQ_WL_SHM_POOL_DESTROY, "");
		from_host(c, DISPLAY, EV_WL_DISPLAY_DELETE_ID, "u", POOL);
		show(c, BUFFER, 0, 4);
		from_guest(c, BUFFER, RQ_WL_BUFFER_DESTROY, "");
		from_host(c, DISPLAY, EV_WL_DISPLAY_DELETE_ID, "u", BUFFER);
		show(c, 0, 0, 4);
	}
	tap_ok(!c->over, "what is gone counts no more");
	got = pool(c, fd, 1 << 20);
	buffer(c, BUFFER, 0);
	from_guest(c, POOL, RQ_WL_SHM_POOL_DESTROY, "");
	from_host(c, DISPLAY, EV_WL_DISPLAY_DELETE_ID, "u", POOL);
	put(fd, "z", 0);
	show(c, BUFFER, 0, 4);
	tap_ok(at(got, 0) == 'z', "a buffer outlives its pool");
	close(fd);
	close(got);
	client_free(c);
}

int main(void)
{
	script_start(&s, WAYLAND_CLIPBOARD_OFF);
	sealable();
	copied();
	alternate();
	lives();
	script_end(&s);
	return tap_done();
}
