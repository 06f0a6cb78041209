#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# clang-tidy has nothing to say; .clang-tidy has the checks, and why others are
# off.  Without a compilation database: the flags are the same for all files.
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
tidy() { # tidy TREE FILE...: findings, without the tree's path
	tree=$1
	shift
	printf '%s\n' "$@" | xargs -P2 -n1 sh -c '
		tool=$1 config=$2 tree=$3 made=$4
		shift 4
		"$tool" --quiet --config-file="$config" --warnings-as-errors="*" \
			"$@" -- -std=c11 -D_GNU_SOURCE -w \
			-I"$tree/src" -I"$tree" -I"$made/src/edge/wayland" \
			-I"$tree/src/edge/wayland" -DVMRUN_VERSION=\"\" \
			-DVMRUN_LIBEXECDIR=\"\" -DVMRUN_DATADIR=\"\" \
			-DVMRUN_SYSCONFDIR=\"\" 2>/dev/null || echo "failed: $*"
	' sh "$tool" "$top_srcdir/.clang-tidy" "$tree" "$top_builddir" |
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
[ "$(tidy "$scratch" "$scratch/src/bad.c" | wc -l)" -gt 1 ]
ok $? "a null pointer that is used is noticed"
none "$(tidy "$top_srcdir" $(find "$top_srcdir/src" "$top_srcdir/guest-init" \
	"$top_srcdir/tests" -name '*.c' ! -path '*/tests/tmp/*' \
	! -path '*/tests/bench/*' | sort))" "clang-tidy has nothing to say"
plan_done
