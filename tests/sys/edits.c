/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random trees with random edits by the person while grants are in force.
 *
 *   edits [-n TREES] [-s SEED] [-r] [-v] [COMMAND ...]
 *
 * Each tree is on the disk twice.  vmrun gets one of them; the person does the
 * same to both: makes, moves, links, replaces and removes files, changes modes,
 * ACLs, default ACLs and xattrs.  The twin is what the kernel makes of that
 * without vmrun.  Once everything is revoked the two are the same: what the
 * person did not touch byte for byte, all else in what everybody may do, with
 * these exceptions, which grant/acl.h and grant/grant.h tell of:
 *
 * - a chmod that gives the group what only U's entry had shown there is lost;
 * - what is made under a default ACL of vmrun's has no more for group and
 *   others than its directory had, and no more than umask leaves;
 * - a chmod of a file with an ACL, and the mode that it is made with, change
 * the mask; whoever computes the mask anew afterwards (setfacl) gives the
 * owning group what its entry said all the time; and a mask that is set by
 * itself is taken for a chmod.
 *
 * Without a COMMAND grants are made and revoked by libgrant in this process,
 * by one or two VMs in any order, with verifications between; things also move
 * out of the tree and in, and what left it is revoked there, as gc --deep does.
 * With one (`vmrun -q`, and -r for `--ro`), it is run once for each tree as
 * COMMAND --rw|--ro TREE -- sh -c 'echo up; read x'; nothing leaves the tree.
 * -v tells what the person does.
 */
#include "edits.h"
#include "base/err.h"
#include "base/own.h"
#include "grant/grant.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t seed;
static unsigned tree_number;
static bool is_loud;

void edits_die(const char *what)
{
	printf("# tree %u: %s: %s\n", tree_number, what, strerror(errno));
	printf("# VMRUN_SEED=%" PRIu64 "\n", seed);
	exit(1);
}

static void edit_some(struct tree *t, unsigned most)
{
	for (unsigned n = edits_random(most); n; n--)
		tree_edit(t);
}

/* ---- grants by the library ---- */

struct vm {
	struct grant_who who;
	enum grant_mode mode;
	bool is_on;
};

static void vm_init(struct vm *vm, unsigned n, mode_t mask)
{
	vm->who = (struct grant_who){.uid = 100007 + n,
				     .gid = 200007 + n,
				     .owner = geteuid(),
				     .owner_gid = getegid(),
				     .umask = mask,
				     .sub_first = 100000,
				     .sub_count = 800,
				     .subgid_first = 200000,
				     .subgid_count = 800};
	vm->mode = edits_random(3) ? GRANT_RW : GRANT_RO;
	vm->is_on = false;
}

static void need(int r, const char *what, const struct err *e)
{
	if (r == 0)
		return;
	printf("# %s: %s\n", what, e->msg);
	edits_die(what);
}

/*
 * Refused where the mask of the tree itself has to stay: then nothing is given,
 * and what was given before is there.
 */
static void vm_grant(struct tree *t, struct vm *vm)
{
	own_fd root = open("vmrun/t", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct grant_tree tree = {.root = root, .mode = vm->mode};
	struct err e = ERR_INIT;
	struct grant_stats st;
	int r;

	if (vm->is_on)
		r = grant_verify(&tree, &vm->who, &st, &e);
	else
		r = grant_apply(&tree, &vm->who, &st, &e);
	if (r < 0 && e.code == EPERM && strstr(e.msg, "has a mask"))
		return;
	need(r, "granting", &e);
	vm->is_on = true;
	tree_granted(t, vm->mode == GRANT_RW);
}

static void vm_revoke(struct vm *vm, const char *path)
{
	own_fd root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err e = ERR_INIT;
	struct grant_stats st;
	uint64_t left;

	need(grant_revoke(root, &vm->who, &st, &left, &e), "revoke", &e);
	vm->is_on = false;
}

static void run_library(struct tree *t, struct verdict *v)
{
	bool two = edits_random(2);
	struct vm vm[2];

	vm_init(&vm[0], 0, t->umask);
	vm_init(&vm[1], 1, t->umask);
	vm_grant(t, &vm[0]);
	edit_some(t, 30);
	for (unsigned n = edits_random(3); n; n--) {
		vm_grant(t, &vm[two && edits_random(2)]);
		edit_some(t, 15);
	}
	if (two && vm[1].is_on && edits_random(2)) {
		tree_note_all(t);
		vm_revoke(&vm[edits_random(2)], "vmrun/t");
		edit_some(t, 8);
	}
	tree_note_all(t);
	for (int i = 0; i < 2; i++)
		vm_revoke(&vm[i], "vmrun/t");
	if (judge_traces(t, ROOT_TREE)) {
		printf("# tree %u: entries are left in it\n", tree_number);
		v->wrong++;
	}
	for (int i = 0; i < 2; i++)
		vm_revoke(&vm[i], "vmrun/out");
	judge_after(t, v);
}

/* ---- grants by vmrun itself ---- */

static struct ids sub_ids(const char *file)
{
	char name[128] = "", line[256];
	struct ids r = {0, 0};
	FILE *f = fopen(file, "re");

	if (!f || !getenv("USER"))
		edits_die(file);
	snprintf(name, sizeof(name), "%.120s:", getenv("USER"));
	while (!r.count && fgets(line, sizeof(line), f)) {
		char *end;

		if (strncmp(line, name, strlen(name)) != 0)
			continue;
		r.first = (uint32_t)strtoul(line + strlen(name), &end, 10);
		r.count = (uint32_t)strtoul(end + 1, NULL, 10);
	}
	fclose(f);
	return r;
}

struct guest {
	pid_t pid;
	int in, out; /* its, owned */
};

_Noreturn static void exec_guest(char *const *command, const char *how,
				 const int in[2], const int out[2])
{
	char *argv[32];
	int n = 0;

	while (n < 20 && command[n]) {
		argv[n] = command[n];
		n++;
	}
	argv[n++] = (char *)how;
	argv[n++] = realpath("vmrun/t", NULL);
	argv[n++] = (char *)"--";
	argv[n++] = (char *)"sh";
	argv[n++] = (char *)"-c";
	argv[n++] = (char *)"echo up; read x";
	argv[n] = NULL;
	if (dup2(in[0], 0) < 0 || dup2(out[1], 1) < 0)
		_exit(126);
	execvp(argv[0], argv);
	_exit(127);
}

static void guest_start(struct guest *g, char *const *command, const char *how)
{
	int in[2], out[2];
	char up[3];

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		edits_die("pipe");
	fflush(stdout);
	g->pid = fork();
	if (g->pid == 0)
		exec_guest(command, how, in, out);
	close(in[0]);
	close(out[1]);
	g->in = in[1];
	g->out = out[0];
	if (g->pid < 0 || read(g->out, up, sizeof(up)) != sizeof(up))
		edits_die("the guest does not start");
}

static void guest_end(struct guest *g)
{
	int st = 0;

	close(g->in);
	if (waitpid(g->pid, &st, 0) != g->pid || (st && st != 1 << 8)) {
		printf("# it ended with %#x\n", (unsigned)st);
		edits_die("the guest");
	}
	close(g->out);
}

static void run_vmrun(struct tree *t, char *const *command, bool ro,
		      struct verdict *v)
{
	struct guest g;

	guest_start(&g, command, ro ? "--ro" : "--rw");
	tree_granted(t, !ro);
	edit_some(t, 60);
	tree_note_all(t);
	guest_end(&g);
	judge_after(t, v);
}

/* ---- */

static void one_tree(char *const *command, bool ro, struct verdict *v)
{
	static const mode_t masks[] = {022, 077, 027, 007, 002, 0};
	static struct tree t;
	uint64_t wrong = v->wrong;

	edits_seed(seed + tree_number);
	t.is_loud = is_loud;
	t.stays = command != NULL;
	t.uids = command ? sub_ids("/etc/subuid") : (struct ids){100000, 800};
	t.gids = command ? sub_ids("/etc/subgid") : (struct ids){200000, 800};
	/* vmrun reads its umask when it starts. */
	tree_make(&t, masks[edits_random(6)]);
	edit_some(&t, 70);
	if (command)
		run_vmrun(&t, command, ro, v);
	else
		run_library(&t, v);
	if (v->wrong > wrong)
		printf("# that was tree %u; alone: -n 1 -s %" PRIu64 "\n",
		       tree_number, seed + tree_number);
	umask(022);
	tree_remove();
}

int main(int argc, char **argv)
{
	unsigned trees = 300;
	struct verdict v = {0};
	bool ro = false;
	int o;

	while ((o = getopt(argc, argv, "+n:s:rv")) != -1)
		if (o == 'n')
			trees = (unsigned)strtoul(optarg, NULL, 10);
		else if (o == 's')
			seed = strtoull(optarg, NULL, 10);
		else if (o == 'r')
			ro = true;
		else if (o == 'v')
			is_loud = true;
		else
			return 125;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (; tree_number < trees; tree_number++) {
		one_tree(argv[optind] ? argv + optind : NULL, ro, &v);
		if (tree_number % 1000 == 999)
			printf("# %u trees\n", tree_number + 1);
	}
	printf("# %u trees, %" PRIu64 " names: %" PRIu64
	       " byte for byte, %" PRIu64 " less by chmod or umask, %" PRIu64
	       " more by setfacl after chmod, %" PRIu64 " wrong\n",
	       trees, v.inodes, v.exact, v.lost, v.remasked, v.wrong);
	return v.wrong != 0;
}
