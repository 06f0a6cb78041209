noinst_LIBRARIES += %D%/libwire.a
%C%_libwire_a_SOURCES = \
	%D%/mux.h \
	%D%/mux.c \
	%D%/control.h \
	%D%/control.c \
	%D%/launch.h \
	%D%/launch.c \
	%D%/setup.h \
	%D%/setup.c \
	%D%/ring.h %D%/ring.c \
	%D%/wayland.h %D%/wayland.c \
	%D%/nic.h %D%/nic.c \
	%D%/dns.h %D%/dns.c \
	%D%/ether.h %D%/ether.c \
	%D%/switch.h %D%/switch.c \
	%D%/edge.h
%C%_libwire_a_CFLAGS = $(AM_CFLAGS) -Wconversion
