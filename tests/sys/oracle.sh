#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The oracle notices whatever vmrun may leave behind; other tests rely on it.

top=${top_builddir:-.}
oracle=$top/tests/sys/oracle
dir=$(mktemp -d "${TMPDIR:-/var/tmp}/vmrun-oracle-XXXXXX") || exit 99
trap 'rm -rf "$dir"' EXIT
trap 'exit 99' INT TERM HUP
n=0

ok() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
	fi
}

# Whether the tree differs from what it was; then it is as it is from now on.
noticed() { # noticed WHAT
	"$oracle" "$dir/t" >"$dir/now"
	! cmp -s "$dir/before" "$dir/now"
	ok $? "noticed: $1"
	mv "$dir/now" "$dir/before"
}

same() { # same WHAT
	"$oracle" "$dir/t" >"$dir/now"
	cmp "$dir/before" "$dir/now"
	ok $? "not minded: $1"
}

mkdir -p "$dir/t/d"
echo x >"$dir/t/d/f"
ln -s /nowhere "$dir/t/l"
if ! setfacl -m u:104711:r "$dir/t/d/f" 2>/dev/null; then
	if [ -n "$VMRUN_MUST_WORK" ]; then
		echo "not ok 1 - setfacl in ${TMPDIR:-/var/tmp}"
		echo "1..1"
		exit 1
	fi
	echo "1..0 # SKIP no setfacl, or no ACLs in ${TMPDIR:-/var/tmp}"
	exit 0
fi
setfacl -b "$dir/t/d/f"
"$oracle" "$dir/t" >"$dir/before"
[ "$(wc -l <"$dir/before")" = 4 ]
ok $? "a line for each inode"
same "nothing"
touch -d 2001-01-01 "$dir/t/d/f"
same "times"
echo y >>"$dir/t/d/f"
same "contents"
chmod u-w "$dir/t/d/f"
noticed "a mode"
setfacl -m u:104711:r "$dir/t/d/f"
noticed "an entry in an ACL"
"$oracle" -x 104711 "$dir/t" >"$dir/traces"
[ $? = 3 ] && [ "$(grep -c TRACE "$dir/traces")" = 1 ]
ok $? "and whose it is"
setfacl -x u:104711 "$dir/t/d/f"
noticed "that one is gone"
"$oracle" -x 104711 "$dir/t" >/dev/null
ok $? "and no trace is left"
setfacl -b "$dir/t/d/f"
noticed "that the mask is gone too"
setfacl -d -m u:104711:rwx "$dir/t/d"
noticed "a default ACL"
setfacl -k "$dir/t/d"
noticed "that it is gone"
ln "$dir/t/d/f" "$dir/elsewhere"
noticed "a link outside"
python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.a", b"1\n")' \
	"$dir/t/d" && noticed "a user xattr"
: >"$dir/t/d/$(printf 'a\nb')"
noticed "a new file"
[ "$(wc -l <"$dir/before")" = 5 ]
ok $? "a name with a newline is still one line"
mv "$dir/t/d/f" "$dir/t/d/g"
noticed "a name"
ln -sf /elsewhere "$dir/t/l"
noticed "where a link points"
echo "1..$n"
