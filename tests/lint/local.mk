# Properties of the tree itself; no privileges, nothing is started but --help.
long_lint_tests = %D%/tidy.sh %D%/cppcheck.sh
lint_tests = %D%/layers.sh %D%/static.sh %D%/options-in-man.sh \
	%D%/weak.sh %D%/dist.sh %D%/sizes.sh %D%/format.sh %D%/shell.sh %D%/completion.sh %D%/install.sh
dist_check_SCRIPTS += $(lint_tests) $(long_lint_tests)
TESTS += $(lint_tests) $(long_lint_tests)
EXTRA_DIST += %D%/tap.sh
