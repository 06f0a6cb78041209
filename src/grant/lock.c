/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lock that orders all edits of one person.  See grant.h. */
#include "grant/grant.h"

#include "base/err.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PID_TEXT 16

static struct flock whole(void)
{
	const struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return l;
}

int grant_lock_open(int state_dir, struct err *e)
{
	int fd = openat(state_dir, "grant.lock",
			O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set(e, errno, "opening grant.lock");
	return fd;
}

/* Whoever has it wrote his number; the kernel does not tell it. */
static pid_t written(int fd)
{
	char text[PID_TEXT + 1] = "";
	ssize_t n = pread(fd, text, PID_TEXT, 0);
	long pid;

	if (n <= 0)
		return 0;
	pid = strtol(text, NULL, 10);
	return pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

/* For a message only, so that a full disk is no error. */
static void write_mine(int fd)
{
	char text[PID_TEXT];
	int n = snprintf(text, sizeof(text), "%-10d\n", (int)getpid());

	if (pwrite(fd, text, (size_t)n, 0) < 0)
		return;
}

int grant_lock_try(int fd, pid_t *holder, struct err *e)
{
	struct flock l = whole();

	if (fcntl(fd, F_OFD_SETLK, &l) == 0) {
		write_mine(fd);
		return 1;
	}
	if (errno != EAGAIN && errno != EACCES)
		return err_set(e, errno, "locking grant.lock");
	*holder = written(fd);
	return 0;
}

int grant_lock_wait(int fd, struct err *e)
{
	struct flock l = whole();

	while (fcntl(fd, F_OFD_SETLKW, &l) < 0)
		if (errno != EINTR)
			return err_set(e, errno, "locking grant.lock");
	return 0;
}
