# For the person's systemd: a timer that runs `vmrunctl gc --deep`.  Below
# datadir systemd finds them whatever the prefix is, also in ~/.local.
dist_systemduserunit_DATA = %D%/vmrun-gc.timer
nodist_systemduserunit_DATA = %D%/vmrun-gc.service
EXTRA_DIST += %D%/vmrun-gc.service.in
CLEANFILES += %D%/vmrun-gc.service

%D%/vmrun-gc.service: %D%/vmrun-gc.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) %D% && sed 's|@bindir[@]|$(bindir)|' \
		$(srcdir)/%D%/vmrun-gc.service.in >$@.tmp && mv -f $@.tmp $@
