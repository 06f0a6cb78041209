noinst_LIBRARIES += %D%/libseal.a
%C%_libseal_a_SOURCES = \
	%D%/seal.h \
	%D%/seal.c
