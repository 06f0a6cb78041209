# PID 1 of the guest: static, musl, built beside the host's compiler.
# `musl-gcc -static-pie` silently makes a dynamically linked file; -no-pie is
# right, and tests/lint/static.sh looks.
guest_init_src = \
	%D%/main.c %D%/loop.c %D%/modules.c %D%/port.c %D%/root.c \
	%D%/place.c %D%/mounts.c %D%/dev.c %D%/etc.c %D%/net.c %D%/control.c %D%/clock.c \
	%D%/session.c %D%/child.c %D%/stream.c %D%/notify.c %D%/sockets.c \
	%D%/helper.c %D%/restrict.c %D%/firewall.c %D%/resolver.c %D%/nftset.c \
	src/wire/mux.c src/wire/control.c src/wire/launch.c src/wire/nic.c \
	src/wire/dns.c src/base/buf.c src/base/queue.c src/base/err.c
guest_init_hdr = \
	%D%/init.h %D%/clock.h %D%/restrict.h src/wire/mux.h src/wire/control.h src/wire/launch.h src/wire/nic.h \
	src/wire/dns.h src/base/buf.h src/base/queue.h src/base/err.h src/base/own.h

pkglibexec_SCRIPTS += vmrun-init
CLEANFILES += vmrun-init
EXTRA_DIST += $(guest_init_src) $(guest_init_hdr)

vmrun-init: $(guest_init_src) $(guest_init_hdr) Makefile
	$(AM_V_CCLD)srcs=; for f in $(guest_init_src); do \
		srcs="$$srcs $(top_srcdir)/$$f"; done; \
	$(MUSL_GCC) -std=c11 -D_GNU_SOURCE -I$(top_srcdir)/src \
		-I$(top_srcdir) -DVMRUN_VERSION='"$(PACKAGE_VERSION)"' \
		$(WARN) -O2 -g0 -fstack-protector-strong \
		-static -no-pie -Wl,-z,relro,-z,now -Wl,--gc-sections -s \
		$(MUSL_KERNEL) -o $@ $$srcs
