/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan of a firewall: no share, no application.  Part of vmrun; reads the
 * descriptor that nft's input comes from. */
#include "host/plan/planint.h"

#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/text.h"

#include <errno.h>
#include <string.h>

static int read_rules(struct plan *p, struct err *e)
{
	own_free char *text = malloc(LAUNCH_FIREWALL_MAX + 2);
	int fd = p->opt->firewall_fd;
	ssize_t n;

	if (!text)
		return err_set(e, ENOMEM, "--firewall");
	n = io_read_full(fd, text, LAUNCH_FIREWALL_MAX + 1);
	if (n < 0)
		return err_set(e, errno, "--firewall: descriptor %d", fd);
	if (n > (ssize_t)LAUNCH_FIREWALL_MAX)
		return err_set(e, 0, "--firewall: more than %u KiB",
			       LAUNCH_FIREWALL_MAX / 1024);
	if (!n)
		return err_set(e, 0,
			       "--firewall: there are no rules in descriptor "
			       "%d",
			       fd);
	if (memchr(text, 0, (size_t)n))
		return err_set(e, 0, "--firewall: that is not text");
	text[n] = '\0';
	p->firewall = steal_ptr(&text);
	return 0;
}

int plan_firewall(struct plan *p, struct err *e)
{
	p->home = text_dup("/", e);
	p->cwd = text_dup("/", e);
	p->shell = text_dup("", e);
	return p->home && p->cwd && p->shell ? read_rules(p, e) : -1;
}
