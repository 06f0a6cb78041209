# Configuration files to start from; tests/unit/options-test reads them too.
EXTRA_DIST += %D%/vmrun.conf %D%/profiles/make.conf \
	%D%/profiles/offline-shell.conf %D%/profiles/git-shell.conf %D%/profiles/foot.conf

# What runs `vmrunctl gc` where systemd/ is not used.
EXTRA_DIST += %D%/vmrun-gc.crontab %D%/s6/vmrun-gc/run
