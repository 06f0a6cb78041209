/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Readiness by $NOTIFY_SOCKET.  Runs in the guest as PID 1; the messages come
 * from any program of the VM.
 */
#include "guest-init/init.h"

#include "base/own.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

int notify_open(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = NOTIFY_PATH};
	int on = 1,
	    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 &&
	    (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	     setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
	     chmod(NOTIFY_PATH, 0666) < 0))
		own_close(&fd);
	if (fd < 0)
		say("%s: %s", NOTIFY_PATH, strerror(errno));
	return fd;
}

static bool says_ready(char *text)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (!strcmp(line, "READY=1"))
			return true;
	return false;
}

/* Who sent it, by the kernel's word; 0 if it does not say. */
static pid_t sender(struct msghdr *m)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
		struct ucred who;

		if (h->cmsg_level != SOL_SOCKET ||
		    h->cmsg_type != SCM_CREDENTIALS)
			continue;
		memcpy(&who, CMSG_DATA(h), sizeof(who));
		return who.pid;
	}
	return 0;
}

void notify_read(struct init *in)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} c;
	char text[4096];
	struct iovec iov = {.iov_base = text, .iov_len = sizeof(text) - 1};
	/* No room for descriptors: the kernel closes those that come. */
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = c.room,
			   .msg_controllen = sizeof(c.room)};
	ssize_t n = recvmsg(in->notify, &m, MSG_CMSG_CLOEXEC);

	if (n < 0)
		return;
	text[n] = '\0';
	if (says_ready(text))
		session_ready(in, session_of(in, sender(&m)));
}
