/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The fence as a program for the kernel's filter machine.
 *
 * By hand, not by libseccomp: that has no rule for "every number above", and
 * a list of what is denied must not let through what came after it.  The
 * kernel asks the program once for each number that decides without looking at
 * arguments and remembers the answer, so the rest is what a call costs.
 */
#include "seal/fence.h"

#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/prctl.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
/* cppcheck-suppress preprocessorErrorDirective; it defines no machine */
#error "add this architecture's AUDIT_ARCH number"
#endif

#define MAX_CODE 1024

struct program {
	struct sock_filter code[MAX_CODE];
	unsigned short n;
	bool full;
};

static void add(struct program *p, struct sock_filter one)
{
	if (p->n == MAX_CODE) {
		p->full = true;
		return;
	}
	p->code[p->n++] = one;
}

static void load(struct program *p, size_t offset)
{
	add(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					    (uint32_t)offset));
}

/* Compares by BPF_JEQ, BPF_JGT or BPF_JSET; skips that many if not so. */
static void unless(struct program *p, int how, uint32_t k, uint8_t skip)
{
	add(p, (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | how | BPF_K),
					    k, 0, skip));
}

static void end_with(struct program *p, uint32_t action)
{
	add(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

static uint32_t failing(int error)
{
	return SECCOMP_RET_ERRNO | ((uint32_t)error & SECCOMP_RET_DATA);
}

/* The number is loaded before and afterwards. */
static void add_row(struct program *p, const struct fence_row *r)
{
	const size_t arg =
		offsetof(struct seccomp_data, args) + r->arg * sizeof(uint64_t);

	if (r->when == FENCE_ALWAYS) {
		unless(p, BPF_JEQ, r->nr, 1);
		end_with(p, failing(r->error));
		return;
	}
	unless(p, BPF_JEQ, r->nr, r->when == FENCE_OTHER_THAN ? 6 : 5);
	load(p, arg); /* the lower half comes first: little-endian */
	add(p,
	    (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, r->mask));
	switch (r->when) {
	case FENCE_ALWAYS:
		break;
	case FENCE_ANY_BIT:
		unless(p, BPF_JSET, r->mask, 1);
		break;
	case FENCE_EQUAL:
		unless(p, BPF_JEQ, r->value, 1);
		break;
	case FENCE_OTHER_THAN:
		unless(p, BPF_JEQ, r->value, 1);
		add(p, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1));
		break;
	}
	end_with(p, failing(r->error));
	load(p, offsetof(struct seccomp_data, nr));
}

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	      "the lower half of an argument is its first word");

int seal_fence(const struct fence_row *rows, size_t n, unsigned last,
	       struct err *e)
{
	static struct program p;
	struct sock_fprog prog = {.filter = p.code};

	p.n = 0;
	p.full = false;
	load(&p, offsetof(struct seccomp_data, arch));
	unless(&p, BPF_JEQ, ARCH, 1);
	add(&p, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1));
	end_with(&p, SECCOMP_RET_KILL_PROCESS);
	load(&p, offsetof(struct seccomp_data, nr));
	unless(&p, BPF_JGT, last, 1);
	end_with(&p, failing(ENOSYS));
	for (size_t i = 0; i < n; i++)
		add_row(&p, &rows[i]);
	end_with(&p, SECCOMP_RET_ALLOW);
	if (p.full)
		return err_set(e, E2BIG, "the fence has too many rows");
	prog.len = p.n;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0) {
		err_set(e, errno, "loading the fence of system calls");
		return err_hint(e, "the kernel needs CONFIG_SECCOMP_FILTER");
	}
	return 0;
}
