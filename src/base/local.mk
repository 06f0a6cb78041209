noinst_LIBRARIES += %D%/libbase.a
%C%_libbase_a_SOURCES = \
	%D%/own.h \
	%D%/clock.h %D%/clock.c \
	%D%/err.h %D%/err.c \
	%D%/buf.h %D%/buf.c \
	%D%/queue.h %D%/queue.c \
	%D%/io.h %D%/io.c \
	%D%/log.h %D%/log.c \
	%D%/json.h %D%/json.c \
	%D%/mountinfo.h %D%/mountinfo.c \
	%D%/opt.h %D%/opt.c
%C%_libbase_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
