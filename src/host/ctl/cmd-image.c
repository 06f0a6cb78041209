/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmrunctl image: importing, listing and removing guest images. */
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/own.h"
#include "host/ctl/cmd.h"
#include "host/image/guestimage.h"
#include "host/plan/plan.h"
#include "host/text.h"

#include <getopt.h>
#include <string.h>
#include <time.h>

struct import {
	const char *name, *kernel, *modules;
	char **debs; /* NULL-terminated, owned; NULL: none */
	int installed;
};

static int bad_usage(const char *what, const char *word)
{
	char shown[TEXT_SHOWN];

	log_error("image: %s%s", what, text_show(shown, sizeof(shown), word));
	log_error("hint: `vmrunctl image --help` shows what can be given");
	return 125;
}

static int failed(struct err *e, const char *what)
{
	err_wrap(e, "cannot %s", what);
	log_err(LOG_LEVEL_ERR, e);
	return 125;
}

static char *init_path(struct err *e)
{
	const char *dir = getenv("VMRUN_LIBEXECDIR");

	return text_fmt(e, "%s/vmrun-init",
			dir && *dir ? dir : VMRUN_LIBEXECDIR);
}

static int run_import(const struct facts *f, const struct import *i,
		      struct err *e)
{
	own_free char *init = init_path(e);

	if (!init)
		return -1;
	if (i->kernel)
		return guestimage_import(f->data_home, i->name, i->kernel,
					 i->modules, init, e);
	if (i->debs)
		return guestimage_import_debs(f->data_home, i->name, i->debs,
					      init, e);
	return guestimage_import_installed(f->data_home, i->name, init, e);
}

/* Fills *i.  0, or the exit status of a wrong command line. */
static int parse_import(int argc, char **argv, struct import *i)
{
	static const struct option options[] = {
		{"name", required_argument, NULL, 'n'},
		{"kernel", required_argument, NULL, 'k'},
		{"modules", required_argument, NULL, 'm'},
		{"deb", required_argument, NULL, 'd'},
		{"installed", no_argument, NULL, 'i'},
		{NULL, 0, NULL, 0},
	};
	struct err e = ERR_INIT;
	int c;

	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
		if (c == 'n')
			i->name = optarg;
		else if (c == 'k')
			i->kernel = optarg;
		else if (c == 'm')
			i->modules = optarg;
		else if (c == 'i')
			i->installed = 1;
		else if (c == 'd' && text_add(&i->debs, optarg, &e) < 0)
			return failed(&e, "import");
		else if (c == ':')
			return bad_usage("import: a value is missing after ",
					 argv[optind - 1]);
		else if (c == '?')
			return bad_usage("import: unknown option ",
					 argv[optind - 1]);
	}
	if (optind < argc)
		return bad_usage("import: unexpected argument ", argv[optind]);
	if ((i->kernel != NULL) + (i->debs != NULL) + i->installed > 1)
		return bad_usage("import: --kernel, --deb and --installed "
				 "exclude each other",
				 "");
	if (i->modules && !i->kernel)
		return bad_usage("import: --modules goes with --kernel", "");
	return 0;
}

static int cmd_import(const struct facts *f, int argc, char **argv)
{
	struct import i = {NULL, NULL, NULL, NULL, 0};
	struct err e = ERR_INIT;
	int status = parse_import(argc, argv, &i);

	if (status == 0 && run_import(f, &i, &e) < 0)
		status = failed(&e, "import the guest image");
	strv_free(i.debs);
	return status;
}

static int list_json(const struct guestimage *list, size_t n)
{
	struct json *j = json_new_array();
	int r;

	for (size_t i = 0; i < n; i++) {
		struct json *row = json_new_object();

		json_set_str(row, "name", list[i].name);
		json_set_str(row, "release", list[i].release);
		json_set_int(row, "imported", list[i].imported);
		json_set_int(row, "bytes", (int64_t)list[i].bytes);
		json_set_str(row, "vmrun", list[i].made_by);
		json_set_str(row, "kernel", list[i].kernel);
		json_set_str(row, "initramfs", list[i].initramfs);
		json_add(j, row);
	}
	r = json_print(j, JSON_PRETTY, stdout);
	json_free(j);
	return r;
}

static int list_text(const struct guestimage *list, size_t n)
{
	if (n)
		printf("%-16s %-32s %8s  %s\n", "NAME", "KERNEL", "MIB",
		       "IMPORTED");
	for (size_t i = 0; i < n; i++) {
		time_t t = (time_t)list[i].imported;
		char release[128];
		char when[32] = "?";
		struct tm tm;

		if (localtime_r(&t, &tm))
			strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &tm);
		printf("%-16s %-32s %8llu  %s\n", list[i].name,
		       text_show(release, sizeof(release), list[i].release),
		       (unsigned long long)(list[i].bytes >> 20), when);
	}
	return 0;
}

static int cmd_list(const struct facts *f, int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct guestimage *list;
	int json = argc == 2 && !strcmp(argv[1], "--json");
	size_t n;
	int r;

	if (argc > 1 + json)
		return bad_usage("list: unexpected argument ", argv[1]);
	if (guestimage_list(f->data_home, &list, &n, &e) < 0)
		return failed(&e, "list the guest images");
	r = json ? list_json(list, n) : list_text(list, n);
	for (size_t i = 0; i < n; i++)
		guestimage_free(&list[i]);
	free(list);
	return r < 0 ? 125 : 0;
}

static int cmd_remove(const struct facts *f, int argc, char **argv)
{
	struct err e = ERR_INIT;

	if (argc != 2 || argv[1][0] == '-')
		return bad_usage("remove: the name of one image is needed", "");
	if (guestimage_remove(f->data_home, argv[1], &e) < 0)
		return failed(&e, "remove the guest image");
	return 0;
}

int cmd_image(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct facts *f, int argc, char **argv);
	} verbs[] = {
		{"import", cmd_import},
		{"list", cmd_list},
		{"remove", cmd_remove},
	};
	struct err e = ERR_INIT;
	struct facts f;
	int status;

	if (argc < 2)
		return bad_usage("import, list or remove?", "");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(argv[1], verbs[i].name))
			continue;
		if (facts_probe(&f, &e) < 0)
			return failed(&e, "look after guest images");
		status = verbs[i].run(&f, argc - 1, argv + 1);
		facts_free(&f);
		return status;
	}
	return bad_usage("no such command: ", argv[1]);
}
