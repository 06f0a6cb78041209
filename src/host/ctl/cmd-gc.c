/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmrunctl gc: what cron or a timer runs. */
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "host/ctl/cmd-state.h"
#include "host/ctl/cmd.h"
#include "host/gc.h"
#include "host/text.h"

#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bad_usage(const char *word)
{
	char shown[TEXT_SHOWN];

	log_error("gc: unexpected argument %s",
		  text_show(shown, sizeof(shown), word));
	log_error("hint: usage: vmrunctl gc [--dry-run] [--deep] [--json]");
	return 125;
}

/* Others first: this can wait.  See ioprio_set(2) for the numbers. */
static void step_back(void)
{
	const int who_process = 1, class_idle = 3 << 13;

	setpriority(PRIO_PROCESS, 0, 19);
	syscall(SYS_ioprio_set, who_process, 0, class_idle);
}

/* One line of a terminal, over and over. */
static void show_progress(const char *where, uint64_t names)
{
	char shown[TEXT_SHOWN];

	fprintf(stderr, "\r\033[Klooking through %s ... %" PRIu64 " names",
		text_show(shown, sizeof(shown), where), names);
}

static void end_progress(const struct gc *g)
{
	if (g->deep && g->progress)
		fputs("\r\033[K", stderr);
}

static void print_list(char *const *list, const char *before)
{
	char shown[4096];

	for (; list && *list; list++)
		printf("%s%s\n", before,
		       text_show(shown, sizeof(shown), *list));
}

static void print_text(const struct gc *g)
{
	print_list(g->done, "");
	print_list(g->left, "left: ");
	if (g->deep && (g->freed || isatty(STDOUT_FILENO)))
		printf("%llu names looked at; %llu UIDs may be used again, "
		       "%llu wait\n",
		       (unsigned long long)g->seen,
		       (unsigned long long)g->freed,
		       (unsigned long long)g->quarantined);
	if (!g->left && isatty(STDOUT_FILENO))
		puts("all is clean");
}

static int print_json(const struct gc *g)
{
	struct json *j = json_new_object();
	int r;

	json_set_bool(j, "clean", !g->left);
	json_set_strv(j, "done", g->done);
	json_set_strv(j, "left", g->left);
	if (g->deep) {
		json_set_int(j, "seen", (int64_t)g->seen);
		json_set_int(j, "freed", (int64_t)g->freed);
		json_set_int(j, "quarantined", (int64_t)g->quarantined);
	}
	r = json_print(j, JSON_PRETTY, stdout);
	json_free(j);
	return r;
}

int cmd_gc(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct gc g = {0};
	struct ctl_state c;
	bool json = false;
	int r;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--dry-run"))
			g.dry = true;
		else if (!strcmp(argv[i], "--deep"))
			g.deep = true;
		else if (!strcmp(argv[i], "--json"))
			json = true;
		else
			return bad_usage(argv[i]);
	}
	step_back();
	if (isatty(STDERR_FILENO))
		g.progress = show_progress;
	/* Runs that are over end without a range, too. */
	r = ctl_state_open(
		&c, (g.dry ? CTL_LOOK : CTL_CHANGE) | (g.deep ? 0 : CTL_ANY),
		&e);
	if (r == 0) {
		g.rc = &c.rc;
		g.range = &c.range;
		r = gc_run(&g, &e);
		end_progress(&g);
		ctl_state_close(&c);
	}
	if (r < 0) {
		gc_free(&g);
		err_wrap(&e, "cannot clean up");
		log_err(LOG_LEVEL_ERR, &e);
		return 125;
	}
	r = g.left != NULL;
	if (!json)
		print_text(&g);
	else if (print_json(&g) < 0)
		r = 125;
	gc_free(&g);
	return r;
}
