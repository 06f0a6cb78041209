/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan: mounts inside of what is shared.  In a mount namespace of its own.
 */
#include "host/plan/planint.h"
#include "planfixture.h"

#include <sched.h>
#include <sys/mount.h>

static void put_tmpfs(const char *at)
{
	if ((mkdir(at, 0700) && errno != EEXIST) ||
	    mount("tmpfs", at, "tmpfs", MS_NOSUID | MS_NODEV, "mode=700"))
		tap_ok(0, "mounting %s: %s", at, strerror(errno));
}

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	close(fd);
	return n < 0 ? -1 : 0;
}

/* Without ids of its own, nobody can make a file on a tmpfs. */
static int enter(void)
{
	const char *uids = fmt("%u %u 1", getuid(), getuid());
	const char *gids = fmt("%u %u 1", getgid(), getgid());

	if (unshare(CLONE_NEWNS | (getuid() ? CLONE_NEWUSER : 0)) < 0)
		return -1;
	if (getuid() == 65534 && (put("/proc/self/uid_map", uids) < 0 ||
				  put("/proc/self/setgroups", "deny") < 0 ||
				  put("/proc/self/gid_map", gids) < 0))
		return -1;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* -1: there is no such share, or the plan failed. */
static int hidden(const char *src)
{
	for (size_t i = 0; i < p.n_shares; i++)
		if (!strcmp(p.shares[i].src, src))
			return (int)p.shares[i].n_hidden;
	return -1;
}

static void test_told(void)
{
	const char *docs = fmt("%s/docs", home);

	tap_ok(!plan_of("--rw|~/docs|x"), "a share with mounts inside");
	tap_ok(hidden(docs) == 2, "both are hidden, what is in them not apart");
	tap_ok(p.shares[0].hidden && !strncmp(p.shares[0].hidden, docs, 10),
	       "one is named");
	done();
	tap_ok(!plan_of("--ro|~/docs/sub/dir|x") &&
		       hidden(fmt("%s/docs/sub/dir", home)) == 0,
	       "what is outside of a share does not count");
	done();
	tap_ok(!plan_of("--ro|~/docs/file:/f|x") &&
		       hidden(fmt("%s/docs/file", home)) == 0,
	       "a file has none");
	done();
}

static void test_asked(void)
{
	const char *docs = fmt("%s/docs", home);
	const char *sub = fmt("%s/docs/sub", home);
	const struct launch_mount *outer, *inner;

	tap_ok(!plan_of("--ro|~/docs/sub|--rw|~/docs|x"),
	       "a mount inside of a share can be named too");
	tap_ok(hidden(docs) == 1, "then it is not hidden");
	tap_ok(hidden(sub) == 1, "but what is in it is");
	outer = plan_mount_at(&p, docs);
	inner = plan_mount_at(&p, sub);
	tap_ok(outer && inner && outer < inner,
	       "in the guest it is put into the outer one");
	tap_ok(outer && inner && !outer->readonly && inner->readonly,
	       "each has its own access");
	done();
	tap_ok(!plan_of("--rw|~/docs|--rw|~/docs/sub:/x|x") &&
		       plan_mount_at(&p, "/x"),
	       "or put elsewhere");
	done();
}

static void test_refused(void)
{
	tap_ok(plan_of("--rw|~/docs|--ro|~/docs/sub/dir|x") == -1,
	       "refused: what is in a mount that is hidden");
	tap_str(e.msg,
		fmt("cannot put anything at %s/docs/sub/dir of the guest: what "
		    "is shared as %s/docs has no sub/dir",
		    home, home),
		"and says why");
	done();
	tap_ok(plan_of("--rw|~/docs|--ro|~/docs/plain|x") == -1,
	       "refused: a share inside of another on the same mount");
	done();
	tap_ok(plan_of("--rw|~/docs/sub|--ro|~/docs/sub/dir|x") == -1,
	       "and in a mount, too");
	done();
	tap_ok(plan_of("--rw|~/docs/sub|--ro|~/docs/sub|x") == -1,
	       "refused: the same twice");
	done();
}

static void test_text(void)
{
	char bad[] = "1 2 no\n";

	tap_ok(!plan_of("--rw|~/docs|x"), "a plan");
	tap_ok(plan_hidden_by(&p, bad, &e) == -1, "a list that is none");
	done();
}

int main(void)
{
	fixture_make();
	if (enter() < 0) {
		tap_ok(!getenv("VMRUN_MUST_WORK"),
		       "mounts in shares # SKIP no private mounts here");
		return fixture_end();
	}
	f.uid = getuid();
	f.gid = getgid();
	make_dir(fmt("%s/docs/plain", home), 0755);
	make_file(fmt("%s/docs/file", home), 0644, "x");
	put_tmpfs(fmt("%s/docs/sub", home));
	put_tmpfs(fmt("%s/docs/sub/in", home));
	put_tmpfs(fmt("%s/docs/odd\nname", home));
	make_dir(fmt("%s/docs/sub/dir", home), 0755);
	test_told();
	test_asked();
	test_refused();
	test_text();
	umount2(fmt("%s/docs/odd\nname", home), MNT_DETACH);
	umount2(fmt("%s/docs/sub", home), MNT_DETACH);
	return fixture_end();
}
