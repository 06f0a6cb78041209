#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What a share leaves out, what it refuses, and what is said; no VM is needed.
. "${top_srcdir:?}/tests/vm/lib.sh"
. "${top_srcdir:?}/tests/sys/dummy.sh"

mkdir -p "$tmp/s/closed" "$tmp/s/.ssh"
echo plain >"$tmp/s/plain"; echo key >"$tmp/s/id_rsa"; echo key >"$tmp/s/.ssh/id_x"
printf -- '-----BEGIN RSA PRIVATE KEY-----\n' >"$tmp/s/odd"
chmod 600 "$tmp/s/plain" "$tmp/s/id_rsa" "$tmp/s/odd" "$tmp/s/.ssh/id_x"
chmod 700 "$tmp/s/.ssh"
mkfifo "$tmp/s/fifo"
facl "$tmp/s" >"$tmp/before"

dvm --ro "$tmp/s" -- cat "$tmp/s/id_rsa"
is $st 1 "a private key is not shared with its directory"
dvm --ro "$tmp/s" -- cat "$tmp/s/odd"
is $st 1 "nor one that only begins like one"
dvm --ro "$tmp/s" -- ls "$tmp/s/.ssh"
is $st 2 "nor a directory of keys"
VMRUN_LIBEXECDIR=$tmp/libexec vmrun -v --ro "$tmp/s" -- true </dev/null 2>"$tmp/err"
has "$tmp/err" 'FIFOs and devices lead nowhere in the VM: 1$' "-v counts FIFOs and sockets"
has "$tmp/err" '3 files look like private keys' "that is said"
dvm --ro "$tmp/s" -- sh -c "cat $tmp/s/plain; stat -c %a $tmp/s/id_rsa"
is $st 0 "the rest is"
has "$tmp/out" '^600$' "and the key's mode is what ssh wants"
dvm --ro "$tmp/s" --include-keys "$tmp/s/id_rsa" -- cat "$tmp/s/id_rsa"
is $st 0 "a key that is named is shared"
dvm --ro "$tmp/s" --include-keys "$tmp/s/.ssh" -- cat "$tmp/s/.ssh/id_x"
is $st 0 "so is a directory of keys"
dvm --ro "$tmp/s" --include-keys "$tmp/s/none" -- true
is $st 125 "a key that is not there is an error"
dvm --ro "$tmp/s/id_rsa" -- cat "$tmp/s/id_rsa"
is $st 0 "a key that is the share is shared"

# A key that an alias was given is not everybody's.
dvm --alias dep --rw "$tmp/s" --include-keys "$tmp/s/id_rsa" --include-keys "$tmp/s/.ssh" -- \
	cat "$tmp/s/id_rsa" "$tmp/s/.ssh/id_x"
is $st 0 "an alias is given keys"
dvm --ro "$tmp/s" -- cat "$tmp/s/id_rsa"
is $st 1 "another VM is not given them with the directory"
dvm --ro "$tmp/s" -- ls "$tmp/s/.ssh"
is $st 2 "nor a directory of them"
VMRUN_LIBEXECDIR=$tmp/libexec vmrun --ro "$tmp/s" -- true </dev/null 2>"$tmp/err"
has "$tmp/err" '3 files look like private keys' "that is said"
vmrunctl alias forget dep >&2
ok $? "the alias is forgotten"

# A directory that its owner cannot list stands for one that is not his.
chmod 0 "$tmp/s/closed"
find "$tmp/s" -printf '%p %C@\n' 2>/dev/null | sort >"$tmp/then"
dvm --ro "$tmp/s" -- true
is $st 125 "what cannot be shared whole is refused"
has "$tmp/err" 'closed' "with an example"
has "$tmp/err" 'partial' "and a remedy"
find "$tmp/s" -printf '%p %C@\n' 2>/dev/null | sort >"$tmp/now"
cmp "$tmp/then" "$tmp/now" >&2
ok $? "before anything was edited"
VMRUN_LIBEXECDIR=$tmp/libexec vmrun --dry-run --ro "$tmp/s" -- true >/dev/null 2>"$tmp/err"
is $? 125 "a dry run says so too"
dvm --partial --ro "$tmp/s" -- cat "$tmp/s/plain"
is $st 0 "--partial starts without it"
VMRUN_LIBEXECDIR=$tmp/libexec vmrun --partial --ro "$tmp/s" -- true </dev/null 2>"$tmp/err"
has "$tmp/err" '1 entries belong to others and stay closed$' "that is said"
has "$tmp/err" '3 files look like private keys.*, for example ' "an example is one of what it is said of"
chmod 755 "$tmp/s/closed"
facl "$tmp/s" >"$tmp/after"
cmp "$tmp/before" "$tmp/after" >&2
ok $? "afterwards all is as before"
plan_done
