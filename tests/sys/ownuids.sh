# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# Sourced by tests with a home of their own, where the list of used UIDs is then:
# it begins N further on than that of other tests, or a clean-up here would end
# what has the same UID there.
own_uids() { # own_uids HOME USER N
	mkdir -p "$1"
	(umask 077 && mkdir -p "$1/.local/state/vmrun" &&
		awk -F: -v u="$2" -v n="$3" '$1 == u {
			print "# vmrun: UIDs handed out, from FIRST up to before NEXT"
			print $2, $2 + n
			exit
		}' /etc/subuid >"$1/.local/state/vmrun/highwater")
}
