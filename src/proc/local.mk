noinst_LIBRARIES += %D%/libproc.a
%C%_libproc_a_SOURCES = \
	%D%/inherit.h \
	%D%/inherit.c \
	%D%/spawn.h \
	%D%/spawn.c
