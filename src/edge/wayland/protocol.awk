# SPDX-License-Identifier: GPL-3.0-or-later
# The tables of protocol.h, from the XML of the Wayland protocols.
#
#     awk -v out=header|tables -f protocol.awk wayland.xml xdg-shell.xml ...
#
# A record of ours is one tag: the XML of these protocols has no '<' but for
# tags and comments.  An interface that is named and nowhere described, or
# described twice, ends the build.
BEGIN {
	RS = "<"
	n_interfaces = 0
}

function fail(why) {
	print FILENAME ": " why >"/dev/stderr"
	failed = 1
	exit 1
}

# The value of an attribute of the tag in $0, or "".
function attr(name,    at, rest, quote) {
	if (!match($0, "[ \t\n]" name "[ \t\n]*=[ \t\n]*[\"']"))
		return ""
	at = RSTART + RLENGTH
	quote = substr($0, at - 1, 1)
	rest = substr($0, at)
	return substr(rest, 1, index(rest, quote) - 1)
}

function upper(s) {
	return toupper(s)
}

# "!-- text -->": what is between is no tag, even where it has one in it
/^!--/ { comment = 1 }
comment {
	if ($0 ~ /-->/)
		comment = 0
	next
}

/^interface[ \t\n]/ {
	name = attr("name")
	if (name in index_of)
		fail(name " is described twice")
	index_of[name] = n_interfaces
	interface[n_interfaces] = name
	version[n_interfaces] = attr("version")
	count["requests", n_interfaces] = count["events", n_interfaces] = 0
	current = n_interfaces++
	next
}

/^(request|event)[ \t\n]/ {
	what = $0 ~ /^request/ ? "requests" : "events"
	m = count[what, current]++
	id = what SUBSEP current SUBSEP m
	message[id] = attr("name")
	since[id] = attr("since") == "" ? 1 : attr("since")
	destructor[id] = attr("type") == "destructor" ? "true" : "false"
	types[id] = ""
	fds[id] = n_args[id] = 0
	next
}

function add(letter, of) {
	types[id] = types[id] letter
	arg[id, n_args[id]++] = of
}

/^arg[ \t\n]/ {
	type = attr("type")
	of = attr("interface")
	null = attr("allow-null") == "true"
	if (type == "int") add("i", "")
	else if (type == "uint") add("u", "")
	else if (type == "fixed") add("f", "")
	else if (type == "string") add(null ? "S" : "s", "")
	else if (type == "object") add(null ? "O" : "o", of)
	else if (type == "array") add("a", "")
	else if (type == "fd") { add("h", ""); fds[id]++ }
	else if (type == "new_id") {
		# Without an interface its name and version come first.
		if (of == "") { add("s", ""); add("u", "") }
		add("n", of)
	} else fail("an argument of type \"" type "\"")
	next
}

function enumerators(what, prefix,    i, m, k) {
	for (i = 0; i < n_interfaces; i++) {
		if (!count[what, i])
			continue
		print "\nenum {"
		for (m = 0; m < count[what, i]; m++)
			printf "\t%s_%s_%s = %d,\n", prefix,
				upper(interface[i]),
				upper(message[what, i, m]), m
		print "};"
	}
}

function header(    i) {
	print "/* Made by protocol.awk. */"
	print "#ifndef EDGE_WAYLAND_TABLES_H"
	print "#define EDGE_WAYLAND_TABLES_H"
	print "\nenum {"
	for (i = 0; i < n_interfaces; i++)
		printf "\tIF_%s = %d,\n", upper(interface[i]), i
	printf "\tPROTOCOL_INTERFACES = %d,\n};\n", n_interfaces
	enumerators("requests", "RQ")
	enumerators("events", "EV")
	print "\n#endif"
}

function messages(what, i,    m, k, id, of) {
	if (!count[what, i])
		return
	for (m = 0; m < count[what, i]; m++) {
		id = what SUBSEP i SUBSEP m
		if (!n_args[id])
			continue
		printf "static const uint16_t %s_%d_%d[] = {", what, i, m
		for (k = 0; k < n_args[id]; k++) {
			of = arg[id, k]
			if (of != "" && !(of in index_of))
				fail(interface[i] " needs " of)
			printf "%s%s", k ? ", " : "",
				of == "" ? "PROTOCOL_ANY" : "IF_" upper(of)
		}
		print "};"
	}
	printf "static const struct protocol_message %s_%d[] = {\n", what, i
	for (m = 0; m < count[what, i]; m++) {
		id = what SUBSEP i SUBSEP m
		if (length(types[id]) > most)
			most = length(types[id])
		printf "\t{\"%s\", \"%s\", %s, %d, %d, %s},\n", message[id],
			types[id],
			n_args[id] ? what "_" i "_" m : "NULL", since[id],
			fds[id], destructor[id]
	}
	print "};"
}

function tables(    i) {
	print "/* Made by protocol.awk. */"
	print "#include \"protocol.h\""
	print "\n#include <assert.h>"
	print "#include <stddef.h>\n"
	for (i = 0; i < n_interfaces; i++) {
		messages("requests", i)
		messages("events", i)
	}
	print "\nconst struct protocol_interface protocol[PROTOCOL_INTERFACES] = {"
	for (i = 0; i < n_interfaces; i++)
		printf "\t{\"%s\", %d, %s, %d, %s, %d},\n", interface[i],
			version[i],
			count["requests", i] ? "requests_" i : "NULL",
			count["requests", i],
			count["events", i] ? "events_" i : "NULL",
			count["events", i]
	print "};"
	printf "\nstatic_assert(%d <= PROTOCOL_ARGS_MAX, \"arguments\");\n",
		most
}

END {
	if (failed)
		exit 1
	if (out == "header")
		header()
	else
		tables()
}
