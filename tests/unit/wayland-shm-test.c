/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared memory: what the compositor maps cannot be cut short. */
#include "tap.h"
#include "wayland-script.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
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
		from_host(c, BUFFER, EV_WL_BUFFER_RELEASE, "");
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

/* Bytes of memory that a file takes. */
static size_t taken(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? 0 : (size_t)st.st_blocks * 512;
}

/* As wide as a page, whose size is not the same everywhere. */
static void pages(struct client *c, uint32_t id, uint32_t from, uint32_t n)
{
	uint32_t page = (uint32_t)sysconf(_SC_PAGESIZE);

	from_guest(c, POOL, RQ_WL_SHM_POOL_CREATE_BUFFER, "nuuuuu", id,
		   from * page, page / 4, n, page, 0);
}

static void release(struct client *c, uint32_t id)
{
	from_host(c, id, EV_WL_BUFFER_RELEASE, "");
}

static void destroy(struct client *c, uint32_t id)
{
	from_guest(c, id, RQ_WL_BUFFER_DESTROY, "");
	from_host(c, DISPLAY, EV_WL_DISPLAY_DELETE_ID, "u", id);
}

/* One pool, of which windows are shown one after another: foot scrolls so. */
static void given_back(void)
{
	struct client *c = script_client(&s);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = memory_file(1 << 20, false);
	int got = pool(c, fd, 1 << 20);

	pages(c, BUFFER, 0, 4);
	tap_ok(!s.filter.copied && !taken(got), "a pool takes nothing");
	show(c, BUFFER, 0, 4);
	tap_ok(s.filter.copied == 4 * page && taken(got) == 4 * page,
	       "a buffer that is shown takes its pages");
	pages(c, BUFFER + 1, 3, 4);
	show(c, BUFFER + 1, 0, 4);
	tap_ok(taken(got) == 7 * page, "so does the next");
	release(c, BUFFER);
	put(fd, "n", (off_t)(3 * page));
	show(c, BUFFER + 1, 0, 4);
	destroy(c, BUFFER);
	tap_ok(s.filter.copied == 4 * page && taken(got) == 4 * page &&
		       at(got, (off_t)(3 * page)) == 'n',
	       "with a buffer its pages go, but for those of another");
	to_host(c);
	from_guest(c, BUFFER + 1, RQ_WL_BUFFER_DESTROY, "");
	tap_str(to_host(c), "", "one that is on the screen stays");
	tap_ok(s.filter.copied == 4 * page && taken(got) == 4 * page,
	       "with what it takes");
	release(c, BUFFER + 1);
	tap_str(to_host(c), "16.0()", "until the compositor releases it");
	tap_ok(!s.filter.copied && !taken(got), "then it goes as well");
	from_host(c, DISPLAY, EV_WL_DISPLAY_DELETE_ID, "u", BUFFER + 1);
	pages(c, BUFFER, 0, 256);
	show(c, BUFFER, 0, 256);
	tap_ok(!c->over, "all of the pool can be shown then");
	close(fd);
	close(got);
	client_free(c);
	tap_ok(!s.filter.copied, "an end of a client gives everything back");
}

/* A buffer in the midst of one that goes, and one that was never shown. */
static void nested(void)
{
	struct client *c = script_client(&s);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = memory_file(1 << 20, false);
	int got = pool(c, fd, 1 << 20);

	pages(c, BUFFER, 0, 8);
	pages(c, BUFFER + 1, 2, 1);
	pages(c, BUFFER + 2, 5, 2);
	pages(c, BUFFER + 3, 0, 8);
	put(fd, "i", (off_t)(5 * page));
	for (uint32_t i = 0; i < 3; i++) {
		show(c, BUFFER + i, 0, 8);
		release(c, BUFFER + i);
	}
	destroy(c, BUFFER);
	tap_ok(taken(got) == 3 * page && at(got, (off_t)(5 * page)) == 'i',
	       "what lies inside of a buffer stays");
	show(c, BUFFER + 3, 0, 8);
	release(c, BUFFER + 3);
	destroy(c, BUFFER + 2);
	tap_ok(taken(got) == 8 * page && at(got, (off_t)(5 * page)) == 'i',
	       "and what another one covers");
	close(fd);
	close(got);
	client_free(c);
}

/* Of a gigabyte, say: a hole of the file takes memory as soon as it is read. */
static void bounded(void)
{
	uint32_t page = (uint32_t)sysconf(_SC_PAGESIZE), all = (1 << 20) / page;
	struct client *c = script_client(&s), *d = script_client(&s);
	int fd = memory_file(1 << 20, false);

	s.logs = 0;
	close(pool(c, fd, 1 << 20));
	close(pool(d, fd, 1 << 20));
	pages(c, BUFFER, 0, all);
	show(c, BUFFER, 0, all);
	pages(d, BUFFER, 0, all);
	show(d, BUFFER, 0, all);
	tap_ok(!c->over && !d->over && s.filter.copied == 2 << 20,
	       "the VM's windows may take so much");
	pages(d, BUFFER + 1, 0, 1);
	show(d, BUFFER + 1, 0, 1);
	tap_ok(d->over && !c->over && s.logs == 1 &&
		       strstr(s.log, "would take more than 2 MiB"),
	       "not more: who asks for it is ended, and the log says so once");
	client_free(d);
	d = script_client(&s);
	close(pool(d, fd, 1 << 20));
	pages(d, BUFFER, 0, all);
	show(d, BUFFER, 0, all);
	tap_ok(!d->over, "another may have what it had");
	close(fd);
	client_free(c);
	client_free(d);
}

/* A commit that takes long is done in turns, and what comes behind it waits. */
static void in_turns(void)
{
	struct client *c = script_client(&s);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = memory_file(1 << 20, false);
	int got = pool(c, fd, 1 << 20), turns = 1;
	const uint32_t twice[] = {SURFACE, 8 << 16 | RQ_WL_SURFACE_COMMIT,
				  SURFACE, 8 << 16 | RQ_WL_SURFACE_COMMIT};

	s.filter.turn = 2 * page;
	s.waits = true;
	pages(c, BUFFER, 0, 8);
	put(fd, "l", (off_t)(8 * page - 1));
	from_guest(c, SURFACE, RQ_WL_SURFACE_ATTACH, "ouu", BUFFER, 0, 0);
	to_host(c);
	raw_from_guest(c, twice, sizeof(twice));
	tap_ok(c->later && taken(got) == 2 * page, "a turn is not all of it");
	tap_str(to_host(c), "", "a commit is not passed on before its end");
	while (turn(c)) {
		turns++;
		if (taken(got) > (size_t)turns * 2 * page)
			break;
	}
	tap_ok(!c->over && turns == 5 && at(got, (off_t)(8 * page - 1)) == 'l',
	       "the turns together are");
	tap_str(to_host(c), "13.6() 13.6()", "then it is, and what follows");
	s.waits = false;
	s.filter.turn = FILTER_TURN;
	close(fd);
	close(got);
	client_free(c);
}

/* Of 300 windows with two buffers each, and of what else there is. */
static void many(void)
{
	struct client *c = script_client(&s);
	int fd = memory_file(4096, true);

	for (uint32_t i = 0; i < 1000 && !c->over; i++) {
		close(pool(c, fd, 256));
		buffer(c, BUFFER + i, 0);
		from_guest(c, POOL, RQ_WL_SHM_POOL_DESTROY, "");
		from_host(c, DISPLAY, EV_WL_DISPLAY_DELETE_ID, "u", POOL);
	}
	tap_ok(!c->over, "a thousand buffers, each in a pool of its own");
	close(fd);
	client_free(c);
}

/* Descriptors are the process's, and so the VM's. */
static void files(void)
{
	struct client *a = script_client(&s), *b = script_client(&s);
	size_t before = s.filter.files;
	int fd = memory_file(4096, false), sealed = memory_file(4096, true);

	s.filter.files = FILTER_FILES_MAX - 4;
	close(pool(a, fd, 4096));
	tap_ok(s.filter.files == FILTER_FILES_MAX - 2,
	       "a pool that is copied has two files");
	close(pool(b, sealed, 4096));
	tap_ok(!b->over && s.filter.files == FILTER_FILES_MAX - 1,
	       "one that is passed on has one");
	from_guest(b, POOL, RQ_WL_SHM_POOL_DESTROY, "");
	tap_ok(s.filter.files == FILTER_FILES_MAX - 2, "until it ends");
	from_guest(a, POOL, RQ_WL_SHM_POOL_DESTROY, "");
	tap_ok(s.filter.files == FILTER_FILES_MAX - 4, "both count");
	s.filter.files = FILTER_FILES_MAX - 1;
	from_guest(a, SHM, RQ_WL_SHM_CREATE_POOL, "nhu", POOL + 1, dup(fd),
		   4096);
	tap_ok(a->over && strstr(a->why, "too many pools"),
	       "a VM has so many and no more");
	s.filter.files = before;
	s.filter.pools += FILTER_POOLS_MAX;
	from_guest(b, SHM, RQ_WL_SHM_CREATE_POOL, "nhu", POOL + 1, dup(sealed),
		   4096);
	tap_ok(b->over && strstr(b->why, "too many pools"),
	       "pools are bounded, too, with a descriptor or without");
	s.filter.pools -= FILTER_POOLS_MAX;
	close(fd);
	close(sealed);
	client_free(a);
	client_free(b);
	tap_ok(!s.filter.pools, "what goes with its client counts no more");
}

/* Only what is as large as height and stride say. */
static void formats(void)
{
	static const struct {
		uint32_t code;
		bool passed;
	} some[] = {
		{0, true},	     /* ARGB8888 */
		{1, true},	     /* XRGB8888 */
		{0x34324258, true},  /* XBGR8888 */
		{0x36314752, true},  /* RGB565 */
		{0x3231564e, false}, /* NV12 */
		{0x32315559, false}, /* YUV420 */
		{2, false},	     {0, true},
	};
	struct client *c = script_client(&s);
	bool right = true;

	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		from_host(c, SHM, EV_WL_SHM_FORMAT, "u", some[i].code);
		right = right && (*to_guest(c) != 0) == some[i].passed;
	}
	tap_ok(right, "formats of several planes are not offered");
	client_free(c);
}

int main(void)
{
	script_start(&s, WAYLAND_CLIPBOARD_OFF);
	sealable();
	copied();
	alternate();
	lives();
	given_back();
	nested();
	bounded();
	in_turns();
	many();
	files();
	formats();
	script_end(&s);
	return tap_done();
}
