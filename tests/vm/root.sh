#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Another userland, another image, another kernel; size of the machine.
. "${top_srcdir:?}/tests/vm/lib.sh"

# --root: a tree with nothing but busybox in it.
busybox=$(command -v busybox)
if [ -n "$busybox" ] && ! ldd "$busybox" >/dev/null 2>&1; then
	mkdir -p "$tmp/root/bin" "$tmp/root/etc" "$tmp/root/home/x" "$tmp/root/lib/apk" "$tmp/root/own"
	cp "$busybox" "$tmp/root/bin/busybox"
	for a in sh ls cat id stat touch readlink grep; do ln -s busybox "$tmp/root/bin/$a"; done
	echo "this is the root" >"$tmp/root/etc/os-release"
	echo "root:x:0:0:theirs:/:/bin/nothing" >"$tmp/root/etc/passwd"
	echo open >"$tmp/root/own/file"
	echo closed >"$tmp/root/own/closed"
	chmod 700 "$tmp/root/own"
	chmod 600 "$tmp/root/own/closed"
	facl "$tmp/root" >"$tmp/before"
	mkdir "$tmp/rw"
	vm --root "$tmp/root" --rw "$tmp/rw" -- sh -c '
		echo $0; cat /etc/os-release; grep -c theirs /etc/passwd; id -un
		ls / | grep -c "^usr$"; cat /own/file /own/closed
		touch /bin/x /own/x 2>/dev/null && echo written
		touch "$1/made" && echo made
		python3 -c pass 2>/dev/null || echo nopython; exit 9' busybox "$tmp/rw"
	is "$st $(tr '\n' ' ' <"$tmp/out")" \
		"9 busybox this is the root 0 $(id -un) 0 open closed made nopython " \
		"--root: its programs, its /etc but for the accounts, nothing of this machine's"
	facl "$tmp/root" >"$tmp/after"
	cmp "$tmp/before" "$tmp/after" >&2
	ok $? "modes and ACLs of --root are as before"
else
	skip "--root" "busybox is missing, or not static"
fi
vm --root "$tmp/nowhere" -- true
is $st 125 "a --root that is not there"

# Processors, memory, parameters, balloon.
first=$XDG_DATA_HOME/vmrun/images/default
vmrun --kernel "$first/vmlinux" --cpus 2 --mem 512M --qemu-arg -name \
	--qemu-arg x --append 'vmrun.test=yes loglevel=4' -- sh -c '
	nproc; uname -r; cat /proc/meminfo; cat /proc/cmdline
	for d in /sys/bus/virtio/drivers/virtio_balloon/virtio*; do
		cat "$d/features"; done' </dev/null >"$tmp/out" 2>"$tmp/err"
is "$(sed -n 1p "$tmp/out")" 2 "--cpus 2"
is "$(sed -n 2p "$tmp/out")" "$(vmrunctl image list | awk '$1 == "default" { print $2 }')" "--kernel"
m=$(awk '/^MemTotal:/ { print int($2 / 1024) }' "$tmp/out")
[ "${m:-0}" -gt 384 ] && [ "$m" -le 512 ]
ok $? "--mem 512M ($m MiB)"
has "$tmp/out" 'vmrun.test=yes loglevel=4' "--append"
has "$tmp/err" '--qemu-arg is unsafe' "--qemu-arg is warned of"
# Bit 5 is free page reporting, VIRTIO_BALLOON_F_REPORTING.
is "$(grep -E '^[01]{64}$' "$tmp/out" | cut -c 6)" 1 "the balloon reports free pages"
vm --cpus 100000 -- true
is $st 125 "more processors than there are"

# Another image, and what is no kernel.
head -c 100000 /dev/urandom >"$tmp/nokernel"
vm --kernel "$tmp/nokernel" -- true
[ $st = 255 ] || [ $st = 125 ]
ok $? "--kernel with something else: $st"
[ -s "$tmp/err" ]
ok $? "and it is said"
deb=$(ls "${VMRUN_TEST_KERNEL_DEB:-$HOME/.cache/vmrun}"/linux-image-*.deb | tail -n 1)
XDG_DATA_HOME=$tmp/data
vmrunctl image import --name second --deb "$deb" 2>"$tmp/err"
is $? 0 "image import --name"
vm --image second -- sh -c 'exit 5'
is $st 5 "--image second"
vmrunctl image list --json | python3 -c 'import json,sys; v=json.load(sys.stdin); assert "second" in [i["name"] for i in v]'
ok $? "image list --json"
vmrunctl image remove second
is "$? $(vmrunctl image list | grep -c '^second ')" "0 0" "image remove"
dpkg-deb -x "$deb" "$tmp/deb"
modules=$(find "$tmp/deb/lib/modules" "$tmp/deb/usr/lib/modules" -maxdepth 1 \
	-name '[0-9]*' 2>/dev/null | head -n 1)
release=${modules##*/}
vmrunctl image import --name third --kernel "$tmp/deb/boot/vmlinuz-$release" \
	--modules "$modules" 2>"$tmp/err"
is $? 0 "image import --kernel --modules"
vm --image third -- uname -r
is "$st $(cat "$tmp/out")" "0 $release" "--image third"
vmrunctl image import --name fourth --kernel "$tmp/nokernel" \
	--modules "$modules" 2>"$tmp/err"
is "$? $(vmrunctl image list | grep -c '^fourth ')" "125 0" "what is no kernel makes no image"
has "$tmp/err" 'not an x86 kernel' "and it is said"
vm --image second -- true
is $st 125 "it is gone"
plan_done
