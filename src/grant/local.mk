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
	%D%/inoset.h \
	%D%/inoset.c \
	%D%/judge.h \
	%D%/judge.c \
	%D%/keys.h \
	%D%/keys.c \
	%D%/tally.h \
	%D%/tally.c \
	%D%/lock.c \
	%D%/passes.h \
	%D%/passes.c \
	%D%/acl.h \
	%D%/acl.c \
	%D%/aclio.h \
	%D%/aclio.c \
	%D%/room.h \
	%D%/room.c \
	%D%/walk.h \
	%D%/walk.c \
	%D%/walkint.h \
	%D%/walkopen.c \
	%D%/walkpool.c
