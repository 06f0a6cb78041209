/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Subordinate ranges from text: what must be refused, and in which words. */
#include "base/err.h"
#include "state/state.h"
#include "tap.h"

#include <stdlib.h>

#define MIN 1000u

struct got {
	int ret;
	uint32_t first, count;
	struct err e;
};

static struct got parse_n(const char *text, size_t n, const char *file)
{
	struct got g = {0, 0, 0, ERR_INIT};

	g.ret = subid_parse(text, n, "ann", 1000, MIN, file, &g.first, &g.count,
			    &g.e);
	return g;
}

static struct got parse(const char *text)
{
	return parse_n(text, strlen(text), "/etc/subuid");
}

static void wants(const char *text, uint32_t first, uint32_t count,
		  const char *what)
{
	struct got g = parse(text);

	if (!tap_ok(g.ret == 0 && g.first == first && g.count == count, "%s",
		    what))
		printf("# %d %u:%u %s\n", g.ret, g.first, g.count, g.e.msg);
}

/* Refused, with this in the message and a remedy beside it. */
static void refuses(const char *text, const char *with, const char *what)
{
	struct got g = parse(text);

	if (!tap_ok(g.ret < 0 && strstr(g.e.msg, with) && g.e.hint[0], "%s",
		    what))
		printf("# %d %s\n# %s\n", g.ret, g.e.msg, g.e.hint);
}

static void test_none(void)
{
	static const struct {
		const char *text, *what;
	} no_line[] = {
		{"", "an empty file has no range"},
		{"\n\n\n", "nor have empty lines"},
		{"bob:100000:65536\n", "nor has somebody else's line"},
		{"an:100000:65536\n", "nor a shorter name's"},
		{"anna:100000:65536\n", "nor a longer name's"},
		{"Ann:100000:65536\n", "nor one in other letters"},
		{"1001:100000:65536\n", "nor another uid's"},
		{"10000:100000:65536\n", "nor a uid's that begins the same"},
		{"#ann:100000:65536\n", "nor a comment"},
		{" ann:100000:65536\n", "nor a line that is indented"},
		{":100000:65536\n", "nor one without owner"},
		{"ann\n", "nor a name alone"},
		{"ann:\n", "nor one without numbers"},
		{"ann:100000\n", "nor one without a count"},
		{"ann:100000:\n", "nor one with an empty count"},
		{"ann::65536\n", "nor one with an empty start"},
		{"ann:100000:65536:\n", "nor one with a field too many"},
		{"ann:100000:65536 \n", "nor one with a space at its end"},
		{"ann:100000:65536\r\n", "nor one with a carriage return"},
		{"ann:-100000:65536\n", "nor a negative start"},
		{"ann:+100000:65536\n", "nor a start with a sign"},
		{"ann:0x186a0:65536\n", "nor a hexadecimal start"},
		{"ann:100000:-1\n", "nor a negative count"},
		{"ann:100000:0\n", "nor an empty range"},
		{"ann:0:65536\n", "nor a range that begins with root"},
		{"ann:100000:4294967295\n", "nor one past the last id"},
		{"ann:4294967295:1000\n", "nor one at \"no id\""},
		{"ann:4294966296:1000\n", "nor one that ends at \"no id\""},
		{"ann:4294967296:65536\n", "nor a start of 2^32"},
		{"ann:100000:4294967297\n", "nor a count that wraps to 1"},
		{"ann:18446744073709651616:65536\n", "nor one that wraps"},
		{"ann:99999999999999999999999999:1\n", "nor a huge one"},
	};

	for (size_t i = 0; i < sizeof(no_line) / sizeof(*no_line); i++)
		refuses(no_line[i].text, "has no subordinate ids in",
			no_line[i].what);
}

static void test_found(void)
{
	wants("ann:100000:65536\n", 100000, 65536, "a line of the name");
	wants("ann:100000:65536", 100000, 65536, "without a newline");
	wants("1000:100000:65536\n", 100000, 65536, "a line of the uid");
	wants("bob:1:1000\nann:5000:1000\n", 5000, 1000, "exactly the minimum");
	wants("ann:4294966295:1000\n", 4294966295u, 1000, "up to the last id");
	wants("ann:9000:10\nann:200000:65536\n", 200000, 65536,
	      "a narrow range is passed over");
	wants("rubbish\n:::\nann:100000:65536\n", 100000, 65536,
	      "malformed lines are passed over");
	wants("ann:200000:65536\nann:100000:65536\n", 200000, 65536,
	      "the first of two ranges");
	wants("ann:100000:65536\n1000:100000:65536\n", 100000, 65536,
	      "the same range by name and by uid is no conflict");
	wants("bob:34464:65536\nann:100000:65536\neve:165536:65536\n", 100000,
	      65536, "neighbours touch on both sides");
	wants("bob:100000:65536\nann:150000:65536\nann:300000:65536\n", 300000,
	      65536, "a range that is free after one that is not");
}

static void test_rivals(void)
{
	refuses("ann:100000:65536\nbob:100000:65536\n", "overlaps bob's",
		"somebody else has the same range");
	refuses("bob:100000:65536\nann:100000:65536\n", "overlaps bob's",
		"also if he comes first");
	refuses("ann:100000:65536\nbob:165535:1\n", "overlaps bob's",
		"he shares the last id");
	refuses("ann:100000:65536\nbob:1:100000\n", "overlaps bob's",
		"he shares the first id");
	refuses("ann:100000:65536\nbob:120000:5\n", "overlaps bob's",
		"he is inside");
	refuses("ann:100000:65536\nbob:1:4294967294\n", "overlaps bob's",
		"he is around");
	refuses("ann:100000:65536\n1001:100000:65536\n", "overlaps 1001's",
		"he is named by uid");
	refuses("ann:100000:65536\nb\033[2Jb:100000:65536\n",
		"overlaps b\\x1b[2Jb's", "his name is shown escaped");
}

static void test_words(void)
{
	static const char nul[] = "ann:100000:65536\0\nann:7:5\n";
	struct got g = parse("");

	tap_str(g.e.msg, "ann has no subordinate ids in /etc/subuid",
		"the message without a line");
	tap_str(g.e.hint,
		"sudo usermod --add-subuids 100000-165535 "
		"--add-subgids 100000-165535 ann",
		"and its remedy");
	g = parse("bob:100000:65536\n");
	tap_str(g.e.hint,
		"sudo usermod --add-subuids 165536-231071 "
		"--add-subgids 165536-231071 ann",
		"the remedy does not collide with bob");
	g = parse_n("", 0, "/etc/subgid");
	tap_str(g.e.hint, "sudo usermod --add-subgids 100000-165535 ann",
		"the remedy for groups alone");
	g = parse("ann:100000:999\n");
	tap_str(g.e.msg,
		"the range in /etc/subuid is 999 ids wide; vmrun needs 1000",
		"the message for a narrow range");
	g = parse_n(nul, sizeof(nul) - 1, "/etc/subuid");
	tap_ok(g.ret < 0 && strstr(g.e.msg, "5 ids wide"),
	       "a line with a NUL inside is malformed");
}

/*
 * A file that is cut gives the range or a part of it (the newline of the last
 * line may be missing, so the count may lose digits), never an id beyond it.
 */
static void test_cuts(void)
{
	static const char text[] = "bob:1:10\nann:100000:65536\n";
	size_t full = sizeof(text) - 1;
	int outside = 0, found = 0;

	for (size_t n = 0; n <= full; n++) {
		char *copy = malloc(n ? n : 1); /* for the sanitizer's sake */
		struct got g;

		if (!copy)
			continue;
		memcpy(copy, text, n);
		g = parse_n(copy, n, "/etc/subuid");
		free(copy);
		if (g.ret < 0)
			continue;
		found++;
		outside += g.first != 100000 || g.count > 65536;
	}
	tap_ok(outside == 0 && found == 3, "a cut file gives no other ids");
}

int main(void)
{
	test_none();
	test_found();
	test_rivals();
	test_words();
	test_cuts();
	return tap_done();
}
