# The filter by itself, without sockets, for the program and its tests.
noinst_LIBRARIES += %D%/libwayland-filter.a
%C%_libwayland_filter_a_SOURCES = \
	%D%/protocol.h %D%/protocol.c \
	%D%/wire.h %D%/wire.c \
	%D%/objects.h %D%/objects.c \
	%D%/link.h %D%/link.c \
	%D%/mark.h %D%/mark.c \
	%D%/filter.h %D%/filter.c \
	%D%/request.c \
	%D%/event.c \
	%D%/registry.c \
	%D%/format.h %D%/format.c \
	%D%/shm.h %D%/shm.c \
	%D%/copy.c \
	%D%/bounds.c \
	%D%/offers.h %D%/offers.c \
	%D%/drag.h %D%/drag.c \
	%D%/selection.c
nodist_%C%_libwayland_filter_a_SOURCES = %D%/tables.h %D%/tables.c
%C%_libwayland_filter_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/%D% \
	-I$(top_builddir)/%D%
%C%_libwayland_filter_a_CFLAGS = $(AM_CFLAGS) -Wconversion

pkglibexec_PROGRAMS += vmrun-wayland
vmrun_wayland_SOURCES = \
	%D%/main.c \
	%D%/vmrun.h %D%/vmrun.c \
	%D%/session.h %D%/session.c
vmrun_wayland_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_builddir)/%D%
vmrun_wayland_LDADD = %D%/libwayland-filter.a src/wire/libwire.a \
	src/seal/libseal.a src/base/libbase.a $(SECCOMP_LIBS) $(CAP_LIBS)

# The tables, from the distribution's XML (configure finds it) and ours: what
# is newer than Debian 12, or in no package.
wayland_xml = $(WAYLAND_XML) \
	$(srcdir)/%D%/xml/cursor-shape.xml \
	$(srcdir)/%D%/xml/kde-decoration.xml
EXTRA_DIST += %D%/protocol.awk %D%/xml
BUILT_SOURCES += %D%/tables.h
CLEANFILES += %D%/tables.h %D%/tables.c

%D%/tables.h: $(wayland_xml) %D%/protocol.awk Makefile
	@$(MKDIR_P) %D%
	$(AM_V_GEN)$(AWK) -v out=header -f $(srcdir)/%D%/protocol.awk \
		$(wayland_xml) >$@.tmp && mv -f $@.tmp $@
%D%/tables.c: $(wayland_xml) %D%/protocol.awk Makefile
	@$(MKDIR_P) %D%
	$(AM_V_GEN)$(AWK) -v out=tables -f $(srcdir)/%D%/protocol.awk \
		$(wayland_xml) >$@.tmp && mv -f $@.tmp $@
