#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Each file of the tree is in the tarball.
. "${top_srcdir:?}/tests/lint/tap.sh"

# Names below the tree; what the tarball has may be a directory.
in_tarball() {
	env -u MAKEFLAGS -u MFLAGS make -s -C "$top_builddir" dist-list |
		sed "s|^$top_srcdir/||; s|^\(\.\./\)*||"
}
in_tree() {
	(cd "$1" && find . \( -name '*~' -o -name .git -o -name .ci \
		-o -name .gitignore -o -name autom4te.cache -o -name __pycache__ \
		-o -path './build*' -o -path './_*' -o -path ./sanitized \
		-o -path ./tests/tmp \) -prune -o \
		-type f -print) | sed 's|^\./||' | grep -v '\.tar\.' | sort
}
left_out() { # left_out LIST TREE
	in_tree "$2" | awk -v list="$1" '
		BEGIN { while ((getline line < list) > 0) has[line] = 1 }
		{
			n = split($0, part, "/")
			at = ""
			for (i = 1; i <= n; i++) {
				at = at (i > 1 ? "/" : "") part[i]
				if (at in has)
					next
			}
			print
		}'
}

in_tarball >"$scratch/list"
mkdir -p "$scratch/tree/tests/fuzz/corpus/new"
touch "$scratch/tree/README" "$scratch/tree/tests/fuzz/corpus/new/seed" \
	"$scratch/tree/tests/forgotten.sh"
[ "$(left_out "$scratch/list" "$scratch/tree")" = tests/forgotten.sh ]
ok $? "a file that is left out is noticed"
none "$(left_out "$scratch/list" "$top_srcdir")" "the tarball has every file"
plan_done
