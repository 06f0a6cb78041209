#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Every option of --help is in the manual and completed, and the reverse; the
# manuals are well-formed.
. "${top_srcdir:?}/tests/lint/tap.sh"
man=$top_srcdir/man/vmrun.1
completion=$top_srcdir/completion/vmrun

# The long and short options that a text in the form of --help offers.
in_help() {
	sed -n 's/^ \{2,6\}\(-.*\)/\1/p' | sed 's/   .*//' | grep -oE -e \
		'(^|[ ,])--?[A-Za-z][A-Za-z-]*' | sed 's/^[ ,]*//' | sort -u
}
# Those that the manual explains: `.It Fl -name Ar x , Fl n`.
in_man() {
	sed -n 's/^\.It Fl/ Fl/p' "$man" | grep -oE ' Fl -?[A-Za-z][A-Za-z-]*' |
		sed 's/^ Fl /-/' | sort -u
}
in_completion() {
	grep -oE -e '(^|[[:space:]'\''])--?[A-Za-z][A-Za-z-]*' "$completion" |
		sed "s/^[[:space:]']*//" | sort -u
}
missing() { # missing WANTED HAVE: lines of the first that the second lacks
	comm -23 "$1" "$2"
}

printf 'A:\n  -x, --ex, --why VAL   text --no\n      --zed   b\n' | in_help \
	>"$scratch/got"
[ "$(tr '\n' ' ' <"$scratch/got")" = '-x --ex --why --zed ' ] ||
	[ "$(tr '\n' ' ' <"$scratch/got")" = '--ex --why --zed -x ' ]
ok $? "options are found in a help text, and only there"

if "$top_builddir/vmrun" --help >"$scratch/text"; then
	in_help <"$scratch/text" >"$scratch/help"
	in_man >"$scratch/man"
	in_completion >"$scratch/completion"
	[ "$(wc -l <"$scratch/help")" -gt 30 ]
	ok $? "vmrun --help has options"
	none "$(missing "$scratch/help" "$scratch/man")" \
		"each is explained in vmrun(1)"
	none "$(missing "$scratch/man" "$scratch/help")" \
		"vmrun(1) explains no other"
	none "$(missing "$scratch/help" "$scratch/completion")" \
		"each is completed"
else
	ok 1 "vmrun --help"
fi

# The same of vmrunctl: "VERB --option" lines of each verb's own --help, and of
# its item and those inside of it in the manual.
in_verb_help() {
	"$top_builddir/vmrunctl" --help |
		sed -n 's/^  \([a-z]\{2,\}\) .*/\1/p' | sort -u |
		while read -r verb; do
			"$top_builddir/vmrunctl" "$verb" --help |
				grep -oE -e '(^|[[ |])--?[A-Za-z][A-Za-z-]*' |
				sed "s/^[[ |]*/$verb /"
		done | sort -u
}
in_verb_man() {
	awk '/^\.It / {
		if ($2 == "Cm")
			verb = $3
		for (i = 2; i < NF; i++)
			if ($i == "Fl" && $(i + 1) != "-" && verb)
				print verb, "-" $(i + 1)
	}
	/^\.Sh ENVIRONMENT/ { exit }' "$top_srcdir/man/vmrunctl.1" | sort -u
}
in_verb_help >"$scratch/help"
in_verb_man >"$scratch/man"
[ "$(wc -l <"$scratch/help")" -gt 25 ]
ok $? "each verb of vmrunctl tells its options"
none "$(missing "$scratch/help" "$scratch/man")" "each is explained in vmrunctl(1)"
none "$(missing "$scratch/man" "$scratch/help")" "vmrunctl(1) explains no other"
for words in 'image import' 'alias show' 'net tap'; do
	text=$("$top_builddir/vmrunctl" $words --help 2>&1) &&
		[ "$text" = "$("$top_builddir/vmrunctl" "${words% *}" --help)" ]
	ok $? "vmrunctl $words --help"
done

# What --wayland-allow knows, by the table that it goes by.
globals=$top_srcdir/src/host/plan/windows.c
sed -n 's/^	{"\([a-z0-9_]*\)", [0-9]*,.*/\1/p' "$globals" >"$scratch/globals"
[ "$(wc -l <"$scratch/globals")" = "$(grep -c '^	{"' "$globals")" ] &&
	[ "$(wc -l <"$scratch/globals")" -gt 60 ]
ok $? "windows.c has names of interfaces"
none "$(tr -s ' ,;.' '\n' <"$man" | sort -u >"$scratch/words"
	sort -u "$scratch/globals" | comm -23 - "$scratch/words")" \
	"vmrun(1) lists each of them"

if has_tool mandoc; then
	printf '.Dd x\n.Sh NAME\n.Xx\n' >"$scratch/bad.1"
	[ -n "$(mandoc -Tlint -W warning "$scratch/bad.1" 2>&1)" ]
	ok $? "a malformed manual is noticed"
	for f in "$top_srcdir"/man/*.[1-9]; do
		none "$(mandoc -Tlint -W warning "$f" 2>&1)" \
			"${f##*/} is well-formed"
	done
else
	skip "the manuals are well-formed" "mandoc is not installed"
fi
if has_tool bash; then
	for f in vmrun vmrunctl; do
		none "$(bash -n "$top_srcdir/completion/$f" 2>&1)" \
			"bash can read the completion of $f"
	done
else
	skip "bash can read the completions" "bash is not installed"
fi
plan_done
