# Each defence switched off in a copy of the tree, in turn; see weak.sh.
weak_tests = %D%/sample.sh
dist_check_SCRIPTS += $(weak_tests)
TESTS += $(weak_tests)
EXTRA_DIST += %D%/weak.sh %D%/table

.PHONY: check-weak
check-weak:
	top_srcdir='$(abs_top_srcdir)' $(SHELL) $(srcdir)/%D%/weak.sh $(WEAK)
