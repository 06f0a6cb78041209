# SPDX-License-Identifier: GPL-3.0-or-later
# Turns schema/state.sql into the C array state_migrations[].

BEGIN {
	print "/* Made from schema/state.sql; edits here are lost. */"
	print "#include \"state/db.h\"\n"
	print "const char *const state_migrations[] = {"
}

function end_string() {
	if (number)
		print "\t,"
}

/^-- migration [0-9]+$/ {
	end_string()
	if ($3 != ++number) {
		print "schema: migration " $3 " is out of order" >"/dev/stderr"
		bad = 1
		exit 1
	}
	next
}

/^[ \t]*--/ || /^[ \t]*$/ {
	next
}

!number {
	print "schema: text before the first migration" >"/dev/stderr"
	bad = 1
	exit 1
}

{
	gsub(/\\/, "\\\\")
	gsub(/"/, "\\\"")
	gsub(/\t/, " ")
	print "\t\"" $0 "\\n\""
}

END {
	if (bad || !number)
		exit 1
	end_string()
	print "};\n"
	print "const int state_version = " number ";"
}
