# Not libtool's: without any library, for whatever userland a guest has.
waypipe_src = %D%/poll.c
pkglibexec_SCRIPTS += vmrun-waypipe.so
CLEANFILES += vmrun-waypipe.so
EXTRA_DIST += $(waypipe_src)

vmrun-waypipe.so: $(waypipe_src) Makefile
	$(AM_V_CCLD)$(CC) -std=c11 -D_GNU_SOURCE -U_FORTIFY_SOURCE $(WARN) \
		-O2 -g0 -fno-stack-protector -fPIC -shared -nostdlib \
		-Wl,-z,relro,-z,now -s -o $@ $(top_srcdir)/$(waypipe_src)
