EXTRA_DIST += %D%/README %D%/debian13/root.sh
include tests/unit/local.mk
include tests/fuzz/local.mk
include tests/sys/local.mk
include tests/fault/local.mk
include tests/vm/local.mk
include tests/lint/local.mk
include tests/weak/local.mk
include tests/bench/local.mk

# Once more with ASan and UBSan, in a build folder inside of this one: what needs
# no machine.  Not where the tree was configured in place.
sanitized_tests = $(unit_tests) $(fuzz_targets)
.PHONY: check-sanitized
check-sanitized: sanitized/Makefile
	cd sanitized && $(MAKE) -s $(BUILT_SOURCES)
	cd sanitized && $(MAKE) -s $(sanitized_tests)
	cd sanitized && $(MAKE) -s check-TESTS check_PROGRAMS= check_DATA= \
		TESTS='$(sanitized_tests)'
sanitized/Makefile: $(top_srcdir)/configure
	$(MKDIR_P) sanitized
	cd sanitized && '$(abs_top_srcdir)/configure' -q --enable-sanitizers \
		CC='$(CC)' CFLAGS='-g -O1'

# A hundred thousand changed sessions of the filter for windows, and as many
# of each other seed.
.PHONY: check-fuzz-long
check-fuzz-long: sanitized/Makefile
	cd sanitized && $(MAKE) -s $(BUILT_SOURCES)
	cd sanitized && $(MAKE) -s $(fuzz_targets)
	cd sanitized && VMRUN_FUZZ_MUTANTS=12500 $(MAKE) -s check-TESTS \
		check_PROGRAMS= check_DATA= TESTS='$(fuzz_targets)'

# All of it, as many at once as `make -jN' says.  What takes longest is begun
# first; everything is built before, so that no test builds anything.
all_tests = $(long_lint_tests) $(vm_tests) $(fault_tests) $(sys_tests) \
	$(weak_tests) $(lint_tests) $(unit_tests) $(fuzz_targets)
.PHONY: check-all check-whole
check-whole:
	$(MAKE) -s check-TESTS TESTS='$(all_tests)'
check-all: all
	$(MAKE) $(AM_MAKEFLAGS) $(check_PROGRAMS) $(check_DATA) $(check_SCRIPTS)
	$(MAKE) $(AM_MAKEFLAGS) -k check-whole $(CHECK_MORE)

# The long forms: all points, all seeds' worth.  Takes hours on a slow machine;
# plain `make check` runs a sample of each.
long_tests = $(long_fault_tests) $(long_sys_tests)
.PHONY: check-long
check-long:
	$(MAKE) $(AM_MAKEFLAGS) check VMRUN_LONG=1 TESTS='$(long_tests)'
	$(MAKE) $(AM_MAKEFLAGS) check-fuzz-long
