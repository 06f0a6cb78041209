pkglibexec_PROGRAMS += vmrun-switch
# What is pure, for tests too
noinst_LIBRARIES += %D%/libfabric.a
%C%_libfabric_a_SOURCES = \
	%D%/fabric.h %D%/fabric.c \
	%D%/guard.h %D%/guard.c \
	%D%/queue.h %D%/queue.c
vmrun_switch_SOURCES = \
	%D%/main.c \
	%D%/port.h %D%/port.c \
	%D%/control.h %D%/control.c
vmrun_switch_LDADD = %D%/libfabric.a src/wire/libwire.a src/seal/libseal.a \
	src/base/libbase.a $(SECCOMP_LIBS) $(CAP_LIBS)
