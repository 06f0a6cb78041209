noinst_LIBRARIES += %D%/libgrant.a
%C%_libgrant_a_SOURCES = \
	%D%/grant.h \
	%D%/grant.c \
	%D%/reclaim.c \
	%D%/lock.c \
	%D%/acl.h \
	%D%/acl.c \
	%D%/walk.h \
	%D%/walk.c
