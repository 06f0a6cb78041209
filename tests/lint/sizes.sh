#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Files that one can read in one sitting, each with a licence and a purpose.
. "${top_srcdir:?}/tests/lint/tap.sh"

sources() {
	find "$top_srcdir/src" "$top_srcdir/guest-init" "$top_srcdir/tests" \
		-name '*.[ch]' ! -path '*/tests/tmp/*' | sort
}
# One awk for each question, not some programs for each file.
long() { # long FILE...
	awk -v top="$top_srcdir/" 'function end() {
			if (lines > 600)
				print name " has " lines " lines"
		}
		FNR == 1 { end(); name = FILENAME; sub(top, "", name) }
		{ lines = FNR }
		END { end() }' "$@"
}
nameless() { # nameless FILE...
	awk -v top="$top_srcdir/" 'FNR == 1 { good = /SPDX-License-Identifier: GPL-3.0-or-later/ }
		FNR == 2 {
			name = FILENAME
			sub(top, "", name)
			if (!good || !/^\/\*/)
				print name
			nextfile
		}' "$@"
}
awk 'BEGIN { for (i = 0; i < 601; i++) print "x" }' >"$scratch/long.c"
[ "$(long "$scratch/long.c" "$top_srcdir/src/base/own.h" | wc -l)" = 1 ] &&
	[ "$(nameless "$top_srcdir/src/base/own.h" "$scratch/long.c" | wc -l)" = 1 ]
ok $? "a long file without a licence is noticed"
none "$(long $(sources | grep -v "^$top_srcdir/tests/"))" \
	"no file of a program has more than 600 lines"
none "$(nameless $(sources))" "each starts with its licence and its purpose"
plan_done
