/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Grants from a shell, for tests: apply, revoke or survey one tree; or swap two
 * names for ever, which is the attack that a walk has to stand.
 *
 *   grant-tool apply|revoke|survey ro|rw UID PATH
 *   grant-tool swap NAME NAME
 */
#include "base/err.h"
#include "base/own.h"
#include "grant/grant.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static int usage(void)
{
	fputs("usage: grant-tool apply|revoke|survey ro|rw UID PATH\n"
	      "       grant-tool swap NAME NAME\n",
	      stderr);
	return 125;
}

/* Ends when it is killed, or with the test that started it. */
static int swap(const char *a, const char *b)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0)
		;
	perror("swap");
	return 1;
}

static void print_stats(const struct grant_stats *st)
{
	printf("seen %" PRIu64 " edited %" PRIu64 " foreign %" PRIu64
	       " links %" PRIu64 " mounts %" PRIu64 " special %" PRIu64
	       " masked %" PRIu64 " setgid %" PRIu64 " unmapped %" PRIu64
	       " example %s\n",
	       st->seen, st->edited, st->foreign, st->links, st->mounts,
	       st->special, st->masked, st->setgid, st->unmapped, st->example);
}

int main(int argc, char **argv)
{
	struct grant_who who = {.owner = geteuid(), .owner_gid = getegid()};
	struct grant_stats st;
	struct err e = ERR_INIT;
	own_fd fd = -1;
	enum grant_mode mode;
	uint64_t left;
	int r;

	if (argc == 4 && !strcmp(argv[1], "swap"))
		return swap(argv[2], argv[3]);
	if (argc != 5)
		return usage();
	mode = strcmp(argv[2], "rw") ? GRANT_RO : GRANT_RW;
	who.uid = (uid_t)strtoul(argv[3], NULL, 10);
	who.gid = who.uid;
	who.umask = umask(022);
	umask(who.umask);
	fd = open(argv[4], O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		perror(argv[4]);
		return 1;
	}
	if (!strcmp(argv[1], "apply"))
		r = grant_apply(fd, mode, &who, &st, &e);
	else if (!strcmp(argv[1], "survey"))
		r = grant_survey(fd, mode, &who, &st, &e);
	else if (!strcmp(argv[1], "revoke"))
		r = grant_revoke(fd, &who, &st, &left, &e);
	else
		return usage();
	print_stats(&st);
	if (r < 0)
		fprintf(stderr, "grant-tool: %s\n", e.msg);
	return r < 0;
}
