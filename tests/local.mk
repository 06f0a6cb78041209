include tests/unit/local.mk
include tests/fuzz/local.mk
include tests/sys/local.mk
include tests/fault/local.mk
include tests/vm/local.mk
include tests/lint/local.mk
include tests/bench/local.mk

# The long forms: all points, all seeds' worth.  Takes hours on a slow machine;
# plain `make check` runs a sample of each.
long_tests = $(long_fault_tests)
.PHONY: check-long
check-long:
	$(MAKE) $(AM_MAKEFLAGS) check VMRUN_LONG=1 TESTS='$(long_tests)'
