/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Texts that other programs show for a window of the guest: marked with the
 * VM's name, and without what could hide or move the mark.  Pure.
 */
#ifndef EDGE_WAYLAND_MARK_H
#define EDGE_WAYLAND_MARK_H

#include <stddef.h>

/* Bytes of what an application says of itself, and of the marked text. */
#define MARK_APP_ID_MAX 128u
#define MARK_TITLE_MAX 256u
#define MARK_ROOM 384u

/*
 * "vmrun.NAME.TEXT", with "unnamed" for an empty text, and "[NAME] TEXT", after
 * U+200E (left-to-right) where NAME has no letter.
 * Controls, bidirectional controls, line separators and what is no UTF-8 are
 * left out of text (n bytes), and it is cut between characters.  out has
 * MARK_ROOM; the result is its length, a NUL follows.
 */
size_t mark_app_id(char *out, const char *name, const char *text, size_t n);
size_t mark_title(char *out, const char *name, const char *text, size_t n);

#endif
