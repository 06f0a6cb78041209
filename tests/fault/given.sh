# SPDX-License-Identifier: GPL-3.0-or-later
# After tests/vm/lib.sh, or asroot.sh: files that a VM made in a share.
person=$(id -u ${VMRUN_USER:+"$VMRUN_USER"})
given=0 # so many were seen

# Deletes what is there of them.  1: something was not the person's, which is said.
take_made() { # take_made FILE...
	not=0
	for made in "$@"; do
		[ -e "$made" ] || continue
		given=$((given + 1))
		find "$made" ! -uid "$person" -printf '# %p is of %U:%G, mode %m\n' |
			grep . && not=1
		rm -rf "$made"
	done
	return $not
}
