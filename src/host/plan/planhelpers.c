/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands beside the application in the guest: a message bus, the guest's end
 * of the windows.  Part of vmrun; only looks.
 *
 * They are of the guest's userland.  Where that is certain to lack one, the
 * message comes before the machine starts.
 */
#include "host/plan/planint.h"

#include "base/err.h"
#include "base/own.h"
#include "host/text.h"

#include <string.h>
#include <unistd.h>

/* Its socket is $XDG_RUNTIME_DIR/bus; the address it prints is the newline. */
static char *const bus[] = {"dbus-daemon",
			    "--session",
			    "--nofork",
			    "--nopidfile",
			    "--address=unix:runtime=yes",
			    "--print-address=3",
			    NULL};

static char preload_word[] = "LD_PRELOAD=" PLAN_PRELOAD;
static char *const preload[] = {"env", preload_word, NULL};
static char *const no_preload[] = {"env", "-u", "LD_PRELOAD", NULL};

static char *const transport[] = {
	"waypipe", "--no-gpu",	   "-c",	"none",	      "--threads", "1",
	"-s",	   PLAN_TRANSPORT, "--display", PLAN_DISPLAY, "server",	   "--",
	NULL};

/* Ready once the socket for the application is there. */
static char *const wayland[] = {
	"sh", "-c", "echo >&3; exec 3>&-; exec sleep 2147483647", NULL};

/* The number is known before the application: nothing else has a display. */
static char x11_ready[] = "[ \"$DISPLAY\" = " PLAN_X11 " ] || exit; "
			  "echo >&3; exec 3>&-; exec sleep 2147483647";

/*
 * A compositor that shows the windows of X11 programs in one of its own, and
 * starts an X server for the first of them.
 */
static char *const x11[] = {"env",
			    "WLR_BACKENDS=wayland",
			    "WLR_RENDERER=pixman",
			    "cage",
			    "--",
			    "sh",
			    "-c",
			    x11_ready,
			    NULL};

/*
 * Is the program certainly not on the guest's PATH?  A directory that is not
 * of the system may be shared from anywhere.
 */
static bool is_missing(const struct plan *p, const char *name)
{
	const char *dir = text_getenv(p->env, "PATH");
	const char *root = p->opt->root ? p->opt->root : "";

	while (dir && *dir) {
		size_t n = strcspn(dir, ":");
		struct err unused = ERR_INIT;
		own_free char *path =
			text_fmt(&unused, "%s%.*s/%s", root, (int)n, dir, name);

		if (strncmp(dir, "/usr/", 5) && strncmp(dir, "/bin", 4) &&
		    strncmp(dir, "/sbin", 5))
			return false;
		if (!path || !access(path, X_OK))
			return false;
		dir += n;
		dir += *dir == ':';
	}
	return true;
}

static int need(const struct plan *p, const char *program, const char *option,
		const char *packages, struct err *e)
{
	char shown[TEXT_SHOWN];

	if (!is_missing(p, program))
		return 0;
	err_set(e, 0, "%s: the guest has no %s", option, program);
	if (p->opt->root)
		return err_hint(e, "install it in %s",
				text_show(shown, sizeof(shown), p->opt->root));
	return err_hint(e, "it has this machine's /usr: sudo apt install %s",
			packages);
}

static int add(struct plan *p, char *const *words, struct err *e)
{
	for (; *words; words++)
		if (text_add(&p->before, *words, e) < 0)
			return -1;
	return 0;
}

static int add_bus(struct plan *p, struct err *e)
{
	char *const next[] = {"", NULL};

	if (!p->opt->dbus)
		return 0;
	if (need(p, bus[0], "--dbus", "dbus-daemon", e) || add(p, bus, e))
		return -1;
	return p->windows < 0 ? 0 : add(p, next, e);
}

static int add_transport(struct plan *p, struct err *e)
{
	if (!plan_mount_at(p, PLAN_PRELOAD))
		return add(p, transport, e);
	return add(p, preload, e) || add(p, transport, e) ||
			       add(p, no_preload, e)
		       ? -1
		       : 0;
}

int plan_helpers(struct plan *p, struct err *e)
{
	const char *option = p->x11 ? "--socket x11" : "--socket wayland";

	if (add_bus(p, e))
		return -1;
	if (p->windows < 0)
		return 0;
	if (need(p, transport[0], option, "waypipe", e) ||
	    (p->x11 && (need(p, "cage", option, "cage xwayland", e) ||
			need(p, "Xwayland", option, "xwayland", e))))
		return -1;
	return add_transport(p, e) || add(p, p->x11 ? x11 : wayland, e) ? -1
									: 0;
}
