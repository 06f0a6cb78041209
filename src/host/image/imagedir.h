/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The folder of guest images on the disk: there is a whole image under a name,
 * or none.
 *
 * New things grow in a private folder .tmp-XXXXXXXX beside the images and are
 * renamed when they are complete and on the disk.  Whoever writes holds the
 * lock; what a killed import left behind is removed by the next one.
 */
#ifndef HOST_IMAGEDIR_H
#define HOST_IMAGEDIR_H

struct err;

#define IMAGEDIR_TMP_MAX 32

/* DATA_HOME/images, made if missing.  A descriptor of the caller's, or -1. */
int imagedir_open(const char *data_home, struct err *e);
/*
 * Waits for other writers and removes what dead ones left.  The lock lasts
 * until the returned descriptor is closed.
 */
int imagedir_lock(int images, struct err *e);

/* Makes a private folder.  Its descriptor is the caller's, its name in tmp. */
int imagedir_temp(int images, char tmp[IMAGEDIR_TMP_MAX], struct err *e);

/*
 * Removes a file or a whole tree; never follows a link.  What is not there is
 * removed already.
 */
int imagedir_remove(int dir, const char *name, struct err *e);

/* fsync()s tmp's folder `from`, then puts it in the place of images' `name`. */
int imagedir_publish(int images, int tmp, const char *from, const char *name,
		     struct err *e);
/* Takes images' `name` away at once, then removes it. */
int imagedir_withdraw(int images, const char *name, struct err *e);

#endif
