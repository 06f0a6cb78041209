/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --socket.  Part of vmrun. */
#include "host/option/optset.h"

#include "base/err.h"
#include "base/own.h"
#include "host/plan/windows.h"
#include "host/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The sockets that have a name, because where they are differs. */
static const struct {
	const char *name;
	enum opt_socket_kind kind;
} names[] = {
	{"ssh-agent", OPT_SOCKET_SSH_AGENT},
	{"wayland", OPT_SOCKET_WAYLAND},
	{"x11", OPT_SOCKET_X11},
};

static int by_name(const char *text, enum opt_socket_kind *kind, struct err *e)
{
	char shown[TEXT_SHOWN];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(text, names[i].name)) {
			*kind = names[i].kind;
			return 0;
		}
	err_set(e, 0, "\"%s\" is not the name of a socket",
		text_show(shown, sizeof(shown), text));
	return err_hint(e,
			"ssh-agent, wayland, x11, or a path with a slash in "
			"it: ./%s",
			shown);
}

/* A profile, an alias's file and the command line may all want the same one. */
static bool is_there(const struct options *o, const struct opt_socket *s)
{
	for (size_t i = 0; i < o->n_sockets; i++)
		if (s->kind != OPT_SOCKET_PATH &&
		    o->sockets[i].kind == s->kind &&
		    !strcmp(o->sockets[i].dst, s->dst))
			return true;
	return false;
}

static int add(struct options *o, const struct opt_socket *s, struct err *e)
{
	struct opt_socket *more =
		reallocarray(o->sockets, o->n_sockets + 1, sizeof(*more));

	if (!more)
		return err_set(e, ENOMEM, "no memory for a list");
	o->sockets = more;
	o->sockets[o->n_sockets++] = *s;
	return 0;
}

int optset_socket(void *ctx, const struct opt *o, const char *value,
		  struct err *e)
{
	struct optset *s = ctx;
	struct opt_socket socket = {.kind = OPT_SOCKET_PATH};
	own_free char *text = text_dup(value, e);
	own_free char *src = NULL, *dst = NULL;
	char *second;

	(void)o;
	if (!text || optset_split(text, &second, e))
		return -1;
	if (!*text)
		return err_set(e, 0, "the source is empty");
	if (second && !*second)
		return err_set(e, 0, "the place in the guest is empty");
	if (*text != '~' && !strchr(text, '/') &&
	    by_name(text, &socket.kind, e))
		return -1;
	if (second && (socket.kind == OPT_SOCKET_WAYLAND ||
		       socket.kind == OPT_SOCKET_X11))
		return err_set(e, 0, "%s has a place of its own in the guest",
			       text);
	src = path_tilde(text, s->home, e);
	if (!src)
		return -1;
	if (second ? optset_clean_path(ctx, second, &dst, e)
		   : !(dst = text_dup("", e)))
		return -1;
	socket.src = src;
	socket.dst = dst;
	if (is_there(s->o, &socket))
		return 0;
	if (add(s->o, &socket, e))
		return -1;
	src = dst = NULL;
	return 0;
}

int optset_clipboard(void *ctx, const struct opt *o, const char *value,
		     struct err *e)
{
	struct optset *s = ctx;
	enum wayland_clipboard unused;
	char *word;

	(void)o;
	if (windows_clipboard(value, &unused, e))
		return -1;
	word = text_dup(value, e);
	if (!word)
		return -1;
	free(s->o->clipboard);
	s->o->clipboard = word;
	return 0;
}

int optset_dbus(void *ctx, const struct opt *o, const char *value,
		struct err *e)
{
	struct optset *s = ctx;
	char shown[TEXT_SHOWN];

	(void)o;
	if (strcmp(value, "session")) {
		err_set(e, 0, "\"%s\" is no bus that a guest can have",
			text_show(shown, sizeof(shown), value));
		return err_hint(e, "say session: one of its own; this "
				   "machine's are not forwarded");
	}
	s->o->dbus = true;
	return 0;
}

int optset_wrap(void *ctx, const struct opt *o, const char *value,
		struct err *e)
{
	struct optset *s = ctx;
	own_free char *words = text_dup(value, e);
	char shown[TEXT_SHOWN];
	char *save = NULL;

	(void)o;
	if (!words)
		return -1;
	if (!*words)
		return err_set(e, 0, "nothing to wrap the command in");
	for (char *w = strtok_r(words, ",", &save); w;
	     w = strtok_r(NULL, ",", &save)) {
		if (!strcmp(w, "dbus")) {
			s->o->dbus = true;
		} else if (!strcmp(w, "restricted")) {
			s->o->restricted = true;
		} else {
			err_set(e, 0, "\"%s\" is nothing to wrap a command in",
				text_show(shown, sizeof(shown), w));
			return err_hint(e, "dbus, restricted, or both with a "
					   "comma between");
		}
	}
	return 0;
}
