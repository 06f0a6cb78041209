#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# cppcheck has nothing to say.  What is suppressed for the whole tree:
#
# memleak*, resourceLeak, leak*, unreadVariable: it does not know own_free and
#   own_fd (attribute cleanup); LeakSanitizer and valgrind look for real leaks
# getpw*Called, getgr*Called, readdirCalled: there are no threads
# variableScope: declarations stand at the head of a function
# unusedStructMember: records of the kernel's and of files
# constParameter, shadowFunction: taste
# invalidFunctionArg, invalidFunctionArgBool: close(-1) after a failed open()
#   that was reported, and _exit(!ok), both in tests
# knownConditionTrueFalse, redundantAssignment, shadowVariable, unreachableCode:
#   as of release 2.10 it does not follow break, SIGSTOP, callbacks and
#   static functions; clang-tidy and the compilers look for the same
. "${top_srcdir:?}/tests/lint/tap.sh"
decided_elsewhere

if ! has_tool cppcheck; then
	skip "cppcheck" "cppcheck is not installed"
	plan_done
fi
suppress=
for id in missingIncludeSystem memleak memleakOnRealloc resourceLeak \
	leakNoVarFunctionCall leakReturnValNotUsed unreadVariable \
	getpwuidCalled getpwentCalled getgrgidCalled getgrentCalled \
	readdirCalled variableScope unusedStructMember constParameter \
	shadowFunction knownConditionTrueFalse redundantAssignment \
	shadowVariable unreachableCode \
	invalidFunctionArg invalidFunctionArgBool; do
	suppress="$suppress --suppress=$id"
done
findings() { # findings TREE FOLDER...
	# shellcheck disable=SC2086 # words
	(cd "$1" && shift && cppcheck -j2 --quiet --inline-suppr --std=c11 \
		--library=gnu,posix --enable=warning,performance,portability,style \
		$suppress -D_GNU_SOURCE -Isrc -I. -DVMRUN_VERSION='""' \
		-DVMRUN_LIBEXECDIR='""' -DVMRUN_DATADIR='""' \
		-DVMRUN_SYSCONFDIR='""' \
		--template='{file}:{line}: {id}: {message}' "$@" 2>&1)
}

mkdir "$scratch/src"
cat >"$scratch/src/bad.c" <<'END'
int f(void)
{
	int a[2] = {0};

	return a[2];
}
END
[ -n "$(findings "$scratch" src)" ]
ok $? "an index out of bounds is noticed"
none "$(findings "$top_srcdir" src guest-init tests)" \
	"cppcheck has nothing to say"
plan_done
