/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmrunctl ps, and the list of VMs for the other verbs. */
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/own.h"
#include "host/ctl/cmd-vms.h"
#include "host/ctl/cmd.h"
#include "host/run.h"

#include <string.h>
#include <time.h>

int vms_open(struct vms *v, struct err *e)
{
	struct state *s;
	own_fd dir = -1;
	int r;

	memset(v, 0, sizeof(*v));
	if (facts_probe(&v->facts, e) < 0)
		return -1;
	r = run_open_state(&v->facts, &s, &dir, e);
	if (r == 0) {
		r = state_runs(s, &v->runs, &v->n, e);
		state_close(s);
	}
	if (r < 0)
		vms_close(v);
	return r;
}

void vms_close(struct vms *v)
{
	state_runs_free(v->runs, v->n);
	facts_free(&v->facts);
	v->runs = NULL;
	v->n = 0;
}

void vms_name(const struct state_run *r, char *out, size_t n)
{
	size_t word = strcspn(r->command, " ");
	const char *base = r->command;

	for (size_t i = 0; i < word; i++)
		if (r->command[i] == '/')
			base = r->command + i + 1;
	snprintf(out, n, "%.*s", (int)(word - (size_t)(base - r->command)),
		 base);
}

/* Its number, or else its alias: nobody else has that. */
static const struct state_run *find_own(const struct vms *v, const char *name)
{
	const struct state_run *found = NULL;
	char number[24];

	for (size_t i = 0; i < v->n; i++) {
		const struct state_run *r = &v->runs[i];

		if (!r->alive || r->kind != RUN_VM)
			continue;
		snprintf(number, sizeof(number), "%lld", (long long)r->id.run);
		if (!strcmp(number, name))
			return r;
		if (r->alias && !strcmp(r->alias, name))
			found = r;
	}
	return found;
}

/* The only one that runs a command of that name. */
static const struct state_run *find_command(const struct vms *v,
					    const char *name, struct err *e)
{
	const struct state_run *found = NULL;
	char own[256], shown[128];

	for (size_t i = 0; i < v->n; i++) {
		const struct state_run *r = &v->runs[i];

		if (!r->alive || r->kind != RUN_VM)
			continue;
		vms_name(r, own, sizeof(own));
		if (strcmp(own, name))
			continue;
		if (found) {
			err_set(e, 0, "several VMs run %s",
				log_escape(shown, sizeof(shown), name,
					   strlen(name)));
			err_hint(e, "use the number that `vmrunctl ps` shows");
			return NULL;
		}
		found = r;
	}
	if (!found) {
		err_set(e, 0, "no VM %s is running",
			log_escape(shown, sizeof(shown), name, strlen(name)));
		err_hint(e, "`vmrunctl ps` lists the running ones");
	}
	return found;
}

const struct state_run *vms_find(const struct vms *v, const char *name,
				 struct err *e)
{
	const struct state_run *found = find_own(v, name);

	return found ? found : find_command(v, name, e);
}

static int print_json(const struct vms *v)
{
	struct json *list = json_new_array();
	int r;

	for (size_t i = 0; i < v->n; i++) {
		const struct state_run *run = &v->runs[i];
		struct json *j;

		if (!run->alive || run->kind != RUN_VM)
			continue;
		j = json_new_object();
		json_set_int(j, "vm", run->id.run);
		json_set_str(j, "alias", run->alias);
		json_set_int(j, "uid", run->id.uid);
		json_set_int(j, "pid", run->pid);
		json_set_bool(j, "ready", run->ready);
		json_set_int(j, "started", run->started);
		json_set_str(j, "command", run->command);
		json_add(list, j);
	}
	r = json_print(list, JSON_PRETTY, stdout);
	json_free(list);
	return r < 0;
}

static int print_text(const struct vms *v)
{
	time_t now = time(NULL);

	printf("%-6s %-12s %-8s %-8s %-6s %-9s %s\n", "VM", "ALIAS", "UID",
	       "PID", "READY", "AGE", "COMMAND");
	for (size_t i = 0; i < v->n; i++) {
		const struct state_run *r = &v->runs[i];
		char cmd[256];
		char age[32];
		unsigned long s = now > r->started
					  ? (unsigned long)(now - r->started)
					  : 0;

		if (!r->alive || r->kind != RUN_VM)
			continue;
		snprintf(age, sizeof(age), "%lu:%02lu:%02lu", s / 3600,
			 s / 60 % 60, s % 60);
		printf("%-6lld %-12s %-8u %-8lld %-6s %-9s %s\n",
		       (long long)r->id.run, r->alias ? r->alias : "-",
		       (unsigned)r->id.uid, (long long)r->pid,
		       r->ready ? "yes" : "no", age,
		       log_escape(cmd, sizeof(cmd), r->command,
				  strlen(r->command)));
	}
	return 0;
}

int cmd_ps(int argc, char **argv)
{
	struct err e = ERR_INIT;
	int json = argc == 2 && !strcmp(argv[1], "--json");
	struct vms v;
	int status;

	if (argc > 1 && !json) {
		log_error("ps: unknown argument %s", argv[1]);
		log_error("hint: usage: vmrunctl ps [--json]");
		return 125;
	}
	if (vms_open(&v, &e) < 0) {
		log_err(LOG_LEVEL_ERR, &e);
		return 125;
	}
	status = json ? print_json(&v) : print_text(&v);
	vms_close(&v);
	return status;
}
