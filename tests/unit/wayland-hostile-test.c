/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a client may not send.  Each case ends it with the expected error, says
 * so once in the log, and nothing of it reaches the compositor.  All of them
 * once whole and once byte by byte.
 */
#include "tap.h"
#include "wayland-script.h"

#include "mark.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void bind(struct client *c, uint32_t name, const char *interface,
		 uint32_t version, uint32_t id)
{
	from_guest(c, REGISTRY, RQ_WL_REGISTRY_BIND, "usun", name, interface,
		   version, id);
}

static void words(struct client *c, const uint32_t *w, size_t n)
{
	raw_from_guest(c, w, n * 4);
}
#define WORDS(c, ...)                                                          \
	words(c, (const uint32_t[]){__VA_ARGS__},                              \
	      sizeof((const uint32_t[]){__VA_ARGS__}) / 4)
#define HEAD(size, opcode) ((uint32_t)(size) << 16 | (opcode))

static void pool(struct client *c, uint32_t id, int fd, uint32_t size)
{
	from_guest(c, SHM, RQ_WL_SHM_CREATE_POOL, "nhu", id, fd, size);
}

static void buffer(struct client *c, uint32_t offset, uint32_t width,
		   uint32_t height, uint32_t stride)
{
	pool(c, NEXT, memory_file(4096, true), 4096);
	from_guest(c, NEXT, RQ_WL_SHM_POOL_CREATE_BUFFER, "nuuuuu", NEXT + 1,
		   offset, width, height, stride, 0);
}

static void toplevel(struct client *c)
{
	from_guest(c, WM, RQ_XDG_WM_BASE_GET_XDG_SURFACE, "no", NEXT, SURFACE);
	from_guest(c, NEXT, RQ_XDG_SURFACE_GET_TOPLEVEL, "n", NEXT + 1);
}

/* The cases: each does as little as it can before it is wrong. */

static void short_size(struct client *c)
{
	WORDS(c, DISPLAY, HEAD(4, 0));
}
static void zero_size(struct client *c)
{
	WORDS(c, DISPLAY, HEAD(0, 0));
}
static void odd_size(struct client *c)
{
	WORDS(c, DISPLAY, HEAD(13, 0), NEXT, 0);
}
static void no_object(struct client *c)
{
	from_guest(c, 9999, 0, "");
}
static void null_object(struct client *c)
{
	from_guest(c, 0, 0, "n", NEXT);
}
static void server_object(struct client *c)
{
	from_guest(c, SERVER, 0, "");
}
static void last_object(struct client *c)
{
	from_guest(c, 0xffffffff, 0, "");
}
static void bad_opcode(struct client *c)
{
	from_guest(c, SURFACE, 77, "");
}
static void highest_opcode(struct client *c)
{
	from_guest(c, DISPLAY, 0xffff, "");
}
static void callback_request(struct client *c)
{
	from_guest(c, DISPLAY, RQ_WL_DISPLAY_SYNC, "n", NEXT);
	from_guest(c, NEXT, 0, "");
}
static void since_later(struct client *c)
{
	/* wl_surface.offset is of version 5, ours is 4 */
	from_guest(c, SURFACE, RQ_WL_SURFACE_OFFSET, "uu", 0, 0);
}
static void trailing(struct client *c)
{
	from_guest(c, DISPLAY, RQ_WL_DISPLAY_SYNC, "nu", NEXT, 0);
}
static void missing(struct client *c)
{
	from_guest(c, SURFACE, RQ_WL_SURFACE_DAMAGE, "uuu", 0, 0, 0);
}
static void string_beyond(struct client *c)
{
	WORDS(c, REGISTRY, HEAD(20, 0), G_SHM, 400, 0);
}
static void string_huge(struct client *c)
{
	WORDS(c, REGISTRY, HEAD(24, 0), G_SHM, 0xffffffff, 0, 0);
}
static void string_open(struct client *c)
{
	WORDS(c, REGISTRY, HEAD(28, 0), G_SHM, 4, 0x41414141, 1, NEXT);
}
static void string_inner_nul(struct client *c)
{
	WORDS(c, REGISTRY, HEAD(28, 0), G_SHM, 4, 0x00004100, 1, NEXT);
}
static void string_null(struct client *c)
{
	WORDS(c, REGISTRY, HEAD(24, 0), G_SHM, 0, 1, NEXT);
}
static void title_null(struct client *c)
{
	toplevel(c);
	from_guest(c, NEXT + 1, RQ_XDG_TOPLEVEL_SET_TITLE, "S");
}
static void array_beyond(struct client *c)
{
	/* no request that is offered has one: the length of a string again */
	toplevel(c);
	WORDS(c, NEXT + 1, HEAD(16, RQ_XDG_TOPLEVEL_SET_TITLE), 5, 0);
}
static void new_used(struct client *c)
{
	from_guest(c, DISPLAY, RQ_WL_DISPLAY_SYNC, "n", SURFACE);
}
static void new_display(struct client *c)
{
	from_guest(c, DISPLAY, RQ_WL_DISPLAY_SYNC, "n", DISPLAY);
}
static void new_zero(struct client *c)
{
	from_guest(c, DISPLAY, RQ_WL_DISPLAY_SYNC, "n", 0);
}
static void new_sparse(struct client *c)
{
	from_guest(c, DISPLAY, RQ_WL_DISPLAY_SYNC, "n", NEXT + 1);
}
static void new_server(struct client *c)
{
	from_guest(c, DISPLAY, RQ_WL_DISPLAY_SYNC, "n", SERVER);
}
static void new_zombie(struct client *c)
{
	/* destroyed, and the compositor has not said delete_id */
	from_guest(c, SURFACE, RQ_WL_SURFACE_DESTROY, "");
	from_guest(c, DISPLAY, RQ_WL_DISPLAY_SYNC, "n", SURFACE);
}
static void use_destroyed(struct client *c)
{
	from_guest(c, SURFACE, RQ_WL_SURFACE_DESTROY, "");
	from_guest(c, SURFACE, RQ_WL_SURFACE_COMMIT, "");
}
static void destroy_twice(struct client *c)
{
	from_guest(c, SURFACE, RQ_WL_SURFACE_DESTROY, "");
	from_guest(c, SURFACE, RQ_WL_SURFACE_DESTROY, "");
}
static void name_destroyed(struct client *c)
{
	from_guest(c, SURFACE, RQ_WL_SURFACE_DESTROY, "");
	from_guest(c, WM, RQ_XDG_WM_BASE_GET_XDG_SURFACE, "no", NEXT, SURFACE);
}
static void wrong_type(struct client *c)
{
	from_guest(c, WM, RQ_XDG_WM_BASE_GET_XDG_SURFACE, "no", NEXT, SEAT);
}
static void wrong_type_null_ok(struct client *c)
{
	from_guest(c, SURFACE, RQ_WL_SURFACE_ATTACH, "ouu", SEAT, 0, 0);
}
static void object_null(struct client *c)
{
	from_guest(c, WM, RQ_XDG_WM_BASE_GET_XDG_SURFACE, "no", NEXT, 0);
}
static void object_unknown(struct client *c)
{
	from_guest(c, SURFACE, RQ_WL_SURFACE_ATTACH, "ouu", 12345, 0, 0);
}
static void object_itself(struct client *c)
{
	/* the new object as an argument of the request that makes it */
	from_guest(c, WM, RQ_XDG_WM_BASE_GET_XDG_SURFACE, "no", NEXT, NEXT);
}
static void bind_hidden(struct client *c)
{
	bind(c, G_SCREENCOPY, "zwlr_screencopy_manager_v1", 1, NEXT);
}
static void bind_unknown(struct client *c)
{
	bind(c, 4711, "wl_shm", 1, NEXT);
}
static void bind_as_hidden(struct client *c)
{
	/* the number of what is allowed, the name of what is not */
	bind(c, G_SHM, "zwlr_screencopy_manager_v1", 1, NEXT);
}
static void bind_as_other(struct client *c)
{
	bind(c, G_SHM, "wl_seat", 1, NEXT);
}
static void bind_prefix(struct client *c)
{
	bind(c, G_SHM, "wl_sh", 1, NEXT);
}
static void bind_version(struct client *c)
{
	/* the compositor's, which is above the policy's */
	bind(c, G_OUTPUT, "wl_output", 4, NEXT);
}
static void bind_version_theirs(struct client *c)
{
	bind(c, G_SEAT, "wl_seat", 8, NEXT);
}
static void bind_version_zero(struct client *c)
{
	bind(c, G_SHM, "wl_shm", 0, NEXT);
}
static void bind_used(struct client *c)
{
	bind(c, G_SHM, "wl_shm", 1, SURFACE);
}
static void bind_not_a_global(struct client *c)
{
	bind(c, G_SHM, "wl_surface", 1, NEXT);
}
static void fd_missing(struct client *c)
{
	from_guest(c, SHM, RQ_WL_SHM_CREATE_POOL, "nu", NEXT, 4096);
}
static void pool_negative(struct client *c)
{
	pool(c, NEXT, memory_file(4096, true), 0xffffffff);
}
static void pool_zero(struct client *c)
{
	pool(c, NEXT, memory_file(4096, true), 0);
}
static void pool_above(struct client *c)
{
	pool(c, NEXT, memory_file(4 << 20, true), (1 << 20) + 1);
}
static void pool_small_file(struct client *c)
{
	pool(c, NEXT, memory_file(4095, true), 4096);
}
static void pool_no_memory_file(struct client *c)
{
	pool(c, NEXT, open("/dev/zero", O_RDWR | O_CLOEXEC), 4096);
}
static void pool_pipe(struct client *c)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		abort();
	close(p[0]);
	pool(c, NEXT, p[1], 4096);
}
static void pools_sum(struct client *c)
{
	for (uint32_t i = 0; i < 4; i++)
		pool(c, NEXT + i, memory_file(1 << 20, true), 1 << 20);
}
static void pool_shrinks(struct client *c)
{
	pool(c, NEXT, memory_file(8192, true), 8192);
	from_guest(c, NEXT, RQ_WL_SHM_POOL_RESIZE, "u", 4096);
}
static void pool_grows_alone(struct client *c)
{
	/* the file does not grow with it */
	pool(c, NEXT, memory_file(4096, true), 4096);
	from_guest(c, NEXT, RQ_WL_SHM_POOL_RESIZE, "u", 8192);
}
static void pool_grows_negative(struct client *c)
{
	pool(c, NEXT, memory_file(4096, true), 4096);
	from_guest(c, NEXT, RQ_WL_SHM_POOL_RESIZE, "u", 0x80000000u);
}
static void pools_open(struct client *c)
{
	for (uint32_t i = 0; i < 600 && !c->over; i++) {
		pool(c, NEXT + i, memory_file(4096, true), 1);
		to_host(c);
	}
}
static void pools_many(struct client *c)
{
	/* held by their buffers alone, as toolkits have them: no descriptors */
	for (uint32_t i = 0; i < 1100 && !c->over; i++) {
		pool(c, NEXT, memory_file(4096, true), 4);
		to_host(c);
		from_guest(c, NEXT, RQ_WL_SHM_POOL_CREATE_BUFFER, "nuuuuu",
			   NEXT + 1 + i, 0, 1, 1, 4, 0);
		from_guest(c, NEXT, RQ_WL_SHM_POOL_DESTROY, "");
		from_host(c, DISPLAY, EV_WL_DISPLAY_DELETE_ID, "u", NEXT);
	}
}
static void buffer_beyond(struct client *c)
{
	buffer(c, 1, 32, 32, 128);
}
static void buffer_negative_offset(struct client *c)
{
	buffer(c, 0xfffff000, 32, 32, 128);
}
static void buffer_negative_stride(struct client *c)
{
	buffer(c, 0, 1, 1, 0xffffffff);
}
static void buffer_wraps(struct client *c)
{
	buffer(c, 0, 0x10000, 0x10000, 0x40000);
}
static void buffer_planar(struct client *c)
{
	/* NV12: its colours are behind what height and stride say */
	pool(c, NEXT, memory_file(4096, true), 4096);
	from_guest(c, NEXT, RQ_WL_SHM_POOL_CREATE_BUFFER, "nuuuuu", NEXT + 1, 0,
		   32, 32, 128, 0x3231564e);
}
static void buffer_flat(struct client *c)
{
	buffer(c, 0, 32, 0, 128);
}
static void buffer_thin_stride(struct client *c)
{
	buffer(c, 0, 16, 1, 63);
}
static void receive_into_file(struct client *c)
{
	/* host: an offer that the client may have */
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_DATA_OFFER, "n", SERVER);
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_SELECTION, "o", SERVER);
	to_guest(c);
	from_guest(c, SERVER, RQ_WL_DATA_OFFER_RECEIVE, "sh", "text/plain",
		   memory_file(1, true));
}
static void offer_destroyed(struct client *c)
{
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_DATA_OFFER, "n", SERVER);
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_SELECTION, "o", SERVER);
	from_guest(c, SERVER, RQ_WL_DATA_OFFER_DESTROY, "");
	from_guest(c, SERVER, RQ_WL_DATA_OFFER_DESTROY, "");
}
static void devices_many(struct client *c)
{
	for (uint32_t i = 0; i < 32 && !c->over; i++) {
		from_guest(c, DATA, RQ_WL_DATA_DEVICE_MANAGER_GET_DATA_DEVICE,
			   "no", NEXT + i, SEAT);
		to_host(c);
	}
}
static void title_huge(struct client *c)
{
	char text[4100 - WIRE_HEADER - 4];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	toplevel(c);
	to_host(c);
	from_guest(c, NEXT + 1, RQ_XDG_TOPLEVEL_SET_TITLE, "s", text);
}
static void flood_titles(struct client *c)
{
	toplevel(c);
	for (int i = 0; i < 100000 && !c->over; i++)
		from_guest(c, NEXT + 1, RQ_XDG_TOPLEVEL_SET_TITLE, "s", "");
}

/* All of them open at the same time. */
static void windows_many(struct client *c)
{
	for (uint32_t id = NEXT; id < NEXT + 2000 && !c->over; id += 3) {
		from_guest(c, COMPOSITOR, RQ_WL_COMPOSITOR_CREATE_SURFACE, "n",
			   id);
		from_guest(c, WM, RQ_XDG_WM_BASE_GET_XDG_SURFACE, "no", id + 1,
			   id);
		from_guest(c, id + 1, RQ_XDG_SURFACE_GET_TOPLEVEL, "n", id + 2);
		to_host(c);
	}
}

static const struct {
	const char *name, *why;
	void (*run)(struct client *c);
} cases[] = {
	{"a size below the header", "a message of 4 bytes", short_size},
	{"a size of nothing", "a message of 0 bytes", zero_size},
	{"a size that is no multiple of four", "of 13 bytes", odd_size},
	{"an object that never was", "object 9999 is not there", no_object},
	{"object 0", "object 0 is not there", null_object},
	{"a server object that never was", "is not there", server_object},
	{"the last object", "object 4294967295 is not there", last_object},
	{"an opcode too high", "has no request 77", bad_opcode},
	{"the highest opcode", "has no request 65535", highest_opcode},
	{"a request of what has none", "wl_callback has no request 0",
	 callback_request},
	{"a request of a later version", "wl_surface.offset is not in",
	 since_later},
	{"bytes behind the arguments", "sync: bad arguments", trailing},
	{"an argument too few", "damage: bad arguments", missing},
	{"a string beyond the message", "bind: bad arguments", string_beyond},
	{"a string of 4 GiB", "bind: bad arguments", string_huge},
	{"a string without its NUL", "bind: bad arguments", string_open},
	{"a string with a NUL inside", "bind: bad arguments", string_inner_nul},
	{"no string", "bind: bad arguments", string_null},
	{"no title", "set_title: bad arguments", title_null},
	{"a length that padding overtakes", "bad arguments", array_beyond},
	{"a new object with a used id", "is no new object", new_used},
	{"the display as a new object", "1 is no new object", new_display},
	{"0 as a new object", "0 is no new object", new_zero},
	{"a new object after a gap", "is no new object", new_sparse},
	{"a new object with a server's id", "is no new object", new_server},
	{"the id of an object that is dying", "is no new object", new_zombie},
	{"a request of a destroyed object", "is not there", use_destroyed},
	{"a second destroy", "is not there", destroy_twice},
	{"a destroyed object as argument", "is no wl_surface", name_destroyed},
	{"an argument of another type", "is no wl_surface", wrong_type},
	{"the same where null may be", "is no wl_buffer", wrong_type_null_ok},
	{"null where it may not be", "without an object", object_null},
	{"an argument that never was", "is no wl_buffer", object_unknown},
	{"a new object that names itself", "is no wl_surface", object_itself},
	{"a hidden global", "global 9 is not there", bind_hidden},
	{"a global that never was", "global 4711 is not there", bind_unknown},
	{"a hidden one by another's number", "global 2 is a wl_shm",
	 bind_as_hidden},
	{"a global as another", "global 2 is a wl_shm", bind_as_other},
	{"the beginning of its name", "global 2 is a wl_shm", bind_prefix},
	{"a version above the policy", "wl_output has version 2, not 4",
	 bind_version},
	{"a version above the compositor's", "wl_seat has version 7, not 8",
	 bind_version_theirs},
	{"version 0", "wl_shm has version 1, not 0", bind_version_zero},
	{"a global with a used id", "is no new object", bind_used},
	{"an interface that is no global", "global 2 is a wl_shm",
	 bind_not_a_global},
	{"no descriptor", "create_pool without a descriptor", fd_missing},
	{"a pool of -1 bytes", "a pool of -1 bytes", pool_negative},
	{"a pool of nothing", "a pool of 0 bytes", pool_zero},
	{"a pool above the limit", "a pool of 1048577 bytes", pool_above},
	{"a file smaller than the pool", "in a smaller file", pool_small_file},
	{"a device as a pool", "no memory file", pool_no_memory_file},
	{"a pipe as a pool", "no memory file", pool_pipe},
	{"pools above the limit together", "pools of more than 3 MiB together",
	 pools_sum},
	{"a pool that shrinks", "a pool of 4096 bytes, not 8192", pool_shrinks},
	{"a pool that grows without its file", "in a smaller file",
	 pool_grows_alone},
	{"a pool that grows to -2 GiB", "a pool of -2147483648 bytes",
	 pool_grows_negative},
	{"pools without end", "too many pools", pools_many},
	{"pools with a descriptor each", "too many pools", pools_open},
	{"a buffer beyond its pool", "a buffer of 32x32", buffer_beyond},
	{"a buffer before its pool", "at -4096 of 4096",
	 buffer_negative_offset},
	{"a buffer of stride -1", "stride -1", buffer_negative_stride},
	{"a buffer whose size wraps", "a buffer of 65536x65536", buffer_wraps},
	{"a buffer of no height", "a buffer of 32x0", buffer_flat},
	{"a stride below the width", "stride 63", buffer_thin_stride},
	{"a buffer of several planes", "a buffer of format 0x3231564e",
	 buffer_planar},
	{"pasting into a file", "receive into no pipe", receive_into_file},
	{"an offer destroyed twice", "is not there", offer_destroyed},
	{"data devices without end", "too many data devices", devices_many},
	{"more than libwayland takes", "a message of 4100 bytes", title_huge},
	{"windows without end", "too many windows", windows_many},
	{"titles without end", "too much at once", flood_titles},
};

/* Its wl_display.error is what the client would read last. */
static bool has_error(const struct client *c, const char *why)
{
	const struct link *l = &c->guest;
	size_t n = strlen(why) + 1;

	for (size_t at = l->at; at + n <= l->len; at++)
		if (!memcmp(l->out + at, why, n))
			return wire_u32(l->out + l->len - ((n + 3) & ~3u) -
					20) == DISPLAY;
	return false;
}

static void run_all(bool bytewise)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct script s;
		struct client *c;
		bool ok;

		script_start(&s, cases[i].run == devices_many
					 ? WAYLAND_CLIPBOARD_OFF
					 : WAYLAND_CLIPBOARD_BOTH);
		s.bytewise = bytewise;
		c = script_client(&s);
		cases[i].run(c);
		ok = c->over && strstr(c->why, cases[i].why) &&
		     has_error(c, c->why) && s.logs == 1 &&
		     strstr(s.log, cases[i].why) &&
		     s.filter.counts.violated == 1;
		tap_ok(ok, "%s%s", cases[i].name,
		       bytewise ? ", byte by byte" : "");
		if (!ok)
			printf("# over %d, why \"%s\", log \"%s\" %u\n",
			       c->over, c->why, s.log, s.logs);
		script_end(&s);
	}
}

/* After the first error nothing more is taken, whatever it is. */
static void test_over(void)
{
	struct script s;
	struct client *c;

	script_start(&s, WAYLAND_CLIPBOARD_OFF);
	c = script_client(&s);
	from_guest(c, DISPLAY, RQ_WL_DISPLAY_SYNC, "nu", NEXT, 0);
	from_guest(c, DISPLAY, RQ_WL_DISPLAY_SYNC, "n", NEXT);
	tap_str(to_host(c), "", "the bad message and the next stay here");
	script_end(&s);
}

/* What the compositor may not send ends the client as well. */
static void test_host(void)
{
	struct script s;
	struct client *c;

	script_start(&s, WAYLAND_CLIPBOARD_BOTH);
	c = script_client(&s);
	from_host(c, SEAT, 99, "");
	tap_ok(c->over, "an event that the tables do not have");
	c = script_client(&s);
	from_host(c, 9999, 0, "");
	tap_ok(c->over, "an event of an object that never was");
	c = script_client(&s);
	from_host(c, SURFACE, EV_WL_SURFACE_ENTER, "ou", 0, 0);
	tap_ok(c->over, "an event with bytes too many");
	c = script_client(&s);
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_DATA_OFFER, "n", SERVER + 7);
	tap_ok(c->over, "an object after a gap");
	script_end(&s);
	script_start(&s, WAYLAND_CLIPBOARD_BOTH);
	c = script_client(&s);
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_DATA_OFFER, "n", NEXT);
	tap_ok(c->over, "an object with a client's id");
	c = script_client(&s);
	from_host(c, KEYBOARD, EV_WL_KEYBOARD_KEYMAP, "uu", 1, 5);
	tap_ok(c->over, "a keymap without a descriptor");
	c = script_client(&s);
	from_host(c, DISPLAY, EV_WL_DISPLAY_DELETE_ID, "u", 9999);
	tap_ok(c->over, "delete_id of an object that never was");
	script_end(&s);
}

int main(void)
{
	run_all(false);
	run_all(true);
	test_over();
	test_host();
	return tap_done();
}
