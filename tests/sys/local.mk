# see tests/README

# kill -9 of claimers: the state database stays good
check_PROGRAMS += %D%/state-kill
%C%_state_kill_SOURCES = %D%/state-kill.c tests/unit/rmtree.h tests/unit/tap.h
%C%_state_kill_LDADD = src/state/libstate.a src/base/libbase.a $(SQLITE_LIBS)
sys_tests = %D%/state-kill

# what the sandbox's members are and can reach
check_PROGRAMS += %D%/stage-tool %D%/stage-red
%C%_stage_tool_SOURCES = %D%/stage-tool.c
%C%_stage_tool_LDADD = src/wire/libwire.a src/proc/libproc.a \
	src/seal/libseal.a src/base/libbase.a $(SECCOMP_LIBS) $(CAP_LIBS)
# no sanitizer: its runtime wants a /proc, which most members do not have
%C%_stage_red_SOURCES = %D%/stage-red.c
%C%_stage_red_CFLAGS = -std=c11 $(WARN)
%C%_stage_red_LDFLAGS =
dist_check_SCRIPTS += %D%/stage-audit.sh
sys_tests += %D%/stage-audit.sh

# the walk of a grant, with names being swapped under it
check_PROGRAMS += %D%/grant-tool
%C%_grant_tool_SOURCES = %D%/grant-tool.c
%C%_grant_tool_LDADD = src/grant/libgrant.a src/base/libbase.a
check_PROGRAMS += %D%/race
%C%_race_SOURCES = %D%/race.c
%C%_race_LDADD = src/grant/libgrant.a src/base/libbase.a -ldl
dist_check_SCRIPTS += %D%/grant-race.sh
sys_tests += %D%/grant-race.sh

# TAPs of one's own, and lending them
dist_check_SCRIPTS += %D%/tap.sh
sys_tests += %D%/tap.sh

# what a tree is; other tests compare its dumps
check_PROGRAMS += %D%/oracle
%C%_oracle_SOURCES = %D%/oracle.c
dist_check_SCRIPTS += %D%/oracle.sh
sys_tests += %D%/oracle.sh
# a person at work while grants are in force, against a tree without vmrun
check_PROGRAMS += %D%/edits
%C%_edits_SOURCES = %D%/edits.c %D%/edits.h tests/unit/rmtree.h %D%/edits-acl.c %D%/edits-tree.c \
	%D%/edits-judge.c
%C%_edits_LDADD = src/grant/libgrant.a src/base/libbase.a
dist_check_SCRIPTS += %D%/edits.sh
sys_tests += %D%/edits.sh
long_sys_tests = %D%/edits.sh %D%/grant-race.sh
# no VM, but all the rest of a run; see tests/fault
check_PROGRAMS += %D%/stage-dummy
%C%_stage_dummy_SOURCES = %D%/stage-dummy.c
%C%_stage_dummy_LDADD = src/wire/libwire.a src/base/libbase.a
EXTRA_DIST += %D%/dummy.sh %D%/ownuids.sh

# what VMs have that start while a cleaner looks
dist_check_SCRIPTS += %D%/meanwhile.sh
sys_tests += %D%/meanwhile.sh

# entries and bits that a guest leaves for others
dist_check_SCRIPTS += %D%/planted.sh
sys_tests += %D%/planted.sh

# aliases: what stays, what a later start does not do, what forgetting undoes
dist_check_SCRIPTS += %D%/alias.sh
sys_tests += %D%/alias.sh

# what a share leaves out, and says
dist_check_SCRIPTS += %D%/share.sh
sys_tests += %D%/share.sh

# another thing under the name of a share
dist_check_SCRIPTS += %D%/replaced.sh %D%/stuck.sh
sys_tests += %D%/replaced.sh %D%/stuck.sh

# what cleans up, and when a UID is free again
dist_check_SCRIPTS += %D%/gc.sh
sys_tests += %D%/gc.sh

# what is not vmrun's, and stays
dist_check_SCRIPTS += %D%/others.sh
sys_tests += %D%/others.sh

# who may touch what, and taking it back
dist_check_SCRIPTS += %D%/grants.sh
sys_tests += %D%/grants.sh

# windows: real clients, through the filter, to a compositor without a screen
check_PROGRAMS += %D%/wayland-rig
%C%_wayland_rig_SOURCES = %D%/wayland-rig.c
%C%_wayland_rig_LDADD = $(unit_libs)
dist_check_SCRIPTS += %D%/wayland.sh
sys_tests += %D%/wayland.sh
EXTRA_DIST += %D%/wayland-drag.py %D%/wayland-keys.py \
	%D%/wayland-hostile.py

# one vmrun edits at a time, and nobody waits in silence
dist_check_SCRIPTS += %D%/lock.sh
sys_tests += %D%/lock.sh

# signals to vmrun
dist_check_SCRIPTS += %D%/signals.sh
sys_tests += %D%/signals.sh

# a database that is not what it was
dist_check_SCRIPTS += %D%/lost.sh
sys_tests += %D%/lost.sh

# rules of bridge VMs, with frames
check_PROGRAMS += %D%/bridge-tool
%C%_bridge_tool_SOURCES = %D%/bridge-tool.c
%C%_bridge_tool_LDADD = $(unit_libs)
dist_check_SCRIPTS += %D%/bridge.sh
EXTRA_DIST += %D%/bridge.py
sys_tests += %D%/bridge.sh

# rulesets, with packets between namespaces
check_PROGRAMS += %D%/ruleset-tool
%C%_ruleset_tool_SOURCES = %D%/ruleset-tool.c
%C%_ruleset_tool_LDADD = $(unit_libs)
dist_check_SCRIPTS += %D%/ruleset.sh %D%/net.sh
sys_tests += %D%/ruleset.sh %D%/net.sh

# the service of a network
dist_check_SCRIPTS += %D%/netservice.sh
EXTRA_DIST += %D%/netservice.py
sys_tests += %D%/netservice.sh
if SYSTEM_TESTS
TESTS += $(sys_tests)
endif
