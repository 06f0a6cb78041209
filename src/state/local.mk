noinst_LIBRARIES += %D%/libstate.a
%C%_libstate_a_SOURCES = \
	%D%/state.h \
	%D%/state.c \
	%D%/db.h %D%/db.c \
	%D%/highwater.h %D%/highwater.c \
	%D%/runlock.h %D%/runlock.c \
	%D%/claim.c \
	%D%/alias.c \
	%D%/quarantine.c \
	%D%/identity.c \
	%D%/journal.c \
	%D%/subid.c
nodist_%C%_libstate_a_SOURCES = %D%/schema.c
%C%_libstate_a_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)

# schema/state.sql as one C string for each migration
EXTRA_DIST += schema/state.sql src/state/schema.awk
CLEANFILES += %D%/schema.c

%D%/schema.c: schema/state.sql %D%/schema.awk
	@$(MKDIR_P) %D%
	$(AM_V_GEN)$(AWK) -f $(srcdir)/%D%/schema.awk \
		$(srcdir)/schema/state.sql >$@.tmp && mv -f $@.tmp $@
