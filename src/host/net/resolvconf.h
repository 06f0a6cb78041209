/* SPDX-License-Identifier: GPL-3.0-or-later */
/* resolv.conf(5) of this machine: whom it names, and when that may have
 * changed; only looks. */
#ifndef HOST_NET_RESOLVCONF_H
#define HOST_NET_RESOLVCONF_H

struct err;

#define RESOLVCONF_PATH "/etc/resolv.conf"

/* Pure: adds the addresses of its `nameserver` lines, for strv_free(). */
int resolvconf_parse(const char *text, char ***servers, struct err *e);
/* The same of a file; one that is not there names nobody. */
int resolvconf_read(const char *path, char ***servers, struct err *e);

/*
 * A descriptor that is readable when the file may have changed: was written,
 * replaced, removed, made, or is the end of another symbolic link.
 */
int resolvconf_watch(const char *path, struct err *e);
/* Reads it empty, and watches what the file is now. */
void resolvconf_seen(int fd, const char *path);

#endif
