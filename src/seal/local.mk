noinst_LIBRARIES += %D%/libseal.a
%C%_libseal_a_SOURCES = \
	%D%/fence.h %D%/fence.c \
	%D%/sanitizer.h \
	%D%/seal.h \
	%D%/seal.c
