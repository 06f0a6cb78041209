/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A person, a home and a tree for the tests of the plan: everything below one
 * temporary directory, owned by whoever runs the test.
 */
#ifndef TESTS_UNIT_PLANFIXTURE_H
#define TESTS_UNIT_PLANFIXTURE_H

#include "host/plan/plan.h"

#include "base/buf.h"
#include "base/err.h"
#include "host/text.h"
#include "tap.h"
#include "wire/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct err e;
static struct options o;
static struct plan p;
static char tmp[] = "/var/tmp/plan-test-XXXXXX";
static char home[64], config_home[128], data_home[128], state_home[128];
static char runtime[96], cwd[96], env_path[256], env_run[96];
static char *env[] = {env_path,		 env_run,     "LANG=C.UTF-8",
		      "LC_TIME=C",	 "TERM=dumb", "SECRET=1",
		      "VMRUN_ACCEL=tcg", "LC_=odd",   NULL};
static struct facts f;

/* printf into one of a few buffers that take turns. */
__attribute__((format(printf, 1, 2))) static const char *fmt(const char *s, ...)
{
	static char text[8][1024];
	static unsigned turn;
	va_list ap;

	turn = (turn + 1) % 8;
	va_start(ap, s);
	vsnprintf(text[turn], sizeof(text[turn]), s, ap);
	va_end(ap);
	return text[turn];
}

static const char *in(const char *name)
{
	return fmt("%s/%s", tmp, name);
}

static int plan_of(const char *line)
{
	static const char *none[] = {NULL};
	char *text = strdup(line), *words[64] = {strdup("vmrun")};
	char *rest = text;
	int n = 1, ret;

	while (rest)
		words[n++] = strsep(&rest, "|");
	words[n] = NULL;
	e = (struct err)ERR_INIT;
	memset(&p, 0, sizeof(p));
	ret = options_parse(&o, n, words, home, none, &e);
	if (!ret)
		ret = plan_make(&p, &o, &f, &e);
	free(words[0]);
	free(text);
	return ret;
}

static void done(void)
{
	plan_free(&p);
	options_free(&o);
}

static void make_dir(const char *path, mode_t mode)
{
	if ((mkdir(path, mode) && errno != EEXIST) || chmod(path, mode))
		tap_ok(0, "making %s", path);
}

static void make_file(const char *path, mode_t mode, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
	    fchmod(fd, mode))
		tap_ok(0, "making %s", path);
	close(fd);
}

static void make_tree(void)
{
	static const char *const dirs[] = {
		"home",
		"home/.config",
		"home/.config/foo",
		"home/.config/vmrun",
		"home/.ssh",
		"home/.local",
		"home/.local/share",
		"home/.local/share/vmrun",
		"home/.local/share/vmrun/images",
		"home/.local/share/vmrun/images/default",
		"home/.local/state",
		"home/.local/state/vmrun",
		"home/bin",
		"home/docs",
		"home/docs/sub",
		"home/src",
		"home/go",
		"home/go/bin",
		"run",
		"run/vmrun",
		"root",
		"root/usr",
		"root/usr/bin",
		"root/etc",
		"root/home",
		"root/proc",
		"root/srv",
		"colon:dir",
		"closed",
		"open",
	};

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
		make_dir(in(dirs[i]), 0755);
	chmod(in("closed"), 0700);
	make_file(in("home/file"), 0600, "x");
	make_file(in("home/.ssh/config"), 0644, "x");
	make_file(in("home/.local/share/vmrun/images/default/vmlinux"), 0644,
		  "k");
	make_file(in("home/.local/share/vmrun/images/default/initramfs"), 0644,
		  "i");
	make_file(in("home/.local/share/vmrun/images/default/image.json"), 0644,
		  fmt("{\"format\": 3,\"protocol\":%u,\"release\":\"1\","
		      "\"imported\":1}",
		      CTL_VERSION));
	make_file(in("root/etc/passwd"), 0644, "x");
	make_file(in("root/etc/motd"), 0644, "x");
	make_file(in("kernel"), 0644, fmt("\177ELF%600s", ""));
	make_file(in("kernel-none"), 0644, fmt("%600s", ""));
	make_file(in("kernel-closed"), 0600, "x");
	if (symlink("home/docs", in("link")) ||
	    symlink("nowhere", in("dead")) ||
	    symlink("home", in("home-link")) ||
	    symlink("usr/bin", in("root/bin")) || mkfifo(in("fifo"), 0600))
		tap_ok(0, "making links");
}

static void make_facts(void)
{
	snprintf(home, sizeof(home), "%s/home", tmp);
	snprintf(config_home, sizeof(config_home), "%s/.config/vmrun", home);
	snprintf(data_home, sizeof(data_home), "%s/.local/share/vmrun", home);
	snprintf(state_home, sizeof(state_home), "%s/.local/state/vmrun", home);
	snprintf(runtime, sizeof(runtime), "%s/run/vmrun", tmp);
	snprintf(cwd, sizeof(cwd), "%s/docs/sub", home);
	snprintf(env_path, sizeof(env_path), "PATH=/usr/bin:%s/bin:%s/go/bin",
		 home, home);
	snprintf(env_run, sizeof(env_run), "XDG_RUNTIME_DIR=%s/run", tmp);
	f.uid = getuid();
	f.gid = getgid();
	f.user = "ann";
	f.group = "ann";
	f.home = home;
	f.shell = "/bin/sh";
	f.umask = 022;
	f.cwd = cwd;
	f.environ = env;
	f.config_home = config_home;
	f.data_home = data_home;
	f.state_home = state_home;
	f.runtime = runtime;
	f.cpus = 2;
	f.sub_first = f.subgid_first = 100000;
	f.sub_count = f.subgid_count = 65536;
}

/* Everything above; ends the program where that cannot be. */
static void fixture_make(void)
{
	if (!mkdtemp(tmp) || chmod(tmp, 0755)) {
		tap_ok(0, "making %s", tmp);
		exit(tap_done());
	}
	make_facts();
	make_tree();
}

/* The value for main() to return. */
static int fixture_end(void)
{
	if (system(fmt("rm -rf '%s'", tmp)))
		printf("# %s is left\n", tmp);
	return tap_done();
}

#endif
