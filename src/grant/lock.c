/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lock that orders all edits of one person.  See grant.h. */
#include "grant/grant.h"

#include "base/err.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>

int grant_lock(int state_dir, struct err *e)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	own_fd fd = openat(state_dir, "grant.lock",
			   O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set(e, errno, "opening grant.lock");
	while (fcntl(fd, F_OFD_SETLKW, &whole) < 0)
		if (errno != EINTR)
			return err_set(e, errno, "locking grant.lock");
	return steal_fd(&fd);
}
