# What vmrun and vmrunctl share
noinst_LIBRARIES += %D%/libhost.a
%C%_libhost_a_SOURCES = \
	%D%/options.h %D%/options.c %D%/optset.h %D%/optset.c \
	%D%/config.h %D%/config.c \
	%D%/plan.h %D%/plan.c %D%/planint.h %D%/planenv.c %D%/planshares.c \
	%D%/planplaces.c %D%/plansystem.c %D%/planmounts.c \
	%D%/dryrun.h %D%/dryrun.c \
	%D%/probe.h %D%/probe.c %D%/probetools.c %D%/facts.c \
	%D%/store.h %D%/store.c %D%/text.h %D%/text.c \
	%D%/guestimage.h %D%/guestimage.c %D%/imagekernel.h %D%/imagekernel.c \
	%D%/imagemodules.h %D%/imagemodules.c %D%/imagecpio.h %D%/imagecpio.c \
	%D%/imageraw.h %D%/imageraw.c \
	%D%/imagestrip.h %D%/imagestrip.c %D%/imagedir.h %D%/imagedir.c \
	%D%/imagedeb.h %D%/imagedeb.c %D%/imagename.h %D%/imagemake.c \
	%D%/idmap.h %D%/idmap.c \
	%D%/sandbox.h %D%/sandbox.c \
	%D%/vmm.h %D%/vmm-qemu.c %D%/tsc.h %D%/tsc.c \
	%D%/fileserver.h %D%/fileserver.c \
	%D%/supervise.h %D%/supervise.c \
	%D%/manage.h %D%/manage.c \
	%D%/terminal.h %D%/terminal.c \
	%D%/status.h %D%/status.c \
	%D%/supervise-impl.h %D%/exec.h %D%/exec.c \
	%D%/disk.h %D%/disk.c %D%/quote.h %D%/quote.c \
	%D%/reclaim.h %D%/reclaim.c \
	%D%/run.h %D%/run.c
%C%_libhost_a_CPPFLAGS = $(AM_CPPFLAGS) $(KMOD_CFLAGS) $(ARCHIVE_CFLAGS) \
	$(INIH_CFLAGS) $(JANSSON_CFLAGS)

host_libs = src/host/libhost.a src/wire/libwire.a src/state/libstate.a \
	src/grant/libgrant.a src/proc/libproc.a src/seal/libseal.a \
	src/base/libbase.a $(SQLITE_LIBS) $(KMOD_LIBS) \
	$(ARCHIVE_LIBS) $(INIH_LIBS) $(JANSSON_LIBS) $(SECCOMP_LIBS) $(CAP_LIBS)

bin_PROGRAMS += vmrun vmrunctl
vmrun_SOURCES = %D%/main.c
vmrun_LDADD = $(host_libs)
vmrunctl_SOURCES = %D%/ctl-main.c %D%/cmd.h %D%/cmd-vms.h %D%/cmd-ps.c %D%/cmd-vm.c \
	%D%/cmd-exec.c %D%/signame.h %D%/signame.c \
	%D%/cmd-image.c %D%/cmd-doctor.c
vmrunctl_LDADD = $(host_libs)
