/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vmrunctl: looks after running VMs, images and the machine's fitness.  The
 * person's own authority; refuses to have more.
 */
#include "base/err.h"
#include "base/log.h"
#include "host/ctl/cmd.h"
#include "host/probe/probe.h"

#include <stdio.h>
#include <string.h>

static const struct cmd commands[] = {
	{"ps", cmd_ps, "[--json]", "list running VMs"},
	{"stop", cmd_stop, "[--signal N] VM",
	 "ask the application to end (SIGTERM)"},
	{"kill", cmd_kill, "VM", "end a VM at once"},
	{"logs", cmd_logs, "VM",
	 "print what the guest's console and the helpers printed"},
	{"console", cmd_console, "VM", "follow the guest's console"},
	{"wayland", cmd_wayland, "VM",
	 "what a VM with windows sees of the compositor"},
	{"exec", cmd_exec,
	 "[-t|-T] [-e K[=V]] [--cwd DIR] VM -- COMMAND [ARG...]",
	 "run a second command in a VM"},
	{"alias", cmd_alias, "list|show|rename|forget ...",
	 "names that keep a UID and its grants"},
	{"grants", cmd_grants, "[--path PATH | --alias NAME] [--json]",
	 "who may touch what, and where the disk differs"},
	{"why", cmd_why, "PATH", "which VM may read or write a file, and why"},
	{"revoke", cmd_revoke, "NAME PATH", "take back what an alias has"},
	{"reclaim", cmd_reclaim, "[--all] PATH",
	 "give files that VMs left back to you"},
	{"gc", cmd_gc, "[--dry-run] [--deep] [--json]",
	 "put right what interrupted runs left"},
	{"image", cmd_image, "import|list|remove ...", "guest images"},
	{"net", cmd_net,
	 "list [--json] | check FILE|NAME | show|log|reload|stop NAME",
	 "rulesets, and the networks that use them"},
	{"doctor", cmd_doctor, "[--json]",
	 "check what vmrun needs on this machine"},
	{NULL, NULL, NULL, NULL},
};

static int usage(FILE *out)
{
	fputs("Usage: vmrunctl COMMAND [ARG...]\n\n", out);
	for (const struct cmd *c = commands; c->name; c++)
		fprintf(out, "  %-8s %s\n           %s\n", c->name, c->usage,
			c->help);
	fputs("\nVM is the number that `vmrunctl ps` shows, an alias, or the "
	      "name of a command\nthat only one VM runs.  See vmrunctl(1).\n",
	      out);
	return ferror(out) ? 1 : 0;
}

static int bad_usage(const char *what, const char *word)
{
	log_error("%s%s", what, word);
	log_error("hint: `vmrunctl --help` lists the commands");
	return 125;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;

	log_setup("vmrunctl", LOG_LEVEL_WARN);
	if (argc < 2)
		return bad_usage("a command is missing", "");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help"))
		return usage(stdout);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		return printf("vmrunctl %s\n", VMRUN_VERSION) < 0;
	if (probe_privilege(&e) < 0) {
		log_err(LOG_LEVEL_ERR, &e);
		return 125;
	}
	for (const struct cmd *c = commands; c->name; c++) {
		if (strcmp(argv[1], c->name))
			continue;
		if (argc > 2 &&
		    (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h")))
			return printf("Usage: vmrunctl %s %s\n  %s\n", c->name,
				      c->usage, c->help) < 0;
		return c->run(argc - 1, argv + 1);
	}
	return bad_usage("no such command: ", argv[1]);
}
