#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# --firewall with two cards that have no address, a bridge: what passes, and
# what does not; nobody in it answers, or says anything of its own.
. "${top_srcdir:?}/tests/vm/lib.sh"

for mode in two any; do
	"$top_builddir/tests/sys/bridge-tool" $mode >"$tmp/$mode.rules"
	python3 "$top_srcdir/tests/sys/bridge.py" vm $mode "$tmp/$mode.rules" \
		>"$tmp/tap" 2>"$tmp/why"
	is $? 0 "$mode: it was played to its end"
	sed 's/^/# /' "$tmp/why"
	sed "s/^\([01]\) /\1 $mode: /" "$tmp/tap" >"$tmp/$mode.tap"
	oks "$tmp/$mode.tap"
done
{
	echo '#@ resolver 192.0.2.1'
	echo '#@ name a.example'
	cat "$tmp/two.rules"
} >"$tmp/names.rules"
echo 'table netdev vmrun { chain x { nonsense; }; }' >"$tmp/bad.rules"
for f in 'names names, and a bridge has no resolver' 'bad nft refused the rules, line 1'; do
	python3 "$top_srcdir/tests/sys/bridge.py" vm two "$tmp/${f%% *}.rules" \
		>"$tmp/tap" 2>"$tmp/why"
	is $? 125 "${f%% *}: 125"
	has "$tmp/why" "${f#* }" "and why"
done
plan_done
