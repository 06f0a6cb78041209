# SPDX-License-Identifier: GPL-3.0-or-later
# After tests/vm/lib.sh: runs without a VM (see stage-dummy.c), in a state folder
# of their own.  dvm is vm() with it.
# shellcheck disable=SC2154 # all of it is lib.sh's
: "${tmp:?}" "${top_builddir:?}"
. "${top_srcdir:?}/tests/sys/ownuids.sh"
# The command has no view of its own: it goes to the shares through the
# directories above them, as one of the others.
above=$tmp
while [ "$above" != / ]; do
	above=$(dirname "$above")
	case $(stat -c %A "$above") in
	*[xt]) ;;
	*) bail "others may not pass through $above (chmod o+x)" ;;
	esac
done
mkdir -p "$tmp/libexec"
cp "$top_builddir/tests/sys/stage-dummy" "$tmp/libexec/vmrun-stage"
cp "$top_builddir/vmrun-mux" "$tmp/libexec/vmrun-mux"
XDG_STATE_HOME=$tmp/state
export XDG_STATE_HOME

dvm() { # dvm OPTIONS... : as vm, which see
	VMRUN_LIBEXECDIR=$tmp/libexec vm "$@"
}
