#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The guest's init has to run where there is nothing else: no dynamic linker.
. "${top_srcdir:?}/tests/lint/tap.sh"

interp() { # prints the dynamic linker that a program asks for
	readelf -lW "$1" 2>/dev/null | sed -n 's/.*interpreter: \(.*\)\]/\1/p'
}
if ! has_tool readelf; then
	skip "vmrun-init is static" "readelf is not installed"
	plan_done
fi
[ -n "$(interp /bin/sh)" ]
ok $? "a dynamic program is recognised"
readelf -h "$top_builddir/vmrun-init" >/dev/null 2>&1
ok $? "vmrun-init is a program"
none "$(interp "$top_builddir/vmrun-init")" "vmrun-init has no PT_INTERP"
none "$(readelf -dW "$top_builddir/vmrun-init" | grep NEEDED)" \
	"and needs no library"
plan_done
