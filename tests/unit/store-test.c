/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stores: which paths are items, and which answers of the tool are taken. */
#include "tap.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "host/plan/store.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/stat.h>

#define A "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-hello-2.1"
#define B "/nix/store/zyxwvsrqpnmlkjihgfdcba9876543210-dep_x+y?z=1"
#define G "/gnu/store/0123456789abcdfghijklmnpqrsvwxyz-hello"

static void test_is(void)
{
	static const char *const no[] = {
		"",
		"/",
		"/nix/store",
		"/nix/store/",
		"/nix/store/.links",
		"/nix/store/.links/0123",
		"/nix/store/0123456789abcdfghijklmnpqrsvwxyz",
		"/nix/store/0123456789abcdfghijklmnpqrsvwxyz-",
		"/nix/store/0123456789abcdfghijklmnpqrsvwxy-x",
		"/nix/store/0123456789abcdfghijklmnpqrsvwxyz0-x",
		"/nix/store/0123456789ABCDFGHIJKLMNPQRSVWXYZ-x",
		"/nix/store/0123456789abcdfghijklmnpqrsvwxyz-a b",
		"/nix/store/0123456789abcdfghijklmnpqrsvwxyz-a\n",
		"/nix/store/../../etc",
		A "/..",
		A "/../..",
		A "/./x",
		A "//x",
		A "/",
		("/home/x" A),
		"nix/store/0123456789abcdfghijklmnpqrsvwxyz-x",
		"/nix/stores/0123456789abcdfghijklmnpqrsvwxyz-x",
	};
	size_t taken = 0;

	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		if (!store_is(no[i]))
			continue;
		taken++;
		printf("# taken: %s\n", no[i]);
	}
	tap_ok(taken == 0, "refused: paths that are no items");
	tap_ok(store_is(A) && store_is(B) && store_is(G) &&
		       store_is(A "/bin/x") && store_is(A "/..x/...") &&
		       store_is(A "/.x"),
	       "items, and what is below them");
}

static void test_item(void)
{
	own_free char *item = store_item(A "/bin/hello");
	own_free char *none = store_item("/usr/bin");

	tap_str(item, A, "the item that a path is in");
	tap_str(none, NULL, "none");
	tap_str(store_bin(A), NULL, "what is not there has no bin");
}

static void refused(const char *text, size_t n, const char *what)
{
	struct err e = ERR_INIT;
	char *junk = NULL;
	char **paths = &junk;

	tap_ok(store_parse(A, text, n, &paths, &e) < 0 && !paths && e.msg[0],
	       "refused: %s", what);
}

static void test_parse(void)
{
	static const char nul[] = A "\0x\n";
	struct err e = ERR_INIT;
	char **paths;
	struct buf many;

	refused("", 0, "an empty answer");
	refused(B "\n", strlen(B "\n"), "an answer without the item");
	refused(A "\n\n", strlen(A "\n\n"), "an empty line");
	refused(A "\n/etc\n", strlen(A "\n/etc\n"), "another path");
	refused(A "\n" B "/bin\n", strlen(A "\n" B "/bin\n"),
		"something in an item");
	refused(A "\n" G "\n", strlen(A "\n" G "\n"), "another store");
	refused(A "\n" B "/..\n", strlen(A "\n" B "/..\n"), "a path with ..");
	refused(A "\r\n", strlen(A "\r\n"), "a carriage return");
	refused(nul, sizeof(nul) - 1, "a NUL");
	buf_init(&many, 8u << 20);
	for (size_t i = 0; i <= STORE_ITEMS_MAX; i++)
		buf_put(&many, A "\n", strlen(A) + 1);
	refused((char *)many.data, many.len, "too many lines");
	buf_free(&many);

	tap_ok(store_parse(A, B "\n" A "\n", strlen(B "\n" A "\n"), &paths,
			   &e) == 0 &&
		       strv_len(paths) == 2 && !strcmp(paths[0], B) &&
		       !strcmp(paths[1], A),
	       "two items");
	strv_free(paths);
	tap_ok(store_parse(A, A, strlen(A), &paths, &e) == 0 &&
		       strv_len(paths) == 1,
	       "no newline at the end");
	strv_free(paths);
}

/* Puts a script of that text into $PATH as nix-store. */
static void fake_tool(const char *dir, const char *text)
{
	own_free char *path = NULL;
	own_fd fd = -1;

	assert(asprintf(&path, "%s/nix-store", dir) > 0);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	assert(fd >= 0 &&
	       write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static void test_tool(const char *dir)
{
	struct err e = ERR_INIT;
	char **paths;

	setenv("SECRET", "x", 1);
	setenv("PATH", dir, 1);
	fake_tool(dir, "#!/bin/sh\n[ \"$*\" = \"--query --requisites " A
		       "\" ] || exit 9\n[ -z \"$SECRET\" ] || exit 8\n"
		       "echo noise >&2\necho " B "\necho " A "\n");
	tap_ok(store_closure(A "/bin/x", &paths, &e) == 0 &&
		       strv_len(paths) == 2,
	       "the tool is asked for the item, with few variables");
	if (e.msg[0])
		printf("# %s\n", e.msg);
	strv_free(paths);
	fake_tool(dir, "#!/bin/sh\necho " A "\nexit 3\n");
	tap_ok(store_closure(A, &paths, &e) < 0 && !paths &&
		       strstr(e.msg, "status 3") &&
		       strstr(e.hint, "nix-store --query --requisites " A),
	       "refused: an answer of a tool that failed");
	fake_tool(dir, "#!/bin/sh\nexec cat /dev/zero\n");
	setenv("PATH", dir, 1);
	tap_ok(store_closure("/usr/bin/x", &paths, &e) < 0,
	       "refused: a path outside");
	tap_ok(store_closure(G, &paths, &e) < 0 && strstr(e.hint, "Guix"),
	       "a missing tool is named, and what to install");
}

/* An endless answer ends with the maximum. */
static void test_endless(const char *dir)
{
	struct err e = ERR_INIT;
	char **paths;

	fake_tool(dir, "#!/bin/sh\nwhile :; do echo " A "; done\n");
	tap_ok(store_closure(A, &paths, &e) < 0 && !paths,
	       "refused: an endless answer");
}

int main(void)
{
	char dir[] = "/tmp/vmrun-store-XXXXXX";
	own_free char *tool = NULL;

	assert(mkdtemp(dir) && asprintf(&tool, "%s/nix-store", dir) > 0);
	test_is();
	test_item();
	test_parse();
	test_tool(dir);
	test_endless(dir);
	tap_ok(unlink(tool) == 0 && rmdir(dir) == 0, "cleaned up");
	return tap_done();
}
