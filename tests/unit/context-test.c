/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Security contexts, at a compositor of a few lines in a child: what it is
 * told, who is let in, and that it can neither hold us up nor be passed by.
 */
#include "tap.h"

#include "base/err.h"
#include "base/io.h"
#include "host/live/context.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wayland-server.h>

enum behaviour {
	WITHOUT, /* no such global */
	WITH,
	REFUSES, /* commit is an error */
	SILENT,	 /* reads nothing */
	RUBBISH, /* is no compositor */
	LEAVES,
};

/* What the compositor was told; it sends this when the context is there. */
struct told {
	char engine[64], app[64], instance[64];
};

static struct compositor {
	enum behaviour behaviour;
	struct wl_display *display;
	struct told told;
	int listen, hold;
	int report;
} comp;

/* ---- the compositor ---- */

static void nothing(struct wl_client *c, struct wl_resource *r)
{
	(void)c;
	wl_resource_destroy(r);
}

static void keep(char *to, const char *text)
{
	snprintf(to, sizeof(comp.told.app), "%s", text);
}

static void set_engine(struct wl_client *c, struct wl_resource *r,
		       const char *text)
{
	(void)c;
	(void)r;
	keep(comp.told.engine, text);
}

static void set_app(struct wl_client *c, struct wl_resource *r,
		    const char *text)
{
	(void)c;
	(void)r;
	keep(comp.told.app, text);
}

static void set_instance(struct wl_client *c, struct wl_resource *r,
			 const char *text)
{
	(void)c;
	(void)r;
	keep(comp.told.instance, text);
}

/* One client, which gets a letter; and the end, which is reported. */
static int on_listen(int fd, uint32_t mask, void *data)
{
	int got = accept(fd, NULL, NULL);

	(void)mask;
	(void)data;
	if (got >= 0 && write(got, "c", 1) == 1)
		close(got);
	return 0;
}

static int on_hold(int fd, uint32_t mask, void *data)
{
	(void)fd;
	(void)mask;
	(void)data;
	exit(write(comp.report, "e", 1) == 1 ? 0 : 1);
}

static void commit(struct wl_client *c, struct wl_resource *r)
{
	struct wl_event_loop *loop = wl_display_get_event_loop(comp.display);

	(void)c;
	if (comp.behaviour == REFUSES) {
		wl_resource_post_error(r, 3, "no");
		return;
	}
	wl_event_loop_add_fd(loop, comp.listen, WL_EVENT_READABLE, on_listen,
			     NULL);
	wl_event_loop_add_fd(loop, comp.hold, WL_EVENT_HANGUP, on_hold, NULL);
	if (write(comp.report, &comp.told, sizeof(comp.told)) < 0)
		exit(1);
}

static const struct context_methods {
	void (*destroy)(struct wl_client *, struct wl_resource *);
	void (*set_engine)(struct wl_client *, struct wl_resource *,
			   const char *);
	void (*set_app)(struct wl_client *, struct wl_resource *, const char *);
	void (*set_instance)(struct wl_client *, struct wl_resource *,
			     const char *);
	void (*commit)(struct wl_client *, struct wl_resource *);
} context_methods = {nothing, set_engine, set_app, set_instance, commit};

static const struct wl_interface *none[3];
static const struct wl_message context_requests[] = {
	{"destroy", "", none},	   {"set_sandbox_engine", "s", none},
	{"set_app_id", "s", none}, {"set_instance_id", "s", none},
	{"commit", "", none},
};
static const struct wl_interface context_interface = {
	"wp_security_context_v1", 1, 5, context_requests, 0, NULL};

static void create(struct wl_client *c, struct wl_resource *r, uint32_t id,
		   int listen_fd, int hold)
{
	struct wl_resource *made =
		wl_resource_create(c, &context_interface, 1, id);

	(void)r;
	comp.listen = listen_fd;
	comp.hold = hold;
	wl_resource_set_implementation(made, &context_methods, NULL, NULL);
}

static const struct manager_methods {
	void (*destroy)(struct wl_client *, struct wl_resource *);
	void (*create)(struct wl_client *, struct wl_resource *, uint32_t, int,
		       int);
} manager_methods = {nothing, create};

static const struct wl_interface *create_types[] = {&context_interface, NULL,
						    NULL};
static const struct wl_message manager_requests[] = {
	{"destroy", "", none},
	{"create_listener", "nhh", create_types},
};
static const struct wl_interface manager_interface = {
	"wp_security_context_manager_v1", 1, 2, manager_requests, 0, NULL};

static void bind_manager(struct wl_client *c, void *data, uint32_t version,
			 uint32_t id)
{
	(void)data;
	wl_resource_set_implementation(
		wl_resource_create(c, &manager_interface, (int)version, id),
		&manager_methods, NULL, NULL);
}

static _Noreturn void compositor(int sock)
{
	static const uint32_t rubbish[] = {1, 16u << 16 | 77, 0, 0};

	alarm(600);
	if (comp.behaviour == LEAVES)
		_exit(0);
	if (comp.behaviour == RUBBISH &&
	    write(sock, rubbish, sizeof(rubbish)) != sizeof(rubbish))
		_exit(1);
	while (comp.behaviour == RUBBISH || comp.behaviour == SILENT)
		pause();
	comp.display = wl_display_create();
	wl_client_create(comp.display, sock);
	if (comp.behaviour != WITHOUT)
		wl_global_create(comp.display, &manager_interface, 1, NULL,
				 bind_manager);
	wl_display_run(comp.display);
	_exit(1);
}

/* ---- the tests ---- */

static const struct context_wish names = {"web", "42", 10000};
static char folder[] = "/tmp/vmrun-context.XXXXXX";
static int dir, report = -1;
static pid_t child;

/* A new compositor; our end of a connection to it. */
static int start(enum behaviour b)
{
	int two[2], say[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, two) < 0 ||
	    pipe2(say, O_CLOEXEC) < 0)
		exit(99);
	child = fork();
	if (!child) {
		comp.behaviour = b;
		comp.report = say[1];
		close(say[0]);
		close(two[0]);
		compositor(two[1]);
	}
	close(two[1]);
	close(say[1]);
	report = say[0];
	io_nonblock(two[0], 1);
	return two[0];
}

static void stop(void)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(report);
}

static bool is_empty(void)
{
	return rmdir(folder) == 0 && mkdir(folder, 0700) == 0;
}

static int ask(enum behaviour b, struct context *c, int stop_fd, struct err *e)
{
	*e = (struct err)ERR_INIT;
	*c = (struct context)CONTEXT_NONE;
	dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return context_make(c, start(b), dir, &names, stop_fd, e);
}

static void finish(struct context *c)
{
	context_close(c);
	close(dir);
	stop();
}

static void test_refused(void)
{
	struct context c;
	struct err e;

	tap_ok(ask(REFUSES, &c, -1, &e) == -1, "a refusal is an error");
	tap_str(e.msg,
		"a security context for the VM's windows: the compositor "
		"refused it",
		"which says so");
	tap_ok(c.at < 0 && c.hold < 0, "and leaves nothing");
	finish(&c);
	tap_ok(is_empty(), "nor a name");
	tap_ok(ask(RUBBISH, &c, -1, &e) == -1, "rubbish is an error");
	finish(&c);
	tap_ok(ask(LEAVES, &c, -1, &e) == -1, "so is the end");
	finish(&c);
}

static void test_silent(void)
{
	struct context c;
	struct err e;
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0 || write(p[1], "s", 1) != 1)
		exit(99);
	tap_ok(ask(SILENT, &c, p[0], &e) == -1 && e.code == EINTR,
	       "a signal ends the wait for a compositor that says nothing");
	finish(&c);
	close(p[0]);
	close(p[1]);
}

static void test_without(void)
{
	struct context c;
	struct err e;

	tap_ok(ask(WITHOUT, &c, -1, &e) == 0 && c.at < 0 && c.hold < 0,
	       "a compositor without contexts is no error");
	finish(&c);
}

static void test_with(void)
{
	struct context c;
	struct told told = {.app = ""};
	struct err e;
	char letter = 0;
	int fd;

	tap_ok(ask(WITH, &c, -1, &e) == 1, "a context is made: %s", e.msg);
	tap_ok(read(report, &told, sizeof(told)) == sizeof(told),
	       "the compositor has it");
	tap_str(told.engine, "vmrun", "it knows whose it is");
	tap_str(told.app, "web", "which VM's");
	tap_str(told.instance, "42", "and which run's");
	tap_ok(is_empty(), "the socket has no name left");
	fd = context_connect(&c, &e);
	tap_ok(fd >= 0, "it can be reached all the same");
	tap_ok((fcntl(fd, F_GETFL) & O_NONBLOCK) && io_nonblock(fd, 0) == 0 &&
		       read(fd, &letter, 1) == 1 && letter == 'c',
	       "and it is the compositor who answers");
	close(fd);
	close(c.hold);
	c.hold = -1;
	tap_ok(read(report, &letter, 1) == 1 && letter == 'e',
	       "it hears of our end");
	waitpid(child, NULL, 0);
	fd = context_connect(&c, &e);
	tap_ok(fd < 0 && e.code == ECONNREFUSED,
	       "and then nobody listens any more");
	finish(&c);
}

int main(void)
{
	if (!mkdtemp(folder))
		return 99;
	signal(SIGPIPE, SIG_IGN);
	test_refused();
	test_silent();
	test_without();
	test_with();
	rmdir(folder);
	return tap_done();
}
