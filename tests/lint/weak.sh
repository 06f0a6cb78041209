#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Each row of tests/weak/table still finds its line of the source and its test.
. "${top_srcdir:?}/tests/lint/tap.sh"

stale() { # stale TABLE
	awk -F'\t' -v top="$top_srcdir" '
		/^#/ { next }
		NF != 7 { print $1 ": " NF " fields"; next }
		{
			seen = 0
			file = top "/" $3
			while ((getline line < file) > 0)
				seen += index(line, $4) > 0
			close(file)
			if (seen != 1)
				print $1 ": " seen " lines of " $3 " have: " $4
			test = top "/tests/" $6
			if ($6 !~ /\.sh$/)
				test = test ".c"
			if ((getline line < test) < 0)
				print $1 ": no " $6
			close(test)
			if (names[$1]++)
				print $1 ": twice"
		}' "$1"
}

printf 'x\tP0\tsrc/stage/main.c\tno such line\t\tsys/none.sh\ty\n' >"$scratch/t"
[ "$(stale "$scratch/t" | wc -l)" = 2 ]
ok $? "a row that finds nothing is noticed"
none "$(stale "$top_srcdir/tests/weak/table")" "each defence of the table is where it says"
plan_done
