/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What looks like a private key.  Pure.
 *
 * A file that only its owner may read, and that is a secret by its name or its
 * first bytes, is not shared along with the directory that it is in: hardly
 * anybody who shares a project means the key in it, and an entry in its ACL
 * would show as group bits in its mode, for which ssh and others refuse it.
 */
#ifndef GRANT_KEYS_H
#define GRANT_KEYS_H

#include <stdbool.h>
#include <stddef.h>

/* As much of a file as key_starts() wants to see. */
#define KEY_BYTES 96u

/* By the name of a file: id_ed25519, server.key, .netrc ... */
bool key_name(const char *name);

/* By the name of a directory: .ssh, .gnupg ... */
bool key_dir(const char *name);

/* By a file's first bytes: PEM, OpenSSH, PGP, PuTTY, age. */
bool key_starts(const void *p, size_t n);

#endif
