# One program's death at a chosen instant
fault_tests = %D%/kill.sh %D%/each.sh %D%/random.sh %D%/errors.sh
long_fault_tests = %D%/each.sh %D%/random.sh %D%/errors.sh
dist_check_SCRIPTS += $(fault_tests)
EXTRA_DIST += %D%/killsync.c %D%/asroot.sh %D%/given.sh %D%/powercut.sh %D%/fulldisk.sh \
	%D%/mounts.sh
CLEANFILES += %D%/killsync.so
check_DATA += %D%/killsync.so
if SYSTEM_TESTS
TESTS += $(fault_tests)
endif

%D%/killsync.so: %D%/killsync.c
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) -D_GNU_SOURCE -O1 $(WARN) -fPIC -shared \
		-o $@ $(srcdir)/%D%/killsync.c -ldl

# at each system call, without a VM
check_PROGRAMS += %D%/kill-at
%C%_kill_at_SOURCES = %D%/kill-at.c

# an error at a chosen system call
check_PROGRAMS += %D%/fail-at
%C%_fail_at_SOURCES = %D%/fail-at.c
