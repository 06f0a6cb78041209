/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan: what is refused, and with which words. */
#include "host/plan/planint.h"
#include "planfixture.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#define HINT_PLACE "share a directory that holds only what the command needs"
#define HINT_PATH                                                              \
	"take that directory off PATH first (`deactivate` an environment), "   \
	"and name its programs by their path in the guest; or share it with "  \
	"--ro"

static void refused(const char *line, const char *message, const char *hint)
{
	tap_ok(plan_of(line) == -1, "refused: %s", line);
	tap_str(e.msg, message, "and says why");
	if (hint)
		tap_str(e.hint, hint, "and what to do");
	tap_ok(!p.shares && !p.mounts, "and leaves nothing behind");
	done();
}

static void test_sources(void)
{
	refused(fmt("--ro|%s/nosuch|x", tmp),
		fmt("cannot share %s/nosuch: No such file or directory", tmp),
		"create it, or use --ro-try to go on without it");
	refused(fmt("--rw|%s/home/file/x|x", tmp),
		fmt("cannot share %s/home/file/x: Not a directory", tmp),
		"create it, or use --rw-try to go on without it");
	refused(fmt("--ro|%s/link|x", tmp),
		fmt("cannot share %s/link: it is a symbolic link", tmp),
		fmt("share what it leads to: --ro %s/home/docs", tmp));
	refused(fmt("--rw|%s/link///|x", tmp),
		fmt("cannot share %s/link///: it is a symbolic link", tmp),
		fmt("share what it leads to: --rw %s/home/docs", tmp));
	refused(fmt("--ro|%s/dead|x", tmp),
		fmt("cannot share %s/dead: it is a symbolic link", tmp),
		"it leads nowhere");
	refused(fmt("--ro|%s/fifo|x", tmp),
		fmt("cannot share %s/fifo: it is neither a directory nor a "
		    "regular file",
		    tmp),
		"");
	refused("--rw|/usr|x",
		f.uid ? "cannot share /usr for writing: it belongs to root, "
			"not to ann"
		      : "cannot share /usr: inside it is /usr/bin, where your "
			"shell finds programs",
		NULL);
}

/* What a guest that had home/docs may have left there for the next time. */
static void test_planted_link(void)
{
	const char *link = fmt("%s/docs/planted", home);

	if (symlink(".", link))
		tap_ok(0, "%s: %s", link, strerror(errno));
	/* root's own links are believed. */
	if (f.uid)
		refused(fmt("--rw|%s/sub|x", link),
			fmt("cannot share %s/sub: %s, on the way to it, is a "
			    "symbolic link",
			    link, link),
			"a guest may have made it; if it leads where you want, "
			"name that place instead");
	unlink(link);
	link = fmt("%s/ours", home);
	if (symlink("docs", link))
		tap_ok(0, "%s: %s", link, strerror(errno));
	tap_ok(!plan_of(fmt("--ro|%s/sub|x", link)),
	       "a link in the home directory is followed");
	done();
	unlink(link);
}

/* Somebody else's, seen by a person with another uid. */
static void test_foreign(void)
{
	f.uid++;
	tap_ok(plan_of(fmt("--ro|%s/closed|x", tmp)) == -1,
	       "refused: somebody else's 0700 directory");
	tap_ok(strstr(e.msg, ", and its mode does not let others read it") !=
		       NULL,
	       "and says why");
	tap_str(e.hint,
		"share something that is yours, or that everybody may "
		"read",
		"and what to do");
	done();
	tap_ok(plan_of(fmt("--rw|%s/open|x", tmp)) == -1,
	       "refused: somebody else's directory, to write");
	tap_str(e.hint,
		"share it with --ro, or a directory of your own with "
		"--rw",
		"and what to do");
	done();
	tap_ok(!plan_of(fmt("--ro|%s/open|x", tmp)) &&
		       p.shares[0].use == SHARE_OPEN,
	       "what everybody may read needs no grant");
	done();
	f.uid--;
}

static void place(const char *option, const char *path, const char *why)
{
	refused(fmt("%s|%s|x", option, path), why, HINT_PLACE);
}

static void test_places(void)
{
	place("--ro", "/", "cannot share /: it is the whole file system");
	place("--ro", "/usr/..", "cannot share /: it is the whole file system");
	place("--ro", "/tmp",
	      "cannot share /tmp: it is where every program keeps its sockets "
	      "and scratch files");
	place("--ro", "/var/tmp",
	      "cannot share /var/tmp: it is where every program keeps its "
	      "scratch files");
	place("--ro", "/run",
	      "cannot share /run: it is where the services keep their sockets");
	place("--ro", "/proc",
	      "cannot share /proc: it is the kernel's view of all processes");
	place("--ro", "/proc/sys",
	      "cannot share /proc/sys: it is inside /proc, the kernel's view "
	      "of all processes");
	place("--ro", "/sys",
	      "cannot share /sys: it is the kernel's view of the hardware");
	place("--rw", "/dev/shm",
	      "cannot share /dev/shm: it is inside /dev, this machine's "
	      "devices");
	place("--ro", "~",
	      fmt("cannot share %s: it is your home directory", home));
	place("--rw", "~/docs/../.",
	      fmt("cannot share %s: it is your home directory", home));
	place("--ro", tmp,
	      fmt("cannot share %s: inside it is %s, your home directory", tmp,
		  home));
	place("--ro", "~/.ssh",
	      fmt("cannot share %s/.ssh: it is your SSH keys", home));
	place("--ro", "~/.ssh/config",
	      fmt("cannot share %s/.ssh/config: it is inside %s/.ssh, your SSH "
		  "keys",
		  home, home));
	tap_ok(!symlink(".", fmt("%s/again", home)), "a link to the home");
	place("--ro", "~/again/.ssh",
	      fmt("cannot share %s/.ssh: it is your SSH keys", home));
	unlink(fmt("%s/again", home));
	place("--ro", "~/.config",
	      fmt("cannot share %s/.config: it is the settings of your "
		  "programs",
		  home));
	place("--rw", "~/.local",
	      fmt("cannot share %s/.local: inside it is %s/.local/share, the "
		  "data of your programs",
		  home, home));
	place("--ro", "~/.local/state",
	      fmt("cannot share %s/.local/state: it is the state of your "
		  "programs",
		  home));
	place("--ro", "~/.local/state/vmrun",
	      fmt("cannot share %s: it is vmrun's own state", state_home));
	place("--ro", "~/.config/vmrun",
	      fmt("cannot share %s: it is vmrun's own settings", config_home));
	place("--ro", "~/.local/share/vmrun/images",
	      fmt("cannot share %s/images: it is inside %s, vmrun's own data",
		  data_home, data_home));
	place("--ro", in("run"),
	      fmt("cannot share %s/run: inside it is %s, vmrun's own sockets",
		  tmp, runtime));
	refused("--rw|~/bin|x",
		fmt("cannot share %s/bin: it is where your shell finds "
		    "programs",
		    home),
		HINT_PATH);
	make_dir(in("home/.local/bin"), 0755);
	refused("--rw|~/.local/bin|x",
		fmt("cannot share %s/.local/bin: it is where your shell finds "
		    "programs",
		    home),
		HINT_PATH);
	refused("--rw|~/go|x",
		fmt("cannot share %s/go: inside it is %s/go/bin, where your "
		    "shell finds programs",
		    home, home),
		HINT_PATH);
	tap_ok(!plan_of("--ro|~/bin|--ro|~/.config/foo|x"),
	       "programs to read, and one program's settings, may be shared");
	done();
}

/* Start-up files that are links, and where other settings have them. */
static void test_start_up(void)
{
	static char config[96], data[96], login[96],
		*more[] = {env_path, config, data, NULL};
	struct stat st;

	tap_ok(!symlink("src/bashrc", fmt("%s/.bashrc", home)),
	       "a start-up file that is a link");
	make_file(in("home/src/bashrc"), 0644, "x");
	place("--rw", "~/src",
	      fmt("cannot share %s/src: inside it is %s/src/bashrc, what your "
		  "shell runs when it starts",
		  home, home));
	tap_ok(!plan_of("--ro|~/src|x"), "to read it may be shared");
	done();
	make_dir(in("home/.vim"), 0755);
	place("--rw", "~/.vim",
	      fmt("cannot share %s/.vim: it is what your editor runs", home));
	rmdir(in("home/.vim"));
	unlink(in("home/src/bashrc"));
	unlink(in("home/.bashrc"));
	snprintf(config, sizeof(config), "XDG_CONFIG_HOME=%s/closed", tmp);
	snprintf(data, sizeof(data), "XDG_DATA_HOME=%s/closed/d", tmp);
	make_dir(in("closed/fish"), 0755);
	make_dir(in("closed/d"), 0755);
	make_dir(in("closed/d/dbus-1"), 0755);
	f.environ = more;
	place("--rw", in("closed/fish"),
	      fmt("cannot share %s/closed/fish: it is what your shell runs "
		  "when it starts",
		  tmp));
	place("--rw", in("closed/d/dbus-1"),
	      fmt("cannot share %s/closed/d/dbus-1: it is what your session "
		  "starts by itself",
		  tmp));
	more[1] = NULL;
	if (stat(fmt("%s/docs", home), &st))
		tap_ok(0, "%s: %s", home, strerror(errno));
	e = (struct err)ERR_INIT;
	tap_ok(places_check(&f, fmt("/run/user/%u/x", (unsigned)f.uid), &st,
			    false, &e) == -1,
	       "refused: the session's sockets, without XDG_RUNTIME_DIR");
	f.environ = env;
	snprintf(login, sizeof(login), "%s/open", tmp);
	f.login_home = login;
	make_dir(in("open/.ssh"), 0755);
	place("--ro", in("open/.ssh"),
	      fmt("cannot share %s/open/.ssh: it is your SSH keys", tmp));
	f.login_home = NULL;
}

static void test_overlap(void)
{
	refused("--ro|~/docs|--ro|~/docs:/d|x",
		fmt("%s/docs is shared twice", home), "");
	refused("--ro|~/docs|--rw|~/docs/.|x",
		fmt("%s/docs/. is shared twice", home), "");
	refused("--rw|~/docs|--ro|~/docs/sub|x",
		fmt("cannot share both %s/docs and %s/docs/sub: one is inside "
		    "the other",
		    home, home),
		"share only the outer one, or move the inner one elsewhere");
	refused("--rw|~/docs/sub:/a|--rw|~/docs:/b|x",
		fmt("cannot share both %s/docs/sub and %s/docs: one is inside "
		    "the other",
		    home, home),
		"share only the outer one, or move the inner one elsewhere");
}

static void test_destinations(void)
{
	const char *twice = "two things cannot both be at /x of the guest";

	refused("--ro|~/docs:/x|--rw|~/src:/x|x", twice, "");
	refused("--tmp|/x|--rw|~/src:/x|x", twice, "");
	refused("--ro|~/docs:/|x", "nothing can be put at / of the guest",
		"to use another userland: --root DIR");
	refused("--ro|~/docs:/proc/x|x",
		"nothing can be put at /proc/x of the guest, which makes /proc "
		"itself",
		"");
	refused("--tmp|/dev/shm|x",
		"nothing can be put at /dev/shm of the guest, which makes /dev "
		"itself",
		"");
	refused("--ro|~/file:/etc/passwd|x",
		"nothing can be put at /etc/passwd of the guest, which makes "
		"/etc/passwd itself",
		"");
	refused("--ro|~/docs:/etc|x",
		"nothing can be put at /etc of the guest, which makes that "
		"itself",
		"use other names below /etc");
	refused("--ro|~/docs:/usr/no-such-place|x",
		"cannot put anything at /usr/no-such-place of the guest: what "
		"is shared as /usr has no no-such-place",
		"the guest cannot make it there; make it first, or choose "
		"another place");
	refused("--ro|~/file:/usr/bin|x",
		"cannot put a file at /usr/bin of the guest: there is "
		"something "
		"else already",
		"");
	refused("--ro|~/file:/f|--ro|~/docs:/f/g|x",
		"nothing can be put at /f/g of the guest: /f is a file there",
		"");
	refused("--rw|~/docs:/d|--ro|~/src:/d/new|x",
		"cannot put anything at /d/new of the guest: what is shared as "
		"/d has no new",
		NULL);
	tap_ok(!plan_of("--rw|~/docs:/d|--ro|~/src:/d/sub|x"),
	       "what is there already in a share can be covered");
	done();
}

static void test_machine(void)
{
	refused("--cpus|3|x",
		"--cpus: 3 are more than the 2 that this machine has", "");
	tap_ok(plan_of("--mem|8000T|x") == -1, "refused: memory of thousands");
	tap_ok(!strncmp(e.msg, "--mem: 8388608000 MiB are more than the ", 40),
	       "and says why");
	done();
	refused("-t|x", "--tty: standard input and output are not a terminal",
		"leave --tty out, or run vmrun from a terminal");
	refused("--image|other|x", "there is no guest image \"other\"", NULL);
	refused(fmt("--kernel|%s/kernel-closed|x", tmp),
		fmt("--kernel: %s/kernel-closed is not readable by everybody, "
		    "and so not by the VM",
		    tmp),
		fmt("chmod o+r %s/kernel-closed, or copy it", tmp));
	refused(fmt("--kernel|%s|x", tmp),
		fmt("--kernel: %s is not a file", tmp), "");
	refused(fmt("--kernel|%s/kernel-none|x", tmp),
		fmt("--kernel: %s/kernel-none is not an x86 Linux kernel", tmp),
		"a vmlinuz or an uncompressed vmlinux is wanted");
	refused(fmt("--root|%s/kernel|x", tmp),
		fmt("--root: %s/kernel is not a directory", tmp), "");
	refused("--root|~|x",
		fmt("--root: cannot share %s: it is your home directory", home),
		NULL);
	refused(fmt("--root|%s/root|--rw|%s/root/srv:/x|x", tmp, tmp),
		fmt("cannot use both %s/root as --root and share %s/root/srv: "
		    "one is inside the other",
		    tmp, tmp),
		"");
}

/* A ramfs at open: no ACLs. */
static int ramfs(unsigned long flags, unsigned mode)
{
	if (mount("ramfs", in("open"), "ramfs", flags, NULL))
		return -1;
	return chmod(in("open"), mode);
}

static bool is_refused(const char *line, const char *message, const char *hint)
{
	bool ok = plan_of(line) == -1 && !strcmp(e.msg, message) &&
		  !strcmp(e.hint, hint);

	if (!ok)
		printf("# %s\n# %s\n", e.msg, e.hint);
	done();
	return ok;
}

/* In a mount namespace; the exit status names what went wrong. */
static int no_acl(void)
{
	char rw[64], ro[64];
	const struct plan_share *s;

	snprintf(rw, sizeof(rw), "--rw|%s/open|x", tmp);
	snprintf(ro, sizeof(ro), "--ro|%s/open|x", tmp);
	if (ramfs(MS_NODEV, 0700))
		return 77;
	if (!is_refused(rw,
			fmt("cannot share %s/open for writing: it has no ACLs "
			    "and is mounted without nosuid, so a set-user-ID "
			    "file made there would run as you",
			    tmp),
			"mount it with the option nosuid"))
		return 1;
	if (ramfs(MS_NODEV | MS_NOSUID, 0700) || plan_of(rw))
		return 2;
	s = &p.shares[0];
	if (s->use != SHARE_PLAIN || !s->rw || s->plain.network ||
	    strcmp(s->plain.fs, "ramfs") || !plan_has_plain(&p) ||
	    plan_mount_at(&p, s->dst)->tree != LAUNCH_TREE_PLAIN)
		return 3;
	done();
	if (chmod(in("open"), 0500) || plan_of(ro) ||
	    p.shares[0].use != SHARE_PLAIN || p.shares[0].rw)
		return 4;
	done();
	if (!is_refused(rw,
			fmt("cannot share %s/open for writing: its mode does "
			    "not let you, and ramfs has no ACLs to change that",
			    tmp),
			fmt("mount it with other options: uid=%u, or umask=022",
			    (unsigned)f.uid)))
		return 5;
	if (ramfs(MS_NODEV | MS_NOSUID | MS_RDONLY, 0) && errno != EROFS)
		return 6;
	return !is_refused(rw,
			   fmt("cannot share %s/open for writing: it is "
			       "mounted read-only",
			       tmp),
			   "share it with --ro");
}

static void test_no_acl(void)
{
	const char *what = "a file system without ACLs is served as such";
	unsigned long flags = CLONE_NEWNS | (getuid() ? CLONE_NEWUSER : 0);
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		if (unshare((int)flags) ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
			_exit(77);
		f.uid = getuid();
		f.gid = getgid();
		_exit(no_acl());
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status == 77 << 8) {
		tap_ok(!getenv("VMRUN_MUST_WORK"),
		       "%s # SKIP no private mounts here", what);
		return;
	}
	tap_ok(status == 0, "%s (%d)", what, WEXITSTATUS(status));
}

int main(void)
{
	fixture_make();
	test_sources();
	test_planted_link();
	test_foreign();
	test_places();
	test_start_up();
	test_overlap();
	test_destinations();
	test_machine();
	test_no_acl();
	return fixture_end();
}
