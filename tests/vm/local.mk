# Real guests.  Not in parallel with one another: each wants a core.
vm_tests = %D%/run.sh %D%/pipes.sh %D%/shares.sh %D%/files.sh %D%/refuse.sh %D%/gone.sh \
	%D%/two.sh %D%/ctl.sh %D%/pty.sh %D%/audit.sh %D%/hostile.sh \
	%D%/fds.sh %D%/alias.sh %D%/home.sh %D%/profile.sh %D%/root.sh %D%/store.sh \
	%D%/doctor.sh %D%/sockets.sh %D%/nic.sh %D%/taplink.sh %D%/firewall.sh %D%/bridge.sh %D%/host.sh %D%/windows.sh \
	%D%/x11.sh %D%/wrap.sh %D%/memory.sh
dist_check_SCRIPTS += $(vm_tests)
EXTRA_DIST += %D%/lib.sh %D%/desktop.sh %D%/plain.sh %D%/audit.py %D%/make-nix-hello.sh %D%/sockets.py %D%/nic.py \
	%D%/firewall.py %D%/firewall-end.py \
	%D%/innet.sh %D%/netrig.py %D%/network.sh %D%/network.py %D%/publish.sh %D%/publish.py \
	%D%/netvm.sh %D%/netvm.py %D%/taplink.py %D%/bridged.sh %D%/bridged.py %D%/fullcone.py \
	%D%/testnet.sh %D%/testnet.py \
	%D%/vfio.sh %D%/vfio-machine.py %D%/vfio-inside.sh %D%/vfio.py \
	%D%/paint.py %D%/wlclient.py %D%/clockset.c
CLEANFILES += %D%/clockset.so
check_DATA += %D%/clockset.so
%D%/clockset.so: %D%/clockset.c
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) -D_GNU_SOURCE -O1 $(WARN) -fPIC -shared \
		-o $@ $(srcdir)/%D%/clockset.c -ldl
if SYSTEM_TESTS
TESTS += $(vm_tests)
endif
