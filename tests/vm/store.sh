#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Store paths: the closure is visible, bin is on PATH, and nothing else is there.
. "${top_srcdir:?}/tests/vm/lib.sh"

item=$(sh "$top_srcdir/tests/vm/make-nix-hello.sh" 2>"$tmp/err" | tail -n 1)
[ -x "$item/bin/hello" ] || bail "$(cat "$tmp/err")"
nix-store -qR "$item" | sed 's,.*/,,' | sort >"$tmp/closure"
is "$(wc -l <"$tmp/closure")" 3 "the item has a closure of three"
vm --ro "$item" -- hello from a VM
is "$st $(cat "$tmp/out")" "0 Hello, store from a VM" "a program of a store item, by its name; an item may be a link"
mkdir -p "$tmp/lib/sub" && echo x >"$tmp/lib/f"
before=$(find /nix/store -maxdepth 1 -printf '%f %m\n' | sort | md5sum)
vm --ro "$item" --ro "$tmp/lib:/extra" --path-add LD_LIBRARY_PATH=/extra \
	--path-add LD_LIBRARY_PATH=/extra/sub --path-add QT_PLUGIN_PATH=/extra \
	--path-add PATH=/extra -e QT_PLUGIN_PATH=/given -- sh -c '
	ls /nix/store; echo "$LD_LIBRARY_PATH"; echo "$QT_PLUGIN_PATH"; echo "$PATH"
	touch /nix/store/x "$1/x" 2>/dev/null && echo written' - "$item"
is "$(sed -n '1,3p' "$tmp/out" | sort)" "$(cat "$tmp/closure")" "the whole closure is in the guest"
is "$(sed -n 4p "$tmp/out")" /extra/sub:/extra "and nothing else of the store; --path-add, the last one first"
is "$(sed -n 5p "$tmp/out")" /extra:/given "in front of --env"
is "$(sed -n 6p "$tmp/out" | cut -d : -f 1,2)" "/extra:$item/bin" "and of the item's bin on PATH"
hasnt "$tmp/out" written "the store is read-only"
is "$(find /nix/store -maxdepth 1 -printf '%f %m\n' | sort | md5sum)" "$before" "and as before"
vm -- sh -c 'ls /nix'
[ $st != 0 ]
ok $? "without --ro there is no store"
vm --ro /nix/store/00000000000000000000000000000000-none -- true
is $st 125 "an item that is not there"
vm --dry-run --ro "$item" -- hello
has "$tmp/out" "$(grep greeting "$tmp/closure")" "--dry-run shows the closure"
has "$tmp/out" "$(grep link "$tmp/closure") to /nix/store/$(grep greeting "$tmp/closure")" "and where its link leads to"
plan_done
