/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses in a set: how long they stay.  The sets are those of the kernel, in
 * a network namespace of this test's own; nft(8) makes and shows them. */
#include "guest-init/init.h"
#include "tap.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Seconds that the first address of the set has; -1: there is none. */
static int expires(const char *nft, const char *set)
{
	char command[256], line[4096] = "";
	const char *at;
	FILE *f;

	snprintf(command, sizeof(command), "%s -j list set inet vmrun %s", nft,
		 set);
	/* NOLINTNEXTLINE(cert-env33-c): of words of our own */
	f = popen(command, "re");
	if (!f)
		abort();
	/* The first line describes nft. */
	while (fgets(line, sizeof(line), f) && !strstr(line, "\"expires\""))
		;
	pclose(f);
	at = strstr(line, "\"expires\":");
	return at ? atoi(at + strlen("\"expires\":")) : -1;
}

static const char *find_nft(void)
{
	static const char *const places[] = {"/usr/sbin/nft", "/sbin/nft",
					     "/usr/bin/nft"};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

static void test_times(const char *nft, const char *set, size_t size)
{
	struct nft_address a = {.ip = {198, 51, 100, 7}, .size = size};
	struct err e = ERR_INIT;
	int s = nftset_open(&e);

	a.seconds = 100;
	tap_ok(s >= 0 && nftset_add(s, set, &a) == 0 &&
		       expires(nft, set) > 80 && expires(nft, set) <= 100,
	       "%s: an address, for a time", set);
	a.seconds = 500;
	tap_ok(nftset_add(s, set, &a) == 0 && expires(nft, set) > 400,
	       "%s: for a longer one", set);
	a.seconds = 10;
	tap_ok(nftset_add(s, set, &a) == 0 && expires(nft, set) > 400,
	       "%s: a shorter one takes nothing away", set);
	a.seconds = 600;
	tap_ok(nftset_add(s, set, &a) == 0 && expires(nft, set) > 500,
	       "%s: and is no end to that", set);
	tap_ok(nftset_add(s, "none", &a) < 0 && errno == ENOENT,
	       "%s: a set that is not there", set);
	close(s);
}

/* Root of namespaces of its own, which nft has to be. */
static bool become_root(void)
{
	char map[32];
	int fd, n = snprintf(map, sizeof(map), "0 %u 1", getuid());
	bool yes;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	yes = fd >= 0 && write(fd, map, (size_t)n) == n;
	if (fd >= 0)
		close(fd);
	return yes;
}

int main(void)
{
	const char *nft = find_nft();
	char command[256];

	if (!nft || !become_root()) {
		tap_skip("times in sets", "no nft, or no user namespaces");
		return tap_done();
	}
	snprintf(command, sizeof(command),
		 "%s 'table inet vmrun { "
		 "set h4 { type ipv4_addr; flags timeout; }; "
		 "set h6 { type ipv6_addr; flags timeout; }; }'",
		 nft);
	/* NOLINTNEXTLINE(cert-env33-c): of words of our own */
	tap_ok(system(command) == 0, "nft makes the sets");
	test_times(nft, "h4", 4);
	test_times(nft, "h6", 16);
	return tap_done();
}
