#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A promise's test fails when its defence is switched off.
#
# For each row of `table` (or for those that are named): in a copy of the tree
# the defence is taken out of the source, what it is in is built again, and the
# named test must have a `not ok` line with the named text.  Nothing in the
# product knows of this, so no build of it can be weak by mistake.  Before
# that, the test must pass with nothing taken out.
#
# usage: weak.sh [NAME]...     as an ordinary user; WEAK_DIR keeps the copy
# Prints TAP.  `make check-weak` runs all of it.  `make check` has sample.sh, and
# tests/lint/weak.sh, which sees that each row still finds its line.
set -eu
: "${top_srcdir:?}"
table=$top_srcdir/tests/weak/table
work=${WEAK_DIR-$(mktemp -d)}
tab=$(printf '\t')
[ -n "${WEAK_DIR-}" ] || trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

if [ ! -f "$work/build/Makefile" ]; then
	(cd "$top_srcdir" && tar -cf - --exclude=./build --exclude='./build-*' \
		--exclude=./_build --exclude=./.git --exclude=./tests/tmp .) |
		tar -xf - -C "$work" --no-overwrite-dir
	chmod -R u+w "$work" # in distcheck nothing may be written to
	cp -R "$top_srcdir/build-aux" "$work"
	chmod -R u+w "$work"
	mkdir -p "$work/build"
	(cd "$work/build" && ../configure -q CFLAGS=-O1) >"$work/log" 2>&1 || {
		cat "$work/log" >&2
		exit 99
	}
fi
cd "$work/build"

programs="vmrun vmrunctl vmrun-stage vmrun-mux vmrun-init"
# Builds what a test needs and runs it; its output is in ../out.
run() {
	case $1 in
	unit/*) want=tests/$1 ;;
	sys/stage-*) want="vmrun-stage tests/sys/stage-tool tests/sys/stage-red" ;;
	*/bridge.sh) want="$programs tests/sys/bridge-tool" ;;
	*/ruleset.sh) want=tests/sys/ruleset-tool ;;
	sys/*) want="$programs tests/sys/stage-dummy tests/sys/oracle" ;;
	*) want=$programs ;;
	esac
	# shellcheck disable=SC2086
	# a source of the tests, which a plain `make` would make first
	make -s src/edge/wayland/tables.h $want >../log 2>&1 || return 2
	case $1 in
	*.sh) set -- sh "../tests/$1" ;;
	*) set -- "tests/$1" ;;
	esac
	timeout 600 env top_srcdir="$work" top_builddir="$work/build" \
		"$@" >../out 2>&1 </dev/null || :
}

n=0 failed=0
say() { # say GOOD TEXT
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else
		echo "not ok $n - $2"
		failed=$((failed + 1))
	fi
}

tried=
grep -v '^#' "$table" >../rows
while IFS= read -r row; do
	cut() { printf '%s' "$row" | awk -F"$tab" -v n="$1" '{ print $n }'; }
	name=$(cut 1) file=$(cut 3) test=$(cut 6) line=$(cut 7)
	case " $* " in *" $name "* | "  ") ;; *) continue ;; esac
	case " $tried " in *" $test "*) ;; *)
		tried="$tried $test"
		status=0
		run "$test" && grep -q '^ok' ../out || status=1
		! grep -q '^not ok' ../out || status=1
		say $status "$test passes with every defence in place"
		;;
	esac
	cp -p "../$file" ../whole
	printf '%s\n' "$row" | awk -F"$tab" -v src="../$file" '
		{ from = $4; to = $5 }
		END { while ((getline line < src) > 0) {
			at = index(line, from)
			if (at)
				line = substr(line, 1, at - 1) to \
					substr(line, at + length(from))
			print line } }' >../weak
	cat ../weak >"../$file"
	status=0
	run "$test" || status=$?
	if [ $status = 2 ]; then
		say 1 "$name ($(cut 2)): does not build without it"
		sed 's/^/# /' ../log
	else
		status=0
		grep '^not ok' ../out | grep -qF -- "$line" || status=1
		say $status "$name ($(cut 2)): $test notices that it is gone"
		[ $status = 0 ] || grep '^not ok' ../out | sed 's/^/# /' || :
	fi
	cat ../whole >"../$file"
done <../rows
echo "1..$n"
[ $failed = 0 ]
