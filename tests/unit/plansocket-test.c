/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan's forwarded sockets: what is refused, what is pinned. */
#include "planfixture.h"

#include "host/plan/planint.h"

#include "host/vm/sandbox.h"

#include <sys/socket.h>
#include <sys/un.h>

static void refused(const char *line, const char *message, const char *hint)
{
	tap_ok(plan_of(line) == -1, "refused: %s", line);
	if (message)
		tap_str(e.msg, message, "and says why");
	if (hint)
		tap_str(e.hint, hint, "and what to do");
	tap_ok(!p.sockets, "and leaves nothing behind");
	done();
}

static void make_socket(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	tap_ok(fd >= 0 && !bind(fd, (struct sockaddr *)&a, sizeof(a)),
	       "a socket at %s", path);
	close(fd);
}

static void test_words(void)
{
	refused("--socket|agent|x",
		"--socket: \"agent\" is not the name of a socket",
		"ssh-agent, wayland, x11, or a path with a slash in it: "
		"./agent");
	refused("--socket||x", "--socket: the source is empty", "");
	refused("--socket|/a:|x", "--socket: the place in the guest is empty",
		"");
	refused("--socket|/a:b|x", NULL, NULL);
	refused("--socket|ssh-agent|x",
		"--socket ssh-agent: $SSH_AUTH_SOCK is not set",
		"start an agent first: eval \"$(ssh-agent)\"");
}

static void test_sources(void)
{
	refused(fmt("--socket|%s/nosuch|x", tmp),
		fmt("cannot forward %s/nosuch: %s/nosuch: No such file or "
		    "directory",
		    tmp, tmp),
		NULL);
	refused(fmt("--socket|%s/kernel|x", tmp),
		fmt("cannot forward %s/kernel: it is not a socket", tmp), "");
	refused(fmt("--rw|%s/home/docs|--socket|%s/home/docs/s|x", tmp, tmp),
		fmt("cannot forward %s/home/docs/s: it is inside %s/home/docs, "
		    "where the guest could put another in its place",
		    tmp, tmp),
		"let the service listen somewhere else");
	refused(fmt("--socket|%s/run/vmrun/s|x", tmp),
		fmt("cannot forward %s/run/vmrun/s: it is the socket of vmrun "
		    "itself",
		    tmp),
		"");
	refused(fmt("--socket|%s/home/docker.sock|x", tmp),
		fmt("cannot forward %s/home/docker.sock: it is the socket of a "
		    "container engine, which can do all that you can",
		    tmp),
		"");
	/* a VM's: its uid is one of the person's range */
	f.sub_first = getuid();
	refused(fmt("--socket|%s/open/s|x", tmp),
		fmt("cannot forward %s/open/s: it belongs to uid %u, which is "
		    "a virtual machine's",
		    tmp, (unsigned)getuid()),
		"");
	f.sub_first = 500000;
}

static const char all[] = ", which can do all that you can";

/* Where such a socket always is; the part of the path that may be anything. */
static void test_known(void)
{
	static const char *const known[][2] = {
		{"sway-ipc.1000.7.sock", "a window manager"},
		{"i3/ipc-socket.7", "a window manager"},
		{"hypr/x_1/.socket.sock", "a window manager"},
		{"niri.wayland-1.7.sock", "a window manager"},
		{"at-spi/bus_0", "a message bus"},
		{"tmux-1000/default", "a terminal multiplexer"},
		{"screen/S-ann/7.pts", "a terminal multiplexer"},
		{"emacs/server", "an editor"},
		{"nvim.1234.0", "an editor"},
		{"crio/crio.sock", "a container engine"},
		{"buildkit/buildkitd.sock", "a container engine"},
		{"lxd/unix.socket", "a container engine"},
		{"incus/unix.socket", "a container engine"},
		{"incus/unix.socket.user", "a container engine"},
		{"libvirt-sock", "a manager of virtual machines"},
		{"libvirt/virtqemud-sock", "a manager of virtual machines"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		const char *path = fmt("%s/run/%s", tmp, known[i][0]);
		char *dir = strdup(path);

		for (char *s = strstr(dir, "/run/") + 5; (s = strchr(s, '/'));
		     s++) {
			*s = '\0';
			make_dir(dir, 0755);
			*s = '/';
		}
		free(dir);
		make_socket(path);
		refused(fmt("--socket|%s|x", path),
			fmt("cannot forward %s: it is the socket of %s%s", path,
			    known[i][1], all),
			"");
	}
}

static void test_bus_in_tmp(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/tmp/dbus-test-%d", (int)getpid());
	make_socket(path);
	refused(fmt("--socket|%s|x", path),
		fmt("cannot forward %s: it is the socket of a message bus%s",
		    path, all),
		"");
	unlink(path);
}

/* What the session's environment names, however it is written. */
static void test_session(void)
{
	static const struct {
		const char *value, *what;
	} rows[] = {
		{"WAYLAND_DISPLAY=open/s", "a compositor"},
		{"WAYLAND_DISPLAY=%s/open/s", "a compositor"},
		{"WAYLAND_DISPLAY=%s/open/../open/s", "a compositor"},
		{"SWAYSOCK=%s/open/s", "a window manager"},
		{"SWAYSOCK=%s/by-link", "a window manager"},
		{"SWAYSOCK=%s/by-name", "a window manager"},
		{"I3SOCK=%s/open/s", "a window manager"},
		{"NIRI_SOCKET=%s/open/s", "a window manager"},
		{"TMUX=%s/open/s,7,0", "a terminal multiplexer"},
		{"DOCKER_HOST=unix://%s/open/s", "a container engine"},
		{"KITTY_LISTEN_ON=unix:%s/open/s", "a terminal,"},
		{"NVIM=%s/open/s", "an editor"},
		{"DBUS_SESSION_BUS_ADDRESS=unix:path=%s/open/s,guid=7",
		 "a message bus"},
		{"DBUS_SESSION_BUS_ADDRESS=unix:abstract=x;unix:guid=7,"
		 "path=%s%2fopen/%73",
		 "a message bus"},
	};
	char **was = f.environ, value[512], dir[512], s[256];
	char *env_v[] = {value, dir, NULL};

	snprintf(s, sizeof(s), "%s/open/s", tmp);
	snprintf(dir, sizeof(dir), "XDG_RUNTIME_DIR=%s", tmp);
	tap_ok(!symlink("open/s", in("by-link")) && !link(s, in("by-name")),
	       "two more names");
	f.environ = env_v;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *pre, *at = strstr(rows[i].value, "%s");

		snprintf(value, sizeof(value), "%s", rows[i].value);
		if (at)
			snprintf(value, sizeof(value), "%.*s%s%s",
				 (int)(at - rows[i].value), rows[i].value, tmp,
				 at + 2);
		pre = fmt("cannot forward %s: it is the socket of %s", s,
			  rows[i].what);
		tap_ok(plan_of(fmt("--socket|%s|--accel|tcg|x", s)) == -1 &&
			       !strncmp(e.msg, pre, strlen(pre)),
		       "refused: %s", value);
		done();
	}
	snprintf(value, sizeof(value), "SWAYSOCK=%s/home/docs/s", tmp);
	tap_ok(!plan_of(fmt("--socket|%s|--accel|tcg|x", s)),
	       "another one is not");
	done();
	f.environ = was;
}

static void test_places(void)
{
	const char *s = in("open/s");
	char path[LAUNCH_SOCKET_MAX + 2] = "/";

	memset(path + 1, 'x', LAUNCH_SOCKET_MAX);
	path[LAUNCH_SOCKET_MAX + 1] = '\0';
	refused(fmt("--socket|%s:%s|x", s, path),
		fmt("--socket: %s is longer than the 107 bytes that the path "
		    "of a socket can have",
		    path),
		"");
	refused(fmt("--socket|%s:/usr/s|x", s),
		"--socket: /usr/s is inside a shared directory of the guest, "
		"where nothing is made",
		"name another place: --socket SRC:/run/NAME");
	refused(fmt("--ro|%s/home/docs:/d|--socket|%s:/d/s|x", tmp, s),
		"--socket: /d/s is inside a shared directory of the guest, "
		"where nothing is made",
		NULL);
	refused(fmt("--socket|%s:/|x", s), "--socket: / is not a place for one",
		"");
	refused(fmt("--socket|%s:/s|--socket|%s:/s|x", s, s),
		"--socket: two sockets at /s in the guest", "");
	refused(fmt("--socket|%s:/s|--socket|%s:/s/t|x", s, s),
		"--socket: two sockets at /s/t in the guest", "");
}

/* Of this machine: the guest's own userland may have one. */
static void test_no_waypipe(void)
{
	static char any[] = "/bin/true";
	struct tools t = {.waypipe = any};

	tap_ok(!tools_check(&t, &p, &e), "windows with waypipe");
	t.waypipe = NULL;
	tap_ok(tools_check(&t, &p, &e) == -1, "no windows without it");
	tap_str(e.msg, "--socket wayland: /usr/bin/waypipe is not installed",
		"which is said");
	tap_str(e.hint, "sudo apt install waypipe", "with what to do");
	p.windows = -1;
	tap_ok(!tools_check(&t, &p, &e), "others need no waypipe");
	p.windows = 0;
}

/* What is preloaded comes with us, whatever the userland is. */
static void test_preload(void)
{
	static char dir[256];
	struct launch l;

	snprintf(dir, sizeof(dir), "%s", in("open"));
	make_file(in("open/vmrun-waypipe.so"), 0755, "x");
	f.libexec = dir;
	tap_ok(!plan_of("--socket|wayland|--accel|tcg|ls") &&
		       plan_mount_at(&p, "/etc/vmrun/waypipe.so") &&
		       plan_mount_at(&p, "/etc/vmrun/waypipe.so")->readonly,
	       "waypipe's library is shared");
	plan_launch(&p, 500007, 500007, &l);
	tap_str(l.before[0], "env", "for waypipe");
	tap_str(l.before[1], "LD_PRELOAD=/etc/vmrun/waypipe.so", "it is there");
	tap_str(l.before[2], "waypipe", "when it starts");
	plan_launch_done(&l);
	done();
	tap_ok(!plan_of("--accel|tcg|ls") &&
		       !plan_mount_at(&p, "/etc/vmrun/waypipe.so"),
	       "without windows it is not shared");
	done();
	chmod(in("open/vmrun-waypipe.so"), 0700);
	tap_ok(!plan_of("--socket|wayland|--accel|tcg|ls"),
	       "one that the guest cannot read");
	plan_launch(&p, 500007, 500007, &l);
	tap_str(l.before[0], "waypipe", "is left out");
	plan_launch_done(&l);
	done();
	f.libexec = NULL;
}

static void test_windows(void)
{
	static char display[256];
	char **was = f.environ, *env_v[] = {display, NULL};
	struct launch l;

	refused("--socket|wayland|--accel|tcg|x",
		"--socket wayland: $WAYLAND_DISPLAY is not set",
		"start vmrun inside of a Wayland session");
	refused("--socket|wayland:/x|x",
		"--socket: wayland has a place of its own in the guest", "");
	refused("--clipboard|maybe|x", NULL, NULL);
	snprintf(display, sizeof(display), "WAYLAND_DISPLAY=%s",
		 in("home/none"));
	f.environ = env_v;
	refused("--socket|wayland|--accel|tcg|x",
		fmt("cannot forward %s/home/none: %s/home/none: No such file "
		    "or directory",
		    tmp, tmp),
		"is the compositor that $WAYLAND_DISPLAY names still running?");
	snprintf(display, sizeof(display), "WAYLAND_DISPLAY=%s",
		 in("home/wayland-1"));
	refused("--socket|wayland|--wayland-allow|zwlr_screencopy_manager_v1|"
		"--accel|tcg|x",
		NULL, NULL);
	refused(fmt("--socket|%s/home/wayland-1|x", tmp),
		fmt("cannot forward %s/home/wayland-1: it is the socket of a "
		    "compositor, which shows all that you see",
		    tmp),
		"");
	tap_ok(!plan_of("--socket|wayland|--clipboard|out|--accel|tcg|ls") &&
		       p.windows == 0 && p.policy.n_globals > 7 &&
		       p.policy.clipboard == WAYLAND_CLIPBOARD_OUT,
	       "--socket wayland is a policy");
	tap_str(p.policy.name, "_ls", "with the command's name");
	tap_str(text_getenv(p.env, "WAYLAND_DISPLAY"), "wayland-0",
		"the guest has a display of its own");
	tap_str(text_getenv(p.env, "GSK_RENDERER"), "cairo",
		"and toolkits know that there is no graphics card");
	plan_launch(&p, 500007, 500007, &l);
	tap_ok(!l.restricted && !text_getenv(l.app.env, "DISPLAY"),
	       "and nothing that was not asked for");
	tap_str(l.before[0], "waypipe", "which must be there first");
	tap_str(l.sockets[0], "/run/vmrun/waypipe", "at a socket of ours");
	plan_launch_done(&l);
	test_no_waypipe();
	done();
	test_preload();
	tap_ok(!plan_of("--socket|wayland|--socket|wayland|--accel|tcg|ls") &&
		       p.n_sockets == 1,
	       "asked for twice, by a profile for one, it is there once");
	done();
	tap_ok(!plan_of("--socket|wayland|-e|GSK_RENDERER=gl|"
			"-e|WAYLAND_DISPLAY=x|--accel|tcg|ls"),
	       "-e for a toolkit");
	tap_str(text_getenv(p.env, "GSK_RENDERER"), "gl", "wins");
	tap_str(text_getenv(p.env, "WAYLAND_DISPLAY"), "wayland-0",
		"but there is one display only");
	done();
	f.environ = was;
}

static size_t words_of(char *const *v)
{
	size_t n = 0;

	while (v[n] && *v[n])
		n++;
	return n;
}

/* X11, alone and with Wayland; the layout of its keyboard. */
static void test_x11(void)
{
	static char display[256], layout[] = "XKB_DEFAULT_LAYOUT=de";
	char **was = f.environ, *env_v[] = {display, layout, NULL};

	refused("--socket|x11|--accel|tcg|x",
		"--socket x11: $WAYLAND_DISPLAY is not set",
		"start vmrun inside of a Wayland session");
	refused("--socket|x11:/x|x",
		"--socket: x11 has a place of its own in the guest", "");
	snprintf(display, sizeof(display), "WAYLAND_DISPLAY=%s",
		 in("home/wayland-1"));
	f.environ = env_v;
	tap_ok(!plan_of("--socket|x11|--accel|tcg|xterm") && p.windows == 0,
	       "--socket x11 has windows");
	tap_ok(!strcmp(text_getenv(p.env, "DISPLAY"), ":0") &&
		       !text_getenv(p.env, "WAYLAND_DISPLAY"),
	       "of one kind");
	tap_str(text_getenv(p.env, "XKB_DEFAULT_LAYOUT"), "de",
		"and the keyboard's layout");
	done();
	tap_ok(!plan_of("--socket|x11|--socket|wayland|--accel|tcg|x") &&
		       p.n_sockets == 1 && text_getenv(p.env, "DISPLAY") &&
		       text_getenv(p.env, "WAYLAND_DISPLAY"),
	       "both are one socket");
	done();
	f.environ = was;
}

static void test_wrapped(void)
{
	static char display[256];
	char **was = f.environ, *env_v[] = {display, NULL};
	struct launch l;

	refused("--dbus|system|x",
		"--dbus: \"system\" is no bus that a guest can have",
		"say session: one of its own; this machine's are not "
		"forwarded");
	refused("--wrap|dbus,felt|x",
		"--wrap: \"felt\" is nothing to wrap a command in",
		"dbus, restricted, or both with a comma between");
	refused("--wrap||x", "--wrap: nothing to wrap the command in", "");
	tap_ok(!plan_of("--wrap|dbus,restricted|-e|DBUS_SESSION_BUS_ADDRESS=x|"
			"--accel|tcg|x"),
	       "--wrap");
	plan_launch(&p, 500007, 500007, &l);
	tap_ok(l.restricted && !strcmp(l.before[0], "dbus-daemon") &&
		       !l.before[words_of(l.before)],
	       "a bus and a fence");
	tap_str(text_getenv(l.app.env, "DBUS_SESSION_BUS_ADDRESS"),
		"unix:path=/run/user/500007/bus", "which is where we say");
	plan_launch_done(&l);
	done();
	snprintf(display, sizeof(display), "WAYLAND_DISPLAY=%s",
		 in("home/wayland-1"));
	f.environ = env_v;
	tap_ok(!plan_of("--dbus|session|--socket|wayland|--accel|tcg|x"),
	       "with windows");
	plan_launch(&p, 500007, 500007, &l);
	tap_str(l.before[words_of(l.before) + 1], "waypipe",
		"the bus comes first");
	plan_launch_done(&l);
	done();
	f.environ = was;
}

static void test_planned(void)
{
	static char agent[256];
	struct launch l;
	char **was = f.environ, *env_v[] = {agent, NULL};
	const char *s = in("open/s");

	tap_ok(!plan_of(fmt("--socket|%s|--socket|%s:/run/x//y|x", s, s)) &&
		       p.n_sockets == 2,
	       "two sockets");
	tap_str(p.sockets[0].src, s, "where it is");
	tap_str(p.sockets[0].dst, s, "the same place in the guest");
	tap_str(p.sockets[1].dst, "/run/x/y", "or another");
	tap_ok(p.sockets[0].owner == getuid(), "its owner is pinned");
	plan_launch(&p, 500007, 500007, &l);
	tap_ok(!strcmp(l.sockets[1], "/run/x/y") && !l.sockets[2],
	       "the guest learns its own paths and no others");
	tap_ok(!text_getenv(p.env, "SSH_AUTH_SOCK"), "and of no agent");
	plan_launch_done(&l);
	done();
	snprintf(agent, sizeof(agent), "SSH_AUTH_SOCK=%s", s);
	f.environ = env_v;
	tap_ok(!plan_of("--socket|ssh-agent|-e|SSH_AUTH_SOCK|--accel|tcg|x"),
	       "ssh-agent, where the environment says");
	tap_str(p.sockets[0].src, s, "that is the socket");
	tap_str(text_getenv(p.env, "SSH_AUTH_SOCK"), "/run/vmrun/ssh-agent",
		"the guest has a path of its own, whatever -e says");
	done();
	tap_ok(!plan_of("--socket|ssh-agent:/run/agent|--accel|tcg|x"),
	       "ssh-agent at a place of one's choice");
	tap_str(text_getenv(p.env, "SSH_AUTH_SOCK"), "/run/agent",
		"is where its variable says");
	done();
	f.environ = was;
}

int main(void)
{
	fixture_make();
	make_socket(in("open/s"));
	make_socket(in("home/docs/s"));
	make_socket(in("home/docker.sock"));
	make_socket(in("run/vmrun/s"));
	make_socket(in("home/wayland-1"));
	test_words();
	test_sources();
	test_known();
	test_bus_in_tmp();
	test_session();
	test_places();
	test_planned();
	test_windows();
	test_x11();
	test_wrapped();
	return fixture_end();
}
