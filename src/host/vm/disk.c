/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Single-use disks.  The person's own authority; mke2fs writes, the guest's
 * kernel is the only reader.
 *
 * A file of fixed size is the one limit on disk space that needs neither root
 * nor project quotas, and the one that the guest cannot argue with.
 */
#include "host/vm/disk.h"

#include "base/err.h"
#include "base/own.h"
#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int format_ext4(int fd, uid_t uid, gid_t gid, struct err *e)
{
	static const char *const places[] = {"/usr/sbin/mke2fs", "/sbin/mke2fs",
					     "/usr/bin/mke2fs", NULL};
	const char *path = proc_find(places);
	char extended[96];
	/* No journal: the file system does not outlive the VM. */
	const char *argv[] = {"mke2fs", "-q", "-F",	      "-t",
			      "ext4",	"-O", "^has_journal", "-m",
			      "0",	"-E", extended,	      "/proc/self/fd/3",
			      NULL};
	char *env[] = {NULL};
	const struct proc_fd fds[] = {{STDERR_FILENO, STDERR_FILENO}, {fd, 3}};
	struct proc_spec s = {.path = path,
			      .argv = (char *const *)(uintptr_t)argv,
			      .envp = env,
			      .fds = fds,
			      .n_fds = 2,
			      .keep_mask = true};
	struct child c = CHILD_NONE;

	if (!path) {
		err_set(e, ENOENT, "mke2fs");
		return err_hint(e, "install it: sudo apt install e2fsprogs");
	}
	snprintf(extended, sizeof(extended),
		 "lazy_itable_init=1,nodiscard,root_owner=%u:%u", (unsigned)uid,
		 (unsigned)gid);
	if (proc_spawn(&s, &c, e) < 0)
		return -1;
	if (child_wait(&c) != 0)
		return err_set(e, 0, "mke2fs failed; its message is above");
	return 0;
}

int disk_make(const char *where, uint64_t size, uid_t uid, gid_t gid,
	      struct err *e)
{
	own_fd fd = open(where, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set(e, errno, "making a disk in %s", where);
	if (ftruncate(fd, (off_t)size) < 0)
		return err_set(e, errno, "making a disk of %llu bytes in %s",
			       (unsigned long long)size, where);
	if (format_ext4(fd, uid, gid, e) < 0)
		return err_wrap(e, "making a disk in %s", where);
	return steal_fd(&fd);
}
