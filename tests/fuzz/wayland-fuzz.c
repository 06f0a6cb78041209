/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sessions of the filter for windows: what clients and the compositor send.
 *
 * Input: chunks of u8 (1: from the compositor; 2, 4: the clipboard, in the
 * first chunk; 8: the second client), u8 (descriptors << 4 | what they are:
 * 0 a memory file, 1 one that takes no seals, else a pipe), u16 length in
 * little-endian order, bytes.  tests/sys/wayland-rig records such.
 *
 * Whatever comes: what goes to the compositor is framed, is of objects that it
 * knows, binds only what the policy has, and with the clipboard off sets no
 * selection and says no type of a drag; no window loses its mark.
 */
#include "filter.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE (16 << 20)

static struct wayland_global globals[] = {
	{"wl_compositor", 5},
	{"wl_subcompositor", 1},
	{"wl_shm", 1},
	{"wl_seat", 8},
	{"wl_output", 4},
	{"xdg_wm_base", 5},
	{"wl_data_device_manager", 3},
	{"wp_viewporter", 1},
	{"wp_presentation", 1},
	{"wp_fractional_scale_manager_v1", 1},
	{"wp_single_pixel_buffer_manager_v1", 1},
	{"wp_cursor_shape_manager_v1", 1},
	{"zxdg_decoration_manager_v1", 1},
	{"org_kde_kwin_server_decoration_manager", 1},
	{"zwp_text_input_manager_v3", 1},
	{"zwp_relative_pointer_manager_v1", 1},
	{"zwp_pointer_constraints_v1", 1},
	{"zwp_pointer_gestures_v1", 3},
	{"zwp_tablet_manager_v2", 1},
	{"zwp_primary_selection_device_manager_v1", 1},
	{"xdg_activation_v1", 1},
	{"zwp_linux_dmabuf_v1", 4},
};

static void no_log(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			abort();
}

static bool begins(const struct wire_message *m, size_t at, const char *with)
{
	return m->size >= at + strlen(with) &&
	       !memcmp(m->bytes + at, with, strlen(with));
}

static void check_bind(const struct filter *f, struct wire_message *m)
{
	uint16_t i;

	m->proto = &protocol[IF_WL_REGISTRY].requests[RQ_WL_REGISTRY_BIND];
	if (wire_args(m) < 0)
		abort();
	i = protocol_find(m->args[1].text, m->args[1].value);
	if (i == PROTOCOL_ANY || m->args[2].value > f->allowed[i])
		abort();
}

static void check(struct client *c, struct wire_message *m)
{
	uint32_t ours = m->id < WIRE_SERVER_ID
				? m->id
				: objects_ours(&c->objects, m->id);
	const struct object *o = objects_get(&c->objects, ours);

	/* destroyed since, or one that only the filter knows */
	if (!o || c->over || (m->id >= WIRE_SERVER_ID && ours < WIRE_SERVER_ID))
		return;
	if (m->opcode >= protocol[o->interface].n_requests)
		abort();
	if (o->interface == IF_WL_REGISTRY)
		check_bind(c->filter, m);
	if (o->interface == IF_WL_DATA_DEVICE &&
	    m->opcode == RQ_WL_DATA_DEVICE_SET_SELECTION &&
	    !(c->filter->policy->clipboard & WAYLAND_CLIPBOARD_OUT))
		abort();
	if (o->interface == IF_WL_DATA_SOURCE &&
	    m->opcode == RQ_WL_DATA_SOURCE_OFFER &&
	    !(c->filter->policy->clipboard & WAYLAND_CLIPBOARD_OUT) &&
	    !begins(m, 12, "application/x-vmrun-drag-"))
		abort();
	if (o->interface == IF_XDG_TOPLEVEL &&
	    m->opcode == RQ_XDG_TOPLEVEL_SET_TITLE && !begins(m, 12, "[web] "))
		abort();
	if (o->interface == IF_XDG_TOPLEVEL &&
	    m->opcode == RQ_XDG_TOPLEVEL_SET_APP_ID &&
	    !begins(m, 12, "vmrun.web."))
		abort();
}

/* What waits is looked at and dropped. */
static void drain(struct client *c, struct link *l, bool host)
{
	for (size_t i = 0; i < l->n_fds; i++)
		close(l->fds[i].fd);
	l->n_fds = 0;
	while (l->at < l->len) {
		struct wire_message m;

		if (wire_next(l->out + l->at, l->len - l->at, &m) != WIRE_ONE)
			abort();
		if (host)
			check(c, &m);
		l->at += m.size;
	}
	l->at = l->len = 0;
}

static void give(struct link *l, unsigned what)
{
	for (unsigned i = 0; i < what >> 4 && l->n_in < LINK_FDS_IN; i++) {
		int fd, p[2];

		if ((what & 15) > 1) {
			if (pipe(p) < 0)
				return;
			close(p[0]);
			fd = p[1];
		} else {
			fd = memfd_create("fuzz",
					  what & 1 ? 0 : MFD_ALLOW_SEALING);
			if (fd < 0 || ftruncate(fd, SIZE) < 0)
				abort();
		}
		l->in[l->n_in++] = fd;
	}
}

static void feed(struct client *c, bool host, const uint8_t *p, size_t n)
{
	static unsigned char room[LINK_READ];
	struct link *l = host ? &c->host : &c->guest;
	size_t have = l->n_rest;
	ssize_t used;

	if (c->over)
		return;
	if (have)
		memcpy(room, l->rest, have);
	l->n_rest = 0;
	memcpy(room + have, p, n);
	have += n;
	do {
		used = host ? client_from_host(c, room, have)
			    : client_from_guest(c, room, have);
		if (used < 0 && !c->over)
			abort();
		if (used < 0)
			return;
		have -= (size_t)used;
		memmove(room, room + used, have);
	} while (!host && c->later);
	if (link_keep(l, room, have) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static char name[] = "web";
	struct wayland_policy policy = {
		.name = name,
		.clipboard = n ? (enum wayland_clipboard)(*p >> 1 & 3)
			       : WAYLAND_CLIPBOARD_OFF,
		.clients = 2,
		.pool = SIZE,
		.memory = 2 * SIZE,
		.copies = SIZE,
		.globals = globals,
		.n_globals = sizeof(globals) / sizeof(globals[0]),
	};
	struct filter f;
	struct client *c[2];

	filter_init(&f, &policy, no_log, NULL);
	c[0] = client_new(&f, 1);
	c[1] = client_new(&f, 2);
	while (n > 4) {
		struct client *to = c[*p >> 3 & 1];
		bool host = *p & 1;
		size_t len = (size_t)(p[2] | p[3] << 8);

		if (len > n - 4)
			len = n - 4;
		give(host ? &to->host : &to->guest, p[1]);
		feed(to, host, p + 4, len);
		f.now_ms += 7;
		for (int i = 0; i < 2; i++) {
			drain(c[i], &c[i]->host, true);
			drain(c[i], &c[i]->guest, false);
		}
		p += 4 + len;
		n -= 4 + len;
	}
	filter_free(&f);
	return 0;
}
