# One program for each module; all print TAP (tests/unit/tap.h).
unit_libs = src/host/libhost.a src/wire/libwire.a src/state/libstate.a \
	src/grant/libgrant.a src/proc/libproc.a src/seal/libseal.a \
	src/base/libbase.a $(SQLITE_LIBS) $(KMOD_LIBS) \
	$(ARCHIVE_LIBS) $(INIH_LIBS) $(JANSSON_LIBS) $(WAYLAND_LIBS) \
	$(SECCOMP_LIBS) $(CAP_LIBS)

unit_tests = %D%/base-test
%C%_base_test_SOURCES = %D%/base-test.c %D%/tap.h
%C%_base_test_LDADD = src/base/libbase.a

unit_tests += %D%/spawn-test
%C%_spawn_test_SOURCES = %D%/spawn-test.c %D%/tap.h
%C%_spawn_test_LDADD = src/proc/libproc.a src/base/libbase.a

unit_tests += %D%/controlfirewall-test
%C%_controlfirewall_test_SOURCES = %D%/controlfirewall-test.c %D%/tap.h
%C%_controlfirewall_test_LDADD = src/wire/libwire.a src/base/libbase.a

unit_tests += %D%/dns-test
%C%_dns_test_SOURCES = %D%/dns-test.c %D%/tap.h
%C%_dns_test_LDADD = src/wire/libwire.a src/base/libbase.a

unit_tests += %D%/control-test
%C%_control_test_SOURCES = %D%/control-test.c %D%/tap.h
%C%_control_test_LDADD = src/wire/libwire.a src/base/libbase.a

unit_tests += %D%/state-test
%C%_state_test_SOURCES = %D%/state-test.c %D%/rmtree.h %D%/tap.h
%C%_state_test_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
%C%_state_test_LDADD = src/state/libstate.a src/base/libbase.a $(SQLITE_LIBS)

unit_tests += %D%/alias-test
%C%_alias_test_SOURCES = %D%/alias-test.c %D%/rmtree.h %D%/tap.h
%C%_alias_test_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
%C%_alias_test_LDADD = src/state/libstate.a src/base/libbase.a $(SQLITE_LIBS)

unit_tests += %D%/quarantine-test
%C%_quarantine_test_SOURCES = %D%/quarantine-test.c %D%/rmtree.h %D%/tap.h
%C%_quarantine_test_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
%C%_quarantine_test_LDADD = src/state/libstate.a src/base/libbase.a \
	$(SQLITE_LIBS)

unit_tests += %D%/damage-test
%C%_damage_test_SOURCES = %D%/damage-test.c %D%/rmtree.h %D%/tap.h
%C%_damage_test_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
%C%_damage_test_LDADD = src/state/libstate.a src/base/libbase.a $(SQLITE_LIBS)

unit_tests += %D%/subid-test
%C%_subid_test_SOURCES = %D%/subid-test.c %D%/tap.h
%C%_subid_test_LDADD = src/state/libstate.a src/base/libbase.a $(SQLITE_LIBS)

unit_tests += %D%/probe-test
%C%_probe_test_SOURCES = %D%/probe-test.c %D%/rmtree.h %D%/tap.h
%C%_probe_test_LDADD = $(unit_libs)

unit_tests += %D%/json-test
%C%_json_test_SOURCES = %D%/json-test.c %D%/tap.h
%C%_json_test_LDADD = $(unit_libs)
unit_tests += %D%/store-test
%C%_store_test_SOURCES = %D%/store-test.c %D%/tap.h
%C%_store_test_LDADD = $(unit_libs)
unit_tests += %D%/imagekernel-test
%C%_imagekernel_test_SOURCES = %D%/imagekernel-test.c %D%/tap.h %D%/fakekernel.h
%C%_imagekernel_test_LDADD = $(unit_libs)
unit_tests += %D%/imagedeb-test
%C%_imagedeb_test_SOURCES = %D%/imagedeb-test.c %D%/tap.h %D%/fakekernel.h
%C%_imagedeb_test_LDADD = $(unit_libs)
unit_tests += %D%/imagestrip-test
%C%_imagestrip_test_SOURCES = %D%/imagestrip-test.c %D%/tap.h
%C%_imagestrip_test_LDADD = $(unit_libs)
unit_tests += %D%/guestimage-test
%C%_guestimage_test_SOURCES = %D%/guestimage-test.c %D%/tap.h %D%/fakekernel.h
%C%_guestimage_test_LDADD = $(unit_libs)

unit_tests += %D%/setup-test
%C%_setup_test_SOURCES = %D%/setup-test.c %D%/tap.h
%C%_setup_test_LDADD = src/wire/libwire.a src/base/libbase.a

unit_tests += %D%/seal-test
%C%_seal_test_SOURCES = %D%/seal-test.c %D%/child.h %D%/tap.h
%C%_seal_test_LDADD = src/seal/libseal.a src/base/libbase.a $(SECCOMP_LIBS) \
	$(CAP_LIBS)

unit_tests += %D%/fence-test
%C%_fence_test_SOURCES = %D%/fence-test.c %D%/child.h %D%/tap.h
%C%_fence_test_LDADD = src/seal/libseal.a src/base/libbase.a $(SECCOMP_LIBS) \
	$(CAP_LIBS)

unit_tests += %D%/opt-test
%C%_opt_test_SOURCES = %D%/opt-test.c %D%/tap.h
%C%_opt_test_LDADD = src/base/libbase.a
unit_tests += %D%/options-test
%C%_options_test_SOURCES = %D%/options-test.c %D%/tap.h
%C%_options_test_LDADD = $(unit_libs)
unit_tests += %D%/profiles-test
%C%_profiles_test_SOURCES = %D%/profiles-test.c %D%/tap.h
%C%_profiles_test_LDADD = $(unit_libs)
unit_tests += %D%/plan-test
%C%_plan_test_SOURCES = %D%/plan-test.c %D%/planfixture.h %D%/tap.h
%C%_plan_test_LDADD = $(unit_libs)
unit_tests += %D%/mountinfo-test
%C%_mountinfo_test_SOURCES = %D%/mountinfo-test.c %D%/tap.h
%C%_mountinfo_test_LDADD = src/base/libbase.a
unit_tests += %D%/fstype-test
%C%_fstype_test_SOURCES = %D%/fstype-test.c %D%/tap.h
%C%_fstype_test_LDADD = $(unit_libs)
unit_tests += %D%/home-test
%C%_home_test_SOURCES = %D%/home-test.c %D%/planfixture.h %D%/tap.h
%C%_home_test_LDADD = $(unit_libs)
unit_tests += %D%/planhidden-test
%C%_planhidden_test_SOURCES = %D%/planhidden-test.c %D%/planfixture.h %D%/tap.h
%C%_planhidden_test_LDADD = $(unit_libs)
unit_tests += %D%/planrefuse-test
%C%_planrefuse_test_SOURCES = %D%/planrefuse-test.c %D%/planfixture.h %D%/tap.h
%C%_planrefuse_test_LDADD = $(unit_libs)

unit_tests += %D%/plansocket-test
%C%_plansocket_test_SOURCES = %D%/plansocket-test.c %D%/planfixture.h %D%/tap.h
%C%_plansocket_test_LDADD = $(unit_libs)

unit_tests += %D%/clock-test
%C%_clock_test_SOURCES = %D%/clock-test.c %D%/tap.h guest-init/init.h \
	guest-init/clock.h guest-init/clock.c
%C%_clock_test_LDADD = src/wire/libwire.a src/base/libbase.a
unit_tests += %D%/resolver-test
%C%_resolver_test_SOURCES = %D%/resolver-test.c %D%/tap.h guest-init/init.h \
	guest-init/restrict.h guest-init/resolver.c
%C%_resolver_test_LDADD = src/wire/libwire.a src/base/libbase.a
unit_tests += %D%/nftset-test
%C%_nftset_test_SOURCES = %D%/nftset-test.c %D%/tap.h guest-init/init.h \
	guest-init/nftset.c
%C%_nftset_test_LDADD = src/base/libbase.a
unit_tests += %D%/restrict-test
%C%_restrict_test_SOURCES = %D%/restrict-test.c %D%/child.h %D%/tap.h \
	guest-init/restrict.h guest-init/restrict.c

unit_tests += %D%/context-test
%C%_context_test_SOURCES = %D%/context-test.c %D%/tap.h
%C%_context_test_CPPFLAGS = $(AM_CPPFLAGS) $(WAYLAND_CFLAGS) $(WAYLAND_SERVER_CFLAGS)
%C%_context_test_LDADD = src/host/libhost.a src/base/libbase.a \
	$(WAYLAND_LIBS) $(WAYLAND_SERVER_LIBS)

unit_tests += %D%/acl-test
%C%_acl_test_SOURCES = %D%/acl-test.c %D%/tap.h
%C%_acl_test_LDADD = src/grant/libgrant.a src/base/libbase.a

unit_tests += %D%/walk-test
%C%_walk_test_SOURCES = %D%/walk-test.c %D%/grant-rig.c %D%/grant-rig.h \
	%D%/tap.h
%C%_walk_test_LDADD = src/grant/libgrant.a src/base/libbase.a

unit_tests += %D%/grant-test
%C%_grant_test_SOURCES = %D%/grant-test.c %D%/grant-rig.c %D%/grant-rig.h \
	%D%/tap.h
%C%_grant_test_LDADD = src/grant/libgrant.a src/base/libbase.a

unit_tests += %D%/grantothers-test
%C%_grantothers_test_SOURCES = %D%/grantothers-test.c %D%/grant-rig.c \
	%D%/grant-rig.h %D%/tap.h
%C%_grantothers_test_LDADD = src/grant/libgrant.a src/base/libbase.a

unit_tests += %D%/keys-test
%C%_keys_test_SOURCES = %D%/keys-test.c %D%/grant-rig.c %D%/grant-rig.h \
	%D%/tap.h
%C%_keys_test_LDADD = src/grant/libgrant.a src/base/libbase.a

unit_tests += %D%/links-test
%C%_links_test_SOURCES = %D%/links-test.c %D%/grant-rig.c %D%/grant-rig.h \
	%D%/tap.h
%C%_links_test_LDADD = src/grant/libgrant.a src/base/libbase.a

unit_tests += %D%/scan-test
%C%_scan_test_SOURCES = %D%/scan-test.c %D%/grant-rig.c %D%/grant-rig.h \
	%D%/tap.h
%C%_scan_test_LDADD = src/grant/libgrant.a src/base/libbase.a

unit_tests += %D%/passes-test
%C%_passes_test_SOURCES = %D%/passes-test.c %D%/grant-rig.c %D%/grant-rig.h \
	%D%/tap.h
%C%_passes_test_LDADD = src/grant/libgrant.a src/base/libbase.a

unit_tests += %D%/granttrees-test
%C%_granttrees_test_SOURCES = %D%/granttrees-test.c %D%/grant-rig.c \
	%D%/grant-rig.h %D%/tap.h
%C%_granttrees_test_LDADD = src/grant/libgrant.a src/base/libbase.a

unit_tests += %D%/mux-test
%C%_mux_test_SOURCES = %D%/mux-test.c %D%/mux-rig.h %D%/tap.h
%C%_mux_test_LDADD = src/wire/libwire.a src/base/libbase.a
unit_tests += %D%/mux-refuse-test
%C%_mux_refuse_test_SOURCES = %D%/mux-refuse-test.c %D%/mux-rig.h %D%/tap.h
%C%_mux_refuse_test_LDADD = src/wire/libwire.a src/base/libbase.a

unit_tests += %D%/ring-test
%C%_ring_test_SOURCES = %D%/ring-test.c %D%/tap.h
%C%_ring_test_LDADD = src/wire/libwire.a src/base/libbase.a

unit_tests += %D%/ether-test
%C%_ether_test_SOURCES = %D%/ether-test.c %D%/frames.h %D%/tap.h
%C%_ether_test_LDADD = src/wire/libwire.a src/base/libbase.a
unit_tests += %D%/fabric-test
%C%_fabric_test_SOURCES = %D%/fabric-test.c %D%/frames.h %D%/tap.h
%C%_fabric_test_LDADD = src/edge/switch/libfabric.a src/wire/libwire.a

unit_tests += %D%/ruleset-test
%C%_ruleset_test_SOURCES = %D%/ruleset-test.c %D%/tap.h
%C%_ruleset_test_LDADD = $(unit_libs)
unit_tests += %D%/plannet-test
%C%_plannet_test_SOURCES = %D%/plannet-test.c %D%/planfixture.h %D%/tap.h
%C%_plannet_test_LDADD = $(unit_libs)
unit_tests += %D%/publish-test
%C%_publish_test_SOURCES = %D%/publish-test.c %D%/tap.h
%C%_publish_test_LDADD = $(unit_libs)
unit_tests += %D%/network-test
%C%_network_test_SOURCES = %D%/network-test.c %D%/tap.h
%C%_network_test_LDADD = $(unit_libs)
unit_tests += %D%/netconf-test
%C%_netconf_test_SOURCES = %D%/netconf-test.c %D%/rmtree.h %D%/tap.h
%C%_netconf_test_LDADD = $(unit_libs)

unit_tests += %D%/pci-test
%C%_pci_test_SOURCES = %D%/pci-test.c %D%/rmtree.h %D%/tap.h
%C%_pci_test_LDADD = $(unit_libs)

# These run the real vmrun-switch.
switch_rig = %D%/switch-rig.c %D%/switch-rig.h %D%/frames.h %D%/tap.h
switch_libs = src/wire/libwire.a src/proc/libproc.a src/base/libbase.a
unit_tests += %D%/switch-test
%C%_switch_test_SOURCES = %D%/switch-test.c $(switch_rig)
%C%_switch_test_LDADD = $(switch_libs)
EXTRA_%C%_switch_test_DEPENDENCIES = vmrun-switch
unit_tests += %D%/switch-hostile-test
%C%_switch_hostile_test_SOURCES = %D%/switch-hostile-test.c $(switch_rig)
%C%_switch_hostile_test_LDADD = $(switch_libs)
EXTRA_%C%_switch_hostile_test_DEPENDENCIES = vmrun-switch

# These run the real vmrun-mux.
edge_rig = %D%/edge-rig.c %D%/edge-rig.h %D%/tap.h
edge_libs = src/wire/libwire.a src/proc/libproc.a src/base/libbase.a
unit_tests += %D%/edge-test
%C%_edge_test_SOURCES = %D%/edge-test.c $(edge_rig)
%C%_edge_test_LDADD = $(edge_libs)
EXTRA_%C%_edge_test_DEPENDENCIES = vmrun-mux
unit_tests += %D%/edge-console-test
%C%_edge_console_test_SOURCES = %D%/edge-console-test.c $(edge_rig)
%C%_edge_console_test_LDADD = $(edge_libs)
EXTRA_%C%_edge_console_test_DEPENDENCIES = vmrun-mux
unit_tests += %D%/edge-socket-test
%C%_edge_socket_test_SOURCES = %D%/edge-socket-test.c $(edge_rig)
%C%_edge_socket_test_LDADD = $(edge_libs)
EXTRA_%C%_edge_socket_test_DEPENDENCIES = vmrun-mux
unit_tests += %D%/edge-hostile-test
%C%_edge_hostile_test_SOURCES = %D%/edge-hostile-test.c $(edge_rig)
%C%_edge_hostile_test_LDADD = $(edge_libs)
EXTRA_%C%_edge_hostile_test_DEPENDENCIES = vmrun-mux

unit_tests += %D%/vmm-test
%C%_vmm_test_SOURCES = %D%/vmm-test.c %D%/tap.h
%C%_vmm_test_LDADD = $(unit_libs)

unit_tests += %D%/wayland-policy-test
%C%_wayland_policy_test_SOURCES = %D%/wayland-policy-test.c %D%/tap.h
%C%_wayland_policy_test_LDADD = src/wire/libwire.a src/base/libbase.a

# The filter for windows, in this process.
wayland_script = %D%/wayland-script.c %D%/wayland-script.h %D%/tap.h
wayland_flags = $(AM_CPPFLAGS) -I$(srcdir)/src/edge/wayland \
	-I$(top_builddir)/src/edge/wayland
wayland_libs = src/edge/wayland/libwayland-filter.a src/wire/libwire.a \
	src/base/libbase.a
unit_tests += %D%/wayland-hostile-test
%C%_wayland_hostile_test_SOURCES = %D%/wayland-hostile-test.c $(wayland_script)
%C%_wayland_hostile_test_CPPFLAGS = $(wayland_flags)
%C%_wayland_hostile_test_LDADD = $(wayland_libs)
unit_tests += %D%/wayland-filter-test
%C%_wayland_filter_test_SOURCES = %D%/wayland-filter-test.c $(wayland_script)
%C%_wayland_filter_test_CPPFLAGS = $(wayland_flags)
%C%_wayland_filter_test_LDADD = $(wayland_libs)
unit_tests += %D%/wayland-shm-test
%C%_wayland_shm_test_SOURCES = %D%/wayland-shm-test.c $(wayland_script)
%C%_wayland_shm_test_CPPFLAGS = $(wayland_flags)
%C%_wayland_shm_test_LDADD = $(wayland_libs)
unit_tests += %D%/wayland-selection-test
%C%_wayland_selection_test_SOURCES = %D%/wayland-selection-test.c $(wayland_script)
%C%_wayland_selection_test_CPPFLAGS = $(wayland_flags)
%C%_wayland_selection_test_LDADD = $(wayland_libs)
unit_tests += %D%/wayland-offers-test
%C%_wayland_offers_test_SOURCES = %D%/wayland-offers-test.c $(wayland_script)
%C%_wayland_offers_test_CPPFLAGS = $(wayland_flags)
%C%_wayland_offers_test_LDADD = $(wayland_libs)
unit_tests += %D%/wayland-session-test
%C%_wayland_session_test_SOURCES = %D%/wayland-session-test.c $(wayland_script) \
	src/edge/wayland/session.c src/edge/wayland/vmrun.c
%C%_wayland_session_test_CPPFLAGS = $(wayland_flags)
%C%_wayland_session_test_LDADD = $(wayland_libs)
# and the real program
unit_tests += %D%/wayland-edge-test
%C%_wayland_edge_test_SOURCES = %D%/wayland-edge-test.c %D%/tap.h
%C%_wayland_edge_test_CPPFLAGS = $(wayland_flags)
%C%_wayland_edge_test_LDADD = $(wayland_libs) src/proc/libproc.a \
	src/base/libbase.a
EXTRA_%C%_wayland_edge_test_DEPENDENCIES = vmrun-wayland

unit_tests += %D%/windows-live-test
%C%_windows_live_test_SOURCES = %D%/windows-live-test.c %D%/tap.h
%C%_windows_live_test_LDADD = $(unit_libs)

unit_tests += %D%/windows-test
%C%_windows_test_SOURCES = %D%/windows-test.c %D%/tap.h
%C%_windows_test_LDADD = $(unit_libs)

check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
