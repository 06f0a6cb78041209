/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The policy for windows of a VM.  Runs in vmrun; pure. */
#include "host/plan/windows.h"

#include "base/err.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Of one client at a time, used or not: foot makes pools of 512 MiB, two for
 * each window.  This takes addresses only, of which there are 128 TiB.
 */
#define POOL WAYLAND_POOL_MAX
#define MEMORY (256 * WAYLAND_POOL_MAX)
/*
 * Of all clients of the VM, of what is shown: 200 windows with two buffers of
 * 1280x1024, or 20 of a 4K screen's size with three.
 */
#define COPIES (2ull << 30)

#define SCREEN "shows it what is on the screen"
#define INPUT "lets it type and click in your other windows"
#define KEYS "lets it read what you type in other windows"
#define GRAB "lets it keep keys from the compositor"
#define SHELL "lets it draw parts of the desktop, such as a lock screen"
#define SPY "shows it your other windows, and lets it control them"
#define SCREENS "lets it change how your screens are set up"
#define PASTE "shows it what you copy, without its having the keyboard"
#define IDLE "tells it when you are away"
#define DEBUG "is for the compositor's own tests"

const struct windows_global windows_globals[] = {
	{"wl_compositor", 5, WINDOWS_ALWAYS, NULL},
	{"wl_subcompositor", 1, WINDOWS_ALWAYS, NULL},
	{"wl_shm", 1, WINDOWS_ALWAYS, NULL},
	{"wl_seat", 8, WINDOWS_ALWAYS, NULL},
	{"wl_output", 4, WINDOWS_ALWAYS, NULL},
	{"xdg_wm_base", 5, WINDOWS_ALWAYS, NULL},
	/* without it foot ends, and GTK takes no input */
	{"wl_data_device_manager", 3, WINDOWS_ALWAYS, NULL},

	{"wp_viewporter", 1, WINDOWS_DEFAULT, NULL},
	{"wp_presentation", 1, WINDOWS_DEFAULT, NULL},
	{"wp_fractional_scale_manager_v1", 1, WINDOWS_DEFAULT, NULL},
	{"wp_single_pixel_buffer_manager_v1", 1, WINDOWS_DEFAULT, NULL},
	{"wp_content_type_manager_v1", 1, WINDOWS_DEFAULT, NULL},
	{"wp_cursor_shape_manager_v1", 1, WINDOWS_DEFAULT, NULL},
	{"zxdg_decoration_manager_v1", 1, WINDOWS_DEFAULT, NULL},
	{"org_kde_kwin_server_decoration_manager", 1, WINDOWS_DEFAULT, NULL},
	{"zwp_text_input_manager_v3", 1, WINDOWS_DEFAULT, NULL},
	{"zwp_relative_pointer_manager_v1", 1, WINDOWS_DEFAULT, NULL},
	{"zwp_pointer_constraints_v1", 1, WINDOWS_DEFAULT, NULL},
	{"zwp_pointer_gestures_v1", 3, WINDOWS_DEFAULT, NULL},
	{"zwp_tablet_manager_v2", 1, WINDOWS_DEFAULT, NULL},
	{"zwp_primary_selection_device_manager_v1", 1, WINDOWS_DEFAULT, NULL},

	{"zwp_idle_inhibit_manager_v1", 1, WINDOWS_REQUEST,
	 "lets it keep the screen from being locked"},
	{"xdg_activation_v1", 1, WINDOWS_REQUEST,
	 "lets it ask for the keyboard's focus"},
	{"zxdg_output_manager_v1", 3, WINDOWS_REQUEST,
	 "tells it how your screens are laid out"},
	{"zxdg_exporter_v2", 1, WINDOWS_REQUEST,
	 "lets other programs put dialogs over its windows"},
	{"wp_tearing_control_manager_v1", 1, WINDOWS_REQUEST,
	 "lets it give up whole frames for speed"},

	{"zwp_linux_dmabuf_v1", 0, WINDOWS_NEVER,
	 "is for the memory of a graphics card, and the VM has none"},
	{"zwlr_screencopy_manager_v1", 0, WINDOWS_NEVER, SCREEN},
	{"zwlr_export_dmabuf_manager_v1", 0, WINDOWS_NEVER, SCREEN},
	{"ext_image_copy_capture_manager_v1", 0, WINDOWS_NEVER, SCREEN},
	{"ext_output_image_capture_source_manager_v1", 0, WINDOWS_NEVER,
	 SCREEN},
	{"ext_foreign_toplevel_image_capture_source_manager_v1", 0,
	 WINDOWS_NEVER, SCREEN},
	{"weston_screenshooter", 0, WINDOWS_NEVER, SCREEN},
	{"weston_capture_v1", 0, WINDOWS_NEVER, SCREEN},
	{"zkde_screencast_unstable_v1", 0, WINDOWS_NEVER, SCREEN},
	{"zwlr_data_control_manager_v1", 0, WINDOWS_NEVER, PASTE},
	{"ext_data_control_manager_v1", 0, WINDOWS_NEVER, PASTE},
	{"zwp_virtual_keyboard_manager_v1", 0, WINDOWS_NEVER, INPUT},
	{"zwlr_virtual_pointer_manager_v1", 0, WINDOWS_NEVER, INPUT},
	{"org_kde_kwin_fake_input", 0, WINDOWS_NEVER, INPUT},
	{"zwp_input_method_v1", 0, WINDOWS_NEVER, KEYS},
	{"zwp_input_method_manager_v2", 0, WINDOWS_NEVER, KEYS},
	{"zwp_input_panel_v1", 0, WINDOWS_NEVER, KEYS},
	{"ext_transient_seat_manager_v1", 0, WINDOWS_NEVER, KEYS},
	{"zwlr_input_inhibit_manager_v1", 0, WINDOWS_NEVER, GRAB},
	{"zwp_keyboard_shortcuts_inhibit_manager_v1", 0, WINDOWS_NEVER, GRAB},
	{"zwp_xwayland_keyboard_grab_manager_v1", 0, WINDOWS_NEVER, GRAB},
	{"zwlr_layer_shell_v1", 0, WINDOWS_NEVER, SHELL},
	{"weston_desktop_shell", 0, WINDOWS_NEVER, SHELL},
	{"gtk_shell1", 0, WINDOWS_NEVER, SHELL},
	{"org_kde_plasma_shell", 0, WINDOWS_NEVER, SHELL},
	{"ext_session_lock_manager_v1", 0, WINDOWS_NEVER, SHELL},
	{"xwayland_shell_v1", 0, WINDOWS_NEVER, SHELL},
	{"zwlr_foreign_toplevel_manager_v1", 0, WINDOWS_NEVER, SPY},
	{"ext_foreign_toplevel_list_v1", 0, WINDOWS_NEVER, SPY},
	{"ext_workspace_manager_v1", 0, WINDOWS_NEVER, SPY},
	{"org_kde_plasma_window_management", 0, WINDOWS_NEVER, SPY},
	{"zxdg_importer_v1", 0, WINDOWS_NEVER, SPY},
	{"zxdg_importer_v2", 0, WINDOWS_NEVER, SPY},
	{"zwlr_output_manager_v1", 0, WINDOWS_NEVER, SCREENS},
	{"zwlr_output_power_manager_v1", 0, WINDOWS_NEVER, SCREENS},
	{"zwlr_gamma_control_manager_v1", 0, WINDOWS_NEVER, SCREENS},
	{"kde_output_management_v2", 0, WINDOWS_NEVER, SCREENS},
	{"wp_drm_lease_device_v1", 0, WINDOWS_NEVER, SCREENS},
	{"org_kde_kwin_idle", 0, WINDOWS_NEVER, IDLE},
	{"ext_idle_notifier_v1", 0, WINDOWS_NEVER, IDLE},
	{"weston_debug_v1", 0, WINDOWS_NEVER, DEBUG},
	{"weston_test", 0, WINDOWS_NEVER, DEBUG},
	{"weston_touch_calibration", 0, WINDOWS_NEVER, DEBUG},
	{"wp_security_context_manager_v1", 0, WINDOWS_NEVER,
	 "is how vmrun itself marks the VM for the compositor"},
};
const size_t windows_n_globals =
	sizeof(windows_globals) / sizeof(windows_globals[0]);

int windows_clipboard(const char *word, enum wayland_clipboard *c,
		      struct err *e)
{
	static const char *const words[] = {
		[WAYLAND_CLIPBOARD_OFF] = "off",
		[WAYLAND_CLIPBOARD_IN] = "in",
		[WAYLAND_CLIPBOARD_OUT] = "out",
		[WAYLAND_CLIPBOARD_BOTH] = "both",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i], word)) {
			*c = (enum wayland_clipboard)i;
			return 0;
		}
	err_set(e, 0, "\"%s\" is no way of the clipboard", word);
	return err_hint(e, "say off, in (into the VM), out, or both");
}

static bool has(char *const *list, const char *word)
{
	for (; list && *list; list++)
		if (!strcmp(*list, word))
			return true;
	return false;
}

static const struct windows_global *find(const char *word)
{
	for (size_t i = 0; i < windows_n_globals; i++)
		if (!strcmp(windows_globals[i].interface, word))
			return &windows_globals[i];
	return NULL;
}

static int check_allowed(const char *word, struct err *e)
{
	const struct windows_global *g = find(word);

	if (!g) {
		err_set(e, 0, "vmrun does not know the interface \"%s\"", word);
		return err_hint(e, "only what its filter understands can be "
				   "offered; vmrun(1) lists it");
	}
	if (g->class == WINDOWS_NEVER)
		return err_set(e, 0, "%s is never offered to a VM: it %s", word,
			       g->why);
	return 0;
}

static int check_denied(const char *word, struct err *e)
{
	const struct windows_global *g = find(word);

	if (!g)
		return err_set(e, 0, "vmrun does not know the interface \"%s\"",
			       word);
	if (g->class == WINDOWS_ALWAYS)
		return err_set(e, 0, "applications do not start without %s",
			       word);
	return 0;
}

static int check(const struct windows_wish *w, struct err *e)
{
	for (char *const *a = w->allow; a && *a; a++)
		if (check_allowed(*a, e) < 0)
			return err_wrap(e, "--wayland-allow");
	for (char *const *d = w->deny; d && *d; d++)
		if (check_denied(*d, e) < 0)
			return err_wrap(e, "--wayland-deny");
	return 0;
}

static bool is_offered(const struct windows_wish *w,
		       const struct windows_global *g)
{
	switch (g->class) {
	case WINDOWS_ALWAYS:
		return true;
	case WINDOWS_DEFAULT:
		return !has(w->deny, g->interface);
	case WINDOWS_REQUEST:
		return has(w->allow, g->interface) &&
		       !has(w->deny, g->interface);
	case WINDOWS_NEVER:
		return false;
	}
	return false;
}

#define HASH 8u /* hexadecimal digits */

/* FNV-1a, folded: the names are the person's, who wants no collision. */
static uint32_t hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	return (uint32_t)(h ^ h >> 32);
}

/* "-" and the digits at the end; so a name that has them gets others. */
static bool looks_hashed(const char *s)
{
	size_t n = strlen(s);

	return n > HASH && s[n - HASH - 1] == '-' &&
	       strspn(s + n - HASH, "0123456789abcdef") == HASH;
}

/*
 * No other alias's, and with "_" in front no alias's at all: text_is_name().
 * What cannot be said as it is has a hash at its end.
 */
static char *mark(const struct windows_wish *w)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_-";
	const char *name = w->alias ? w->alias : w->command;
	char *s = malloc(strlen(name) + HASH + 3);
	size_t at = 0, end = WAYLAND_NAME_MAX - HASH - 1;

	if (!s)
		return NULL;
	sprintf(s, "%s%s", w->alias ? "" : "_", name);
	if (strlen(s) <= WAYLAND_NAME_MAX && !s[strspn(s, good)] &&
	    !looks_hashed(s))
		return s;
	while (s[at += strspn(s + at, good)])
		s[at] = '_';
	sprintf(s + (at < end ? at : end), "-%08" PRIx32, hash(name));
	return s;
}

int windows_policy(const struct windows_wish *w, struct wayland_policy *p,
		   struct err *e)
{
	memset(p, 0, sizeof(*p));
	if (check(w, e) < 0)
		return -1;
	p->name = mark(w);
	p->globals = calloc(windows_n_globals, sizeof(*p->globals));
	if (!p->name || !p->globals) {
		wayland_policy_free(p);
		return err_set(e, ENOMEM, "the policy for windows");
	}
	p->clipboard = w->clipboard;
	p->clients = WAYLAND_CLIENTS_MAX;
	p->pool = POOL;
	p->memory = MEMORY;
	p->copies = COPIES;
	for (size_t i = 0; i < windows_n_globals; i++) {
		const struct windows_global *g = &windows_globals[i];
		struct wayland_global *to = &p->globals[p->n_globals];

		if (!is_offered(w, g))
			continue;
		to->interface = strdup(g->interface);
		to->version = g->version;
		p->n_globals++;
		if (!to->interface) {
			wayland_policy_free(p);
			return err_set(e, ENOMEM, "the policy for windows");
		}
	}
	return 0;
}
