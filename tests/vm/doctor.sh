#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# doctor's word can be relied on: where it says yes vmrun runs; where vmrun
# does not run it says no, and what to do.
. "${top_srcdir:?}/tests/vm/lib.sh"

vmrunctl doctor >"$tmp/out" 2>"$tmp/err"
is $? 0 "doctor says that vmrun can run"
is "$(grep -c '^ok \|^warn ' "$tmp/out")" 14 "all is looked at"
hasnt "$tmp/out" "$(printf '\033')" "no colours but on a terminal"
vm -- true
is $st 0 "and it can"
vmrunctl doctor --json >"$tmp/json"
python3 - "$tmp/json" <<'P' 2>"$tmp/err"
import json, sys
d = json.load(open(sys.argv[1]))
assert d["ok"] is True and len(d["checks"]) == 14, d
for c in d["checks"]:
    assert c["status"] in ("ok", "warn") and c["name"] and c["detail"], c
    assert c["status"] == "ok" or c["remedy"], c
P
ok $? "--json: a remedy for each warning"

# sick NAME COMMAND... : exit status 1, one "fail" that is about NAME, a
# remedy; and vmrun itself refuses with 125.
sick() {
	n=$1
	shift
	env "$@" vmrunctl doctor >"$tmp/out" 2>"$tmp/err"
	s=$?
	grep -A 1 "^fail  *$n " "$tmp/out" | grep -q '^ *-> '
	is "$s $?" "1 0" "doctor: $n: 1, and a remedy"
	env "$@" vmrun -q -- true >/dev/null 2>"$tmp/err"
	is $? 125 "and vmrun: 125"
}
sick QEMU VMRUN_QEMU=/nonexistent
sick virtiofsd VMRUN_VIRTIOFSD=/nonexistent
# An installed vmrun may have an image of its own.
if [ -z "$(XDG_DATA_HOME=$tmp/none vmrunctl image list)" ]; then
	sick 'guest image' XDG_DATA_HOME="$tmp/none"
fi
echo garbage >"$tmp/garbage"
mkdir -p "$tmp/state/vmrun" && cp "$tmp/garbage" "$tmp/state/vmrun/state.db"
chmod 700 "$tmp/state/vmrun"
env XDG_STATE_HOME="$tmp/state" vmrunctl doctor >"$tmp/out" 2>"$tmp/err"
is "$? $(grep -c '^fail  *state database' "$tmp/out")" "1 1" "doctor: a state database that is none"
env XDG_STATE_HOME="$tmp/state" vmrun -q -- true 2>"$tmp/err"
is $? 125 "and vmrun: 125"
cmp "$tmp/garbage" "$tmp/state/vmrun/state.db"
ok $? "which is left as it is"
unshare -Ur vmrunctl doctor >"$tmp/out" 2>"$tmp/err"
is $? 125 "vmrunctl does not run as root"
has "$tmp/err" 'as root' "and says so"
VMRUN_QEMU=/nonexistent vmrunctl doctor --json >"$tmp/json"
is $? 1 "--json: the same exit status"
python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); assert d["ok"] is False and [c["name"] for c in d["checks"] if c["status"]=="fail"]==["QEMU"]' "$tmp/json"
ok $? "and the one thing that fails"
vmrunctl doctor --nonsense 2>"$tmp/err"
is $? 125 "an unknown option"
vmrunctl doctor >/dev/full 2>"$tmp/err"
is $? 125 "a report that cannot be written"
plan_done
