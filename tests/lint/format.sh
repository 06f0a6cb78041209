#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Layout is what clang-format says; its releases differ, so one is agreed on.
. "${top_srcdir:?}/tests/lint/tap.sh"
decided_elsewhere
release=14

sources() {
	find "$top_srcdir/src" "$top_srcdir/guest-init" "$top_srcdir/tests" \
		-name '*.[ch]' ! -path '*/tests/tmp/*' | sort
}
tool=
for t in clang-format-$release clang-format; do
	has_tool "$t" && "$t" --version | grep -q " version $release\." &&
		tool=$t && break
done
if [ -z "$tool" ]; then
	skip "layout" "clang-format $release is not installed"
	plan_done
fi
cp "$top_srcdir/.clang-format" "$scratch/"
echo 'int  f( void ){return 0;}' >"$scratch/bad.c"
badly() { # badly FILE...: those that clang-format would change
	printf '%s\n' "$@" | xargs -P2 -n16 "$tool" -n --Werror 2>&1 |
		sed -n 's/^\([^:]*\):[0-9]*:[0-9]*: error: .*/\1/p' | sort -u
}
is_bad=$(badly "$scratch/bad.c")
[ "$is_bad" = "$scratch/bad.c" ]
ok $? "a badly laid out file is noticed"
none "$(badly $(sources) | sed "s|^$top_srcdir/||")" "clang-format has nothing to say"
plan_done
