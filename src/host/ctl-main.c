/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vmrunctl: looks after running VMs, images and the machine's fitness.  The
 * person's own authority; refuses to have more.
 */
#include "base/err.h"
#include "base/log.h"
#include "host/ctl/cmd.h"
#include "host/probe/probe.h"
#include "proc/inherit.h"

#include <ctype.h>
#include <stdbool.h>
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
	 "[-t|--tty | -T|--no-tty] [-e|--env K[=V]] [--cwd DIR]\n"
	 "           VM -- COMMAND [ARG...]",
	 "run a second command in a VM"},
	{"alias", cmd_alias,
	 "list [--json] | show [--json] NAME | rename OLD NEW |\n"
	 "           forget [--delete-home] NAME",
	 "names that keep a UID, its grants, and a home"},
	{"grants", cmd_grants, "[--path PATH | --alias NAME] [--json]",
	 "who may touch what, and where the disk differs"},
	{"why", cmd_why, "PATH", "which VM may read or write a file, and why"},
	{"revoke", cmd_revoke, "NAME PATH", "take back what an alias has"},
	{"reclaim", cmd_reclaim, "[--all] PATH",
	 "give files that VMs left back to you"},
	{"gc", cmd_gc, "[--dry-run] [--deep] [--json]",
	 "put right what interrupted runs left"},
	{"image", cmd_image,
	 "import [--name NAME] [--installed |\n"
	 "           --deb FILE [--deb FILE...] | --kernel FILE "
	 "[--modules DIR]] |\n"
	 "           list [--json] | remove NAME",
	 "guest images"},
	{"net", cmd_net,
	 "list [--json] | check FILE|NAME | show|log|reload|stop NAME |\n"
	 "           tap [--name NAME] [--ip IP/PREFIX] [--vnet-hdr] "
	 "[--fd N | --listen PATH]\n"
	 "           -- COMMAND [ARG...] | tap --from N --listen PATH",
	 "rulesets, and the networks that use them"},
	{"doctor", cmd_doctor, "[--json]",
	 "check what vmrun needs on this machine"},
	{NULL, NULL, NULL, NULL},
};

static int usage(void)
{
	printf("Usage: vmrunctl COMMAND [ARG...]\n\n");
	for (const struct cmd *c = commands; c->name; c++)
		printf("  %-8s %s\n           %s\n", c->name, c->usage,
		       c->help);
	printf("\nVM is the number that `vmrunctl ps` shows, an alias, or the "
	       "name of a command\nthat only one VM runs.  See "
	       "vmrunctl(1).\n");
	return 0;
}

static int bad_usage(const char *what, const char *word)
{
	log_error("%s%s", what, word);
	log_error("hint: `vmrunctl --help` lists the commands");
	return 125;
}

/* VERB --help, and VERB VERB --help: a usage in small letters is of verbs. */
static bool asks_help(const struct cmd *c, int argc, char **argv)
{
	int end = islower((unsigned char)c->usage[0]) ? 4 : 3;

	for (int i = 2; i < argc && i < end; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

static int run(int argc, char **argv)
{
	struct err e = ERR_INIT;

	if (argc < 2)
		return bad_usage("a command is missing", "");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help"))
		return usage();
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("vmrunctl %s\n", VMRUN_VERSION);
		return 0;
	}
	if (probe_privilege(&e) < 0) {
		log_err(LOG_LEVEL_ERR, &e);
		return 125;
	}
	for (const struct cmd *c = commands; c->name; c++) {
		if (strcmp(argv[1], c->name))
			continue;
		if (asks_help(c, argc, argv)) {
			printf("Usage: vmrunctl %s %s\n  %s\n", c->name,
			       c->usage, c->help);
			return 0;
		}
		return c->run(argc - 1, argv + 1);
	}
	return bad_usage("no such command: ", argv[1]);
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	int status;

	log_setup("vmrunctl", LOG_LEVEL_WARN);
	if (proc_begin(&e) < 0) {
		log_err(LOG_LEVEL_ERR, &e);
		return 125;
	}
	status = run(argc, argv);
	return log_output(status);
}
