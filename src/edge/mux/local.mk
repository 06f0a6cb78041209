pkglibexec_PROGRAMS += vmrun-mux
vmrun_mux_SOURCES = \
	%D%/main.c \
	%D%/watch.h \
	%D%/flow.h %D%/flow.c \
	%D%/host.h %D%/host.c \
	%D%/port.h %D%/port.c \
	%D%/conn.h %D%/conn.c \
	%D%/session.h %D%/session.c \
	%D%/command.h %D%/command.c \
	%D%/console.h %D%/console.c
vmrun_mux_LDADD = src/wire/libwire.a src/seal/libseal.a src/base/libbase.a \
	$(SECCOMP_LIBS) $(CAP_LIBS)
