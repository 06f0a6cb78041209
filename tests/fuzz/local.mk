# One target for each decoder or parser that reads foreign bytes.
#
# A target is a file NAME-fuzz.c with LLVMFuzzerTestOneInput() (fuzz.h) and a
# directory of seeds, corpus/NAME/.  To add one, add these lines:
#
#     fuzz_targets += %D%/NAME-fuzz
#     %C%_NAME_fuzz_SOURCES = %D%/NAME-fuzz.c $(fuzz_common)
#     %C%_NAME_fuzz_LDADD = src/wire/libwire.a src/base/libbase.a
#     %C%_NAME_fuzz_LDFLAGS = $(AM_LDFLAGS) $(fuzz_engine)
#
# (%C% turns the - of a name into _.)  Plain `make check` replays the seeds,
# with every bit flipped and cut short.  To fuzz with libFuzzer:
#
#     ./configure CC=clang --enable-fuzzing --enable-sanitizers
#     make tests/fuzz/mux-fuzz
#     tests/fuzz/mux-fuzz -max_total_time=60 NEW tests/fuzz/corpus/mux
if FUZZING
fuzz_common = %D%/fuzz.h
fuzz_engine = -fsanitize=fuzzer
else
fuzz_common = %D%/fuzz.h %D%/replay.c
fuzz_engine =
endif

fuzz_targets = %D%/mux-fuzz
%C%_mux_fuzz_SOURCES = %D%/mux-fuzz.c $(fuzz_common)
%C%_mux_fuzz_LDADD = src/wire/libwire.a src/base/libbase.a
%C%_mux_fuzz_LDFLAGS = $(AM_LDFLAGS) $(fuzz_engine)

fuzz_targets += %D%/control-fuzz
%C%_control_fuzz_SOURCES = %D%/control-fuzz.c $(fuzz_common)
%C%_control_fuzz_LDADD = src/wire/libwire.a src/base/libbase.a
%C%_control_fuzz_LDFLAGS = $(AM_LDFLAGS) $(fuzz_engine)

fuzz_targets += %D%/setup-fuzz
%C%_setup_fuzz_SOURCES = %D%/setup-fuzz.c $(fuzz_common)
%C%_setup_fuzz_LDADD = src/wire/libwire.a src/base/libbase.a
%C%_setup_fuzz_LDFLAGS = $(AM_LDFLAGS) $(fuzz_engine)

fuzz_targets += %D%/options-fuzz
%C%_options_fuzz_SOURCES = %D%/options-fuzz.c $(fuzz_common)
%C%_options_fuzz_LDADD = $(unit_libs)
%C%_options_fuzz_LDFLAGS = $(AM_LDFLAGS) $(fuzz_engine)

fuzz_targets += %D%/wayland-policy-fuzz
%C%_wayland_policy_fuzz_SOURCES = %D%/wayland-policy-fuzz.c $(fuzz_common)
%C%_wayland_policy_fuzz_LDADD = src/wire/libwire.a src/base/libbase.a
%C%_wayland_policy_fuzz_LDFLAGS = $(AM_LDFLAGS) $(fuzz_engine)

fuzz_targets += %D%/ether-fuzz
%C%_ether_fuzz_SOURCES = %D%/ether-fuzz.c $(fuzz_common)
%C%_ether_fuzz_LDADD = src/edge/switch/libfabric.a src/wire/libwire.a
%C%_ether_fuzz_LDFLAGS = $(AM_LDFLAGS) $(fuzz_engine)

fuzz_targets += %D%/dns-fuzz
%C%_dns_fuzz_SOURCES = %D%/dns-fuzz.c $(fuzz_common)
%C%_dns_fuzz_LDADD = src/wire/libwire.a src/base/libbase.a
%C%_dns_fuzz_LDFLAGS = $(AM_LDFLAGS) $(fuzz_engine)

fuzz_targets += %D%/switch-fuzz
%C%_switch_fuzz_SOURCES = %D%/switch-fuzz.c $(fuzz_common)
%C%_switch_fuzz_LDADD = src/edge/switch/libfabric.a src/wire/libwire.a
%C%_switch_fuzz_LDFLAGS = $(AM_LDFLAGS) $(fuzz_engine)

fuzz_targets += %D%/wayland-fuzz
%C%_wayland_fuzz_SOURCES = %D%/wayland-fuzz.c $(fuzz_common)
%C%_wayland_fuzz_CPPFLAGS = $(wayland_flags)
%C%_wayland_fuzz_LDADD = $(wayland_libs)
%C%_wayland_fuzz_LDFLAGS = $(AM_LDFLAGS) $(fuzz_engine)

EXTRA_DIST += %D%/corpus %D%/replay.c
check_PROGRAMS += $(fuzz_targets)
if !FUZZING
TESTS += $(fuzz_targets)
endif
