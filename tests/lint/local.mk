# Properties of the tree itself; no privileges, nothing is started but --help.
lint_tests = %D%/layers.sh %D%/static.sh %D%/options-in-man.sh \
	%D%/weak.sh %D%/dist.sh %D%/sizes.sh %D%/format.sh %D%/shell.sh %D%/cppcheck.sh %D%/tidy.sh
dist_check_SCRIPTS += $(lint_tests)
TESTS += $(lint_tests)
EXTRA_DIST += %D%/tap.sh
