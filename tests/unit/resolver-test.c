/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The firewall's resolver, PID 1's side: what ends the VM and what does not. */
#include "guest-init/init.h"
#include "guest-init/restrict.h"
#include "tap.h"

#include "base/err.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned ends;

/* What resolver.c wants of the rest of PID 1. */
void session_setup_failed(struct init *in, const struct err *e)
{
	(void)in;
	(void)e;
	ends++;
}

int64_t now_ms(void)
{
	return 0;
}

void say(const char *fmt, ...)
{
	(void)fmt;
}

int nftset_open(struct err *e)
{
	return err_set(e, 0, "none here");
}

int nftset_add(int s, const char *set, const struct nft_address *a)
{
	(void)s;
	(void)set;
	(void)a;
	return -1;
}

int restrict_resolver(void)
{
	return -1;
}

int main(void)
{
	static struct init in;
	int two[2];

	in.resolver = in.nft = -1;
	resolver_read(&in);
	tap_ok(!ends, "an event of one that new rules have just ended is none");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, two) < 0)
		return 99;
	in.resolver = two[0];
	resolver_read(&in);
	tap_ok(!ends && in.resolver >= 0,
	       "nor is one without anything to read");
	close(two[1]);
	resolver_read(&in);
	tap_ok(ends == 1 && in.resolver < 0,
	       "one that ends by itself ends all");
	return tap_done();
}
