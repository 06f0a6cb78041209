/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lock files and the boot id.  The person's own authority. */
#include "state/runlock.h"

#include "base/err.h"
#include "base/io.h"
#include "base/own.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
#define NAME_MAX_LEN 32
#define BYTE_ENDING 1

static void lock_name(char name[NAME_MAX_LEN], int64_t run)
{
	snprintf(name, NAME_MAX_LEN, "%" PRId64, run);
}

int lock_byte(int fd, int64_t byte, enum lock_how how)
{
	static const short type[] = {
		[LOCK_HOW_SHARED] = F_RDLCK,
		[LOCK_HOW_ALONE] = F_WRLCK,
		[LOCK_HOW_NONE] = F_UNLCK,
	};
	struct flock l = {
		.l_type = type[how],
		.l_whence = SEEK_SET,
		.l_start = byte,
		.l_len = 1,
	};

	if (fcntl(fd, F_OFD_SETLK, &l) == 0)
		return 0;
	if (errno == EACCES)
		errno = EAGAIN;
	return -1;
}

int runlock_dir(int dir, struct err *e)
{
	int fd;

	if (mkdirat(dir, "locks", 0700) < 0 && errno != EEXIST)
		return err_set(e, errno, "making the directory of lock files");
	fd = openat(dir, "locks",
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_set(e, errno, "opening the directory of lock files");
	return fd;
}

/* The name still leads to this file: nobody removed it meanwhile. */
static int is_named(int locks, const char *name, int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 &&
	       fstatat(locks, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int runlock_take(int locks, int64_t run, int *fd, struct err *e)
{
	char name[NAME_MAX_LEN];

	lock_name(name, run);
	for (;;) {
		own_fd f =
			openat(locks, name,
			       O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (f < 0)
			return err_set(e, errno, "opening lock file %s", name);
		if (lock_byte(f, 0, LOCK_HOW_ALONE) < 0) {
			if (errno == EAGAIN)
				return 0;
			return err_set(e, errno, "locking lock file %s", name);
		}
		/* Else it was removed between open and lock: once more. */
		if (is_named(locks, name, f)) {
			*fd = steal_fd(&f);
			return 1;
		}
	}
}

/* Has anybody a lock on these bytes?  As runlock_held(). */
static int ask(int locks, int64_t run, int64_t first, int64_t n, struct err *e)
{
	struct flock l = {.l_type = F_WRLCK,
			  .l_whence = SEEK_SET,
			  .l_start = first,
			  .l_len = n};
	char name[NAME_MAX_LEN];
	own_fd fd = -1;

	lock_name(name, run);
	fd = openat(locks, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		if (errno == ENOENT)
			return 0;
		return err_set(e, errno, "opening lock file %s", name);
	}
	if (fcntl(fd, F_OFD_GETLK, &l) < 0)
		return err_set(e, errno, "asking lock file %s", name);
	return l.l_type != F_UNLCK;
}

int runlock_held(int locks, int64_t run, struct err *e)
{
	return ask(locks, run, 0, 0, e);
}

/* For a message only: what cannot be had is done without. */
void runlock_end(int fd)
{
	(void)lock_byte(fd, BYTE_ENDING, LOCK_HOW_ALONE);
}

int runlock_ending(int locks, int64_t run, struct err *e)
{
	return ask(locks, run, BYTE_ENDING, 1, e);
}

void runlock_remove(int locks, int64_t run)
{
	char name[NAME_MAX_LEN];

	lock_name(name, run);
	unlinkat(locks, name, 0);
}

void runlock_sweep(int locks, int (*ended)(void *arg, int64_t run), void *arg)
{
	own_dir d = NULL;
	struct dirent *de;
	int fd = fcntl(locks, F_DUPFD_CLOEXEC, 0);

	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		own_close(&fd);
		return;
	}
	rewinddir(d);
	while ((de = readdir(d))) {
		char *end;
		long long run = strtoll(de->d_name, &end, 10);

		if (run > 0 && !*end && ended(arg, run) == 1)
			unlinkat(locks, de->d_name, 0);
	}
}

int boot_id_read(char *out, size_t size, struct err *e)
{
	own_fd fd = open(BOOT_ID_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return err_set(e, errno, BOOT_ID_FILE);
	n = io_read_full(fd, out, size - 1);
	if (n < 0)
		return err_set(e, errno, BOOT_ID_FILE);
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	if (!*out)
		return err_set(e, 0, BOOT_ID_FILE " is empty");
	return 0;
}
