#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# --publish with real machines, in a test network that nothing leaves: a port is
# open where it was published, nowhere else, and not after its machine's end.
. "${top_srcdir:?}/tests/vm/innet.sh"

refused() { # refused PATTERN OPTIONS...
	pattern=$1
	shift
	vm --net web "$@" -- true
	[ $st = 125 ] && grep -q -e "$pattern" "$tmp/err"
	ok $? "refused: $*"
}
vm --publish 8080:80 -- true
is $st 125 "without --net: 125"
has "$tmp/err" 'publish: the VM has no network' "and why"
refused 'ports below 1024 are root' --publish 80:80
refused '198.51.100.2:9000/tcp is in use on this machine' --publish 198.51.100.2:9000:80
refused '0.0.0.0:9000/tcp is in use' --publish 127.0.0.1:9001:80 --publish 0.0.0.0:9000:80
refused 'at no address of this machine' --publish 198.51.100.7:8080:80
refused 'leads to port 80 already' --publish 8080:80 --publish 198.51.100.2:8080:81
refused "way back to IPv6's loopback" --publish '[::1]:8080:80'
if passt --help 2>&1 | grep -q -e --map-host-loopback; then
	udp=127.0.0.1
else
	refused 'no way back to loopback for UDP' --publish 8080:80/udp
	udp=198.51.100.2
fi

python3 "$top_srcdir/tests/vm/publish.py" "$tmp" "$udp" >"$tmp/tap" 2>"$tmp/why"
is $? 0 "it was played to its end"
sed 's/^/# /' "$tmp/why"
oks "$tmp/tap"
plan_done
