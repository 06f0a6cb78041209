/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Security contexts.  The person's own authority, before the guest starts. */
#include "host/live/context.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <wayland-client.h>

#define MANAGER "wp_security_context_manager_v1"
#define ENGINE "vmrun"

/*
 * The protocol, which wayland-protocols has from 1.32 on: newer than Debian 12.
 * The order of requests is their number on the wire.
 */
enum { MANAGER_DESTROY, MANAGER_CREATE_LISTENER };
enum {
	CONTEXT_DESTROY,
	CONTEXT_SET_SANDBOX_ENGINE,
	CONTEXT_SET_APP_ID,
	CONTEXT_SET_INSTANCE_ID,
	CONTEXT_COMMIT,
};

static const struct wl_interface *no_types[] = {NULL};

static const struct wl_message context_requests[] = {
	[CONTEXT_DESTROY] = {"destroy", "", no_types},
	[CONTEXT_SET_SANDBOX_ENGINE] = {"set_sandbox_engine", "s", no_types},
	[CONTEXT_SET_APP_ID] = {"set_app_id", "s", no_types},
	[CONTEXT_SET_INSTANCE_ID] = {"set_instance_id", "s", no_types},
	[CONTEXT_COMMIT] = {"commit", "", no_types},
};

static const struct wl_interface context_interface = {
	.name = "wp_security_context_v1",
	.version = 1,
	.method_count = sizeof(context_requests) / sizeof(*context_requests),
	.methods = context_requests,
};

static const struct wl_interface *listener_types[] = {&context_interface, NULL,
						      NULL};

static const struct wl_message manager_requests[] = {
	[MANAGER_DESTROY] = {"destroy", "", no_types},
	[MANAGER_CREATE_LISTENER] = {"create_listener", "nhh", listener_types},
};

static const struct wl_interface manager_interface = {
	.name = MANAGER,
	.version = 1,
	.method_count = sizeof(manager_requests) / sizeof(*manager_requests),
	.methods = manager_requests,
};

/* A conversation with the compositor. */
struct talk {
	struct wl_display *display;
	struct wl_proxy *manager; /* NULL: it has none */
	int stop;
	int64_t until; /* CLOCK_MONOTONIC, ms */
};

/* libwayland prints what a compositor says; what matters comes as an error. */
__attribute__((format(printf, 1, 0))) static void quiet(const char *fmt,
							va_list ap)
{
	(void)fmt;
	(void)ap;
}

static void on_global(void *data, struct wl_registry *registry, uint32_t name,
		      const char *interface, uint32_t version)
{
	struct talk *t = data;

	(void)version;
	if (!strcmp(interface, MANAGER) && !t->manager)
		t->manager =
			wl_registry_bind(registry, name, &manager_interface, 1);
}

static void on_removed(void *data, struct wl_registry *registry, uint32_t name)
{
	(void)data;
	(void)registry;
	(void)name;
}

static const struct wl_registry_listener registry_listener = {
	.global = on_global,
	.global_remove = on_removed,
};

static void on_done(void *data, struct wl_callback *callback, uint32_t serial)
{
	bool *done = data;

	(void)callback;
	(void)serial;
	*done = true;
}

static const struct wl_callback_listener done_listener = {.done = on_done};

static int broken(struct talk *t, struct err *e)
{
	if (wl_display_get_error(t->display) == EPROTO)
		return err_set(e, 0, "the compositor refused it");
	return err_set(e, errno, "talking to the compositor");
}

/* Until something can be read; prepared to. */
static int wait_for_more(struct talk *t, struct err *e)
{
	struct pollfd p[] = {
		{.fd = wl_display_get_fd(t->display), .events = POLLIN},
		{.fd = t->stop, .events = POLLIN},
	};
	int64_t left = t->until - clock_ms();
	int n = poll(p, 2, left > 0 ? (int)left : 0);

	if (n < 0 && errno != EINTR)
		return err_set(e, errno, "waiting for the compositor");
	if (n > 0 && p[1].revents)
		return err_set(e, EINTR, "waiting for the compositor");
	if (left <= 0)
		return err_set(e, 0, "the compositor does not answer");
	return 0;
}

/* wl_display_roundtrip() would wait for ever. */
static int round_trip(struct talk *t, struct err *e)
{
	struct wl_callback *callback = wl_display_sync(t->display);
	bool done = false;
	int r = 0;

	if (!callback)
		return err_set(e, ENOMEM, "talking to the compositor");
	wl_callback_add_listener(callback, &done_listener, &done);
	for (;;) {
		if (wl_display_dispatch_pending(t->display) < 0)
			r = broken(t, e);
		if (r < 0 || done)
			break;
		if (wl_display_prepare_read(t->display) < 0)
			continue;
		/* After EPIPE there may be a last word to read. */
		if (wl_display_flush(t->display) < 0 && errno != EAGAIN &&
		    errno != EPIPE)
			r = broken(t, e);
		else
			r = wait_for_more(t, e);
		if (r < 0)
			wl_display_cancel_read(t->display);
		else if (wl_display_read_events(t->display) < 0)
			r = broken(t, e);
	}
	wl_callback_destroy(callback);
	return r;
}

static int listener(struct context *c, int dir, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	own_fd s =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/context",
		 dir);
	if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof(a)) < 0)
		return err_set(e, errno, "making a socket for it");
	c->at = openat(dir, "context", O_PATH | O_CLOEXEC | O_NOFOLLOW);
	/* From here on it is found by the descriptor alone. */
	if (unlinkat(dir, "context", 0) < 0 || c->at < 0 || listen(s, 64) < 0)
		return err_set(e, errno, "making a socket for it");
	return steal_fd(&s);
}

static void set(struct wl_proxy *context, uint32_t request, const char *text)
{
	wl_proxy_marshal(context, request, text);
}

static int make(struct talk *t, struct context *c, int dir,
		const struct context_wish *wish, struct err *e)
{
	own_fd listen_fd = listener(c, dir, e);
	own_fd theirs = -1;
	struct wl_proxy *context;
	int two[2];

	if (listen_fd < 0)
		return -1;
	if (pipe2(two, O_CLOEXEC) < 0)
		return err_set(e, errno, "a pipe");
	theirs = two[0];
	c->hold = two[1];
	context = wl_proxy_marshal_constructor(
		t->manager, MANAGER_CREATE_LISTENER, &context_interface, NULL,
		listen_fd, theirs);
	if (!context)
		return err_set(e, errno, "talking to the compositor");
	set(context, CONTEXT_SET_SANDBOX_ENGINE, ENGINE);
	set(context, CONTEXT_SET_APP_ID, wish->app);
	set(context, CONTEXT_SET_INSTANCE_ID, wish->instance);
	wl_proxy_marshal(context, CONTEXT_COMMIT);
	wl_proxy_marshal(context, CONTEXT_DESTROY);
	wl_proxy_destroy(context);
	return round_trip(t, e);
}

/* 1, 0 or -1 as context_make(). */
static int talk(struct talk *t, struct context *c, int dir,
		const struct context_wish *wish, struct err *e)
{
	struct wl_registry *registry = wl_display_get_registry(t->display);
	int r = -1;

	if (!registry)
		return err_set(e, ENOMEM, "talking to the compositor");
	wl_registry_add_listener(registry, &registry_listener, t);
	if (round_trip(t, e) == 0) {
		r = t->manager ? 1 : 0;
		if (r && make(t, c, dir, wish, e) < 0)
			r = -1;
	}
	if (t->manager) {
		wl_proxy_marshal(t->manager, MANAGER_DESTROY);
		wl_proxy_destroy(t->manager);
	}
	wl_registry_destroy(registry);
	return r;
}

int context_make(struct context *c, int sock, int dir,
		 const struct context_wish *wish, int stop, struct err *e)
{
	struct talk t = {.stop = stop, .until = clock_ms() + wish->patience_ms};
	int r;

	wl_log_set_handler_client(quiet);
	t.display = wl_display_connect_to_fd(sock);
	if (!t.display)
		return err_set(e, errno, "talking to the compositor");
	r = talk(&t, c, dir, wish, e);
	wl_display_disconnect(t.display);
	if (r != 1)
		context_close(c);
	return r < 0 ? err_wrap(e, "a security context for the VM's windows")
		     : r;
}

int context_connect(const struct context *c, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	own_fd fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d", c->at);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return err_set(e, errno, "the compositor's socket for the VM");
	return steal_fd(&fd);
}

void context_close(struct context *c)
{
	own_close(&c->at);
	own_close(&c->hold);
}
