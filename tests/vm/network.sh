#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# --net with real machines, in a test network that nothing leaves: what a
# ruleset allows, what it does not, neighbours, and each part killed.
. "${top_srcdir:?}/tests/vm/innet.sh"

vm --net nosuch -- true
is $st 125 "a ruleset that is not there: 125"
has "$tmp/err" 'there is no ruleset "nosuch"' "and why"
vm --net broken -- true
is $st 125 "a ruleset with an error: 125"
has "$tmp/err" 'broken.nft:3: ' "and its line"
vm --net ../web -- true
is $st 125 "a name that is a path: 125"
vmrunctl net show web >"$tmp/out" 2>"$tmp/err"
is $? 1 "net show: nobody uses it"
has "$tmp/err" 'nobody uses network web' "and that is said"

python3 "$top_srcdir/tests/vm/network.py" "$tmp" >"$tmp/tap" 2>"$tmp/why"
is $? 0 "it was played to its end"
sed 's/^/# /' "$tmp/why"
oks "$tmp/tap"
plan_done
