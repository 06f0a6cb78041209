#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# P1: what `make install' leaves is all there, none of it is set-user-ID or has
# capabilities, and `make uninstall' takes all of it away.
. "${top_srcdir:?}/tests/lint/tap.sh"
at=$scratch/at

# Beside others this does not build: make would, with what is up to date.
run_make() { env -u MAKEFLAGS -u MFLAGS make -s -C "$top_builddir" "$@" DESTDIR="$at"; }
privileged() { # privileged FOLDER: what has set-ID bits or capabilities
	find "$1" -type f -perm /6000
	python3 - "$1" <<-'END'
		import os, sys
		for where, _, names in os.walk(sys.argv[1]):
		    for n in (os.path.join(where, n) for n in names):
		        if "security.capability" in os.listxattr(n, follow_symlinks=False):
		            print(n)
	END
}
run_make install >"$scratch/log" 2>&1
r=$?
ok $r "make install DESTDIR="
[ $r = 0 ] || sed 's/^/# /' "$scratch/log"
missing=
for name in bin/vmrun bin/vmrunctl vmrun/vmrun-stage vmrun/vmrun-mux \
	vmrun/vmrun-init vmrun/vmrun-net vmrun/vmrun-switch vmrun/vmrun-wayland \
	vmrun/vmrun-waypipe.so \
	man1/vmrun.1 man1/vmrunctl.1 man8/vmrun-init.8 man7/vmrun-wire.7 \
	man7/vmrun-security.7 completions/vmrun completions/vmrunctl \
	user/vmrun-gc.timer user/vmrun-gc.service vmrun/profiles/make.conf \
	vmrun/profiles/ninja.conf vmrun/profiles/foot.conf \
	vmrun/profiles/firefox-esr.conf vmrun/net/any.nft vmrun/net/lan.nft \
	vmrun/net/mail.nft vmrun/net/web.nft vmrun/net/doh.list; do
	[ -n "$(find "$at" -type f -path "*/$name")" ] || missing="$missing $name"
done
none "$missing" "programs, manual, completions, units, profiles, rulesets are there"
none "$(cd "$top_srcdir/examples" && find . -type f ! -name local.mk | while read -r f; do
	[ -n "$(find "$at" -type f -path "*/doc/vmrun/examples/${f#./}")" ] || echo "$f"
done)" "and all examples"
[ -n "$(find "$at" -path '*/s6/vmrun-gc/run' -perm -100)" ]
ok $? "the example's script can be run"
none "$(privileged "$at")" "none is set-user-ID or has capabilities"
mkdir "$scratch/bad"
touch "$scratch/bad/prog"
chmod 4755 "$scratch/bad/prog"
[ -n "$(privileged "$scratch/bad")" ]
ok $? "(one that is set-user-ID is noticed)"
is=$(find "$at" -path '*/bin/vmrun' -exec {} --version \;)
case $is in
"vmrun "[0-9]*) ok 0 "it runs from there" ;;
*) ok 1 "it runs from there" ;;
esac
run_make uninstall >/dev/null 2>&1
none "$(find "$at" -type f)" "make uninstall leaves nothing"
plan_done
