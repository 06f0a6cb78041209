#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Profiles, vmrun.conf, the files of examples/ and the manual's commands, for
# real.
. "${top_srcdir:?}/tests/vm/lib.sh"

conf=$XDG_CONFIG_HOME/vmrun
mkdir -p "$conf/profiles" "$tmp/src" "$tmp/data"
cp "$top_srcdir"/examples/profiles/*.conf "$conf/profiles"
cp "$top_srcdir/examples/vmrun.conf" "$conf"
here() { (cd "$1" && shift && vmrun -q "$@") >"$tmp/out" 2>"$tmp/err" </dev/null; }

# The examples, as they are.
printf 'all: built\nbuilt:\n\techo $(VALUE) >built\n\tdf --output=target,source /tmp\n\tgrep MemTotal /proc/meminfo\n\techo "editor $$EDITOR"\n' \
	>"$tmp/src/Makefile"
EDITOR=/bin/ed here "$tmp/src" make VALUE=fine
is $? 0 "examples: make.conf is found by the command's name"
is "$(cat "$tmp/src/built")" fine "make wrote into the current directory"
is "$(stat -c %u "$tmp/src/built")" "$(id -u)" "as the person, afterwards"
has "$tmp/out" '^/tmp */dev/vd' "/tmp is on disk"
m=$(awk '/^MemTotal:/ { print int($2 / 1024) }' "$tmp/out")
[ "${m:-0}" -gt 1500 ] && [ "$m" -le 2048 ]
ok $? "its mem wins over vmrun.conf's ($m MiB)"
has "$tmp/out" '^editor /bin/ed$' "vmrun.conf's env is passed on"
here "$tmp/src" --profile offline-shell bash -c 'pwd; grep MemTotal /proc/meminfo; ls -A ~ /work'
is "$? $(sed -n 1p "$tmp/out")" "0 /work" "examples: offline-shell.conf"
m=$(awk '/^MemTotal:/ { print int($2 / 1024) }' "$tmp/out")
[ "${m:-0}" -gt 256 ] && [ "$m" -le 512 ]
ok $? "its mem ($m MiB)"
# Two want a socket: of an agent, of a compositor.
for name in agent wayland-9; do
	python3 - "$tmp/$name" <<-'END'
		import socket, sys
		socket.socket(socket.AF_UNIX).bind(sys.argv[1])
	END
done
for p in "$top_srcdir"/examples/profiles/*.conf; do
	name=$(basename "$p" .conf)
	SSH_AUTH_SOCK=$tmp/agent WAYLAND_DISPLAY=$tmp/wayland-9 \
		here "$tmp/src" --dry-run --profile "$name" -- true
	is "$? $(cat "$tmp/err")" "0 " "examples: $name.conf is whole"
done

# One's own: repeated keys add up, the command line wins.
cat >"$conf/profiles/many.conf" <<END
# a comment
ro = $tmp/data:/profile
env = FROM=profile
env = PROFILE=yes
cwd = /profile
; another
no-tty = true
END
echo "env = BOTH=conf" >>"$conf/vmrun.conf"
echo x >"$tmp/data/f"
here / --profile many -e FROM=line --ro "$tmp/src:/line" -- sh -c 'echo "$FROM $PROFILE $BOTH"; pwd; cat f; ls /line'
is "$?" 0 "a profile and the command line"
is "$(tr '\n' ' ' <"$tmp/out")" "line yes conf /profile x Makefile built " "add up, and the line wins"

refused() { # refused PATTERN DESCRIPTION ARGUMENTS...
	pattern=$1 text=$2
	shift 2
	here / "$@"
	[ $? = 125 ] && grep -q -e "$pattern" "$tmp/err"
	ok $? "$text"
}
printf 'mem = 1G\nmemm = 2G\n' >"$conf/profiles/bad.conf"
refused 'bad.conf:2: unknown option "memm"' "an unknown key, with file and line" --profile bad -- true
refused 'did you mean' "and what was meant" --profile bad -- true
echo 'json-status-fd = 3' >"$conf/profiles/bad.conf"
refused 'bad.conf:1: .*command line only' "an option for the command line only" --profile bad -- true
echo 'mem = 1G' >"$conf/profiles/bad.conf"
chmod o+w "$conf/profiles/bad.conf"
refused 'everybody can change' "a file that everybody can write to" --profile bad -- true
refused 'nowhere' "a profile that is not there" --profile nowhere -- true
refused 'profile' "no way out of the folder" --profile ../vmrun -- true
echo 'nonsense' >"$conf/profiles/true.conf"
refused 'true.conf:1' "a broken one by the command's name" true
here / --dry-run --no-profile true
is $? 0 "--no-profile"
rm "$conf/vmrun.conf"

# The manual's and README's commands that can run here.
mkdir "$tmp/Documents" "$tmp/Music" "$tmp/dir"
echo song >"$tmp/Music/song"
echo doc >"$tmp/Documents/doc"
echo data >"$tmp/dir/file"
here "$tmp" --rw "$tmp/Documents" --ro "$tmp/Music" -- sh -c "ls $tmp/Documents; id; exit 42"
is "$? $(sed -n 1p "$tmp/out")" "42 doc" "the manual: documents and music"
(cd "$tmp" && tar c dir | vmrun -q -- gzip -c >dir.tar.gz) 2>"$tmp/err"
is "$(tar xzOf "$tmp/dir.tar.gz" dir/file)" data "the manual: a filter"
(cd "$tmp" && printf -- '--ro\0%s\0' "$tmp"/Doc* "$tmp"/Mus* |
	vmrun -q --args 3 3<&0 </dev/null -- sh -c "cat $tmp/Music/song $tmp/Documents/doc") >"$tmp/out" 2>"$tmp/err"
is "$(tr '\n' ' ' <"$tmp/out")" "song doc " "the manual: many options"
EDITOR=ed here "$tmp" -e EDITOR -e MODE=test --cwd /tmp -- env
has "$tmp/out" '^MODE=test$' "README: a clean environment, plus these"
is "$(grep -c '^EDITOR=ed$\|^PWD=/tmp$' "$tmp/out")" 1 "EDITOR"
plan_done
