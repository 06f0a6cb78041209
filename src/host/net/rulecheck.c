/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nft's opinion of a ruleset.  The person's own authority; nft runs in
 * namespaces of its own, where the tables that it looks at are empty. */
#include "host/net/ruleset.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/net/netaddr.h"
#include "host/probe/probe.h"
#include "host/text.h"
#include "proc/spawn.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>

#define INPUT "/proc/self/fd/3"

/* nft's first line is `FILE:LINE:COLUMNS: Error: text`. */
static int explain(const struct ruleset *r, const char *said, size_t first,
		   struct err *e)
{
	const char *at = strstr(said, INPUT ":");
	char file[TEXT_SHOWN], text[512], shown[TEXT_SHOWN];
	unsigned long line = 0;
	int end = 0;

	text_show(file, sizeof(file), r->path);
	if (!at ||
	    sscanf(at + strlen(INPUT), ":%lu:%*[0-9-]: Error: %n", &line,
		   &end) != 1 ||
	    !end) {
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(said, "\n"),
			 said);
		return err_set(e, 0, "%s: nft: %s", file,
			       text_show(shown, sizeof(shown), text));
	}
	at += strlen(INPUT) + (size_t)end;
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(at, "\n"), at);
	if (line < first)
		return err_set(
			e, 0, "%s: nft, line %lu of what is generated: %s",
			file, line, text_show(shown, sizeof(shown), text));
	return err_set(e, 0, "%s:%lu: %s", file, line - first + 1,
		       text_show(shown, sizeof(shown), text));
}

static int run_nft(const struct ruleset *r, int input, size_t first,
		   struct err *e)
{
	const char *path = probe_nft();
	const char *argv[] = {"nft", "-c", "-f", INPUT, NULL};
	char *env[] = {(char *)(uintptr_t) "LC_ALL=C", NULL};
	own_fd out = memfd_create("nft", MFD_CLOEXEC);
	const struct proc_fd fds[] = {{out, 1}, {out, 2}, {input, 3}};
	struct proc_spec s = {.path = path,
			      .argv = (char *const *)(uintptr_t)argv,
			      .envp = env,
			      .fds = fds,
			      .n_fds = 3,
			      .clone_flags = CLONE_NEWUSER | CLONE_NEWNET,
			      .parent = proc_map_root};
	struct child c = CHILD_NONE;
	char said[4096];
	ssize_t n;

	if (!path) {
		err_set(e, ENOENT, "nft");
		return err_hint(e, "install it: sudo apt install nftables");
	}
	if (out < 0)
		return err_set(e, errno, "a memory file");
	if (proc_spawn(&s, &c, e) < 0)
		return -1;
	if (child_wait(&c) == 0)
		return 0;
	n = pread(out, said, sizeof(said) - 1, 0);
	said[n < 0 ? 0 : n] = '\0';
	return explain(r, said, first, e);
}

int ruleset_check(const struct ruleset *r, struct err *e)
{
	static const char *const some4[] = {"192.0.2.1", NULL};
	static const char *const some6[] = {"2001:db8::1", NULL};
	const struct net_segment *seg = netaddr_segment(NET_OF_FIREWALL);
	const struct ruleset_net net = {
		.inner = "eth0",
		.outer = "eth1",
		.clients4 = seg->clients4,
		.clients6 = seg->clients6,
		.gateway4 = seg->gateway4,
		.gateway6 = seg->gateway6,
		.resolver4 = NET_RESOLVER4,
		.resolver6 = NET_RESOLVER6,
		.host_addrs4 = some4,
		.host_addrs6 = some6,
		.passt = true,
	};
	own_fd input = -1;
	struct buf b;
	size_t first;

	buf_init(&b, RULESET_INPUT_MAX);
	ruleset_compose(r, &net, &b, &first);
	input = b.bad ? err_set(e, E2BIG, "%s", r->path)
		      : io_memfd("ruleset", b.data, b.len, e);
	buf_free(&b);
	return input < 0 ? -1 : run_nft(r, input, first, e);
}
