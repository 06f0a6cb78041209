/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nix and Guix stores: which paths are items, and what an item needs.
 *
 * An item of a store refers to other items by absolute path; all of them
 * together, its closure, must be visible for it to work.  The store's own tool
 * knows the closure.
 */
#ifndef HOST_STORE_H
#define HOST_STORE_H

#include <stdbool.h>
#include <stddef.h>

struct err;

/* An answer with more items, or more bytes, is refused. */
#define STORE_ITEMS_MAX 8192u
#define STORE_OUTPUT_MAX (2u * 1024 * 1024)

/*
 * A canonical path that is an item of a store, or below one:
 * /nix/store/HASH-NAME[/…], /gnu/store/HASH-NAME[/…].  Pure.
 */
bool store_is(const char *path);

/* The item that such a path is in, the caller's; NULL if it is no such path. */
char *store_item(const char *path);

/*
 * The closure of the item that `path` is in, itself among it, as a
 * NULL-terminated vector for strv_free().  Runs nix-store or guix.
 */
int store_closure(const char *path, char ***paths, struct err *e);

/*
 * Reads the tool's answer: one item of the same store as `item` in each line,
 * `item` among them.  Pure.
 */
int store_parse(const char *item, const void *text, size_t n, char ***paths,
		struct err *e);

/* The bin folder of the item that `path` is in; NULL if it has none. */
char *store_bin(const char *path);

#endif
