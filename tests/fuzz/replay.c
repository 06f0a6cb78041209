/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A fuzz target without a fuzzer: feeds it each seed, each seed cut short and
 * each seed with bits flipped, the same ones every time.  Prints TAP.
 *
 * Arguments are seeds or directories of them; without any the directory is
 * corpus/NAME in the source tree, for a program called NAME-fuzz.
 *
 * $VMRUN_FUZZ_MUTANTS: so many more of each seed, changed in up to eight
 * places at random, the same ones every time.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED_MAX (1u << 20)
/* Of each kind for one seed: so many bytes in all, within these numbers. */
#define VARIANTS_BYTES (1u << 20)
#define VARIANTS_MIN 16
#define VARIANTS_MAX 512

static int count, failed;

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A copy of exactly n bytes, so that a sanitizer sees the first one too far. */
static void run(const unsigned char *p, size_t n)
{
	unsigned char *copy = malloc(n ? n : 1);

	memcpy(copy, p, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static void run_variants(unsigned char *p, size_t n)
{
	size_t most = VARIANTS_BYTES / (n + 1), cut, flip;

	if (most < VARIANTS_MIN)
		most = VARIANTS_MIN;
	if (most > VARIANTS_MAX)
		most = VARIANTS_MAX;
	cut = n / most + 1;
	flip = n * 8 / most + 1;
	run(p, n);
	for (size_t i = 0; i < n; i += cut)
		run(p, i);
	for (size_t i = 0; i < n * 8; i += flip) {
		p[i / 8] ^= (unsigned char)(1u << (i % 8));
		run(p, n);
		p[i / 8] ^= (unsigned char)(1u << (i % 8));
	}
	/* The two values that lengths and counts like least. */
	for (size_t i = 0; i < n; i += cut) {
		unsigned char was = p[i];

		p[i] = 0xff;
		run(p, n);
		p[i] = 0;
		run(p, n);
		p[i] = was;
	}
}

static uint64_t dice(uint64_t *state)
{
	/* splitmix64 */
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* One change of p[0..n), which has room for as much again; the new size. */
static size_t change(unsigned char *p, size_t n, uint64_t *state)
{
	size_t at = dice(state) % n, m = dice(state) % 64 + 1, from;

	m = m < n - at ? m : n - at;
	switch (dice(state) % 6) {
	case 0:
		p[at] ^= (unsigned char)(1u << dice(state) % 8);
		return n;
	case 1:
		p[at] = (unsigned char)dice(state);
		return n;
	case 2:
		memset(p + at, dice(state) % 2 ? 0xff : 0, m);
		return n;
	case 3: /* taken out */
		memmove(p + at, p + at + m, n - at - m);
		return n - m > 0 ? n - m : n;
	case 4: /* what is elsewhere */
		from = dice(state) % (n - m + 1);
		memmove(p + at, p + from, m);
		return n;
	default: /* twice */
		memmove(p + at + m, p + at, n - at);
		return n + m;
	}
}

static void run_mutants(const unsigned char *p, size_t n)
{
	const char *often = getenv("VMRUN_FUZZ_MUTANTS");
	unsigned long mutants = often ? strtoul(often, NULL, 10) : 0;
	unsigned char *q = malloc(n + 1024);
	uint64_t state = n;

	for (unsigned long i = 0; n && i < mutants; i++) {
		size_t len = n, times = dice(&state) % 8 + 1;

		memcpy(q, p, n);
		while (times-- && len < n + 512)
			len = change(q, len, &state);
		run(q, len);
	}
	free(q);
}

static void replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	unsigned char *p = malloc(SEED_MAX);
	size_t n = f ? fread(p, 1, SEED_MAX, f) : 0;
	bool ok = f && !ferror(f) && feof(f);

	if (f)
		fclose(f);
	if (ok) {
		run_variants(p, n);
		run_mutants(p, n);
	}
	free(p);
	failed += !ok;
	printf("%sok %d - %s\n", ok ? "" : "not ", ++count, path);
	fflush(stdout);
}

/* In the order of names, so that a failure is always the same one. */
static void replay_directory(const char *path, DIR *d)
{
	char **names = NULL, *file = NULL;
	size_t n = 0;

	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		names = realloc(names, (n + 1) * sizeof(*names));
		names[n++] = strdup(e->d_name);
	}
	if (n)
		qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++) {
		if (asprintf(&file, "%s/%s", path, names[i]) < 0)
			abort();
		replay_file(file);
		free(file);
		free(names[i]);
	}
	free(names);
}

static void replay(const char *path)
{
	DIR *d = opendir(path);

	if (!d) {
		replay_file(path);
		return;
	}
	replay_directory(path, d);
	closedir(d);
}

static void replay_own(const char *program)
{
	const char *top = getenv("top_srcdir"), *name = strrchr(program, '/');
	char *path = NULL, *end;

	name = name ? name + 1 : program;
	if (asprintf(&path, "%s/tests/fuzz/corpus/%s", top ? top : ".", name) <
	    0)
		abort();
	end = strstr(strrchr(path, '/'), "-fuzz");
	if (end)
		*end = '\0';
	replay(path);
	free(path);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		replay_own(argv[0]);
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (!count) {
		printf("not ok %d - there are no seeds\n", ++count);
		failed++;
	}
	printf("1..%d\n", count);
	return failed ? 1 : 0;
}
