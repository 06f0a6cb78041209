#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Shell scripts parse in the shell that they name, and shellcheck finds nothing
# that is worth a warning.  Not counted: words that are meant to be split
# (SC2046), names for those who source a file and such files (SC2034, SC2148),
# EDITOR=ed (SC2209), and -nt, which dash and bash both have (SC3013).
. "${top_srcdir:?}/tests/lint/tap.sh"
decided_elsewhere

scripts() {
	for f in "$top_srcdir/bootstrap" "$top_srcdir"/tests/*/*.sh \
		"$top_srcdir/examples/s6/vmrun-gc/run" "$top_srcdir/.ci/run"; do
		[ -f "$f" ] && echo "$f"
	done
}
parse() { # parse FILE: by the shell of its first line
	case $(sed -n 1p "$1") in
	*bash*) bash -n "$1" 2>&1 ;;
	*) sh -n "$1" 2>&1 ;;
	esac
}
echo 'if true; then' >"$scratch/bad.sh"
[ -n "$(parse "$scratch/bad.sh")" ]
ok $? "a script that does not parse is noticed"
none "$(scripts | while read -r f; do parse "$f"; done)" "all scripts parse"
if has_tool shellcheck; then
	printf '#!/bin/sh\nx=1\n[ a == b ]\n' >"$scratch/bad.sh"
	[ -n "$(shellcheck -S warning -f gcc "$scratch/bad.sh")" ]
	ok $? "a doubtful script is noticed"
	none "$(cd "$top_srcdir" && scripts | xargs shellcheck \
		-S warning -e SC2034,SC2046,SC2148,SC2209,SC3013 -f gcc 2>&1)" \
		"shellcheck has no warning"
else
	skip "shellcheck" "shellcheck is not installed"
fi
plan_done
