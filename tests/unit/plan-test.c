/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan: what becomes of options that can be done. */
#include "planfixture.h"

#include "base/json.h"
#include "host/plan/dryrun.h"

static const struct launch_mount *mount_at(const char *dst)
{
	for (size_t i = 0; i < p.n_mounts; i++) {
		if (!strcmp(p.mounts[i].dst, dst))
			return &p.mounts[i];
	}
	return NULL;
}

static void test_shares(void)
{
	const struct launch_mount *m;

	if (!tap_ok(!plan_of(fmt("--rw|~/docs|--ro|~/file:/data/f|--ro-try|"
				 "%s/none|--ro|%s/colon\\:dir|--tmp|/s:64M|x",
				 tmp, tmp)),
		    "a plan"))
		printf("# %s\n", e.msg);
	tap_ok(p.n_shares > 3 && p.shares[0].use == SHARE_PERSON &&
		       p.shares[0].rw && !p.shares[0].system &&
		       !p.shares[0].exec && !strcmp(p.shares[0].name, "0") &&
		       p.shares[0].fd >= 0,
	       "--rw gets a grant");
	tap_ok(p.n_shares > 3 && p.shares[1].file && !p.shares[1].rw &&
		       p.shares[1].use == SHARE_PERSON,
	       "a single file");
	tap_str(p.n_shares > 2 ? p.shares[2].src : NULL, in("colon:dir"),
		"a missing --ro-try is left out; a colon can be written");
	m = mount_at(fmt("%s/docs", home));
	tap_ok(m && m->kind == LAUNCH_SHARE && !m->readonly &&
		       !strcmp(m->share, "0"),
	       "it is mounted where it is here");
	m = mount_at("/data/f");
	tap_ok(m && m->kind == LAUNCH_SHARE && m->readonly && m->file,
	       "or where it was asked for");
	m = mount_at("/s");
	tap_ok(m && m->kind == LAUNCH_DISK && m->disk == 0 && m->mode == 0700 &&
		       p.n_disks == 1 && p.disks[0].size == 64u << 20,
	       "--tmp");
	m = mount_at(home);
	tap_ok(m && m->kind == LAUNCH_TMPFS && m->owned && m->mode == 0700,
	       "an empty home");
	m = mount_at("/usr");
	tap_ok(m && m->kind == LAUNCH_SHARE && m->readonly, "/usr");
	tap_ok(!mount_at("/etc") && !mount_at("/etc/passwd") &&
		       !mount_at("/etc/shadow") && !mount_at("/etc/hosts"),
	       "nothing of /etc that the guest makes, or that is secret");
	tap_str(p.cwd, cwd, "the current directory is in a share: start there");
	done();
}

/* As a profile and the command line say it, which come in this order. */
static void test_again(void)
{
	size_t once;

	tap_ok(!plan_of("--rw|~/docs|--ro|~/file:/f|--tmp|/s:8G|x"), "a plan");
	once = p.n_shares;
	done();
	if (!tap_ok(!plan_of(fmt("--rw|~/docs|--ro|~/file:/f|--tmp|/s:8G|"
				 "--rw|%s/docs/|--ro|~/file:/f|--tmp|/s/:16G|x",
				 home)),
		    "and the same said again"))
		printf("# %s\n", e.msg);
	tap_ok(once && p.n_shares == once, "a share counts once");
	tap_ok(p.n_disks == 1 && p.disks[0].size == UINT64_C(16) << 30,
	       "and of a --tmp the last one");
	done();
}

/* home/docs/sub is where the person is; home/docs/sub/out is shared. */
static void test_cwd(void)
{
	static char outer[96];

	make_dir(in("home/docs/sub/out"), 0755);
	tap_ok(!plan_of("--rw|~/docs/sub/out|x") && p.cwd_forgotten,
	       "a current directory on the way to a share is not kept");
	tap_str(p.cwd, cwd, "and relative names of the share are right in it");
	done();
	tap_ok(!plan_of("--rw|~/docs|x") && !p.cwd_forgotten,
	       "one that is in a share is kept");
	done();
	tap_ok(!plan_of(fmt("--rw|~/src:%s|x", cwd)) && !p.cwd_forgotten,
	       "and so is one where another directory is shared");
	done();
	tap_ok(!plan_of("x") && !p.cwd_forgotten && !strcmp(p.cwd, home),
	       "one that is not there: HOME, as documented");
	done();
	snprintf(outer, sizeof(outer), "%s", tmp);
	f.cwd = outer;
	tap_ok(!plan_of("--rw|~/docs|x") && !p.cwd_forgotten &&
		       !strcmp(p.cwd, outer),
	       "outside of the home nothing can be written there at all");
	done();
	f.cwd = cwd;
	if (rmdir(in("home/docs/sub/out")))
		tap_ok(0, "removing a directory");
}

static void test_order(void)
{
	bool right = true;

	if (!plan_of("--ro|~/src:/d/sub|--rw|~/docs:/d|--tmp|~|x")) {
		for (size_t i = 0; i < p.n_mounts; i++) {
			for (size_t j = 0; j < i; j++)
				right &= !path_is_below(p.mounts[j].dst,
							p.mounts[i].dst);
		}
		tap_ok(right, "parents come before what is inside of them");
		tap_ok(mount_at(home) && mount_at(home)->kind == LAUNCH_DISK,
		       "something asked for at the home replaces it");
		tap_str(p.cwd, "/d/sub", "the current directory is translated");
	} else {
		tap_ok(0, "a plan: %s", e.msg);
	}
	done();
}

static void test_linked_home(void)
{
	static char linked[96];
	char *was = f.home;

	snprintf(linked, sizeof(linked), "%s/home-link", tmp);
	f.home = linked;
	tap_ok(!plan_of(fmt("--ro|%s/docs|x", home)), "a home behind a link");
	tap_str(p.n_shares ? p.shares[0].dst : NULL,
		fmt("%s/home-link/docs", tmp),
		"what is below it is where HOME says");
	done();
	tap_ok(plan_of(fmt("--ro|%s/home|x", tmp)) == -1,
	       "its other name is refused as well");
	done();
	f.home = was;
}

static void test_root(void)
{
	const struct launch_mount *m;

	if (!tap_ok(!plan_of(fmt("--root|%s/root|x", tmp)), "--root"))
		printf("# %s\n", e.msg);
	tap_ok(p.n_shares == 1 && p.shares[0].use == SHARE_PERSON &&
		       p.shares[0].exec && p.shares[0].system,
	       "is one share");
	m = mount_at("/usr");
	tap_ok(m && !strcmp(m->share, "0/usr") && m->readonly,
	       "with mounts from below it");
	m = mount_at("/bin");
	tap_ok(m && m->kind == LAUNCH_SYMLINK && !strcmp(m->target, "usr/bin"),
	       "links stay links");
	m = mount_at("/etc/motd");
	tap_ok(m && m->file && !strcmp(m->share, "0/etc/motd"),
	       "its /etc, name by name");
	tap_ok(!mount_at("/etc/passwd") && !mount_at("/proc") &&
		       !mount_at("/home"),
	       "without what the guest makes");
	tap_str(p.shell, "/bin/sh", "and with a shell that every system has");
	done();
}

static void test_env(void)
{
	struct launch l;

	plan_of("-e|A=1|-e|SECRET2|-e|LANG=de|--path-add|PATH=/opt/bin|"
		"--path-add|LD_LIBRARY_PATH=/a|--path-add|LD_LIBRARY_PATH=/b|"
		"/usr/bin/My Prog_2");
	tap_ok(!text_getenv(p.env, "SECRET") && text_getenv(p.env, "LC_"),
	       "variables are not passed on, but for the locale's");
	tap_ok(!text_getenv(p.env, "SECRET2"), "-e of what is not set is not");
	tap_str(text_getenv(p.env, "LANG"), "de", "-e wins");
	tap_str(text_getenv(p.env, "LC_TIME"), "C", "LC_*");
	tap_str(text_getenv(p.env, "HOME"), home, "HOME");
	tap_str(text_getenv(p.env, "USER"), "ann", "USER");
	tap_str(text_getenv(p.env, "container"), "vmrun", "container");
	tap_str(text_getenv(p.env, "PATH"),
		"/opt/bin:/usr/local/bin:/usr/bin:/bin:/usr/local/games:"
		"/usr/games:/usr/local/sbin:/usr/sbin:/sbin",
		"--path-add goes in front");
	tap_str(text_getenv(p.env, "LD_LIBRARY_PATH"), "/b:/a",
		"the last one first");
	tap_str(p.hostname, "my-prog-2", "the host name is the command's");
	tap_str(p.cwd, home, "the current directory is not there: HOME");
	plan_launch(&p, 123456, 123457, &l);
	tap_str(text_getenv(l.app.env, "XDG_RUNTIME_DIR"), "/run/user/123456",
		"XDG_RUNTIME_DIR has the uid");
	tap_ok(l.uid == 123456 && l.gid == 123457 && l.host_uid == f.uid &&
		       l.n_mounts == p.n_mounts && l.app.argv == o.argv,
	       "the record");
	plan_launch_done(&l);
	done();
	plan_of("-e|SECRET|-e|XDG_RUNTIME_DIR=/x|-e|PATH=/p|x");
	tap_str(text_getenv(p.env, "SECRET"), "1", "-e of what is set is");
	tap_str(text_getenv(p.env, "PATH"), "/p", "-e PATH");
	plan_launch(&p, 1, 1, &l);
	tap_str(text_getenv(l.app.env, "XDG_RUNTIME_DIR"), "/x",
		"-e XDG_RUNTIME_DIR");
	tap_ok(strv_len(l.app.env) == strv_len(p.env), "and only that one");
	plan_launch_done(&l);
	done();
}

static void test_choices(void)
{
	tap_ok(!plan_of("-m|300000K|x") && p.mem == 292u << 20 && p.cpus == 1,
	       "memory in whole MiB, one processor");
	tap_ok(p.accel == ACCEL_TCG && !p.terminal, "VMRUN_ACCEL, no terminal");
	tap_str(p.kernel, fmt("%s/images/default/vmlinux", data_home),
		"the image's kernel");
	done();
	f.in_tty = f.out_tty = true;
	tap_ok(!plan_of("x") && !p.terminal, "none in the background");
	done();
	f.in_front = true;
	tap_ok(!plan_of(fmt("--kernel|%s/kernel|--cwd|/w|x", tmp)) &&
		       p.terminal,
	       "a terminal where there is one");
	tap_str(p.kernel, in("kernel"), "--kernel");
	tap_str(p.cwd, "/w", "--cwd");
	done();
	tap_ok(!plan_of("-T|x") && !p.terminal, "but not with -T");
	done();
	f.in_tty = f.out_tty = f.in_front = false;
}

/* The plan as JSON, parsed again; the caller frees it. */
static struct json *dry_run(char **text, size_t *n)
{
	static char *argv[] = {"qemu", "-m", "a b", NULL};
	struct setup_member member = {.name = "qemu", .argv = argv};
	struct setup setup = {.members = &member, .n_members = 1};
	struct state_range range = {100000, 100000, 65536};
	struct dryrun_extra x = {.range = &range, .setup = &setup};
	FILE *out = open_memstream(text, n);
	int ret = dryrun_print(&p, &x, o.format, out, &e);

	fclose(out);
	if (ret)
		printf("# %s\n", e.msg);
	return ret || o.format != FORMAT_JSON ? NULL
					      : json_parse(*text, *n, &e);
}

static void test_dry_run(void)
{
	char *text = NULL;
	size_t n = 0;
	struct json *j, *share, *unsafe;

	make_dir(in("home/src/\033[31m"), 0755);
	plan_of("--format|json|--rw|~/src/\033[31m:/"
		"x\033|--qemu-arg|-S|x|it's");
	j = dry_run(&text, &n);
	share = json_at(json_get(j, "shares"), 0);
	tap_str(json_get_str(share, "source"), fmt("%s/src/\033[31m", home),
		"--dry-run --format json");
	tap_str(json_get_str(share, "access"), "rw", "says what is shared how");
	tap_ok(json_get_int(share, "acls_to_edit", -1) > 0,
	       "and how many ACLs it takes");
	unsafe = json_get(json_get(j, "machine"), "unsafe_qemu_args");
	tap_str(json_str(json_at(unsafe, 0)), "-S",
		"and that --qemu-arg is unsafe");
	tap_ok(!memchr(text, '\033', n), "without raw control characters");
	json_free(j);
	free(text);
	o.format = FORMAT_TEXT;
	dry_run(&text, &n);
	tap_ok(!memchr(text, '\033', n), "nor as text");
	tap_ok(strstr(text, "\n  UNSAFE --qemu-arg: -S\n\nprograms") != NULL,
	       "which it says, too");
	tap_ok(strstr(text, "  command x 'it'\\''s'\n") != NULL,
	       "the command as a shell would want it");
	tap_ok(strstr(text, "  qemu: qemu -m 'a b'\n") != NULL,
	       "and the programs");
	free(text);
	done();
}

int main(void)
{
	fixture_make();
	test_shares();
	test_again();
	test_cwd();
	test_order();
	test_linked_home();
	test_root();
	test_env();
	test_choices();
	test_dry_run();
	return fixture_end();
}
