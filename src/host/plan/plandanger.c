/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sockets that are not forwarded.  Part of vmrun; only looks.
 *
 * Most have a place that they always have.  Some can be anywhere, and the
 * session's environment says where; those are told by what they are, and not
 * by how their path is written.
 */
#include "host/plan/planint.h"

#include "host/text.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL ", which can do all that you can"
#define BUS "a message bus" ALL
#define ENGINE "a container engine" ALL
#define MANAGER "a window manager" ALL
#define TERMINAL "a terminal multiplexer" ALL
#define MACHINES "a manager of virtual machines" ALL
#define EDITOR "an editor" ALL
#define COMPOSITOR "a compositor, which shows all that you see"

/* Services that do for whoever talks to them what owns the account. */
static const struct {
	const char *pattern; /* fnmatch(3) on the canonical path */
	const char *what;
} dangers[] = {
	{"*/docker.sock", ENGINE},
	{"*/podman.sock", ENGINE},
	{"*/containerd.sock", ENGINE},
	{"*/crio.sock", ENGINE},
	{"*/buildkitd.sock", ENGINE},
	{"*/lxd*/unix.socket*", ENGINE},
	{"*/incus*/unix.socket*", ENGINE},
	{"*/libvirt-sock", MACHINES},
	{"*/libvirt/*-sock", MACHINES}, /* virtqemud and the like */
	{"/run/dbus/*", BUS},
	{"/run/user/*/bus", BUS},
	{"*/at-spi/*", BUS},
	{"/tmp/dbus-*", BUS}, /* of dbus-launch and dbus-run-session */
	{"*/systemd/private", "systemd" ALL},
	{"/tmp/.X11-unix/*", "an X server, which shows and sends all keys"},
	{"*/wayland-[0-9]*", COMPOSITOR},
	{"*/sway-ipc.*", MANAGER},
	{"*/i3/ipc-socket.*", MANAGER},
	{"*/hypr/*/.socket*.sock", MANAGER},
	{"*/niri.*.sock", MANAGER},
	{"*/tmux-[0-9]*/*", TERMINAL},
	{"*/screen/S-*/*", TERMINAL},
	{"*/emacs/server", EDITOR},
	{"*/nvim.[0-9]*.[0-9]*", EDITOR},
};

enum form {
	FORM_PATH,
	FORM_RUNTIME, /* in $XDG_RUNTIME_DIR if it is relative */
	FORM_COMMA,   /* what is before the first comma */
	FORM_URL,     /* unix://PATH, or unix:PATH */
	FORM_BUS,     /* unix:path=PATH,...;... */
};

/* Where services of the session are. */
static const struct {
	const char *name;
	enum form form;
	const char *what;
} named[] = {
	{"WAYLAND_DISPLAY", FORM_RUNTIME, COMPOSITOR},
	{"DBUS_SESSION_BUS_ADDRESS", FORM_BUS, BUS},
	{"DBUS_SYSTEM_BUS_ADDRESS", FORM_BUS, BUS},
	{"AT_SPI_BUS_ADDRESS", FORM_BUS, BUS},
	{"SWAYSOCK", FORM_PATH, MANAGER},
	{"I3SOCK", FORM_PATH, MANAGER},
	{"NIRI_SOCKET", FORM_PATH, MANAGER},
	{"TMUX", FORM_COMMA, TERMINAL},
	{"KITTY_LISTEN_ON", FORM_URL, "a terminal" ALL},
	{"NVIM", FORM_PATH, EDITOR},
	{"DOCKER_HOST", FORM_URL, ENGINE},
	{"CONTAINER_HOST", FORM_URL, ENGINE},
};

static bool is_at(const char *path, const struct stat *st)
{
	struct stat there;

	return *path == '/' && !stat(path, &there) &&
	       there.st_dev == st->st_dev && there.st_ino == st->st_ino;
}

/* The value as D-Bus escapes it, up to the next "," or ";". */
static void unescape(char out[PATH_MAX], const char *value)
{
	size_t n = strcspn(value, ",;"), at = 0;

	for (size_t i = 0; i < n && at < PATH_MAX - 1; i++) {
		char hex[3] = {0};

		out[at] = value[i];
		if (value[i] == '%' && i + 2 < n) {
			memcpy(hex, value + i + 1, 2);
			out[at] = (char)strtol(hex, NULL, 16);
			i += 2;
		}
		at++;
	}
	out[at] = '\0';
}

static bool is_bus(const char *addresses, const struct stat *st)
{
	static const char key[] = "path=";
	char path[PATH_MAX];

	for (const char *p = addresses; (p = strstr(p, key));) {
		p += strlen(key);
		unescape(path, p);
		if (is_at(path, st))
			return true;
	}
	return false;
}

/* Does the variable's value name the socket? */
static bool names(const struct facts *f, enum form form, const char *value,
		  const struct stat *st)
{
	const char *dir = text_getenv(f->environ, "XDG_RUNTIME_DIR");
	char path[PATH_MAX] = "";

	switch (form) {
	case FORM_RUNTIME:
		if (*value != '/' && dir)
			snprintf(path, sizeof(path), "%s/%s", dir, value);
		break;
	case FORM_COMMA:
		snprintf(path, sizeof(path), "%.*s", (int)strcspn(value, ","),
			 value);
		break;
	case FORM_URL:
		value += strncmp(value, "unix:", 5) ? 0 : 5;
		break;
	case FORM_BUS:
		return is_bus(value, st);
	case FORM_PATH:
		break;
	}
	return is_at(*path ? path : value, st);
}

const char *plan_danger(const struct facts *f, const char *path,
			const struct stat *st)
{
	if (f->runtime && path_is_below(path, f->runtime))
		return "vmrun itself";
	for (size_t i = 0; i < sizeof(dangers) / sizeof(*dangers); i++)
		if (!fnmatch(dangers[i].pattern, path, 0))
			return dangers[i].what;
	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++) {
		const char *value = text_getenv(f->environ, named[i].name);

		if (value && names(f, named[i].form, value, st))
			return named[i].what;
	}
	return NULL;
}
