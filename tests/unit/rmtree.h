/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Removing what a test has made. */
#ifndef RMTREE_H
#define RMTREE_H

#include <ftw.h>
#include <stdio.h>

static inline int rmtree_one(const char *path, const struct stat *st, int type,
			     struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

/* A folder and everything in it, no link followed.  0; else errno says why. */
static inline int rmtree(const char *path)
{
	return nftw(path, rmtree_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
