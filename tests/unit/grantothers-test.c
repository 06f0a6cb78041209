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
#include <stdbool.h>
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

int main(void)
{
	bool acls = rig_start();

	if (!was_root) {
		tap_skip("U, other users and owners", "needs root");
	} else if (acls) {
		test_as_others();
		test_foreign();
		test_reclaim();
	}
	rig_tear_down();
	return tap_done();
}
