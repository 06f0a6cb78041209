/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The profiles that are installed: each is read, by the name of its command,
 * and none opens anything of the person's: no file, no device, no network, no
 * agent, nothing that is unsafe.
 */
#include "base/err.h"
#include "host/option/options.h"
#include "tap.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* Scratch space is in the machine, and gone with it. */
static bool shares_nothing(const struct options *o)
{
	for (size_t i = 0; i < o->n_shares; i++)
		if (o->shares[i].kind != OPT_TMP)
			return false;
	for (size_t i = 0; i < o->n_sockets; i++)
		if (o->sockets[i].kind != OPT_SOCKET_WAYLAND)
			return false;
	return !o->n_nics && !o->devices && !o->include_keys && !o->root &&
	       !o->alias && !o->partial;
}

static bool is_safe(const struct options *o)
{
	return !o->qemu_args && !o->append && !o->kernel &&
	       o->accel == ACCEL_AUTO && !o->wayland_allow && !o->clipboard;
}

static void test_profile(const char *name, const char *const *where)
{
	char *argv[] = {strdup("vmrun"), strdup(name), NULL};
	struct err e = ERR_INIT;
	struct options o;
	int r = options_parse(&o, 2, argv, "/home/ann", where, &e);

	tap_ok(r == 0 && o.profile_used, "%s is understood%s%s", name,
	       e.msg[0] ? ": " : "", e.msg);
	tap_ok(r == 0 && shares_nothing(&o), "%s shares nothing", name);
	tap_ok(r == 0 && is_safe(&o), "%s lowers no defence", name);
	options_free(&o);
	free(argv[0]);
	free(argv[1]);
}

int main(void)
{
	const char *top = getenv("top_srcdir");
	const char *where[] = {top, NULL};
	struct dirent *de;
	char path[512];
	unsigned n = 0;
	DIR *d;

	if (!top) {
		tap_skip("the installed profiles", "top_srcdir is not set");
		return tap_done();
	}
	snprintf(path, sizeof(path), "%s/profiles", top);
	d = opendir(path);
	while (d && (de = readdir(d))) {
		char *end = strstr(de->d_name, ".conf");

		if (!end || end[5])
			continue;
		*end = '\0';
		test_profile(de->d_name, where);
		n++;
	}
	if (d)
		closedir(d);
	tap_ok(n >= 4, "there are %u of them", n);
	return tap_done();
}
