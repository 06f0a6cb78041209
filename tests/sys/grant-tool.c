/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Grants from a shell, for tests: apply, verify, revoke or survey one tree;
 * scan one for traces of COUNT ids; or swap two names for ever, which is the
 * attack that a walk has to stand.
 *
 *   grant-tool apply|verify|revoke|survey ro|rw UID PATH
 *   grant-tool scan FIRST COUNT PATH
 *   grant-tool swap NAME NAME
 */
#include "base/err.h"
#include "base/own.h"
#include "grant/grant.h"
#include "grant/scan.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static int usage(void)
{
	fputs("usage: grant-tool apply|verify|revoke|survey ro|rw UID PATH\n"
	      "       grant-tool scan FIRST COUNT PATH\n"
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

static int print_found(void *arg, const struct grant_found *f, struct err *e)
{
	static const char *const what[] = {
		[TRACE_OWNER] = "owner",      [TRACE_GROUP] = "group",
		[TRACE_USER] = "u",	      [TRACE_ACL_GROUP] = "g",
		[TRACE_DEFAULT_USER] = "d:u", [TRACE_DEFAULT_GROUP] = "d:g",
	};
	char path[4096];

	(void)arg;
	(void)e;
	printf("%s %" PRIu32 " %o/%o %s\n", what[f->trace], f->id, f->perm,
	       f->mask, grant_found_shown(f, path, sizeof(path)));
	return 0;
}

static int scan(const char *first, const char *count, int fd)
{
	struct grant_scan s = {.root = fd, .found = print_found};
	struct grant_stats st;
	struct err e = ERR_INIT;
	int r;

	s.ids.uid_first = (uint32_t)strtoul(first, NULL, 10);
	s.ids.uid_count = (uint32_t)strtoul(count, NULL, 10);
	s.ids.gid_first = s.ids.uid_first;
	s.ids.gid_count = s.ids.uid_count;
	r = grant_scan(&s, &st, &e);
	printf("seen %" PRIu64 " found %" PRIu64 " mounts %" PRIu64
	       " closed %" PRIu64 "\n",
	       st.seen, st.edited, st.mounts, st.closed);
	if (r < 0)
		fprintf(stderr, "grant-tool: %s\n", e.msg);
	return r < 0;
}

int main(int argc, char **argv)
{
	struct grant_who who = {.owner = geteuid(), .owner_gid = getegid()};
	struct grant_stats st;
	struct err e = ERR_INIT;
	own_fd fd = -1;
	struct grant_tree tree = {.root = -1};
	uint64_t left;
	int r;

	if (argc == 4 && !strcmp(argv[1], "swap"))
		return swap(argv[2], argv[3]);
	if (argc != 5)
		return usage();
	tree.mode = strcmp(argv[2], "rw") ? GRANT_RO : GRANT_RW;
	who.uid = (uid_t)strtoul(argv[3], NULL, 10);
	who.gid = who.uid;
	who.umask = umask(022);
	umask(who.umask);
	fd = open(argv[4], O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		perror(argv[4]);
		return 1;
	}
	if (!strcmp(argv[1], "scan"))
		return scan(argv[2], argv[3], fd);
	tree.root = fd;
	if (!strcmp(argv[1], "apply"))
		r = grant_apply(&tree, &who, &st, &e);
	else if (!strcmp(argv[1], "verify"))
		r = grant_verify(&tree, &who, &st, &e);
	else if (!strcmp(argv[1], "survey"))
		r = grant_survey(&tree, &who, &st, &e);
	else if (!strcmp(argv[1], "revoke"))
		r = grant_revoke(fd, &who, &st, &left, &e);
	else
		return usage();
	print_stats(&st);
	if (r < 0)
		fprintf(stderr, "grant-tool: %s\n", e.msg);
	return r < 0;
}
