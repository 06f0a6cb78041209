/* SPDX-License-Identifier: GPL-3.0-or-later */
/* host/plan/windows: what a VM may see of the compositor. */
#include "tap.h"

#include "base/err.h"
#include "host/plan/windows.h"

#include <string.h>

static const struct wayland_global *find(const struct wayland_policy *p,
					 const char *interface)
{
	for (size_t i = 0; i < p->n_globals; i++)
		if (!strcmp(p->globals[i].interface, interface))
			return &p->globals[i];
	return NULL;
}

static void test_never(void)
{
	size_t never = 0, refused = 0;

	for (size_t i = 0; i < windows_n_globals; i++) {
		const struct windows_global *g = &windows_globals[i];
		char *const allow[] = {(char *)(uintptr_t)g->interface, NULL};
		const struct windows_wish w = {.alias = "x", .allow = allow};
		struct wayland_policy p;
		struct err e = ERR_INIT;

		if (g->class != WINDOWS_NEVER) {
			if (!g->version || windows_policy(&w, &p, &e) < 0 ||
			    !find(&p, g->interface))
				tap_ok(0, "%s can be allowed", g->interface);
			wayland_policy_free(&p);
			continue;
		}
		never++;
		refused += windows_policy(&w, &p, &e) < 0 && !p.globals &&
			   strstr(e.msg, "is never offered to a VM: it");
	}
	tap_ok(never > 40 && never == refused,
	       "%zu globals are not offered whatever is allowed", never);
}

static void test_default(void)
{
	const struct windows_wish w = {.alias = "web"};
	struct wayland_policy p;
	struct err e = ERR_INIT;
	struct buf b;

	tap_ok(windows_policy(&w, &p, &e) == 0, "a policy without wishes");
	tap_ok(find(&p, "wl_shm") && find(&p, "wl_data_device_manager") &&
		       find(&p, "wp_viewporter"),
	       "has what applications need");
	tap_ok(!find(&p, "xdg_activation_v1") &&
		       !find(&p, "zwp_linux_dmabuf_v1") &&
		       !find(&p, "zwlr_screencopy_manager_v1"),
	       "and not what must be asked for, nor what is never offered");
	tap_ok(p.clipboard == WAYLAND_CLIPBOARD_OFF, "and no clipboard");
	buf_init(&b, WAYLAND_POLICY_MAX);
	wayland_policy_encode(&b, &p);
	wayland_policy_free(&p);
	tap_ok(!b.bad && wayland_policy_decode(b.data, b.len, &p, &e) == 0,
	       "vmrun-wayland takes it");
	wayland_policy_free(&p);
	buf_free(&b);
}

static void test_wishes(void)
{
	char *const allow[] = {"xdg_activation_v1", "zxdg_exporter_v2", NULL};
	char *const deny[] = {"wp_viewporter", "zxdg_exporter_v2", NULL};
	const struct windows_wish w = {
		.alias = "web",
		.allow = allow,
		.deny = deny,
	};
	struct wayland_policy p;
	struct err e = ERR_INIT;

	tap_ok(windows_policy(&w, &p, &e) == 0, "a policy with wishes");
	tap_ok(!find(&p, "wp_viewporter"), "what is denied is not offered");
	tap_ok(find(&p, "xdg_activation_v1") != NULL, "what is allowed is");
	tap_ok(!find(&p, "zxdg_exporter_v2"), "what is both is not");
	wayland_policy_free(&p);
}

/* The mark; in one of a few buffers that take turns. */
static const char *mark(const char *alias, const char *command)
{
	static char names[8][WAYLAND_NAME_MAX + 1];
	static unsigned turn;
	const struct windows_wish w = {.alias = alias, .command = command};
	struct wayland_policy p, back;
	struct err e = ERR_INIT;
	struct buf b;

	turn = (turn + 1) % 8;
	*names[turn] = '\0';
	if (windows_policy(&w, &p, &e) < 0)
		return "no policy";
	buf_init(&b, WAYLAND_POLICY_MAX);
	wayland_policy_encode(&b, &p);
	if (wayland_policy_decode(b.data, b.len, &back, &e) == 0) {
		snprintf(names[turn], sizeof(names[turn]), "%s", back.name);
		wayland_policy_free(&back);
	}
	wayland_policy_free(&p);
	buf_free(&b);
	return names[turn];
}

static bool are_apart(const char *one, const char *other)
{
	const char *a = mark(one, "x"), *b = mark(other, "x");

	return *a && *b && strcmp(a, b) != 0;
}

static void test_mark(void)
{
	static const char longest[] = "x234567890123456789012345678901"
				      "234567890123456789012345678901234";
	char other[sizeof(longest)], plain[49];
	const char *dotted;

	tap_str(mark("work", "firefox"), "work", "an alias is the mark");
	tap_str(mark("my_work-2", "x"), "my_work-2", "as it is");
	tap_str(mark(NULL, "work"), "_work",
		"a command is none that an alias could have");
	dotted = mark("a.b", "x");
	tap_ok(!strncmp(dotted, "a_b-", 4) && strlen(dotted) == 12,
	       "what no mark may have is changed: %s", dotted);
	tap_ok(are_apart("a.b", "a_b"), "into nobody else's");
	tap_ok(are_apart("a.b", dotted), "nor of who tries");
	tap_ok(are_apart("a.b_c", "a_b.c"), "nor of who is changed, too");
	memcpy(other, longest, sizeof(other));
	other[sizeof(other) - 2] = 'b';
	tap_ok(strlen(longest) == 64 && are_apart(longest, other),
	       "64 characters, of which the last differs");
	snprintf(plain, sizeof(plain), "%.48s", longest);
	tap_str(mark(plain, "x"), plain, "48 characters are as they are");
	tap_ok(strlen(mark(NULL, longest)) == WAYLAND_NAME_MAX &&
		       *mark(NULL, longest) == '_',
	       "a long command's begins with _, too");
	tap_ok(!strncmp(mark("a.\xc3\xbc", "x"), "a___-", 5),
	       "bytes that no alias has do no harm");
}

static void refuse(char *const *allow, char *const *deny, const char *want)
{
	const struct windows_wish w = {
		.alias = "web",
		.allow = allow,
		.deny = deny,
	};
	struct wayland_policy p;
	struct err e = ERR_INIT;

	tap_ok(windows_policy(&w, &p, &e) < 0, "refused:");
	tap_str(e.msg, want, "so");
}

int main(void)
{
	char *const need[] = {"wl_data_device_manager", NULL};
	char *const unknown[] = {"wl_nothing", NULL};
	char *const copy[] = {"zwlr_screencopy_manager_v1", NULL};
	char *const card[] = {"zwp_linux_dmabuf_v1", NULL};
	enum wayland_clipboard c;
	struct err e = ERR_INIT;

	test_never();
	test_default();
	test_wishes();
	test_mark();
	refuse(NULL, need,
	       "--wayland-deny: applications do not start without "
	       "wl_data_device_manager");
	refuse(NULL, unknown,
	       "--wayland-deny: vmrun does not know the interface "
	       "\"wl_nothing\"");
	refuse(unknown, NULL,
	       "--wayland-allow: vmrun does not know the interface "
	       "\"wl_nothing\"");
	refuse(copy, NULL,
	       "--wayland-allow: zwlr_screencopy_manager_v1 is never offered "
	       "to a VM: it shows it what is on the screen");
	refuse(card, NULL,
	       "--wayland-allow: zwp_linux_dmabuf_v1 is never offered to a VM: "
	       "it is for the memory of a graphics card, and the VM has none");
	tap_ok(windows_clipboard("out", &c, &e) == 0 &&
		       c == WAYLAND_CLIPBOARD_OUT,
	       "a way of the clipboard");
	tap_ok(windows_clipboard("yes", &c, &e) < 0 && *e.hint,
	       "a word that is none");
	return tap_done();
}
