/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What finding and making guest images agree on. */
#ifndef HOST_IMAGENAME_H
#define HOST_IMAGENAME_H

#include "host/image/guestimage.h"

/* "format" in image.json; changed when one side cannot use
 * what the other made. */
#define IMAGE_FORMAT 3

/* Refuses what is not a plain file name. */
int imagename_check(const char *name, struct err *e);

#endif
