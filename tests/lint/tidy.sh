#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# clang-tidy has nothing to say; .clang-tidy has the checks, and why others are
# off.  Without a compilation database: the flags are the same for all files.
# Tests without the static analyzer, which takes six sevenths of the time: a test
# that crashes says so itself.
. "${top_srcdir:?}/tests/lint/tap.sh"
decided_elsewhere
release=14

tool=
for t in clang-tidy-$release clang-tidy; do
	has_tool "$t" && "$t" --version | grep -q " version $release\." &&
		tool=$t && break
done
if [ -z "$tool" ]; then
	skip "clang-tidy" "clang-tidy $release is not installed"
	plan_done
fi
tidy() { # tidy TREE CHECKS FILE...: findings, without the tree's path
	tree=$1 checks=$2
	shift 2
	printf '%s\n' "$@" | xargs -P2 -n1 sh -c '
		tool=$1 config=$2 tree=$3 made=$4 checks=$5
		shift 5
		"$tool" --quiet --checks="$checks" --config-file="$config" --warnings-as-errors="*" \
			"$@" -- -std=c11 -D_GNU_SOURCE -w \
			-I"$tree/src" -I"$tree" -I"$made/src/edge/wayland" \
			-I"$tree/src/edge/wayland" -DVMRUN_VERSION=\"\" \
			-DVMRUN_LIBEXECDIR=\"\" -DVMRUN_DATADIR=\"\" \
			-DVMRUN_SYSCONFDIR=\"\" 2>/dev/null || echo "failed: $*"
	' sh "$tool" "$top_srcdir/.clang-tidy" "$tree" "$top_builddir" "$checks" |
		grep -E '(warning|error): |^failed: ' | sed "s|$tree/||g"
}

mkdir -p "$scratch/src"
cat >"$scratch/src/bad.c" <<'END'
#include <stdlib.h>
#include <string.h>
int f(const char *p)
{
	char *q = NULL;

	memset((void *)p, sizeof(p), 0);
	return *q;
}
END
[ "$(tidy "$scratch" "" "$scratch/src/bad.c" | wc -l)" -gt 1 ]
ok $? "a null pointer that is used is noticed"
sources() { # sources FOLDER...
	find "$@" -name '*.c' ! -path '*/tests/tmp/*' ! -path '*/tests/bench/*' | sort
}
none "$(tidy "$top_srcdir" "" $(sources "$top_srcdir/src" "$top_srcdir/guest-init"))" \
	"clang-tidy has nothing to say"
none "$(tidy "$top_srcdir" "-clang-analyzer-*" $(sources "$top_srcdir/tests"))" \
	"nor about the tests"
plan_done
