#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# --rw and --ro: what can be reached, how, and that nothing is left behind.
. "${top_srcdir:?}/tests/vm/lib.sh"

mkdir -p "$tmp/h/docs/sub" "$tmp/h/music" "$tmp/h/private"
echo diary >"$tmp/h/docs/diary"
echo deep >"$tmp/h/docs/sub/deep"
echo song >"$tmp/h/music/song"
echo secret >"$tmp/h/private/key"
chmod 600 "$tmp/h/docs/diary" "$tmp/h/music/song"
chmod 700 "$tmp/h/docs/sub"
git init -q "$tmp/h/repo" || bail "no git"
umask 022
facl "$tmp/h" >"$tmp/before"
other=$(awk -F: -v u="$(id -un)" '$1 == u { print $2 + 60000; exit }' /etc/subuid)
vm --rw "$tmp/h/docs" --ro "$tmp/h/music" --ro "$tmp/h/repo" -e D="$tmp/h" -e O="$other" -- sh -c '
	cd "$D"
	cat docs/diary docs/sub/deep music/song
	git -C repo rev-parse --is-inside-work-tree && echo "git works"
	echo changed >>docs/diary && echo "wrote diary"
	echo new >docs/new
	echo private >docs/secret; chmod 600 docs/secret
	mkdir docs/closed; echo in >docs/closed/in; chmod 000 docs/closed
	mkdir docs/dir && echo x >docs/dir/x
	ln -s /etc/passwd docs/link
	setfacl -m "u:$O:rwx,d:u:$O:rwx" docs/dir && setfacl -m "u:$O:rw" docs/new &&
		echo "entries made"
	(echo no >music/song) 2>/dev/null && echo "ro written"
	touch music/x 2>/dev/null && echo "ro created"
	chmod 777 music/song 2>/dev/null && echo "ro chmod"
	rm -f music/song 2>/dev/null && [ ! -e music/song ] && echo "ro removed"
	mknod docs/dev c 1 3 2>/dev/null && echo "device made"
	cp /bin/true docs/suid && chmod 4755 docs/suid 2>/dev/null
	mkfifo docs/fifo
	cat private/key 2>/dev/null && echo "private read"
	ls -A "$D" | tr "\n" " "; echo
	rm docs/sub/deep && echo "removed deep"
	exit 5'
is $st 5 "the command ran"
has "$tmp/out" '^diary$' "a 0600 file of a --rw directory can be read"
has "$tmp/out" '^deep$' "and one below a 0700 directory"
has "$tmp/out" '^song$' "a 0600 file of a --ro directory can be read"
has "$tmp/out" '^wrote diary$' "a --rw file can be written"
hasnt "$tmp/out" '^ro ' "a --ro directory cannot be changed in any way"
hasnt "$tmp/out" 'device made' "no device nodes"
hasnt "$tmp/out" 'private read' "what was not named is not there"
has "$tmp/out" '^docs music repo $' "nor its name"
has "$tmp/out" '^git works$' "git uses a repository of the person's"
has "$tmp/out" '^removed deep$' "a --rw file can be removed"
is "$(cat "$tmp/h/docs/new")" new "a new file is there afterwards"
is "$(cat "$tmp/h/docs/secret")" private "and a 0600 one"
is "$(stat -c '%u %g %a' "$tmp/h/docs/secret")" "$(id -u) $(id -g) 600" "which belongs to the person, still 0600"
is "$(cat "$tmp/h/docs/closed/in")" in "what is below a 0000 directory too"
is "$(find "$tmp/h" ! -uid "$(id -u)" -o ! -gid "$(id -g)")" "" "every file belongs to the person"
is "$(find "$tmp/h" -perm /6000)" "" "no set-user-id bit is left"
is "$(find "$tmp/h" -type p -o -type s -o -type c)" "" "no FIFO, socket or device is left"
getfacl -Rnp "$tmp/h" >"$tmp/acls"
has "$tmp/out" '^entries made' "(the guest made entries for another id)"
hasnt "$tmp/acls" '^user:[0-9]' "no ACL entry is left"
hasnt "$tmp/acls" '^default:' "no default ACL is left"
facl "$tmp/h/music" "$tmp/h/private" >"$tmp/after"
grep -E "$tmp/h/(music|private)" "$tmp/before" | sort >"$tmp/b"
grep -E "$tmp/h/(music|private)" "$tmp/after" | sort >"$tmp/a"
cmp "$tmp/b" "$tmp/a" >&2
ok $? "modes and ACLs of what was not written are as before"
is "$(stat -c %a "$tmp/h/docs/diary")" 600 "the 0600 file is 0600 again"

# Another destination, a single file, a missing source that may be missing.
echo one >"$tmp/h/one"
vm --ro "$tmp/h/one:/data/uno" --rw "$tmp/h/docs:/work" --ro-try "$tmp/h/none" \
	--cwd /work -- sh -c 'cat /data/uno; pwd; ls /work | wc -l; echo two >/data/uno'
is $st 2 "a single --ro file cannot be written"
is "$(sed -n 1p "$tmp/out")" one "a single file, elsewhere"
is "$(sed -n 2p "$tmp/out")" /work "--cwd"
is "$(cat "$tmp/h/one")" one "the file is as it was"
# --tmp: on disk, owned by the VM, a real limit.
vm --tmp /scratch:64M --tmp /more:96M --tmp /less:32M -- sh -c 'stat -c %u /scratch; id -u; df -k --output=size /scratch | tail -n 1
	head -c 134217728 /dev/zero >/scratch/big; stat -c %s /scratch/big
	df -m --output=target,size /less /scratch /more'
is "$(sed -n 1p "$tmp/out")" "$(sed -n 2p "$tmp/out")" "--tmp belongs to the VM"
[ "$(sed -n 4p "$tmp/out")" -lt 67108864 ]
ok $? "--tmp ends at its size"
has "$tmp/err" 'No space left' "with the usual error"
is "$(awk 'NR > 5 && $2 > last { print $1; last = $2 }' "$tmp/out" | tr '\n' ' ')" '/less /scratch /more ' \
	"each of several has its own size"
vm --device fuse -- sh -c 'test -c /dev/fuse && ls /dev | grep -c .'
is $st 0 "--device fuse"
plan_done
