noinst_LIBRARIES += %D%/libgrant.a
%C%_libgrant_a_SOURCES = \
	%D%/grant.h \
	%D%/grant.c \
	%D%/revoke.c \
	%D%/reclaim.c \
	%D%/scan.h \
	%D%/scan.c \
	%D%/job.h \
	%D%/job.c \
	%D%/lock.c \
	%D%/acl.h \
	%D%/acl.c \
	%D%/aclio.h \
	%D%/aclio.c \
	%D%/walk.h \
	%D%/walk.c
