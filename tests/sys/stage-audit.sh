#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What a member of the sandbox is and can reach, for each view; and that the
# stage refuses what it should.  A hostile program (stage-red) takes a member's
# place; everything that it prints is compared.
#
# Runs as an ordinary user with a line in /etc/subuid and /etc/subgid; root
# becomes $VMRUN_TEST_USER.
set -u

unable()
{
	if [ "${VMRUN_MUST_WORK:-0}" = 1 ]; then
		echo "1..1"
		echo "not ok 1 - cannot run: $1"
		exit 1
	fi
	echo "1..0 # SKIP $1"
	exit 0
}

builddir=${top_builddir:-.}
if [ -z "${STAGE_AUDIT_DIR:-}" ]; then
	STAGE_AUDIT_DIR=$(mktemp -d "${TMPDIR:-/tmp}/stage-audit.XXXXXX") || exit 1
	export STAGE_AUDIT_DIR
	trap 'rm -rf "$STAGE_AUDIT_DIR"' EXIT
	# Copies: the build folder may be closed to the sandbox's UID.
	for f in src/stage/vmrun-stage vmrun-stage tests/sys/stage-tool \
		tests/sys/stage-red; do
		[ ! -f "$builddir/$f" ] || cp "$builddir/$f" "$STAGE_AUDIT_DIR"
	done
	cp "$0" "$STAGE_AUDIT_DIR/self.sh"
	chmod -R a+rX "$STAGE_AUDIT_DIR"
	if [ "$(id -u)" = 0 ]; then
		[ -n "${VMRUN_TEST_USER:-}" ] ||
			unable "root needs VMRUN_TEST_USER"
		chown "$VMRUN_TEST_USER" "$STAGE_AUDIT_DIR" || exit 1
		su -s /bin/sh "$VMRUN_TEST_USER" -c \
			"STAGE_AUDIT_DIR=$STAGE_AUDIT_DIR \
			VMRUN_MUST_WORK=${VMRUN_MUST_WORK:-0} \
			sh $STAGE_AUDIT_DIR/self.sh"
		exit $?
	fi
fi

cd "$STAGE_AUDIT_DIR" || exit 1
umask 022
me=$(id -un)
uid=$(id -u)
first=$(awk -F: -v u="$me" '$1 == u { print $2; exit }' /etc/subuid)
[ -n "$first" ] || unable "$me has no line in /etc/subuid"
[ -x /usr/bin/newuidmap ] || unable "newuidmap is not installed"
U=$((first + 7))
D=$STAGE_AUDIT_DIR

n=0
ok()
{
	n=$((n + 1))
	echo "ok $n - $1"
}
not_ok()
{
	n=$((n + 1))
	bad=1
	echo "not ok $n - $1"
}
skip()
{
	if [ "${VMRUN_MUST_WORK:-0}" = 1 ]; then
		not_ok "$1: $2"
	else
		ok "$1 # SKIP $2"
	fi
}
bad=0

# Options of stage-tool come first: -n, -l N.
tool()
{
	options=
	while :; do
		case $1 in
		-n) options=-n && shift ;;
		-l) options="-l $2" && shift 2 ;;
		*) break ;;
		esac
	done
	# shellcheck disable=SC2086
	./stage-tool $options "$D/vmrun-stage" "$U" "$@"
}

# Each line of standard input must be a line of the file $2.
want()
{
	while read -r line; do
		if grep -qxF -- "$line" "$2"; then
			ok "$1: $line"
		else
			not_ok "$1: $line"
			grep "^${line%% *} " "$2" | sed 's/^/# got: /'
		fi
	done
}

# $2 must be part of what the tool (with the arguments after it) says, and its
# status 125.
refuses()
{
	what=$1
	text=$2
	shift 2
	if tool "$@" >refused 2>&1; then
		not_ok "$what"
	elif grep -qF -- "$text" refused; then
		ok "$what"
	else
		not_ok "$what"
		sed 's/^/# got: /' refused
	fi
}

mkdir share share/dir writable secret mine
echo text >share/file
ln -s file share/link
cp /bin/true share/prog
cp /bin/true writable/prog
chmod 0666 share/file
chmod 0777 share/prog
chmod 0777 share share/dir writable
chmod 0755 secret
cp /bin/true mine/prog
chmod 0700 mine
echo secret >secret/file
# Something in a mount inside of a source, if /dev/shm is one.
inner=vmrun-audit-$$
trap 'rm -f "/dev/shm/$inner"; rm -rf "$STAGE_AUDIT_DIR"' EXIT
echo text >"/dev/shm/$inner" && chmod 0666 "/dev/shm/$inner"

probe="/etc/passwd /home $D/secret/file /proc/1/root/etc /tree/new"
probe="$probe /tree/ro /tree/ro/dir /tree/ro/file /tree/ro/link /tree/ro/prog"
probe="$probe /tree/rw /tree/rw/prog /tree/rx/prog /tree/one /usr/bin"
probe="$probe /dev/null /tree/dev/null /tree/dev/shm /tree/inner/shm"
probe="$probe /tree/dev/shm/$inner /tree/inner/shm/$inner"
probe="$probe /tree/po /tree/po/file /tree/pw /tree/pw/prog /tree/pw/link"

# The results of one path on one line, so that each can be named.
flat()
{
	awk '/^path / { if (p) print p; p = $2; next }
		/^  / && p { p = p " " $1 "=" $2; next }
		{ if (p) print p; p = ""; print }' "$1"
}

audit()
{
	view=$1
	shift
	# shellcheck disable=SC2086
	SETUP_AUDIT=1 tool ro ro "$D/share" rw rw "$D/writable" \
		rx rx "$D/share" ro one "$D/share/file" ro dev /dev ro+ inner /dev \
		po po "$D/mine" pw pw "$D/mine" \
		"$view" red -d null -f "$D/stage-red" /red "$@" \
		/red "$uid" $probe >"$view.out" 2>"$view.err"
	status=$?
	if [ $status = 0 ] && grep -qx end "$view.out"; then
		ok "$view: the member ran"
	else
		not_ok "$view: the member ran ($status)"
		sed 's/^/# /' "$view.err"
	fi
	flat "$view.out" >"$view.lines"
}

# The same for every member: U's, and none more.
rights()
{
	cat <<END
uids $U $U $U
gids $U $U $U
groups 0
pid 1
parent 0
caps 000000000 000000000 000000000
bounding 0
ambient 0
nnp 1
core 0
nofile hard
nproc 1024
cwd /
END
}

# The same in every view.
common()
{
	want "$1" "$1.lines" <<END
$(rights)
umask 22
fds 0 1 2
env PATH=/usr/bin
setuid-root EINVAL
setgroups EPERM
unshare-user EPERM
unshare-mount EPERM
mount EPERM
umount EPERM
above EPERM
chroot EPERM
open-tree EPERM
remount EPERM
chmod-root EROFS
mknod EPERM
create-root EROFS
tty ENOENT
connect EPERM
socket-inet EPERM
socket-unix EPERM
socket-netlink EPERM
bind EPERM
pair-stream ok
pair-packet ok
pair-datagram EPERM
pair-raw EPERM
pair-tipc EPERM
io-uring ENOSYS
clone-user EPERM
clone3 ENOSYS
unshare-fs ok
unshare-net EPERM
setns EPERM
openat2 ENOSYS
by-handle EPERM
readv-other EPERM
getfd EPERM
bpf EPERM
perf EPERM
uffd EPERM
tiocsti EPERM
tiocsti-high EPERM
tiocswinsz EBADF
unjudged ENOSYS
x32 ENOSYS
key EPERM
kill-all ESRCH
kill-2 ESRCH
ptrace-2 EPERM
/etc/passwd open=ENOENT
/home open=ENOENT
$D/secret/file open=ENOENT
/tree/new open=ENOENT
/dev/null open=ok
END
}

top="dev proc red tree usr"
for name in bin lib lib32 lib64 libx32 sbin; do
	[ ! -e "/$name" ] || top="$top $name"
done
[ ! -e /etc/ld.so.cache ] || top="$top etc"
# shellcheck disable=SC2086
top=$(printf '%s\n' $top | LC_ALL=C sort | tr '\n' ' ')
plain_top=$(echo "$top" | sed 's/\<s\?bin //g')

# Where a member may make files, it may not make these.
odd="whiteout=EPERM block=EPERM mknod-suid=EPERM"
odd="$odd open-suid=EPERM open-sgid=EPERM creat-suid=EPERM left=ENOENT"
odd="$odd mknod=ok chmod-suid=EPERM chmodat-suid=EPERM chmodat2-suid=EPERM"
odd="$odd fchmod-suid=EPERM fchmod-sgid=EPERM fchmod=ok"

audit tree
common tree
want tree tree.lines <<END
root-owner $uid
dir / ${top% }
dir /dev null
dir /proc 1 self sys
dir /tree dev inner one ro rw rx
setuid-person EPERM
setgid-person EPERM
/tree/ro open=ok create=EROFS
/tree/ro/dir open=ok create=EROFS
/tree/ro/file open=ok write=EROFS exec=EACCES
/tree/ro/link open=ELOOP
/tree/ro/prog open=ok write=EROFS exec=EACCES
/tree/rw open=ok create=ok $odd
/tree/rw/prog open=ok write=EACCES exec=EACCES
/tree/rx/prog open=ok write=ok exec=ok
/tree/one open=ok write=EROFS exec=EACCES
/usr/bin open=ok create=EROFS
/tree/dev/null open=EACCES
END

# The C file server's capabilities: enough for chroot(), and for nothing else.
audit server
want server server.lines <<END
uids $U $U $U
groups 0
caps 000040100 000040100 000040100
bounding 2
ambient 2
nnp 1
above dir . ${top% }
unshare-user EPERM
unshare-mount EPERM
setuid-person EPERM
setgroups EPERM
mount EPERM
umount EPERM
chroot ok
kill-all ESRCH
END

# The second file server is the person outside: in its own eyes it is U, it
# sees libraries and its sources, which nobody else sees, and nothing that is
# the person's can be named.
audit plain
common plain
want plain plain.lines <<END
root-owner $U
dir / ${plain_top% }
dir /dev null
dir /proc 1 self sys
dir /tree po pw
setuid-person EINVAL
setgid-person EINVAL
/tree/ro open=ENOENT
/tree/rw open=ENOENT
/tree/po open=ok create=EROFS
/tree/pw open=ok create=ok $odd
/tree/pw/prog open=ok write=ok exec=EACCES
/usr/bin open=ENOENT
END
audit plain-server
want plain-server plain-server.lines <<END
uids $U $U $U
groups 0
caps 000040100 000040100 000040100
bounding 2
ambient 2
nnp 1
above dir . ${plain_top% }
unshare-user EPERM
unshare-mount EPERM
setuid-person EINVAL
setgroups EPERM
mount EPERM
umount EPERM
chroot ok
kill-all ESRCH
END

# A mount inside a source: the host's own /dev/shm, which all may write.
if [ "$(stat -c %d /dev)" = "$(stat -c %d /dev/shm 2>/dev/null)" ]; then
	skip "a mount inside a source" "/dev/shm is no mount here"
else
	want "a mount inside a source" tree.lines <<END
/tree/dev/shm open=ok create=EROFS
/tree/dev/shm/$inner open=ENOENT
END
	want "and one that is asked for" tree.lines <<END
/tree/inner/shm open=ok create=EROFS
/tree/inner/shm/$inner open=ok write=EROFS exec=EACCES
END
	tool rw+ dev /dev tree red -f "$D/stage-red" /red /red "$uid" \
		/tree/dev/shm >control.out 2>&1
	flat control.out >control.lines
	want "and without read-only" control.lines <<END
/tree/dev/shm open=ok create=ok $odd
END
	tool pw dev /dev plain red -f "$D/stage-red" /red /red "$uid" \
		/tree/dev/shm "/tree/dev/shm/$inner" >control.out 2>&1
	flat control.out >control.lines
	want "one inside a plain source" control.lines <<END
/tree/dev/shm open=ok create=EROFS
/tree/dev/shm/$inner open=ENOENT
END
fi

for view in vmm empty; do
	audit "$view"
	common "$view"
	want "$view" "$view.lines" <<END
root-owner 65534
dir /dev null
dir /proc -
dir /tree -
setuid-person EINVAL
setgid-person EINVAL
/proc/1/root/etc open=ENOENT
/tree/ro open=ENOENT
/tree/rw open=ENOENT
/tree/dev/shm open=ENOENT
END
done
want vmm vmm.lines <<END
/usr/bin open=ok create=EROFS
END
want empty empty.lines <<END
/usr/bin open=ENOENT
END

# The uplink: it makes sockets in the network of who started it, and moves on
# into one more user namespace, where it may mount and leave its root.  It sees
# libraries and an empty /tmp; and nobody else's files, processes or rights.
audit uplink
want uplink uplink.lines <<END
$(rights)
fds 0 1 2
env PATH=/usr/bin
root-owner 65534
dir / $(echo "${plain_top% } tmp" | tr ' ' '\n' | grep -v '^tree$' | LC_ALL=C sort | tr '\n' ' ' | sed 's/ $//')
dir /dev null
dir /proc 1 self
dir /tree -
above EPERM
setuid-person EINVAL
setuid-root EINVAL
setgid-person EINVAL
setgroups EPERM
unshare-user ok
socket-inet ok
open-tree EPERM
remount EPERM
chmod-root EROFS
mknod EPERM
create-root EROFS
tty ENOENT
kill-all ESRCH
kill-2 ESRCH
ptrace-2 EPERM
key EPERM
io-uring ENOSYS
clone3 ENOSYS
setns EPERM
openat2 ENOSYS
by-handle EPERM
readv-other EPERM
getfd EPERM
bpf EPERM
perf EPERM
uffd EPERM
tiocsti EPERM
unjudged ENOSYS
x32 ENOSYS
END
# shellcheck disable=SC2086
tool ro ro "$D/share" rw rw "$D/writable" po po "$D/mine" \
	uplink red -d null -f "$D/stage-red" /red /red paths $probe /tmp \
	>uplink.paths 2>&1
flat uplink.paths >uplink.lines
want uplink uplink.lines <<END
/etc/passwd open=ENOENT
/home open=ENOENT
$D/secret/file open=ENOENT
/proc/1/root/etc open=ok create=EROFS
/tree/ro open=ENOENT
/tree/rw open=ENOENT
/tree/po open=ENOENT
/usr/bin open=ENOENT
/dev/null open=ok
/tmp open=ok create=EROFS
END

# PID 1 while members run, from outside.
tr '\t' ' ' <vmm.err >pid1.out
want "pid 1" pid1.out <<END
stage Uid: $uid $uid $uid $uid
stage CapInh: 0000000000000000
stage CapPrm: 0000000000000000
stage CapEff: 0000000000000000
stage CapBnd: 0000000000000000
stage CapAmb: 0000000000000000
stage NoNewPrivs: 1
stage Seccomp: 2
stage mem closed
END
if grep -qx 'stage Groups: *' pid1.out; then
	ok "pid 1: no groups"
else
	not_ok "pid 1: no groups"
fi

# What the stage refuses.
refuses "another file than the plan's" "changed while starting" -l 1 \
	ro ro "$D/share" tree red /usr/bin/true
ln -s share linked
refuses "a symbolic link on the way" "a symbolic link is in it" \
	ro ro "$D/linked/dir" tree red /usr/bin/true
refuses "a path that is not canonical" "no canonical path" \
	ro ro "$D/share/../share" tree red /usr/bin/true
refuses "a name with a slash" "no proper name" \
	ro a/b "$D/share" tree red /usr/bin/true
refuses "two sources of one name" "have one name" \
	ro a "$D/share" ro a "$D/writable" tree red /usr/bin/true
mkfifo share/fifo
refuses "a FIFO as a source" "share/fifo: Invalid argument" \
	ro ro "$D/share/fifo" tree red /usr/bin/true
refuses "a device that is not in the table" "may have the device mem" \
	ro ro "$D/share" tree red -d mem /usr/bin/true
refuses "a program that is not there" "cannot execute /usr/bin/no-such" \
	ro ro "$D/share" vmm red /usr/bin/no-such
refuses "an unsealed record" "no sealed file" -n \
	ro ro "$D/share" tree red /usr/bin/true
U=$((first - 1)) refuses "an id outside the range" "uid" \
	ro ro "$D/share" tree red /usr/bin/true
if ./vmrun-stage 2>refused; then
	not_ok "being started by hand"
else
	want "being started by hand" refused <<END
vmrun-stage: only vmrun starts this program
END
fi

# A dead vmrun takes everything along: the pipe's end is seen when the last
# process that could write to it is gone.
mkfifo pipe
STAY=1 ./stage-tool "$D/vmrun-stage" "$U" ro ro "$D/share" \
	empty one -f "$D/stage-red" /red /red "$uid" , \
	vmm two -f "$D/stage-red" /red /red "$uid" , \
	tree three -f "$D/stage-red" /red /red "$uid" >pipe 2>&1 &
pid=$!
exec 4<pipe
ends=0
while [ $ends -lt 3 ] && read -r line <&4; do
	[ "$line" != end ] || ends=$((ends + 1))
done
kill -9 $pid
if timeout 120 cat <&4 >/dev/null && [ $ends = 3 ]; then
	ok "everything dies with vmrun"
else
	not_ok "everything dies with vmrun ($ends members ran)"
fi
wait $pid 2>/dev/null

echo "1..$n"
exit $bad
