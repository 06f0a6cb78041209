/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ownership of descriptors and memory by scope.
 *
 * A variable that owns something is initialised where it is declared and
 * releases it when it goes out of scope; steal_fd() and steal_ptr() hand the
 * thing over to somebody else.  -1 means "no descriptor"; 0 is a valid one.
 */
#ifndef BASE_OWN_H
#define BASE_OWN_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Each of these keeps errno, so that an error path can still report it. */
static inline void own_close(int *fd)
{
	if (*fd >= 0) {
		int saved = errno;

		close(*fd);
		errno = saved;
		*fd = -1;
	}
}

static inline void own_free_ptr(void *p)
{
	int saved = errno;

	free(*(void **)p);
	*(void **)p = NULL;
	errno = saved;
}

static inline void own_closedir(DIR **d)
{
	if (*d) {
		int saved = errno;

		closedir(*d);
		errno = saved;
		*d = NULL;
	}
}

static inline void own_fclose(FILE **f)
{
	if (*f) {
		int saved = errno;

		fclose(*f);
		errno = saved;
		*f = NULL;
	}
}

#define own_fd __attribute__((cleanup(own_close))) int
#define own_free __attribute__((cleanup(own_free_ptr)))
#define own_dir __attribute__((cleanup(own_closedir))) DIR *
#define own_file __attribute__((cleanup(own_fclose))) FILE *

/* Returns the descriptor and leaves -1 behind: the caller owns it now. */
static inline int steal_fd(int *fd)
{
	int was = *fd;

	*fd = -1;
	return was;
}

static inline void *steal_void(void *pp)
{
	void *was = *(void **)pp;

	*(void **)pp = NULL;
	return was;
}

#define steal_ptr(pp) ((__typeof__(*(pp)))steal_void(pp))

#endif
