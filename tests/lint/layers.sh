#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Who includes what: the trust domains meet in wire/ only, and each library
# has one folder that uses it.
. "${top_srcdir:?}/tests/lint/tap.sh"

# FOLDER may include the folders after it (and itself).
rules='src/base
src/wire base
src/proc base
src/seal base
src/state base
src/grant base
src/host base wire proc seal state grant
src/stage base wire proc seal
src/edge base wire seal
guest-init base wire'

# HEADER (a pattern) is included below FOLDER only.
libraries='sqlite3\.h src/state/
sys/acl\.h src/grant/
acl/libacl\.h src/grant/
libmount[/.].* src/stage/
sys/capability\.h src/seal/
libkmod\.h src/host/image/
archive.*\.h src/host/image/
jansson\.h src/base/json
ini\.h src/host/option/config
wayland-client.*\.h src/host/live/context'

# Prints every include of ours that its folder may not have.
bad_layers() { # bad_layers TREE
	printf '%s\n' "$rules" | while read -r folder may; do
		[ -d "$1/$folder" ] || continue
		own=${folder#src/}
		find "$1/$folder" -name '*.[ch]' | sort | while read -r f; do
			sed -n 's/^#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$f" |
				while read -r inc; do
					case $inc in
					*/*) to=${inc%%/*} ;;
					*) continue ;; # beside the file
					esac
					case " $own $may " in
					*" $to "*)
						[ "$to" != edge ] && continue
						# one edge knows nothing of another
						dir=${f#"$1/src/"}
						[ "${dir%/*}" = "${inc%/*}" ] && continue
						;;
					esac
					echo "${f#"$1/"} includes $inc"
				done
		done
	done
}

bad_libraries() { # bad_libraries TREE
	printf '%s\n' "$libraries" | while read -r header folder; do
		grep -rEl --include='*.[ch]' \
			"^#[ 	]*include[ 	]*[<\"]${header}[>\"]" \
			"$1/src" "$1/guest-init" 2>/dev/null |
			while read -r f; do
				case ${f#"$1/"} in
				"$folder"*) ;;
				*) echo "${f#"$1/"} includes $header" ;;
				esac
			done
	done
}

# <seccomp.h> also has the numbers of system calls, which the tables beside
# each main.c need; the library itself is called by src/seal alone.
bad_seccomp() { # bad_seccomp TREE
	grep -rEl --include='*.[ch]' '(^|[^a-z_])seccomp_[a-z_]+\(' \
		"$1/src" "$1/guest-init" 2>/dev/null |
		grep -v "^$1/src/seal/" | sed "s|^$1/||"
}

# First, that it would notice.
mkdir -p "$scratch/src/edge/mux" "$scratch/src/edge/wl" "$scratch/src/host" \
	"$scratch/guest-init"
echo '#include "host/plan/plan.h"' >"$scratch/src/edge/mux/main.c"
echo '#include "edge/wl/wl.h"' >"$scratch/src/edge/mux/two.c"
echo '#include <sqlite3.h>' >"$scratch/src/host/db.c"
echo '#include "seal/seal.h"' >"$scratch/guest-init/init.c"
echo 'x = seccomp_load(ctx);' >"$scratch/src/host/sec.c"
[ "$(bad_layers "$scratch" | wc -l)" = 3 ]
ok $? "a planted include of another domain is found"
[ "$(bad_libraries "$scratch" | wc -l)" = 1 ]
ok $? "a planted include of another folder's library is found"
[ "$(bad_seccomp "$scratch")" = src/host/sec.c ]
ok $? "a planted call of libseccomp is found"

none "$(bad_layers "$top_srcdir")" "folders include what they may"
none "$(bad_libraries "$top_srcdir")" "each library has one folder"
none "$(bad_seccomp "$top_srcdir")" "libseccomp is called in seal only"
plan_done
