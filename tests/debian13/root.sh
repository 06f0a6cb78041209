#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes (once) a Debian 13 root file system, and runs a command in it.
#
#   root.sh make DIR              as root; from the archive that this host uses
#   root.sh enter DIR CMD...      as root; own mount and pid namespaces,
#                                 pivot_root (after a plain chroot the kernel
#                                 forbids user namespaces, user_namespaces(7))
set -eu

make_root() {
	dir=$1
	[ ! -e "$dir/.complete" ] || return 0
	command -v mmdebstrap >/dev/null || {
		apt-get update -q
		apt-get install -y -q --no-install-recommends mmdebstrap
	}
	mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
		sed -n 's/^URIs: *//p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' |
		grep '/debian/\{0,1\}$' | head -n 1)
	[ -n "$mirror" ] || { echo "root.sh: no Debian archive in /etc/apt" >&2; exit 1; }
	rm -rf "$dir"
	mkdir -p "$dir"
	mmdebstrap --variant=apt --mode=root \
		--include=ca-certificates,mount,util-linux,procps,passwd,sudo \
		trixie "$dir" "$mirror" >&2
	touch "$dir/.complete"
}

enter_root() {
	dir=$1
	shift
	exec unshare --mount --pid --fork --kill-child sh -eu -c '
		dir=$1
		shift
		mount --make-rprivate /
		mount --bind "$dir" "$dir"
		mkdir -p "$dir/mnt/old" "$dir/run"
		mount -t proc proc "$dir/proc"
		mount --rbind /sys "$dir/sys"
		mount --rbind /dev "$dir/dev"
		mount -t tmpfs -o mode=755 tmpfs "$dir/run"
		mount -t tmpfs -o mode=1777 tmpfs "$dir/tmp"
		# names are resolved here as outside
		cp -L /etc/resolv.conf /etc/hosts "$dir/etc/" 2>/dev/null || :
		for share in ${ROOT_BIND-}; do
			mkdir -p "$dir$share"
			mount --bind "$share" "$dir$share"
		done
		cd "$dir"
		pivot_root . mnt/old
		umount -l /mnt/old
		exec "$@"' sh "$dir" "$@"
}

case ${1-} in
make) make_root "$2" ;;
enter)
	shift
	enter_root "$@"
	;;
*)
	sed -n '3,9s/^# \{0,1\}//p' "$0" >&2
	exit 1
	;;
esac
