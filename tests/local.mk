EXTRA_DIST += %D%/README %D%/debian13/root.sh
include tests/unit/local.mk
include tests/fuzz/local.mk
include tests/sys/local.mk
include tests/fault/local.mk
include tests/vm/local.mk
include tests/lint/local.mk
include tests/weak/local.mk
include tests/bench/local.mk

# All of it in two lanes, for two cores: what boots guests or uses the state
# folder, one after the other; and beside it what does neither.  Everything is
# built before, so that the lanes build nothing.
slow_tests = $(vm_tests) $(fault_tests) $(sys_tests)
quick_tests = $(unit_tests) $(fuzz_targets) $(weak_tests) $(lint_tests)
lane = MAKEFLAGS= MFLAGS= $(MAKE) $(MAKEOVERRIDES) -s -k check
.PHONY: check-lanes
check-lanes: all
	$(MAKE) $(AM_MAKEFLAGS) $(check_PROGRAMS) $(check_DATA) $(check_SCRIPTS)
	@$(lane) TESTS='$(quick_tests)' TEST_SUITE_LOG=tests/quick.log \
		>tests/quick.out 2>&1 & \
	quick=$$!; status=0; \
	$(lane) TESTS='$(slow_tests)' TEST_SUITE_LOG=tests/slow.log || status=$$?; \
	wait $$quick || status=$$?; \
	cat tests/quick.out; exit $$status
CLEANFILES += tests/quick.out tests/quick.log tests/slow.log

# The long forms: all points, all seeds' worth.  Takes hours on a slow machine;
# plain `make check` runs a sample of each.
long_tests = $(long_fault_tests) $(long_sys_tests)
.PHONY: check-long
check-long:
	$(MAKE) $(AM_MAKEFLAGS) check VMRUN_LONG=1 TESTS='$(long_tests)'
