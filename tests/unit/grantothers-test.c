/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Grants as seen by U and by other users, files of other owners, and giving
 * back what U made.  Needs root to be all of these.
 */
#include "base/own.h"
#include "grant-rig.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Runs as U, or another user: can it open the path in that way? */
static int can(uid_t uid, const char *path, int flags)
{
	pid_t pid = fork();
	int status;

	need_ok(pid >= 0, "fork");
	if (pid == 0) {
		if (setresuid(0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
		    setresgid(uid, uid, uid) < 0 ||
		    setresuid(uid, uid, uid) < 0)
			_exit(2);
		_exit(open(path, flags | O_CLOEXEC) < 0);
	}
	need_ok(waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
			WEXITSTATUS(status) != 2,
		"becoming another user");
	return !WEXITSTATUS(status);
}

static void test_as_others(void)
{
	uid_t u = who1.uid, bob = 3000;

	make_dir("o", 0700);
	make_file("o/f", 0600);
	tap_ok(!can(u, "o/f", O_RDONLY), "before: U cannot read");
	need_ok(apply("o", GRANT_RO, &who1) == 0, e.msg);
	tap_ok(can(u, "o/f", O_RDONLY) && !can(u, "o/f", O_WRONLY),
	       "--ro: U can read, not write");
	tap_ok(!can(bob, "o/f", O_RDONLY) && !can(bob, "o", O_RDONLY),
	       "--ro: others can do neither");
	need_ok(apply("o", GRANT_RW, &who1) == 0, e.msg);
	tap_ok(can(u, "o/f", O_RDWR) && !can(bob, "o/f", O_RDONLY),
	       "--rw: U can write, others nothing");
	need_ok(take_back("o", &who1) == 0, e.msg);
	tap_ok(!can(u, "o", O_RDONLY), "after: U can do nothing");
	remove_tree("o");
}

/* As root, for an instant: seteuid() back and forth. */
static void test_foreign(void)
{
	make_dir("g", 0755);
	make_dir("g/team", 0750);
	make_file("g/hers", 0600);
	make_file("g/open", 0644);
	make_file("g/tail", 0600);
	need_ok(seteuid(0) == 0 && chown("g/team", PLAIN_UID, 4444) == 0 &&
			chmod("g/team", 02750) == 0 &&
			chown("g/hers", 4444, 4444) == 0 &&
			chown("g/open", 4444, 4444) == 0 &&
			seteuid(PLAIN_UID) == 0,
		"chown");
	tap_ok(survey("g", GRANT_RO) == 0 && st.foreign == 1 && st.edited == 1,
	       "a survey knows what is not ours to edit");
	tap_ok(apply("g", GRANT_RO, &who1) == 0 && st.foreign == 1 &&
		       st.setgid == 1 && st.edited == 1,
	       "other owners' files and foreign setgid directories are left");
	tap_ok(mode_of("g/team") == 02750, "the setgid bit is still there");
	tap_ok(take_back("g", &who1) == 0, "revoking does not mind them");
	tap_ok(apply("g/team", GRANT_RO, &who1) < 0 && e.hint[0],
	       "sharing such a directory is an error");
	need_ok(seteuid(0) == 0, "seteuid");
	remove_tree("g");
	need_ok(seteuid(PLAIN_UID) == 0, "seteuid");
}

static int set_flags(const char *path, int flags)
{
	own_fd fd = -1;
	int r;

	need_ok(seteuid(0) == 0, "seteuid");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	r = ioctl(fd, FS_IOC_SETFLAGS, &flags);
	need_ok(seteuid(PLAIN_UID) == 0, "seteuid");
	return r;
}

static int apply_whole(const char *path)
{
	own_fd fd = open_path(path);
	const struct grant_tree t = {
		.root = fd, .mode = GRANT_RO, .whole = true};

	return grant_apply(&t, &who1, &st, &e);
}

/* chattr(1): immutable, append-only. */
static void test_fixed(void)
{
	make_dir("x", 0755);
	make_file("x/still", 0600);
	make_file("x/log", 0600);
	make_file("x/plain", 0600);
	if (set_flags("x/still", FS_IMMUTABLE_FL) < 0 ||
	    set_flags("x/log", FS_APPEND_FL) < 0) {
		rig_skip("immutable files", "not in this file system");
		set_flags("x/still", 0);
		remove_tree("x");
		return;
	}
	tap_ok(survey("x", GRANT_RO) == 0 && st.fixed == 2 && st.edited == 1,
	       "a survey knows what is immutable or append-only");
	tap_ok(apply_whole("x") < 0 && strstr(e.msg, "2 of the files") &&
		       strstr(e.hint, "--partial"),
	       "a share that is to be whole is refused, with a hint");
	tap_ok(!has_acl("x", ACCESS_NAME) && !has_acl("x/plain", ACCESS_NAME),
	       "and nothing was edited");
	tap_ok(apply("x", GRANT_RO, &who1) == 0 && st.fixed == 2 &&
		       st.foreign == 0 && has_acl("x/plain", ACCESS_NAME),
	       "--partial shares the rest");
	tap_ok(apply("x/log", GRANT_RO, &who1) < 0 &&
		       strstr(e.msg, "append-only"),
	       "such a file alone is refused");
	/* One that became so since. */
	need_ok(set_flags("x/plain", FS_IMMUTABLE_FL) == 0, "chattr");
	tap_ok(take_back("x", &who1) < 0 && left == 1,
	       "an entry that cannot be taken back is told");
	need_ok(set_flags("x/plain", 0) == 0, "chattr");
	tap_ok(take_back("x", &who1) == 0 && left == 0 &&
		       !has_acl("x/plain", ACCESS_NAME),
	       "until it can");
	need_ok(set_flags("x/still", 0) == 0 && set_flags("x/log", 0) == 0,
		"chattr");
	remove_tree("x");
}

/* What others make in a directory of ours inherits U's entry, and only they can
 * remove it. */
static void test_inherited(void)
{
	make_dir("i", 0777);
	make_file("i/ours", 0600);
	need_ok(apply("i", GRANT_RW, &who1) == 0 && seteuid(0) == 0, e.msg);
	make_file("i/roots", 0644);
	make_dir("i/closed", 0700);
	make_file("i/closed/f", 0644);
	need_ok(seteuid(PLAIN_UID) == 0 &&
			entry("i/roots", ACCESS_NAME, &who1) >= 0 &&
			entry("i/closed", DEFAULT_NAME, &who1) >= 0,
		"what root makes");
	tap_ok(take_back("i", &who1) == 0 && st.others >= 2,
	       "entries of other owners' files are no failure, and counted");
	tap_ok((!strcmp(st.example, "roots") ||
		!strcmp(st.example, "closed")) &&
		       st.others_uid == 0,
	       "one is named, with its owner");
	tap_ok(!has_acl("i/ours", ACCESS_NAME) && !has_acl("i", DEFAULT_NAME),
	       "all others are gone");
	need_ok(seteuid(0) == 0, "seteuid");
	remove_tree("i");
	need_ok(seteuid(PLAIN_UID) == 0, "seteuid");
}

/* What a guest may leave behind; made here by taking U's place. */
static void test_reclaim(void)
{
	struct stat s;
	own_fd fd = -1;

	make_dir("b", 0777);
	make_file("b/mine", 04755);
	need_ok(apply("b", GRANT_RW, &who1) == 0, e.msg);
	need_ok(seteuid(0) == 0 && setegid(who1.gid) == 0 &&
			seteuid(who1.uid) == 0,
		"becoming U");
	make_file("b/suid", 06755);
	make_file("b/sgid", 02644);
	make_dir("b/sdir", 06755);
	make_dir("b/closed", 0700);
	make_file("b/closed/f", 0600);
	need_ok(chmod("b/closed", 0) == 0 && mkfifo("b/pipe", 0600) == 0 &&
			symlink("/", "b/link") == 0 &&
			mknod("b/gone", S_IFCHR | 0600, 0) == 0,
		"what a guest leaves");
	need_ok(seteuid(0) == 0 && setegid(0) == 0, "becoming root");
	fd = open_path("b");
	tap_ok(grant_reclaim(fd, who1.uid, who1.gid, who1.owner, who1.owner_gid,
			     &st, &e) == 0 &&
		       st.edited == 6 && st.special == 2,
	       "files are given back");
	tap_ok(lstat("b/suid", &s) == 0 && s.st_uid == who1.owner &&
		       s.st_gid == who1.owner_gid &&
		       mode_of("b/suid") == 0755 && mode_of("b/sgid") == 0644 &&
		       mode_of("b/sdir") == 0755,
	       "without setuid and setgid");
	tap_ok(lstat("b/pipe", &s) < 0 && lstat("b/gone", &s) < 0,
	       "FIFOs and whiteouts are gone");
	tap_ok(lstat("b/closed/f", &s) == 0 && s.st_uid == who1.owner,
	       "closed directories are no refuge");
	tap_ok(lstat("b/link", &s) == 0 && s.st_uid == who1.owner &&
		       lstat("/", &s) == 0 && s.st_uid == 0,
	       "links are given back, not what they point to");
	need_ok(setegid(PLAIN_UID) == 0 && seteuid(PLAIN_UID) == 0 &&
			chmod("b/closed", 0700) == 0,
		"becoming the owner");
	tap_ok(take_back("b", &who1) == 0 && !has_acl("b/suid", ACCESS_NAME) &&
		       !has_acl("b/closed/f", ACCESS_NAME) &&
		       !has_acl("b/closed", DEFAULT_NAME),
	       "and then nothing of U is left");
	tap_ok(mode_of("b/mine") == 04755, "the owner's files are left alone");
	remove_tree("b");
}

static int write_map(pid_t pid, const char *file, unsigned id)
{
	char path[64], map[64];
	own_fd fd = -1;
	int n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	n = snprintf(map, sizeof(map), "%d %d 1\n%u %u 1\n", PLAIN_UID,
		     PLAIN_UID, id, id);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return write(fd, map, (size_t)n) == n ? 0 : -1;
}

/* In a namespace that has the owner, U and their groups, and no other id. */
static int reclaim_inside(const char *path)
{
	int up[2], down[2], status;
	struct grant_stats g;
	char c = 0;
	pid_t pid;

	need_ok(pipe(up) == 0 && pipe(down) == 0, "pipe");
	pid = fork();
	need_ok(pid >= 0, "fork");
	if (pid == 0) {
		int fd = open_path(path);

		if (unshare(CLONE_NEWUSER) < 0 || write(up[1], &c, 1) != 1 ||
		    read(down[0], &c, 1) != 1 ||
		    setresgid(PLAIN_UID, PLAIN_UID, PLAIN_UID) < 0 ||
		    setresuid(PLAIN_UID, PLAIN_UID, PLAIN_UID) < 0)
			_exit(2);
		_exit(grant_reclaim(fd, who1.uid, who1.gid, who1.owner,
				    who1.owner_gid, &g, &e) < 0);
	}
	need_ok(read(up[0], &c, 1) == 1 &&
			write_map(pid, "uid_map", who1.uid) == 0 &&
			write_map(pid, "gid_map", who1.gid) == 0 &&
			write(down[1], &c, 1) == 1 &&
			waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
			WEXITSTATUS(status) != 2,
		"a user namespace");
	for (int i = 0; i < 2; i++) {
		close(up[i]);
		close(down[i]);
	}
	return WEXITSTATUS(status);
}

static bool is_owners(const char *path)
{
	struct stat s;

	return lstat(path, &s) == 0 && s.st_uid == who1.owner;
}

/* Directories of U's in the tree of another group: our capabilities do not
 * reach into them before they are given back. */
static void test_team(void)
{
	make_dir("t", 0777);
	need_ok(seteuid(0) == 0 && chown("t", PLAIN_UID, 4444) == 0 &&
			chmod("t", 02777) == 0 && setgroups(0, NULL) == 0 &&
			setegid(who1.gid) == 0 && seteuid(who1.uid) == 0,
		"becoming U");
	need_ok(mkdir("t/closed", 0700) == 0 &&
			mkdir("t/closed/in", 0700) == 0 &&
			mkdir("t/shut", 0700) == 0,
		"what a guest leaves");
	make_file("t/closed/in/f", 0600);
	make_file("t/shut/f", 0600);
	need_ok(chmod("t/shut", 0) == 0 && seteuid(0) == 0 && setegid(0) == 0,
		"becoming root");
	tap_ok(reclaim_inside("t") == 0 && is_owners("t/closed"),
	       "in another group's tree directories are given back,");
	tap_ok(is_owners("t/closed/in") && is_owners("t/closed/in/f"),
	       "what is in those that were closed to all others,");
	tap_ok(is_owners("t/shut/f"), "and in those that nobody could open");
	make_dir("t/only", 0700);
	make_file("t/only/f", 0600);
	need_ok(chown("t/only/f", who1.uid, 4444) == 0 &&
			chown("t/only", who1.uid, 4444) == 0,
		"chown");
	tap_ok(reclaim_inside("t/only") == 0 && is_owners("t/only") &&
		       is_owners("t/only/f"),
	       "one that is the root, too");
	remove_tree("t");
	need_ok(setegid(PLAIN_UID) == 0 && seteuid(PLAIN_UID) == 0,
		"becoming the owner");
}

int main(void)
{
	bool acls = rig_start();

	if (!was_root) {
		tap_skip("U, other users and owners", "needs root");
	} else if (acls) {
		test_as_others();
		test_foreign();
		test_fixed();
		test_inherited();
		test_reclaim();
		test_team();
	}
	rig_tear_down();
	return tap_done();
}
