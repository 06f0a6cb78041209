/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * passt(1) as a helper.  The person's own authority.
 *
 * It is the one program of a network that is in this machine's network
 * namespace, and it reads what the firewall VM lets through.  It runs as a UID
 * of its own with libraries and resolv.conf, and moves on into an empty root.
 */
#include "host/net/passt.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "host/net/netaddr.h"
#include "host/net/ruleset.h"
#include "host/text.h"
#include "host/vm/member.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* It drops what its socket does not take, and sends whole windows again: as
 * much room as there is. */
#define SEND_BUFFER (4 * 1024 * 1024)
#define FD_FRAMES 3

const char *passt_find(void)
{
	static const char *const places[] = {"/usr/bin/passt",
					     "/usr/local/bin/passt", NULL};

	return proc_find(places);
}

/* By its own list of options: the versions of Debian have no number that both
 * print. */
int passt_answers_loopback(bool *yes, struct err *e)
{
	const char *path = passt_find();
	char *argv[] = {(char *)(uintptr_t) "passt",
			(char *)(uintptr_t) "--help", NULL};
	char *env[] = {(char *)(uintptr_t) "LC_ALL=C", NULL};
	struct proc_spec s = {.path = path, .argv = argv, .envp = env};
	struct buf b;
	int r;

	*yes = false;
	if (!path)
		return 0;
	buf_init(&b, 65536);
	r = proc_capture(&s, &b, e);
	buf_put_u8(&b, 0);
	*yes = r >= 0 && !b.bad &&
	       strstr((const char *)b.data, "--map-host-loopback");
	buf_free(&b);
	return r < 0 ? -1 : 0;
}

static int add(char ***argv, const char *const *words, struct err *e)
{
	for (; *words; words++)
		if (text_add(argv, *words, e) < 0)
			return -1;
	return 0;
}

static int add_publish(char ***argv, const struct passt_spec *s,
		       enum ruleset_protocol protocol, struct err *e)
{
	const char *option = protocol == RULESET_UDP ? "-u" : "-t";
	bool some = false;

	for (size_t i = 0; i < s->n_publish; i++) {
		char text[PUBLISH_TEXT];

		if (s->publish[i].protocol != protocol)
			continue;
		some = true;
		if (text_add(argv, option, e) < 0 ||
		    text_add(argv, publish_passt(text, &s->publish[i]), e) < 0)
			return -1;
	}
	return some ? 0
		    : add(argv, (const char *const[]){option, "none", NULL}, e);
}

/*
 * --no-map-gw: else the gateway's address is this machine's loopback.  The
 * firewall VM has static addresses, and a resolver's address leads to the first
 * one of its family in resolv.conf; to where there is none it would lead to
 * this machine's loopback.  What would come in is named: what is published, or
 * nothing.
 */
int passt_argv(char ***argv, const struct passt_spec *s, struct err *e)
{
	const struct hostnet *host = s->host;
	/* clang-format off */
	static const char *const first[] = {
		"/passt", "-f", "-q", "-F", "3", "-M", NET_UPLINK_MAC,
		"--no-map-gw", "--no-dhcp", "--no-dhcpv6", "--no-ra",
		"--no-dhcp-dns", NULL};
	static const char *const with4[] = {
		"-a", NET_OUTER4, "-n", "24", "-g", NET_UPLINK4, NULL};
	static const char *const with6[] = {
		"-a", NET_OUTER6, "-g", NET_UPLINK6, NULL};
	static const char *const names4[] = {
		"--dns-forward", NET_RESOLVER4, NULL};
	static const char *const names6[] = {
		"--dns-forward", NET_RESOLVER6, NULL};
	/* clang-format on */
	static const char *const only4[] = {"-4", NULL};
	static const char *const only6[] = {"-6", NULL};
	bool resolves4 = host->has4 && hostnet_has_resolver(host, AF_INET);
	bool resolves6 = host->has6 && hostnet_has_resolver(host, AF_INET6);

	if (add(argv, first, e) < 0 ||
	    add_publish(argv, s, RULESET_TCP, e) < 0 ||
	    add_publish(argv, s, RULESET_UDP, e) < 0 ||
	    (host->has4 && add(argv, with4, e) < 0) ||
	    (resolves4 && add(argv, names4, e) < 0) ||
	    (host->has6 && add(argv, with6, e) < 0) ||
	    (resolves6 && add(argv, names6, e) < 0))
		return -1;
	if (!host->has6)
		return add(argv, only4, e);
	return host->has4 ? 0 : add(argv, only6, e);
}

/* A machine without resolv.conf has no names to give out.  The form for newer
 * processors is another file, which it changes to. */
static int add_files(struct setup_member *m, const char *path, struct err *e)
{
	own_free char *fast = text_fmt(e, "%s.avx2", path);

	if (!fast || member_file(m, path, "/passt", e) < 0)
		return -1;
	if (access(fast, X_OK) == 0 &&
	    member_file(m, fast, "/passt.avx2", e) < 0)
		return -1;
	if (access("/etc/resolv.conf", R_OK) < 0)
		return 0;
	return member_file(m, "/etc/resolv.conf", "/etc/resolv.conf", e);
}

static struct setup_member *make_member(const struct passt_spec *s,
					struct err *e)
{
	static const char *const devices[] = {"null", "urandom", NULL};
	struct setup_member *m = calloc(1, sizeof(*m));
	struct setup taken = {.members = m, .n_members = 1};
	const char *path = passt_find();

	if (!m) {
		err_set(e, ENOMEM, "planning passt");
		return NULL;
	}
	m->view = SETUP_VIEW_UPLINK;
	m->calls = SETUP_CALLS_UPLINK;
	if (!path) {
		err_set(e, 0, "passt is not installed");
		err_hint(e, "sudo apt install passt");
	} else if (member_room(m, "passt", devices) < 0) {
		err_set(e, ENOMEM, "planning passt");
	} else if (passt_argv(&m->argv, s, e) == 0 &&
		   add_files(m, path, e) == 0) {
		member_fd(m, HELPER_FD_FIRST, FD_FRAMES);
		return m;
	}
	setup_free(&taken);
	return NULL;
}

int passt_start(struct helper *h, const struct helper_home *home,
		const struct passt_spec *passt, int *outer, struct err *e)
{
	const int room = SEND_BUFFER;
	own_fd ours = -1, theirs = -1;
	struct helper_spec spec = {
		.alias = passt->alias,
		.command = "passt",
		.network = STAGE_NETWORK_PERSON,
		.fds = &theirs,
		.n_fds = 1,
	};

	if (stage_pair(SOCK_STREAM, &ours, &theirs, e) < 0)
		return -1;
	/* The kernel gives what it may. */
	setsockopt(theirs, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	spec.member = make_member(passt, e);
	if (!spec.member || helper_start(h, home, &spec, e) < 0)
		return -1;
	*outer = steal_fd(&ours);
	return 0;
}
