/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernel modules of the initramfs.  Runs in the guest as PID 1. */
#include "guest-init/init.h"

#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LIST_MAX 65536

int modules_open(void)
{
	return open("/modules", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void load(int dir, const char *file)
{
	own_fd fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0 && syscall(SYS_finit_module, fd, "", 0) == 0)
		return;
	/* There already, or for a processor that is another. */
	if (fd < 0 || (errno != EEXIST && errno != ENODEV))
		say("module %s: %s", file, strerror(errno));
}

/* One line of the list, `GROUP FILE`; file is NULL if the group is another. */
static const char *match(char *line, const char *group)
{
	size_t n = strlen(group);

	if (strncmp(line, group, n) || line[n] != ' ')
		return NULL;
	return line + n + 1;
}

void modules_load(int dir, const char *group)
{
	own_fd fd = openat(dir, "list", O_RDONLY | O_CLOEXEC);
	own_free char *list = NULL;
	char *save = NULL;
	ssize_t n;

	if (fd < 0)
		return;
	list = malloc(LIST_MAX);
	n = list ? read(fd, list, LIST_MAX - 1) : -1;
	if (n < 0)
		return;
	list[n] = '\0';
	for (char *line = strtok_r(list, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		const char *file = match(line, group);

		if (file && !strchr(file, '/'))
			load(dir, file);
	}
}

/* Removes the files of a flat directory. */
static void empty_directory(int dir)
{
	own_dir d = fdopendir(dir);
	struct dirent *ent;

	if (!d) {
		close(dir);
		return;
	}
	rewinddir(d);
	while ((ent = readdir(d)))
		if (ent->d_name[0] != '.')
			unlinkat(dirfd(d), ent->d_name, 0);
}

void modules_late(struct init *in)
{
	int dir = steal_fd(&in->modules), top = steal_fd(&in->initramfs);
	pid_t pid = fork();

	if (!pid) {
		modules_load(dir, "late");
		if (dir >= 0)
			empty_directory(dir);
		unlinkat(top, "init", 0);
		_exit(0);
	}
	if (pid < 0)
		say("no process for late modules: %s", strerror(errno));
	if (dir >= 0)
		close(dir);
	close(top);
}
