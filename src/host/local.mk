# What vmrun and vmrunctl share
noinst_LIBRARIES += %D%/libhost.a
%C%_libhost_a_SOURCES = \
	%D%/option/options.h %D%/option/options.c %D%/option/optset.h %D%/option/optset.c %D%/option/opttable.c \
	%D%/option/config.h %D%/option/config.c \
	%D%/plan/plan.h %D%/plan/plan.c %D%/plan/planint.h %D%/plan/planenv.c %D%/plan/planshares.c %D%/plan/plankeys.c \
	%D%/option/optsocket.c %D%/plan/plansockets.c %D%/plan/plandanger.c %D%/plan/planhelpers.c \
	%D%/plan/planplaces.c %D%/plan/plansystem.c %D%/plan/planmounts.c \
	%D%/plan/planhome.c %D%/plan/planplain.c %D%/plan/planhidden.c %D%/plan/fstype.h %D%/plan/fstype.c \
	%D%/option/optnic.c %D%/plan/plannic.c \
	%D%/option/optfirewall.c %D%/plan/planfirewall.c \
	%D%/net/ruleset.h %D%/net/rulesetint.h %D%/net/ruleset.c %D%/net/rulecompose.c %D%/net/ruleprivate.c %D%/net/rulelist.c %D%/net/refuselist.c %D%/net/rulecheck.c \
	%D%/net/netaddr.h %D%/net/netaddr.c %D%/net/netproto.h %D%/net/netproto.c \
	%D%/net/netlog.h %D%/net/netlog.c %D%/net/helper.h %D%/net/helper.c \
	%D%/net/segment.h %D%/net/segment.c %D%/net/hostnet.h %D%/net/hostnet.c \
	%D%/net/publish.h %D%/net/publish.c %D%/net/resolvconf.h %D%/net/resolvconf.c %D%/net/passt.h %D%/net/passt.c %D%/net/uplink.h %D%/net/uplink.c \
	%D%/net/netjoin.h %D%/net/netjoin.c %D%/plan/plannet.c %D%/net/tap.h %D%/net/tap.c \
	%D%/net/netconf.h %D%/net/netconf.c %D%/net/uplinkway.h %D%/net/uplinkway.c \
	%D%/net/netguest.h %D%/net/netguest.c %D%/net/bridgerules.h %D%/net/bridgerules.c \
	%D%/net/uplinkbridge.h %D%/net/uplinkbridge.c \
	%D%/plan/dryrun.h %D%/plan/dryrun.c \
	%D%/probe/probe.h %D%/probe/probe.c %D%/probe/probetools.c %D%/probe/facts.c %D%/probe/pci.h %D%/probe/pci.c \
	%D%/plan/windows.h %D%/plan/windows.c \
	%D%/plan/store.h %D%/plan/store.c %D%/text.h %D%/text.c \
	%D%/image/guestimage.h %D%/image/guestimage.c %D%/image/imagekernel.h %D%/image/imagekernel.c \
	%D%/image/imagemodules.h %D%/image/imagemodules.c %D%/image/imagecpio.h %D%/image/imagecpio.c \
	%D%/image/imageraw.h %D%/image/imageraw.c \
	%D%/image/imagestrip.h %D%/image/imagestrip.c %D%/image/imagedir.h %D%/image/imagedir.c \
	%D%/image/imagedeb.h %D%/image/imagedeb.c %D%/image/imagename.h %D%/image/imagemake.c \
	%D%/image/imagenft.h %D%/image/imagenft.c \
	%D%/vm/idmap.h %D%/vm/idmap.c \
	%D%/vm/sandbox.h %D%/vm/sandbox.c %D%/vm/stagespawn.h %D%/vm/stagespawn.c %D%/vm/member.h %D%/vm/member.c \
	%D%/vm/vmm.h %D%/vm/vmm-qemu.c %D%/vm/tsc.h %D%/vm/tsc.c \
	%D%/vm/fileserver.h %D%/vm/fileserver.c \
	%D%/live/asked.h %D%/live/asked.c \
	%D%/live/supervise.h %D%/live/supervise.c \
	%D%/live/manage.h %D%/live/manage.c \
	%D%/live/sockets.h %D%/live/sockets.c \
	%D%/live/said.h %D%/live/said.c \
	%D%/live/front.h %D%/live/front.c \
	%D%/live/input.h %D%/live/input.c \
	%D%/live/context.h %D%/live/context.c \
	%D%/live/windows.h %D%/live/windows.c %D%/live/launch.c \
	%D%/live/network.h %D%/live/network.c \
	%D%/live/terminal.h %D%/live/terminal.c \
	%D%/live/status.h %D%/live/status.c \
	%D%/live/supervise-impl.h %D%/live/request.h %D%/live/request.c \
	%D%/vm/disk.h %D%/vm/disk.c %D%/live/quote.h %D%/live/quote.c \
	%D%/editlock.h %D%/editlock.c %D%/reclaim.h %D%/reclaim.c %D%/home.h %D%/home.c %D%/homegone.c %D%/keep.h %D%/keep.c %D%/sweep.h %D%/sweep.c %D%/gc.h %D%/gc.c %D%/gcint.h %D%/gcdeep.c %D%/rebuild.h %D%/rebuild.c \
	%D%/run.h %D%/run.c
%C%_libhost_a_CPPFLAGS = $(AM_CPPFLAGS) $(KMOD_CFLAGS) $(ARCHIVE_CFLAGS) \
	$(INIH_CFLAGS) $(JANSSON_CFLAGS) $(WAYLAND_CFLAGS)

host_libs = src/host/libhost.a src/wire/libwire.a src/state/libstate.a \
	src/grant/libgrant.a src/proc/libproc.a src/seal/libseal.a \
	src/base/libbase.a $(SQLITE_LIBS) $(KMOD_LIBS) \
	$(ARCHIVE_LIBS) $(INIH_LIBS) $(JANSSON_LIBS) $(WAYLAND_LIBS) \
	$(SECCOMP_LIBS) $(CAP_LIBS)

bin_PROGRAMS += vmrun vmrunctl
vmrun_SOURCES = %D%/main.c
vmrun_LDADD = $(host_libs)
vmrunctl_SOURCES = %D%/ctl-main.c %D%/ctl/cmd.h %D%/ctl/cmd-vms.h %D%/ctl/cmd-ps.c %D%/ctl/cmd-vm.c \
	%D%/ctl/cmd-exec.c %D%/ctl/signame.h %D%/ctl/signame.c \
	%D%/ctl/cmd-image.c %D%/ctl/cmd-doctor.c \
	%D%/ctl/cmd-state.h %D%/ctl/cmd-state.c %D%/ctl/cmd-alias.c %D%/ctl/cmd-gc.c \
	%D%/ctl/cmd-net.c %D%/ctl/cmd-tap.c %D%/ctl/cmd-grants.c %D%/ctl/cmd-why.c %D%/ctl/cmd-revoke.c
vmrunctl_LDADD = $(host_libs)

pkglibexec_PROGRAMS += vmrun-net
vmrun_net_SOURCES = %D%/net-main.c %D%/net/service.h %D%/net/service.c \
	%D%/net/service-impl.h %D%/net/servicerepair.c \
	%D%/net/serviceconn.c %D%/net/servicepub.c \
	%D%/net/servicereload.c
vmrun_net_LDADD = $(host_libs)
