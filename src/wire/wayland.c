/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The policy of vmrun-wayland, encoded by vmrun and decoded in the sealed
 * program.  Pure.
 */
#include "wire/wayland.h"

#include "base/err.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void wayland_policy_free(struct wayland_policy *p)
{
	for (size_t i = 0; i < p->n_globals; i++)
		free(p->globals[i].interface);
	free(p->globals);
	free(p->name);
	memset(p, 0, sizeof(*p));
}

void wayland_policy_encode(struct buf *b, const struct wayland_policy *p)
{
	if (p->n_globals > WAYLAND_GLOBALS_MAX)
		b->bad = true;
	buf_put_u32(b, WAYLAND_VERSION);
	buf_put_str(b, p->name);
	buf_put_u32(b, (uint32_t)p->clipboard);
	buf_put_u32(b, p->clients);
	buf_put_u64(b, p->pool);
	buf_put_u64(b, p->memory);
	buf_put_u64(b, p->copies);
	buf_put_u32(b, (uint32_t)p->n_globals);
	for (size_t i = 0; i < p->n_globals; i++) {
		buf_put_str(b, p->globals[i].interface);
		buf_put_u32(b, p->globals[i].version);
	}
}

static void get_globals(struct rd *r, struct wayland_policy *p)
{
	uint32_t n = rd_u32(r);

	/* Each takes nine bytes at least. */
	if (r->bad || n > WAYLAND_GLOBALS_MAX || n > r->left / 9) {
		r->bad = true;
		return;
	}
	p->globals = calloc((size_t)n + 1, sizeof(*p->globals));
	if (!p->globals) {
		r->bad = true;
		return;
	}
	p->n_globals = n;
	for (size_t i = 0; i < n && !r->bad; i++) {
		p->globals[i].interface = rd_str(r, WAYLAND_INTERFACE_MAX);
		p->globals[i].version = rd_u32(r);
	}
}

static bool is_made_of(const char *s, const char *letters)
{
	return *s && s[strspn(s, letters)] == '\0';
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static int check_globals(const struct wayland_policy *p, struct err *e)
{
	for (size_t i = 0; i < p->n_globals; i++) {
		const struct wayland_global *g = &p->globals[i];

		if (!is_made_of(g->interface, LOWER DIGITS "_") || !g->version)
			return err_set(e, 0, "global %zu is none", i);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(p->globals[k].interface, g->interface))
				return err_set(e, 0, "%s is there twice",
					       g->interface);
	}
	return 0;
}

static int check(const struct wayland_policy *p, struct err *e)
{
	if (!is_made_of(p->name, LOWER UPPER DIGITS "_-"))
		return err_set(e, 0, "no name to mark windows with");
	if (!p->clients || p->clients > WAYLAND_CLIENTS_MAX)
		return err_set(e, 0, "%u clients are not possible", p->clients);
	if (!p->pool || p->pool > WAYLAND_POOL_MAX || p->memory < p->pool ||
	    !p->copies)
		return err_set(e, 0, "limits of shared memory");
	return check_globals(p, e);
}

int wayland_policy_decode(const void *bytes, size_t n, struct wayland_policy *p,
			  struct err *e)
{
	struct rd r;
	uint32_t clipboard;

	memset(p, 0, sizeof(*p));
	rd_init(&r, bytes, n);
	if (rd_u32(&r) != WAYLAND_VERSION)
		return err_set(e, 0, "the policy is of another version");
	p->name = rd_str(&r, WAYLAND_NAME_MAX);
	clipboard = rd_u32(&r);
	if (clipboard > WAYLAND_CLIPBOARD_BOTH)
		r.bad = true;
	p->clipboard = (enum wayland_clipboard)clipboard;
	p->clients = rd_u32(&r);
	p->pool = rd_u64(&r);
	p->memory = rd_u64(&r);
	p->copies = rd_u64(&r);
	get_globals(&r, p);
	if (r.bad || r.left)
		err_set(e, 0, "the policy is garbled");
	else if (check(p, e) == 0)
		return 0;
	wayland_policy_free(p);
	return -1;
}
