#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Files that one can read in one sitting, each with a licence and a purpose.
. "${top_srcdir:?}/tests/lint/tap.sh"

sources() {
	find "$top_srcdir/src" "$top_srcdir/guest-init" "$top_srcdir/tests" \
		-name '*.[ch]' ! -path '*/tests/tmp/*' | sort
}
long=$(sources | grep -v "^$top_srcdir/tests/" | while read -r f; do
	n=$(wc -l <"$f")
	[ "$n" -le 600 ] || echo "${f#"$top_srcdir/"} has $n lines"
done)
none "$long" "no file of a program has more than 600 lines"
nameless=$(sources | while read -r f; do
	sed -n 1p "$f" | grep -q 'SPDX-License-Identifier: GPL-3.0-or-later' &&
		sed -n 2p "$f" | grep -q '^/\*' || echo "${f#"$top_srcdir/"}"
done)
none "$nameless" "each starts with its licence and its purpose"
plan_done
