# Configuration files to start from; tests/unit/options-test reads them too.
EXTRA_DIST += %D%/vmrun.conf %D%/profiles/make.conf \
	%D%/profiles/offline-shell.conf %D%/profiles/git-shell.conf
