/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The person's --socket: where it is, once, and whose.  Part of vmrun; only
 * looks.
 *
 * The file of a socket is never shared: the guest gets one of its own, and
 * each connection to it becomes one that vmrun makes here
 * (host/live/sockets.c).  What is pinned is a path without links and the
 * owner, not the file, because a service that starts anew makes a new one.
 */
#include "host/plan/planint.h"

#include "base/err.h"
#include "base/own.h"
#include "host/plan/windows.h"
#include "host/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char agent_name[] = "SSH_AUTH_SOCK";
static const char agent_place[] = "/run/vmrun/ssh-agent";
static const char display_name[] = "WAYLAND_DISPLAY";

/* As libwayland looks for it. */
static char *compositor(const struct plan *p, const struct opt_socket *o,
			struct err *e)
{
	const char *what = o->kind == OPT_SOCKET_X11 ? "x11" : "wayland";
	const char *name = text_getenv(p->facts->environ, display_name);
	const char *dir = text_getenv(p->facts->environ, "XDG_RUNTIME_DIR");

	if (!name || !*name) {
		err_set(e, 0, "--socket %s: $%s is not set", what,
			display_name);
		err_hint(e, "start vmrun inside of a Wayland session");
		return NULL;
	}
	if (*name == '/')
		return text_dup(name, e);
	if (dir && *dir == '/')
		return path_join(dir, name, e);
	err_set(e, 0, "--socket %s: $XDG_RUNTIME_DIR is not set", what);
	return NULL;
}

/* Where the option's socket is: as written, or as the environment says. */
static char *source_of(const struct plan *p, const struct opt_socket *o,
		       struct err *e)
{
	const char *path;

	switch (o->kind) {
	case OPT_SOCKET_PATH:
		return text_dup(o->src, e);
	case OPT_SOCKET_SSH_AGENT:
		path = text_getenv(p->facts->environ, agent_name);
		if (path && *path)
			return text_dup(path, e);
		err_set(e, 0, "--socket ssh-agent: $%s is not set", agent_name);
		err_hint(e, "start an agent first: eval \"$(ssh-agent)\"");
		return NULL;
	case OPT_SOCKET_WAYLAND:
	case OPT_SOCKET_X11:
		return compositor(p, o, e);
	}
	return NULL;
}

/* A UID of the person's range is a VM's, and what it listens on its trap. */
static bool is_of_a_vm(const struct facts *f, uid_t uid)
{
	return uid >= f->sub_first && uid - f->sub_first < f->sub_count;
}

static int judge(const struct plan *p, const char *path, const char *shown,
		 const struct stat *st, struct err *e)
{
	if (!S_ISSOCK(st->st_mode))
		return err_set(e, 0, "cannot forward %s: it is not a socket",
			       shown);
	if (is_of_a_vm(p->facts, st->st_uid))
		return err_set(e, 0,
			       "cannot forward %s: it belongs to uid %u, which "
			       "is a virtual machine's",
			       shown, (unsigned)st->st_uid);
	for (size_t i = 0; i < p->n_shares; i++) {
		const struct plan_share *s = &p->shares[i];

		if (!s->rw || !path_is_at_or_below(path, s->src))
			continue;
		err_set(e, 0,
			"cannot forward %s: it is inside %s, where the "
			"guest could put another in its place",
			shown, s->src);
		return err_hint(e, "let the service listen somewhere else");
	}
	if (access(path, W_OK))
		return err_set(e, errno, "cannot forward %s", shown);
	return 0;
}

/* The last mount that the place is at or below decides what is there. */
static int check_place(const struct plan *p, const char *dst, struct err *e)
{
	const struct launch_mount *best = NULL;
	char shown[TEXT_SHOWN];

	text_show(shown, sizeof(shown), dst);
	if (strlen(dst) > LAUNCH_SOCKET_MAX)
		return err_set(e, 0,
			       "--socket: %s is longer than the %u bytes that "
			       "the path of a socket can have",
			       shown, LAUNCH_SOCKET_MAX);
	if (!strcmp(dst, "/"))
		return err_set(e, 0, "--socket: / is not a place for one");
	for (size_t i = 0; i < p->n_mounts; i++)
		if (path_is_at_or_below(dst, p->mounts[i].dst) &&
		    (!best || strlen(p->mounts[i].dst) >= strlen(best->dst)))
			best = &p->mounts[i];
	if (best && best->kind == LAUNCH_SHARE) {
		err_set(e, 0,
			"--socket: %s is inside a shared directory of the "
			"guest, where nothing is made",
			shown);
		return err_hint(e, "name another place: --socket "
				   "SRC:/run/NAME");
	}
	for (size_t i = 0; i < p->n_sockets; i++)
		if (path_is_at_or_below(dst, p->sockets[i].dst) ||
		    path_is_below(p->sockets[i].dst, dst))
			return err_set(e, 0,
				       "--socket: two sockets at %s in the "
				       "guest",
				       shown);
	return 0;
}

static bool is_windows(enum opt_socket_kind kind)
{
	return kind == OPT_SOCKET_WAYLAND || kind == OPT_SOCKET_X11;
}

static bool is_asked(const struct options *o, enum opt_socket_kind kind)
{
	for (size_t i = 0; i < o->n_sockets; i++)
		if (o->sockets[i].kind == kind)
			return true;
	return false;
}

bool plan_wants_windows(const struct options *o)
{
	return is_asked(o, OPT_SOCKET_WAYLAND) || is_asked(o, OPT_SOCKET_X11);
}

static const char *default_place(const struct opt_socket *o, const char *path)
{
	switch (o->kind) {
	case OPT_SOCKET_PATH:
		return path;
	case OPT_SOCKET_SSH_AGENT:
		return agent_place;
	case OPT_SOCKET_WAYLAND:
	case OPT_SOCKET_X11:
		return PLAN_TRANSPORT;
	}
	return path;
}

/* There is no such socket, or none that can be used. */
static int hint(const struct opt_socket *o, struct err *e)
{
	if (e->hint[0])
		return -1;
	if (o->kind == OPT_SOCKET_SSH_AGENT)
		return err_hint(e, "is the agent that $SSH_AUTH_SOCK names "
				   "still running?");
	if (is_windows(o->kind))
		return err_hint(e, "is the compositor that $WAYLAND_DISPLAY "
				   "names still running?");
	return -1;
}

static int add(struct plan *p, const struct opt_socket *o, struct err *e)
{
	struct plan_socket *s = &p->sockets[p->n_sockets];
	own_free char *from = source_of(p, o, e);
	own_free char *abs = from ? plan_absolute(p->facts, from, e) : NULL;
	own_free char *path = NULL, *dst = NULL;
	char shown[TEXT_SHOWN];
	const char *danger;
	own_fd fd = -1;
	struct stat st;

	if (!abs)
		return -1;
	text_show(shown, sizeof(shown), from);
	path = places_resolve(p->facts, abs, e);
	if (!path) {
		err_wrap(e, "cannot forward %s", shown);
		return hint(o, e);
	}
	fd = plan_open(path, &st);
	if (fd < 0) {
		err_set(e, errno, "cannot forward %s", shown);
		return hint(o, e);
	}
	dst = *o->dst ? text_dup(o->dst, e)
		      : plan_default_dst(p->facts, default_place(o, path), e);
	if (!dst || judge(p, path, shown, &st, e) || check_place(p, dst, e))
		return -1;
	/* The compositor gets a filter in front of it, the others do not. */
	danger = is_windows(o->kind) ? NULL : plan_danger(p->facts, path, &st);
	if (danger)
		return err_set(e, 0,
			       "cannot forward %s: it is the socket of %s",
			       shown, danger);
	s->kind = o->kind;
	s->owner = st.st_uid;
	s->src = steal_ptr(&path);
	s->dst = steal_ptr(&dst);
	p->n_sockets++;
	return 0;
}

/* What the guest may see of the compositor. */
static int plan_policy(struct plan *p, struct err *e)
{
	const struct options *o = p->opt;
	struct windows_wish w = {.alias = o->alias,
				 .command = p->hostname,
				 .allow = o->wayland_allow,
				 .deny = o->wayland_deny};

	for (size_t i = 0; i < p->n_sockets; i++)
		if (is_windows(p->sockets[i].kind))
			p->windows = (int)i;
	p->x11 = is_asked(o, OPT_SOCKET_X11);
	if (p->windows < 0)
		return 0;
	if (o->clipboard && windows_clipboard(o->clipboard, &w.clipboard, e))
		return -1;
	return windows_policy(&w, &p->policy, e);
}

int plan_sockets(struct plan *p, struct err *e)
{
	if (p->opt->n_sockets > LAUNCH_SOCKETS_MAX)
		return err_set(e, 0, "--socket: more than %u of them",
			       LAUNCH_SOCKETS_MAX);
	p->sockets = calloc(p->opt->n_sockets + 1, sizeof(*p->sockets));
	if (!p->sockets)
		return err_set(e, ENOMEM, "planning sockets");
	for (size_t i = 0; i < p->opt->n_sockets; i++) {
		const struct opt_socket *o = &p->opt->sockets[i];

		/* With both, both are behind the one compositor. */
		if (o->kind == OPT_SOCKET_X11 &&
		    is_asked(p->opt, OPT_SOCKET_WAYLAND))
			continue;
		if (add(p, o, e))
			return -1;
	}
	return plan_policy(p, e);
}

/* The X server does not ask the compositor for the keyboard's layout. */
static int keyboard_env(struct plan *p, struct err *e)
{
	static const char *const names[] = {
		"XKB_DEFAULT_RULES", "XKB_DEFAULT_MODEL", "XKB_DEFAULT_LAYOUT",
		"XKB_DEFAULT_VARIANT", "XKB_DEFAULT_OPTIONS"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *v = text_getenv(p->facts->environ, names[i]);

		if (v && !text_getenv(p->env, names[i]) &&
		    text_setenv(&p->env, names[i], v, e))
			return -1;
	}
	return 0;
}

/*
 * For toolkits; what -e says wins, but for the places of the displays: there
 * are no others, and the commands beside the application need them.  There is
 * no accessibility in the guest, no portal, and mostly no bus that could keep
 * settings, so nobody should look for them.  There is no graphics card: GTK 4
 * is several times faster if it does not emulate one.
 */
static int windows_env(struct plan *p, struct err *e)
{
	bool wayland = is_asked(p->opt, OPT_SOCKET_WAYLAND);
	const char *const wanted[][2] = {
		{"XDG_SESSION_TYPE", wayland ? "wayland" : "x11"},
		{"MOZ_ENABLE_WAYLAND", wayland ? "1" : "0"},
		{"NO_AT_BRIDGE", "1"},
		{"GTK_A11Y", "none"},
		{"GTK_USE_PORTAL", "0"},
		{"GSETTINGS_BACKEND", "keyfile"},
		{"GSK_RENDERER", "cairo"},
		/* else Electron looks for an X server only */
		{"ELECTRON_OZONE_PLATFORM_HINT", wayland ? "wayland" : "x11"},
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		if (!text_getenv(p->env, wanted[i][0]) &&
		    text_setenv(&p->env, wanted[i][0], wanted[i][1], e))
			return -1;
	if (p->x11 && (text_setenv(&p->env, "DISPLAY", PLAN_X11, e) ||
		       keyboard_env(p, e)))
		return -1;
	return wayland ? text_setenv(&p->env, display_name, PLAN_DISPLAY, e)
		       : 0;
}

int plan_sockets_env(struct plan *p, struct err *e)
{
	for (size_t i = 0; i < p->n_sockets; i++)
		if (p->sockets[i].kind == OPT_SOCKET_SSH_AGENT &&
		    text_setenv(&p->env, agent_name, p->sockets[i].dst, e))
			return -1;
	return p->windows < 0 ? 0 : windows_env(p, e);
}
