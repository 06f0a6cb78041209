#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Shares without ACLs: a second virtiofsd serves them with the person's rights,
# and nothing else of them can be reached.  On a ramfs, on a FUSE file system of
# the person's, and on FAT where the kernel has it.  And mounts inside of a
# share: they are not there, unless they are named.
#
# Needs root for the mounts; run as root with VMRUN_USER=NAME, whose vmrun it is.
set -u
: "${top_builddir:?}" "${top_srcdir:?}"
bail() {
	if [ -n "${VMRUN_MUST_WORK-}" ]; then
		echo "not ok 1 - shares without ACLs (skipped: $1)"
	else
		echo "ok 1 - shares without ACLs # SKIP $1"
	fi
	echo "1..1"
	exit 0
}

nl='
'
# In a mount namespace of its own, which ends with the test.
mounts() { # mounts TOP
	chown "$VMRUN_USER" "$1"
	mkdir "$1/ramfs" "$1/dev"
	mount -t ramfs -o nosuid,nodev ramfs "$1/ramfs"
	# Only root may open the host's node on some machines.
	mknod -m 666 "$1/dev/fuse" c 10 229 &&
		mount --bind "$1/dev/fuse" /dev/fuse
	if grep -qw vfat /proc/filesystems && command -v mkfs.vfat >/dev/null; then
		truncate -s 16M "$1/fat.img" && mkfs.vfat "$1/fat.img" >/dev/null
		mkdir "$1/fat"
		mount -o "loop,uid=$(id -u "$VMRUN_USER")" "$1/fat.img" "$1/fat"
	fi
	mkdir "$1/over" "$1/over/sub" "$1/over/odd$nl"
	echo below >"$1/over/file"
	mount -t tmpfs -o nosuid,nodev tmpfs "$1/over/sub"
	mount -t ramfs -o nosuid,nodev ramfs "$1/over/odd$nl"
	echo inside | tee "$1/over/sub/file" >"$1/over/odd$nl/file"
	mount --bind "$1/over/sub/file" "$1/over/file"
	chmod 644 "$1/over/sub/file" "$1/over/odd$nl/file"
	chown -R "$VMRUN_USER" "$1/ramfs" "$1/over"
	chmod 700 "$1/ramfs"
}

if [ "$(id -u)" = 0 ]; then
	[ -n "${VMRUN_USER-}" ] || bail "needs VMRUN_USER"
	[ -n "${VMRUN_PLAIN-}" ] || VMRUN_PLAIN=1 exec unshare -m sh "$0"
	command -v bindfs >/dev/null || bail "no bindfs"
	top=$(mktemp -d /srv/vmrun-plain.XXXXXX) || exit 99
	trap 'umount -l "$top/ramfs" "$top/fat" "$top/over/file" \
		"$top/over/sub" "$top/over/odd$nl" 2>/dev/null; rm -rf "$top"' EXIT
	mounts "$top" || exit 99
	install -d -o "$VMRUN_USER" -m 700 "/run/user/$(id -u "$VMRUN_USER")"
	setpriv --reuid="$VMRUN_USER" --regid="$(id -g "$VMRUN_USER")" \
		--init-groups env HOME="$(getent passwd "$VMRUN_USER" | cut -d: -f6)" \
		USER="$VMRUN_USER" LOGNAME="$VMRUN_USER" VMRUN_PLAIN="$top" \
		XDG_RUNTIME_DIR="/run/user/$(id -u "$VMRUN_USER")" sh "$0"
	exit
fi
[ -n "${VMRUN_PLAIN-}" ] || bail "needs root; ./bootstrap check as root runs it"

. "$top_srcdir/tests/vm/lib.sh"
mkdir "$tmp/below" "$tmp/fuse" "$tmp/acl"
bindfs -n "$tmp/below" "$tmp/fuse"
ok $? "a FUSE file system of the person's"
trap 'fusermount3 -u "$tmp/fuse" 2>/dev/null || fusermount -u "$tmp/fuse"; rm -rf "$tmp"' EXIT

try() { # try DIRECTORY NAME SERVED
	dir=$1 fs=$2
	mkdir "$dir/rw" "$dir/ro" "$dir/other"
	echo secret >"$dir/other/key"
	echo diary >"$dir/rw/diary"
	echo song >"$dir/ro/song"
	echo one >"$dir/one"
	chmod 600 "$dir/rw/diary" "$dir/ro/song"
	chmod 700 "$dir/rw" "$dir/ro"
	echo granted >"$tmp/acl/file"
	chmod 600 "$tmp/acl/file"
	find "$dir" -printf '%p %m %u %g %T@\n' | grep -v /rw | sort >"$tmp/before"
	vmrun --rw "$dir/rw" --ro "$dir/ro" --rw "$tmp/acl" --ro "$dir/one:/uno" \
		-e D="$dir" -e A="$tmp/acl" -- sh -c '
		cat "$D/rw/diary" "$D/ro/song" "$A/file" /uno
		ls "$D"
		cat "$D/other/key" 2>/dev/null && echo "other read"
		(echo no >"$D/ro/song") 2>/dev/null && echo "ro written"
		touch "$D/ro/x" 2>/dev/null && echo "ro created"
		chmod 777 "$D/ro/song" 2>/dev/null && echo "ro chmod"
		(echo no >/uno) 2>/dev/null && echo "ro file written"
		cp /bin/true "$D/rw/suid"; chmod 4755 "$D/rw/suid" 2>/dev/null && echo "suid"
		mknod "$D/rw/null" c 1 3 2>/dev/null && echo "device made"
		ln -s ../other/key "$D/rw/link"; cat "$D/rw/link" 2>/dev/null && echo "link read"
		stat -c "owner %u" "$D/rw/diary"; echo "me $(id -u)"
		echo changed >>"$D/rw/diary" && echo "wrote diary"
		echo new >"$D/rw/new"; mkdir "$D/rw/dir"; echo x >"$D/rw/dir/x"
		mv "$D/rw/dir" "$D/rw/moved" && rm "$D/rw/suid" "$D/rw/link"
		exit 6' >"$tmp/out" 2>"$tmp/err" </dev/null
	is $? 6 "$fs: the command ran"
	hasnt "$tmp/out" 'other read' "$fs: what was not named is not there"
	hasnt "$tmp/out" '^ro ' "$fs: --ro cannot be changed in any way"
	hasnt "$tmp/out" '^suid' "$fs: no set-user-id bit"
	hasnt "$tmp/out" 'device made' "$fs: no device nodes"
	hasnt "$tmp/out" 'link read' "$fs: no link leads out of it"
	is "$(tr '\n' ' ' <"$tmp/out" | cut -d ' ' -f 1-6)" \
		"diary song granted one ro rw" "$fs: 0600 files can be read"
	is "$(sed -n 's/^owner //p' "$tmp/out")" "$(sed -n 's/^me //p' "$tmp/out")" \
		"$fs: files belong to the application, in its eyes"
	has "$tmp/out" 'wrote diary' "$fs: a --rw file can be written"
	is "$(cat "$dir/rw/new" "$dir/rw/moved/x")" "new
x" "$fs: what it made is there"
	is "$(find "$dir" ! -uid "$(id -u)")" "" "$fs: all of it is the person's"
	is "$(find "$dir" -printf '%p %m %u %g %T@\n' | grep -v /rw | sort |
		diff "$tmp/before" - 2>&1)" "" "$fs: all else is as it was"
	is "$(grep -c "served with your own rights" "$tmp/err")" 3 \
		"$fs: each such share is named on stderr once"
	has "$tmp/err" "is on $3: no ACL is edited there, it is served" "$fs: with the reason"
	is "$(vmrunctl grants --json 2>/dev/null | grep -c "$dir")" 0 "$fs: no grant was made"
}

# Each other process of the person, and of the VM, is out of reach: sys/stage-audit.
try "$tmp/fuse" FUSE "FUSE, where this machine does not decide alone who may do what"
try "$VMRUN_PLAIN/ramfs" ramfs "ramfs, which has no ACLs"
[ ! -d "$VMRUN_PLAIN/fat" ] || try "$VMRUN_PLAIN/fat" FAT "FAT, which has no ACLs"

over=$VMRUN_PLAIN/over
vmrun --rw "$over" -e D="$over" -e O="$over/odd$nl" -- sh -c '
	ls -A "$D/sub" "$O" | grep file
	cat "$D/file" "$D/sub/file" "$O/file" 2>/dev/null
	for d in "$D/sub" "$O"; do
		touch "$d/new" 2>/dev/null && echo "made in $d"
		rmdir "$d" 2>/dev/null && echo "removed $d"
		umount "$d" 2>/dev/null && ls "$d"
	done
	(echo no >"$D/file") 2>/dev/null && echo "file written"
	echo new >"$D/new"; chmod 600 "$D/new"
	exit 7' >"$tmp/out" 2>"$tmp/err" </dev/null
is $? 7 "mounts inside: the command ran"
is "$(cat "$tmp/out")" "" "mounts inside: nothing of them is seen, or changed"
is "$(cat "$over/new" "$over/sub/file" "$over/odd$nl/file")" "new
inside
inside" "mounts inside: what is around them can be used"
is "$(grep -c 'mounted at 3 places in it is not shown' "$tmp/err")" 1 \
	"mounts inside: it is said, once"
is "$(cat "$tmp/err" | tr -d '\n' | tr -c -d '\001-\037' | wc -c)" 0 \
	"mounts inside: no name is printed raw"
vmrun --rw "$over" --ro "$over/sub" -e D="$over" -- sh -c '
	cat "$D/sub/file" "$D/new"
	(echo no >"$D/sub/file") 2>/dev/null && echo written
	touch "$D/sub/x" 2>/dev/null && echo made
	rm -f "$D/new"; exit 8' >"$tmp/out" 2>"$tmp/err" </dev/null
is $? 8 "mounts inside: the command ran with one that was named"
is "$(cat "$tmp/out")" "inside
new" "mounts inside: and it is there, in its own way"
has "$tmp/err" 'mounted at 2 places' "mounts inside: the others are not"
is "$(getfacl -sR "$over" "$over/sub" 2>/dev/null)$(ls "$over/new" 2>/dev/null)" "" \
	"mounts inside: all is given back"

# A server that is gone takes the VM with it, and nothing hangs.
vmrun --rw "$tmp/fuse/rw" --json-status-fd 3 -- sh -c 'echo up; read x' \
	3>"$tmp/json" >"$tmp/out" 2>"$tmp/err" </dev/zero &
pid=$!
wait_for 600 grep -q up "$tmp/out"
ok $? "a VM with it runs"
stage=$(pgrep -P "$pid" vmrun-stage)
plain=
MEMBERS="mux qemu virtiofsd plain" RW="/0 /tree/0" \
	python3 "$top_srcdir/tests/vm/audit.py" "$stage" \
	"$(sed -n 's/.*"uid":\([0-9]*\).*/\1/p' "$tmp/json" | head -n 1)" \
	>"$tmp/tap" 2>"$tmp/why"
is $? 0 "the audit ran"
sed 's/^/# /' "$tmp/why"
has "$tmp/tap" ' plain: uids' "the second server was looked at"
oks "$tmp/tap"
for p in $(pgrep -P "$stage" virtiofsd); do
	! grep -q "^Uid:	$(id -u)	" "/proc/$p/status" || plain=$p
done
[ -n "$plain" ] && kill -9 "$plain"
ok $? "the second server is the person's process"
wait $pid
is $? 255 "and the VM ends with it"
has "$tmp/err" "virtiofsd-plain" "saying who"
plan_done
