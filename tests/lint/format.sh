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
! $tool -n --Werror "$scratch/bad.c" 2>/dev/null
ok $? "a badly laid out file is noticed"
bad=$(sources | while read -r f; do
	$tool -n --Werror "$f" >/dev/null 2>&1 || echo "${f#"$top_srcdir/"}"
done)
none "$bad" "clang-format has nothing to say"
plan_done
