#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What bash offers for words of vmrun's and vmrunctl's; the last word is the one
# that is completed.  Words are as bash cuts them: `=' and `:' are some.
. "${top_srcdir:?}/tests/lint/tap.sh"

has_tool bash || {
	echo "1..0 # SKIP bash is not installed"
	exit 0
}
mkdir -p "$scratch/bin" "$scratch/config/vmrun/profiles" "$scratch/data/vmrun/images/spare"
touch "$scratch/config/vmrun/profiles/mine.conf"
cat >"$scratch/bin/vmrunctl" <<'END'
#!/bin/sh
case $1 in
ps) printf 'VM  COMMAND\n17  sleep\n' ;;
alias) printf 'ALIAS  UID\nweb  1\n' ;;
net) echo 'office  up' ;;
esac
END
chmod +x "$scratch/bin/vmrunctl"
offered() { # offered WORD... : the sorted offers, in a line
	PATH=$scratch/bin:$PATH XDG_CONFIG_HOME=$scratch/config \
		XDG_DATA_HOME=$scratch/data bash -c '
		compopt() { :; }
		source "$1/completion/$2"
		shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		"_$1"
		printf "%s\n" "${COMPREPLY[@]}"' bash "$top_srcdir" "$@" |
		sort -u | tr '\n' ' '
}
is() { # is WANT WORD... : the offers for these words
	want=$1
	shift
	got=$(offered "$@")
	[ "$got" = "$want" ]
	r=$?
	[ $r = 0 ] || echo "# got: $got"
	ok $r "$*: $want"
}
is "--profile " vmrun --prof
is "auto kvm tcg " vmrun --accel ""
is "kvm " vmrun --accel = k
is "auto kvm tcg " vmrun --accel =
is "--profile " vmrun --mem = 1G --prof
is "--profile " vmrun -m 1G --rw /a : /b --prof
is "--profile " vmrun -e A = b : c --prof
is "mine " vmrun --profile m
is "spare " vmrun --image ""
is "web " vmrun --alias ""
is "none office " vmrun --net ""
is "printenv " vmrun --mem 1G printen
is " " vmrun -- true --prof
is " " vmrun true --prof
is "17 web " vmrunctl kill ""
is "import list remove " vmrunctl image ""
is "spare " vmrunctl image remove ""
is "web " vmrunctl alias show w
for verb in $("$top_builddir/vmrunctl" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | sort -u); do
	is "$verb " vmrunctl "$verb"
	# The options of its --help, at the verbs below it that take them.
	want=$("$top_builddir/vmrunctl" "$verb" --help |
		grep -oE -e '(^|[[ |])--?[A-Za-z][A-Za-z-]*' | tr -d '[ |' | sort -u)
	got=$(offered vmrunctl "$verb" -
		case $verb in
		alias | image | net)
			for sub in $(offered vmrunctl "$verb" ""); do
				offered vmrunctl "$verb" "$sub" -
			done
			;;
		esac)
	none "$(printf '%s\n' $got | sort -u | sed '/^-./!d' >"$scratch/got"
		printf '%s\n' $want | sed '/^$/d' | diff - "$scratch/got")" \
		"vmrunctl $verb: the options of its --help"
done
plan_done
