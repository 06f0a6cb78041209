/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Facts about the person and the session, for the plan.  Reads only: nothing
 * is made, and the umask is what it was.
 */
#include "host/plan/plan.h"

#include "base/err.h"
#include "base/own.h"
#include "host/live/front.h"
#include "host/text.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

/*
 * A directory from the environment, or NULL.  The XDG specification wants
 * relative ones ignored.
 */
static const char *env_dir(const char *name)
{
	const char *v = getenv(name);

	return v && v[0] == '/' ? v : NULL;
}

/* dir without slashes at its end, then tail. */
static char *join(const char *dir, const char *tail, struct err *e)
{
	size_t n = strlen(dir);

	while (n && dir[n - 1] == '/')
		n--;
	return text_fmt(e, "%.*s%s", (int)n, dir, tail);
}

static char *xdg_home(const struct facts *f, const char *name,
		      const char *below_home, struct err *e)
{
	const char *dir = env_dir(name);

	return dir ? join(dir, "/vmrun", e) : join(f->home, below_home, e);
}

/* Ours, and nobody else can even look inside. */
static bool is_private(const char *dir)
{
	struct stat st;

	return stat(dir, &st) == 0 && S_ISDIR(st.st_mode) &&
	       st.st_uid == geteuid() && !(st.st_mode & 077);
}

/*
 * A state folder that is not the usual one numbers its VMs for itself: their
 * sockets must not replace those of others with the same numbers.
 */
static char *runtime_of(const struct facts *f, const char *run, struct err *e)
{
	own_free char *usual = join(f->home, "/.local/state/vmrun", e);
	uint32_t hash = 2166136261u; /* FNV-1a: a name, not a secret */
	char tail[32] = "/vmrun";

	if (!usual)
		return NULL;
	for (const char *p = f->state_home; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	if (strcmp(usual, f->state_home) != 0)
		snprintf(tail, sizeof(tail), "/vmrun-%08x", (unsigned)hash);
	return join(run, tail, e);
}

static int probe_dirs(struct facts *f, struct err *e)
{
	const char *run = env_dir("XDG_RUNTIME_DIR");

	f->config_home = xdg_home(f, "XDG_CONFIG_HOME", "/.config/vmrun", e);
	f->data_home = xdg_home(f, "XDG_DATA_HOME", "/.local/share/vmrun", e);
	f->state_home = xdg_home(f, "XDG_STATE_HOME", "/.local/state/vmrun", e);
	if (!f->config_home || !f->data_home || !f->state_home)
		return -1;
	f->runtime = run && is_private(run) ? runtime_of(f, run, e)
					    : join(f->state_home, "/run", e);
	return f->runtime ? 0 : -1;
}

static int probe_person(struct facts *f, struct err *e)
{
	struct passwd *p;
	struct group *g;
	const char *home = env_dir("HOME");

	f->uid = getuid();
	f->gid = getgid();
	errno = 0;
	p = getpwuid(f->uid);
	if (!p)
		return err_set(e, errno, "user id %u has no name", f->uid);
	if (!home)
		home = p->pw_dir;
	if (!home || home[0] != '/') {
		err_set(e, 0, "%s has no home directory", p->pw_name);
		return err_hint(e, "set HOME to an absolute path");
	}
	f->user = text_dup(p->pw_name, e);
	/* Not all slashes: join() of "/" is the empty string. */
	f->home =
		home[strspn(home, "/")] ? join(home, "", e) : text_dup("/", e);
	if (p->pw_dir && p->pw_dir[0] == '/' && strcmp(p->pw_dir, home) != 0)
		f->login_home = join(p->pw_dir, "", e);
	f->shell = text_dup(
		p->pw_shell && p->pw_shell[0] ? p->pw_shell : "/bin/sh", e);
	g = getgrgid(f->gid);
	f->group = g ? text_dup(g->gr_name, e) : text_fmt(e, "%u", f->gid);
	return f->user && f->home && f->shell && f->group ? 0 : -1;
}

static void probe_terminal(struct facts *f)
{
	static const int fds[] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
	struct winsize w;

	f->in_tty = isatty(STDIN_FILENO);
	f->in_front = front_is(STDIN_FILENO);
	f->out_tty = isatty(STDOUT_FILENO);
	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		if (!isatty(fds[i]) || ioctl(fds[i], TIOCGWINSZ, &w) < 0)
			continue;
		f->win.rows = w.ws_row;
		f->win.cols = w.ws_col;
		f->win.xpixels = w.ws_xpixel;
		f->win.ypixels = w.ws_ypixel;
		return;
	}
}

static int probe_session(struct facts *f, struct err *e)
{
	const char *term = getenv("TERM"), *dir = getenv("VMRUN_LIBEXECDIR");
	own_free char *cwd = getcwd(NULL, 0);
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	/* There is no call that only asks; this program has one thread. */
	f->umask = umask(077);
	umask(f->umask);
	/* The kernel says "(unreachable)/…" of one outside the root. */
	if (cwd && cwd[0] == '/')
		f->cwd = steal_ptr(&cwd);
	if (term) {
		f->term = text_dup(term, e);
		if (!f->term)
			return -1;
	}
	f->libexec = text_dup(dir && dir[0] == '/' ? dir : VMRUN_LIBEXECDIR, e);
	if (!f->libexec)
		return -1;
	f->environ = environ;
	f->cpus = n > 0 ? (unsigned)n : 1;
	probe_terminal(f);
	return 0;
}

int facts_probe(struct facts *f, struct err *e)
{
	memset(f, 0, sizeof(*f));
	if (probe_person(f, e) < 0 || probe_session(f, e) < 0 ||
	    probe_dirs(f, e) < 0) {
		facts_free(f);
		return err_wrap(e, "cannot learn about this session");
	}
	return 0;
}

void facts_free(struct facts *f)
{
	free(f->user);
	free(f->group);
	free(f->home);
	free(f->login_home);
	free(f->shell);
	free(f->cwd);
	free(f->term);
	free(f->config_home);
	free(f->data_home);
	free(f->state_home);
	free(f->runtime);
	free(f->libexec);
	memset(f, 0, sizeof(*f));
}
