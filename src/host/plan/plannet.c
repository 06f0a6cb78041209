/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --net: is there such a ruleset, and what it needs?  Part of vmrun; only
 * looks. */
#include "host/plan/planint.h"

#include "base/err.h"
#include "host/net/netaddr.h"
#include "host/net/netproto.h"
#include "host/net/passt.h"
#include "host/net/ruleset.h"
#include "host/text.h"

#include <string.h>

static int find_ruleset(struct plan *p, struct err *e)
{
	const char *dirs[] = {p->facts->config_home, VMRUN_SYSCONFDIR,
			      VMRUN_DATADIR, NULL};
	struct ruleset r;

	if (ruleset_find(&r, p->opt->net, dirs, e) < 0)
		return -1;
	p->net_file = text_dup(r.path, e);
	ruleset_free(&r);
	return p->net_file ? 0 : -1;
}

static int add_card(struct plan *p, struct err *e)
{
	struct plan_nic *n = &p->nics[p->n_nics];

	if (p->n_nics == NICS_MAX)
		return err_set(e, 0, "more than %u network cards", NICS_MAX);
	*n = (struct plan_nic){.link = LINK_MESSAGES, .fd = -1};
	netaddr_client(NET_HOST_FIRST, &n->nic);
	p->n_nics++;
	return 0;
}

int plan_net(struct plan *p, struct err *e)
{
	const char *name = p->opt->net;

	if (!name || !strcmp(name, "none"))
		return 0;
	if (find_ruleset(p, e) < 0)
		return err_wrap(e, "--net");
	if (!passt_find()) {
		err_set(e, 0, "--net: passt is not installed");
		return err_hint(e, "sudo apt install passt");
	}
	p->net = text_dup(name, e);
	return p->net ? add_card(p, e) : -1;
}
