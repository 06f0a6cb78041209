/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wire/wayland: what a policy may say, and that nothing else is taken. */
#include "tap.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "wire/wayland.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static char name[] = "web-1", shm[] = "wl_shm", seat[] = "wl_seat";
static struct wayland_global globals[] = {{shm, 1}, {seat, 8}};
static const struct wayland_policy good = {
	.name = name,
	.clipboard = WAYLAND_CLIPBOARD_OUT,
	.clients = 50,
	.pool = 1 << 20,
	.memory = 1 << 24,
	.copies = 1 << 22,
	.globals = globals,
	.n_globals = 2,
};

static bool is_taken(const struct wayland_policy *in)
{
	struct wayland_policy out;
	struct err e = ERR_INIT;
	struct buf b;
	int r;

	buf_init(&b, WAYLAND_POLICY_MAX);
	wayland_policy_encode(&b, in);
	r = b.bad ? -1 : wayland_policy_decode(b.data, b.len, &out, &e);
	if (r == 0)
		wayland_policy_free(&out);
	buf_free(&b);
	return r == 0;
}

static void test_good(void)
{
	struct wayland_policy out;
	struct err e = ERR_INIT;
	struct buf b;
	int r;

	buf_init(&b, WAYLAND_POLICY_MAX);
	wayland_policy_encode(&b, &good);
	r = wayland_policy_decode(b.data, b.len, &out, &e);
	tap_ok(r == 0, "a policy is taken");
	tap_str(out.name, "web-1", "its name");
	tap_ok(out.clipboard == good.clipboard && out.clients == 50 &&
		       out.pool == good.pool && out.memory == good.memory &&
		       out.copies == good.copies,
	       "its numbers");
	tap_ok(out.n_globals == 2 &&
		       !strcmp(out.globals[1].interface, "wl_seat") &&
		       out.globals[1].version == 8,
	       "its globals");
	wayland_policy_free(&out);
	for (size_t i = 0; i < b.len; i++) {
		unsigned char *cut = malloc(i + 1);

		memcpy(cut, b.data, i);
		if (wayland_policy_decode(cut, i, &out, &e) == 0)
			r = -1;
		free(cut);
	}
	tap_ok(r == 0, "cut short anywhere it is not");
	buf_put_u8(&b, 0);
	tap_ok(wayland_policy_decode(b.data, b.len, &out, &e) < 0,
	       "nor with a byte too many");
	buf_free(&b);
}

static void refuse_name(const char *s)
{
	struct wayland_policy p = good;
	char shown[256];

	p.name = strdup(s);
	log_escape(shown, sizeof(shown), s, strlen(s));
	tap_ok(!is_taken(&p), "not with the name \"%s\"", shown);
	free(p.name);
}

static void refuse_global(const char *s, uint32_t version)
{
	struct wayland_global g[2] = {{shm, 1}, {strdup(s), version}};
	struct wayland_policy p = good;

	p.globals = g;
	tap_ok(!is_taken(&p), "not with the global \"%s\" %u", s, version);
	free(g[1].interface);
}

static void test_refused(void)
{
	struct wayland_policy p;

	refuse_name("");
	refuse_name("a.b"); /* vmrun.a.b.foot would be somebody else's foot */
	refuse_name("a b");
	refuse_name("a\nb");
	/* NOLINTNEXTLINE(misc-misleading-bidirectional): that is the point */
	refuse_name("\xe2\x80\xae");
	refuse_name("0123456789012345678901234567890123456789012345678");
	refuse_global("wl_seat", 0);
	refuse_global("", 1);
	refuse_global("wl-seat", 1);
	refuse_global("wl_shm", 1);
	p = good;
	p.clipboard = (enum wayland_clipboard)4;
	tap_ok(!is_taken(&p), "not with a fifth way of the clipboard");
	p = good;
	p.clients = 0;
	tap_ok(!is_taken(&p), "not without clients");
	p.clients = WAYLAND_CLIENTS_MAX + 1;
	tap_ok(!is_taken(&p), "not with too many");
	p = good;
	p.pool = 0;
	tap_ok(!is_taken(&p), "not without a pool");
	p.pool = WAYLAND_POOL_MAX + 1;
	p.memory = p.pool;
	tap_ok(!is_taken(&p), "not with a pool above the maximum");
	p = good;
	p.memory = p.pool - 1;
	tap_ok(!is_taken(&p), "not with a pool above the client's memory");
	p = good;
	p.copies = 0;
	tap_ok(!is_taken(&p), "not without room for copies");
}

int main(void)
{
	test_good();
	test_refused();
	return tap_done();
}
