# Real guests.  Not in parallel with one another: each wants a core.
vm_tests = %D%/run.sh %D%/pipes.sh %D%/shares.sh %D%/refuse.sh %D%/gone.sh \
	%D%/two.sh %D%/ctl.sh %D%/pty.sh
dist_check_SCRIPTS += $(vm_tests)
EXTRA_DIST += %D%/lib.sh %D%/make-nix-hello.sh
TESTS += $(vm_tests)
