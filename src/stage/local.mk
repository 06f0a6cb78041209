pkglibexec_PROGRAMS += vmrun-stage
vmrun_stage_SOURCES = \
	%D%/main.c \
	%D%/mounts.h %D%/mounts.c %D%/cover.h %D%/cover.c \
	%D%/denied.h %D%/denied.c \
	%D%/devices.h %D%/devices.c \
	%D%/root.h %D%/root.c \
	%D%/member.h %D%/member.c %D%/waypipe.c \
	%D%/pid1.h %D%/pid1.c
vmrun_stage_LDADD = src/wire/libwire.a src/proc/libproc.a src/seal/libseal.a \
	src/base/libbase.a $(SECCOMP_LIBS) $(CAP_LIBS)
