/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Control messages, both directions: any bytes.  The encoding is canonical, so
 * whatever is accepted must encode to the bytes that it came from.
 */
#include "fuzz.h"

#include "base/err.h"
#include "wire/control.h"

#include <stdlib.h>
#include <string.h>

static void encode_guest(struct buf *b, const struct ctl_guest_msg *m)
{
	switch (m->type) {
	case CTL_HELLO:
		ctl_put_hello(b);
		break;
	case CTL_STARTED:
	case CTL_READY:
		ctl_put_session(b, m->type, m->session);
		break;
	case CTL_EXIT:
		ctl_put_exit(b, m->session, (enum ctl_exit)m->kind, m->value,
			     m->text);
		break;
	case CTL_LOG:
		ctl_put_log(b, m->level, m->text);
		break;
	case CTL_ASK_CLOCK:
		ctl_put_ask_clock(b);
		break;
	case CTL_LAUNCH:
	case CTL_EXEC:
	case CTL_SIGNAL:
	case CTL_WINSIZE:
	case CTL_CLOCK:
	case CTL_STOP:
		abort(); /* the guest may not say this */
	}
}

static void encode_host(struct buf *b, const struct ctl_host_msg *m)
{
	switch (m->type) {
	case CTL_LAUNCH:
		ctl_put_launch(b, &m->launch);
		break;
	case CTL_EXEC:
		ctl_put_exec(b, &m->exec);
		break;
	case CTL_SIGNAL:
		ctl_put_signal(b, m->session, m->signo);
		break;
	case CTL_WINSIZE:
		ctl_put_winsize(b, m->session, &m->win);
		break;
	case CTL_CLOCK:
		ctl_put_clock(b, m->clock_ns);
		break;
	case CTL_STOP:
		ctl_put_stop(b);
		break;
	case CTL_HELLO:
	case CTL_STARTED:
	case CTL_READY:
	case CTL_EXIT:
	case CTL_LOG:
	case CTL_ASK_CLOCK:
		abort(); /* the host may not say this */
	}
}

static void compare(struct buf *b, const uint8_t *data, size_t n)
{
	if (b->bad || b->len != n || memcmp(b->data, data, n))
		abort();
	buf_free(b);
}

static void try_guest(const uint8_t *data, size_t n)
{
	struct err e = ERR_INIT;
	struct ctl_guest_msg m;
	struct buf b;
	size_t used;

	if (ctl_get_guest(data, n, &used, &m, &e) != 1)
		return;
	/* HELLO of another version is let through for a better message. */
	if (m.type == CTL_HELLO && m.version != CTL_VERSION)
		return;
	buf_init(&b, CTL_GUEST_MAX);
	encode_guest(&b, &m);
	compare(&b, data, used);
}

static void try_host(const uint8_t *data, size_t n)
{
	struct err e = ERR_INIT;
	struct ctl_host_msg m;
	struct buf b;
	size_t used;

	if (ctl_get_host(data, n, &used, &m, &e) != 1)
		return;
	buf_init(&b, CTL_HOST_MAX);
	encode_host(&b, &m);
	compare(&b, data, used);
	launch_free(&m.launch);
	session_spec_free(&m.exec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	try_guest(data, n);
	try_host(data, n);
	return 0;
}
