# Side by side with a rival, ratios printed; see tests/README.  `make bench`
# as an ordinary user on a quiet machine; BENCH_OUT=FILE collects JSON lines.
benches = %D%/boot.py %D%/phases.py %D%/stream.py %D%/memory.py %D%/vng.py \
	%D%/switch.py %D%/network.py %D%/alias.py %D%/grants.py %D%/gc.py \
	%D%/wayland.py %D%/firstframe.py
EXTRA_DIST += $(benches) %D%/common.py %D%/donothing-init.c %D%/port-init.c \
	%D%/net-init.c %D%/pump.c

# for wayland.py
check_PROGRAMS += %D%/wayland-client
%C%_wayland_client_SOURCES = %D%/wayland-client.c

.PHONY: bench
bench: tests/bench/wayland-client tests/sys/wayland-rig vmrun-wayland vmrun vmrunctl vmrun-init vmrun-stage vmrun-mux vmrun-switch vmrun-net
	@for b in $(benches); do \
		echo "== $$(basename $$b .py)"; \
		MUSL_GCC='$(MUSL_GCC)' PYTHONDONTWRITEBYTECODE=1 \
		top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' \
			python3 $(srcdir)/$$b $(BENCH_ARGS) || exit 1; \
	done
