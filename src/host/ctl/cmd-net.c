/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmrunctl net: rulesets, and the networks that are in use. */
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "base/own.h"
#include "host/ctl/cmd.h"
#include "host/net/netconf.h"
#include "host/net/netlog.h"
#include "host/net/netproto.h"
#include "host/net/ruleset.h"
#include "host/plan/plan.h"
#include "host/text.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

struct net_ctl {
	struct facts facts;
	const char *dirs[4]; /* where rulesets are, ended by NULL */
};

static int failed(const struct err *e)
{
	log_err(LOG_LEVEL_ERR, e);
	return 125;
}

static int usage(const char *what)
{
	log_error("net: usage: vmrunctl net %s", what);
	return 125;
}

/* What its configuration says, or what is wrong with that. */
static void list_one(const struct net_ctl *c, const struct ruleset_entry *r,
		     struct json *one)
{
	char shown[TEXT_SHOWN], way[TEXT_SHOWN + 8];
	struct err e = ERR_INIT;
	struct netconf n;
	bool good = netconf_find(&n, r->name, c->dirs, &e) == 0;

	json_set_str(one, "name", r->name);
	json_set_str(one, "file", r->path);
	if (!one)
		printf("%-16s %s", r->name,
		       text_show(shown, sizeof(shown), r->path));
	if (!good) {
		json_set_str(one, "error", e.msg);
		if (!one)
			printf("  %s\n",
			       text_show(shown, sizeof(shown), e.msg));
		return;
	}
	netconf_text(&n, way, sizeof(way));
	json_set_str(one, "uplink", way);
	json_set_str(one, "bridge", netconf_bridge(&n));
	if (!one)
		printf("  uplink %s  bridge %s\n", way, netconf_bridge(&n));
	netconf_free(&n);
}

static int net_list(const struct net_ctl *c, int argc, char **argv)
{
	bool json = argc == 2 && !strcmp(argv[1], "--json");
	struct json *all = json ? json_new_array() : NULL;
	struct ruleset_entry *list;
	struct err e = ERR_INIT;
	int status = 0;
	size_t n;

	if (argc > 1 && !json)
		return usage("list [--json]");
	if (ruleset_list(c->dirs, &list, &n, &e) < 0)
		return failed(&e);
	for (size_t i = 0; i < n; i++) {
		struct json *one = json ? json_new_object() : NULL;

		list_one(c, &list[i], one);
		json_add(all, one);
	}
	if (json)
		status = json_print(all, JSON_PRETTY, stdout) < 0;
	json_free(all);
	ruleset_list_free(list, n);
	return status;
}

/* The way out of a network, and of its net VM. */
static int check_way(const struct net_ctl *c, const char *name)
{
	struct err e = ERR_INIT;
	bool passt;

	return netconf_check(name, c->dirs, &passt, &e) < 0 ? failed(&e) : 0;
}

/* A file if it looks like a path, else the name of a ruleset. */
static int check_rules(const struct net_ctl *c, const char *name)
{
	struct err e = ERR_INIT;
	struct ruleset r;
	int status;

	if (strchr(name, '/'))
		status = ruleset_read(&r, name, c->dirs, &e);
	else
		status = ruleset_find(&r, name, c->dirs, &e);
	if (status < 0)
		return failed(&e);
	status = ruleset_check(&r, &e) < 0 ? failed(&e) : 0;
	ruleset_free(&r);
	return status;
}

static int net_check(const struct net_ctl *c, int argc, char **argv)
{
	int status;

	if (argc != 2)
		return usage("check FILE|NAME");
	if (netconf_is_vm(argv[1]))
		return check_way(c, argv[1]);
	status = check_rules(c, argv[1]);
	if (status == 0 && !strchr(argv[1], '/'))
		status = check_way(c, argv[1]);
	return status;
}

/* 1 and *r: a record, and *fd; 0: the end; -1: said. */
static int next_record(int sock, struct net_record *r, int *fd)
{
	struct err e = ERR_INIT;
	int got;

	own_close(fd);
	got = net_recv(sock, r, fd, &e);

	if (got < 0)
		log_err(LOG_LEVEL_ERR, &e);
	return got;
}

static bool is_network(const char *name)
{
	return ruleset_is_name(name) || netconf_is_vm(name);
}

/* A net VM needs no file.  In doubt it is there. */
static bool is_there(const struct net_ctl *c, const char *name)
{
	struct err e = ERR_INIT;

	for (const char *const *d = c->dirs; *d; d++) {
		own_free char *path = text_fmt(&e, "%s/net/%s.nft", *d, name);

		if (!path || io_find(path, &e) != 0)
			return true;
	}
	return netconf_is_vm(name);
}

/* Whose service would be there but for what is said. */
static void say_waiting(const struct net_ctl *c, const char *name)
{
	log_error("net: the service of network %s does not run; machines wait "
		  "for it",
		  name);
	if ((netconf_is_vm(name) || check_rules(c, name) == 0) &&
	    check_way(c, name) == 0)
		log_error("hint: they start it again within a minute");
}

static void say_unused(const struct net_ctl *c, const char *name, int dir)
{
	if (dir >= 0 && net_is_used(dir)) {
		say_waiting(c, name);
		return;
	}
	if (is_there(c, name)) {
		log_error("net: nobody uses network %s now", name);
		return;
	}
	log_error("net: there is no ruleset \"%s\"", name);
	log_error("hint: %s.nft would be in %s/net, %s/net or %s/net; "
		  "`vmrunctl net list` shows those that are there",
		  name, c->dirs[0], c->dirs[1], c->dirs[2]);
}

/* Connects to the service of a network and asks; -1: said. */
static int ask(const struct net_ctl *c, const char *name, enum net_kind kind,
	       int *status)
{
	struct net_record r = {.version = NET_VERSION, .kind = kind};
	own_fd dir = -1, sock = -1;

	*status = 125;
	if (!is_network(name)) {
		log_error("net: that is not the name of a ruleset, nor "
			  "vm:NAME");
		return -1;
	}
	dir = net_find(c->facts.runtime, name);
	sock = dir < 0 ? -1 : net_connect(dir, true);
	if (sock < 0) {
		say_unused(c, name, dir);
		*status = 1;
		return -1;
	}
	if (net_send(sock, &r, -1) < 0) {
		log_error("net: the service of %s is gone", name);
		return -1;
	}
	return steal_fd(&sock);
}

/* Its lines are printed; 0 at its DONE, which is *r, and *fd is the caller's.
 */
static int hear(int sock, const char *name, struct net_record *r, int *fd)
{
	int got;

	while ((got = next_record(sock, r, fd)) > 0 && r->kind == NET_ROW)
		printf("%s\n", r->text);
	if (got > 0 && r->kind == NET_FAILED) {
		log_error("net: %s", r->text);
		if (r->hint[0])
			log_error("hint: %s", r->hint);
	} else if (got == 0) {
		log_error("net: the service of %s is gone", name);
	}
	return got > 0 && r->kind == NET_DONE ? 0 : 125;
}

static int ask_only(const struct net_ctl *c, const char *name,
		    enum net_kind kind)
{
	own_fd unused = -1;
	struct net_record r;
	int status;
	own_fd sock = ask(c, name, kind, &status);

	return sock < 0 ? status : hear(sock, name, &r, &unused);
}

static int net_show(const struct net_ctl *c, int argc, char **argv)
{
	return argc == 2 ? ask_only(c, argv[1], NET_SHOW) : usage("show NAME");
}

static int net_stop(const struct net_ctl *c, int argc, char **argv)
{
	return argc == 2 ? ask_only(c, argv[1], NET_STOP) : usage("stop NAME");
}

/*
 * What became of the rules, so that the service goes by those that run.  1 is
 * nft's no, and with the others it was not asked; else nobody knows: who ends
 * without a word says so.
 */
static void tell_loaded(int sock, int status)
{
	struct net_record r = {.version = NET_VERSION,
			       .kind = NET_LOADED,
			       .value = NET_LOADED_NONE};
	struct err e = ERR_INIT;
	own_fd none = -1;

	if (status == 0)
		r.value = NET_LOADED_ALL;
	else if (status != 1 && (status < 125 || status > 127))
		return;
	/* Heard, so that what is asked next is asked of the new state.  One of
	 * before an upgrade does not know it. */
	if (net_send(sock, &r, -1) == 0)
		net_recv(sock, &r, &none, &e);
}

/* The service reads and checks; the firewall VM takes all of it or none. */
static int net_reload(const struct net_ctl *c, int argc, char **argv)
{
	char vm[24], *words[] = {"exec", "-T", vm, "--", "rules", NULL};
	own_fd sock = -1, rules = -1;
	struct net_record r;
	int status;

	if (argc != 2)
		return usage("reload NAME");
	sock = ask(c, argv[1], NET_RELOAD, &status);
	if (sock >= 0)
		status = hear(sock, argv[1], &r, &rules);
	if (status)
		return status;
	if (!r.value || rules < 0) {
		printf("its firewall is not up; the next one has the new "
		       "rules\n");
		return 0;
	}
	if (dup2(rules, STDIN_FILENO) < 0) {
		log_error("net: the rules cannot be handed on");
		return 125;
	}
	snprintf(vm, sizeof(vm), "%u", r.value);
	status = cmd_exec(5, words);
	tell_loaded(sock, status);
	return status;
}

/* Lines are escaped when they are written. */
static int print_file(int dir, const char *name)
{
	struct err e = ERR_INIT;
	struct buf b;
	int r = 0;

	if (faccessat(dir, name, F_OK, 0) < 0)
		return 0;
	buf_init(&b, 2 * NETLOG_MAX);
	if (io_read_file(dir, name, &b, &e) < 0)
		r = failed(&e);
	else if (b.len)
		r = io_write_all(STDOUT_FILENO, b.data, b.len) < 0;
	buf_free(&b);
	return r;
}

static int net_log(const struct net_ctl *c, int argc, char **argv)
{
	own_fd dir = -1;
	int r;

	if (argc != 2 || !is_network(argv[1]))
		return usage("log NAME");
	dir = net_find(c->facts.runtime, argv[1]);
	if (dir < 0) {
		log_error("net: network %s has not been used", argv[1]);
		return 1;
	}
	r = print_file(dir, "log.1");
	return r ? r : print_file(dir, "log");
}

static int net_tap(const struct net_ctl *c, int argc, char **argv)
{
	(void)c;
	return cmd_net_tap(argc, argv);
}

int cmd_net(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct net_ctl *c, int argc, char **argv);
	} verbs[] = {
		{"list", net_list}, {"check", net_check},
		{"show", net_show}, {"log", net_log},
		{"stop", net_stop}, {"reload", net_reload},
		{"tap", net_tap},
	};
	struct net_ctl c = {.dirs = {NULL}};
	struct err e = ERR_INIT;

	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(*verbs);
	     i++) {
		int status;

		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		if (facts_probe(&c.facts, &e) < 0)
			return failed(&e);
		c.dirs[0] = c.facts.config_home;
		c.dirs[1] = VMRUN_SYSCONFDIR;
		c.dirs[2] = VMRUN_DATADIR;
		status = verbs[i].run(&c, argc - 1, argv + 1);
		facts_free(&c.facts);
		return status;
	}
	return usage("list|check|show|log|reload|stop|tap ...");
}
