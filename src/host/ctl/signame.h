/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of signals. */
#ifndef HOST_SIGNAME_H
#define HOST_SIGNAME_H

/* "15", "TERM", "SIGTERM" -> 15; -1 for anything else. */
int signame_parse(const char *s);

#endif
