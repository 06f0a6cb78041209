/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vmrun-init: PID 1 of the guest, root there, nothing outside.
 *
 * Theory of operation
 *
 * The host's half of vmrun does not believe a word of what comes from here, so
 * this program guards nothing: it has to be short, and to end in an orderly
 * way.  One thread, one poll loop (loop.c), these parts:
 *
 *     main.c     the life story, the console, the end
 *     modules.c  kernel modules of the initramfs, by group
 *     port.c     the virtio port: frames in, frames out
 *     root.c     the new root and the step into it
 *     place.c    paths below the new root, made where they are missing
 *     mounts.c   the launch record's mount list
 *     dev.c      /dev: the usual nodes and those asked for
 *     etc.c      /etc/passwd and its kin, hostname, loopback
 *     net.c      network cards
 *     control.c  what the host says
 *     clock.c    what time it is
 *     session.c  commands and what becomes of them
 *     child.c    from fork() to execve()
 *     stream.c   bytes between the port and a command
 *     notify.c   readiness
 *     sockets.c  forwarded sockets
 *     firewall.c the guest of a firewall, which has no application
 *     resolver.c its DNS, where its rules allow names
 *     nftset.c   addresses into sets of nf_tables
 *     helper.c   commands that must be ready before the application
 *     restrict.c the fences of --wrap restricted and of the resolver
 *
 * Until the root is composed an error ends in EXIT_SETUP with its text, and the
 * VM powers off.  When session 0 has ended: everything is killed, files are
 * synced, EXIT is sent, and the VM powers off once the host said STOP,
 * or its end of the port is closed.  Not before: there may be output that its
 * reader takes hours for, and the host still has it.
 */
#ifndef GUEST_INIT_INIT_H
#define GUEST_INIT_INIT_H

#include "base/queue.h"
#include "guest-init/clock.h"
#include "wire/control.h"
#include "wire/mux.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

#define NEWROOT "/newroot"
/* The whole shared trees, until the root is composed. */
#define SHARE_AT "/share"
#define PLAIN_AT "/share-plain"
#define NOTIFY_PATH "/run/vmrun/notify"
#define REAP_MS 5000
/* For ctl_put_log(): LOG_LEVEL_WARN of the host's enum log_level. */
#define GUEST_LOG_WARN 1u
#define DEVICE_MS 30000
#define PIPE_SIZE (2 << 20)

/* A stream of the port, between the host and a descriptor of ours. */
struct stream {
	int fd;		      /* -1: not bound to a command yet, or over */
	bool reads;	      /* fd to host */
	bool writes;	      /* host to fd */
	bool terminal;	      /* fd is a pty: end of input is a character */
	bool conn;	      /* fd is a socket: each way ends by itself */
	bool ended;	      /* the host sent EOF: close fd after `pending` */
	bool gone;	      /* the host has ended it: `pending` is the last */
	bool over;	      /* nothing joins it to a command any more */
	bool full;	      /* fd takes no more before poll() says so */
	struct queue pending; /* from the host, at most MUX_WINDOW */
};

enum session_state {
	SESSION_FREE,
	SESSION_STARTING, /* forked; execve() has not succeeded yet */
	SESSION_RUNNING,
	SESSION_ENDED, /* its process is reaped, its output is being sent */
};

struct session {
	enum session_state state;
	pid_t pid;	       /* leader of its session and process group */
	int start_fd;	       /* the child's report: end of file is success */
	int ready_fd;	       /* -1: none, or over */
	int slave_fd;	       /* the command's end of its terminal, else -1 */
	bool ready;	       /* READY was sent */
	unsigned in, out, err; /* streams, 0: none or over */
	uint64_t out_left, err_left; /* SESSION_ENDED: bytes to send at most */
	enum ctl_exit kind;
	uint32_t value;
	char text[CTL_TEXT_MAX];
};

#define FIREWALL_DENIED "vmrun-deny " /* begins what is told to the host */
#define FIREWALL_NAMES_MAX 128u
#define FIREWALL_NAME_MAX 200u

/* What a firewall's rules say to us, in lines `#@ ...` in front of all else:
 * `resolver ADDRESS`, `name NAME`. */
struct upstream {
	int family;
	unsigned char ip[16];
};

struct names {
	char *text; /* what the rest points into; owned */
	size_t n_upstreams;
	struct upstream upstreams[2];
	size_t n;
	const char *v[FIREWALL_NAMES_MAX];
};

/* Lines about denied packets: a bucket that fills with time. */
struct denied {
	int64_t since;	 /* now_ms() up to which it is used up */
	uint64_t untold; /* since the last line */
};

struct init {
	int port;
	struct mux *mux;
	struct buf ctl_in, ctl_out; /* control bytes that came, and that wait */
	int signals;		    /* signalfd: SIGCHLD */
	int notify;
	int modules; /* /modules of the initramfs, until `late` ones are loaded
		      */
	int initramfs;
	bool launched;	/* LAUNCH came */
	bool waits;	/* the application, for the time */
	bool said_exit; /* EXIT of session 0 is queued or sent */
	bool stop;	/* the host said STOP */
	bool gone;	/* the port is closed, or broken */
	size_t moved; /* bytes through the port; for loop.c, which clears it */
	struct clock clock;
	struct launch launch;
	int sockets[LAUNCH_SOCKETS_MAX]; /* listening, in the record's order */
	unsigned n_sockets;
	int kmsg; /* of a firewall, else -1 */
	struct denied denied;
	struct names names;
	int resolver, nft; /* a socket to it, one to nf_tables; -1: none */
	pid_t resolver_pid;
	int reload; /* the rules that are being loaded, else -1 */
	const struct session *reloader;
	size_t helper; /* which is next: its place in launch.before */
	int helper_ready, helper_report; /* while it is waited for, else -1 */
	struct session sessions[CTL_SESSIONS];
	struct stream streams[MUX_STREAMS];
	unsigned streams_end; /* no stream from here on ever had an fd */
};

/* main.c */

/* One line on the console: `vmrun-init: text`. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/*
 * Before any other process: bytes are moved in large pieces, where otherwise
 * each write to a command's pipe would hand over the processor.  Or without
 * haste: never in place of a process that runs.  Not inherited.
 */
enum priority { PRIORITY_FIRST, PRIORITY_PATIENT };
void set_priority(enum priority p);
/* Milliseconds of the monotonic clock. */
int64_t now_ms(void);

/* modules.c */

/* The directory of the modules, or -1: the kernel has everything built in. */
int modules_open(void);
/*
 * Loads the modules of a group in the list's order.  One that does not load is
 * reported on the console and left out: the kernel may have it built in.
 */
void modules_load(int dir, const char *group);
/*
 * In a child of its own: loads group `late`, then empties the initramfs, whose
 * memory is free from then on.  Takes both descriptors.
 */
void modules_late(struct init *in);

/* port.c */

/* Netlink socket that hears of new devices; to be opened before modules load.
 */
int uevents_open(void);
/* Waits for the port, opens it, waits for the host's end.  0, or -1 and e. */
int port_open(struct init *in, int uevents, struct err *e);
/* Reads what is there; calls control_data(), stream_data() and so on. */
void port_read(struct init *in);
/* Writes as much as the port takes. */
void port_flush(struct init *in);
bool port_has_output(struct init *in);

/* root.c */

/* /proc, /sys and /dev of the initramfs. */
int root_early(struct err *e);
/*
 * Everything of the launch record up to the moment before the command: mounts,
 * devices, /etc, names; the process is in the new root afterwards and
 * nothing of the initramfs can be reached by a path.
 */
int root_compose(struct init *in, struct err *e);

/* place.c: `root` is a descriptor of the new root; paths may be hostile. */

/*
 * O_PATH descriptor of what is at `path`, no matter which links lead there:
 * none leads out of root.  -1 with errno.
 */
int place_open(int root, const char *path, int flags);
/*
 * A directory, made (0755, owner of its parent) with its parents where it is
 * missing; never inside a share.  The caller's descriptor, or -1 and e.
 */
int place_dir(int root, const char *path, struct err *e);
/* The same for an empty file. */
int place_file(int root, const char *path, struct err *e);
/* The directory that `path` is in, made where missing; *name borrows path. */
int place_parent(int root, const char *path, const char **name, struct err *e);
/* Whether a descriptor lies in a share: nothing is made there. */
bool place_is_shared(int fd);

/* mounts.c */

/* Applies the record's list below root; modules: for group `disk`. */
int mounts_apply(int root, const struct launch *l, int modules, struct err *e);

/* dev.c */

/* Fills NEWROOT/dev from the initramfs's own /dev. */
int dev_compose(const struct launch *l, int modules, struct err *e);

/* etc.c */

/* Files of /etc that the mount list left open. */
int etc_compose(int root, const struct launch *l, struct err *e);
/* Host name and the loopback device. */
void names_set(const struct launch *l);

/* net.c */

/* Names for the record's cards, in its order; before they are up. */
int net_name(const struct launch *l, const char *const *names, struct err *e);
/* The record's network cards; their drivers are loaded already. */
int net_configure(const struct launch *l, struct err *e);
/* Whether it has cards and none of them an address. */
bool net_is_bridge(const struct launch *l);
/* Such cards: they take each frame, and nothing in here answers or says
 * anything of its own. */
int net_listen(const struct launch *l, struct err *e);

/* clock.c */

/* HELLO is being said, which the host answers with its time. */
void clock_begin(struct init *in);
/* CLOCK came. */
void clock_told(struct init *in, uint64_t ns);
/* Asks the host, if it is time.  Milliseconds until it is; -1: not before the
 * host says something. */
int64_t clock_tick(struct init *in);

/* control.c */

/* Bytes of the control stream. */
void control_data(struct init *in, const void *p, size_t n);
/* Sends what waits in ctl_out, as credit allows. */
void control_flush(struct init *in);

/* session.c */

/* Starts a command.  A failure is sent as EXIT of the session. */
void session_start(struct init *in, const struct session_spec *spec);
void session_signal(struct init *in, uint32_t session, int signo);
void session_winsize(struct init *in, uint32_t session,
		     const struct winsize_msg *w);
/* Reaps all that ended; the sessions among them become SESSION_ENDED. */
void session_reap(struct init *in);
/* The child's report on session->start_fd. */
void session_started(struct init *in, struct session *s);
/* Sends EXIT of every ended session whose output is out. */
void session_settle(struct init *in);
/* Kills everything, ends all other sessions, syncs, sends EXIT of session 0. */
void session_end_all(struct init *in);
void session_ready(struct init *in, struct session *s);
void session_ready_read(struct init *in, struct session *s);
/* The session of a process by its leader; session 0 if it is none's. */
struct session *session_of(struct init *in, pid_t pid);
/* EXIT of session 0: the guest could not be set up. */
void session_setup_failed(struct init *in, const struct err *e);

/* child.c */

/* The child's last words: nothing comes if execve() succeeded. */
struct child_report {
	uint32_t kind; /* enum ctl_exit */
	uint32_t value;
	char text[256];
};

struct child_plan {
	const struct session_spec *spec;
	uid_t uid;
	gid_t gid;
	int in, out, err; /* what become 0, 1 and 2 */
	int ready;	  /* what becomes spec->ready_fd, or -1 */
	int report;	  /* for struct child_report; close-on-exec */
	bool restricted;  /* see restrict.h */
};

/* In the new process: becomes the command. */
_Noreturn void child_run(const struct child_plan *c);

/* stream.c */

/*
 * An id for mux_open(), or 0 if there is none.  The port may be done with an
 * id while a command still has to read what came: those are passed over.
 */
unsigned stream_pick(const struct init *in);
void stream_opened(struct init *in, unsigned id);
void stream_data(struct init *in, unsigned id, const void *p, size_t n);
/*
 * stream_data() without a copy: a place for *n bytes at most, NULL if the
 * bytes are of no use; and n bytes are there.
 */
void *stream_room(struct init *in, unsigned id, size_t *n);
void stream_added(struct init *in, unsigned id, size_t n);
/* Writes what came to every descriptor that takes it. */
void streams_write(struct init *in);
void stream_eof(struct init *in, unsigned id);
void stream_reset(struct init *in, unsigned id);
/*
 * Joins a stream to a descriptor, which it takes: in, out, both ways on a
 * terminal, or both ways on a socket.
 */
enum stream_way { STREAM_IN, STREAM_OUT, STREAM_BOTH, STREAM_CONN };
void stream_bind(struct init *in, unsigned id, int fd, enum stream_way way);
/* Writes what is pending to the descriptor. */
void stream_write(struct init *in, unsigned id);
/*
 * Reads at most *left bytes for the host, as credit allows (NULL: no limit),
 * and counts down.  True once nothing more is to be read now: the descriptor
 * is empty, at its end, or *left is 0.  False: there is no credit.
 */
bool stream_read(struct init *in, unsigned id, uint64_t *left);
/*
 * The clients of forwarded sockets are over, or cannot be ended: each is at its
 * end once what it has sent is read.
 */
void streams_end_conns(struct init *in);
/* The command is gone: ends the stream on our side. */
void stream_close(struct init *in, unsigned id);
/*
 * A connection whose client has said all, and still takes what comes; nothing
 * waits for it.  Who only shut its side down makes no POLLHUP, who closed it
 * does: unix(7), af_unix.c unix_poll().
 */
bool stream_only_takes(const struct init *in, unsigned id);
/* Which it does no more: to be looked for, else its end would stay unknown. */
void stream_left(struct init *in, unsigned id);
/* What poll() should look for, 0 for nothing. */
short stream_wants(struct init *in, unsigned id);

/* notify.c */

/* Makes the socket at NOTIFY_PATH; -1 if that cannot be. */
int notify_open(void);
void notify_read(struct init *in);

/* sockets.c */

/* Listens at the record's paths below root, before the step into it. */
int sockets_open(struct init *in, int root, struct err *e);
/* Takes connections for as long as there are streams. */
void sockets_accept(struct init *in, unsigned which);

/* helper.c */

/* Starts the application, or first the command that it waits for. */
void helper_start(struct init *in);
/* That command's descriptor 3 can be read. */
void helper_read(struct init *in);

/* firewall.c */

/* Rules, cards, forwarding; STARTED and READY, or EXIT of session 0. */
void firewall_start(struct init *in);
/* The kernel's log can be read: denied packets go to the host. */
void firewall_read(struct init *in);
/* What would be the application's: ends the VM. */
void firewall_signal(struct init *in, uint32_t signo);
/* A command is to be started there: 0, or -1 and e. */
int firewall_prepare(struct init *in, const struct session *s, struct err *e);
/* It could not be, or is over; harmless for others. */
void firewall_unprepare(struct init *in, const struct session *s);
/* In a new process, in its place: `rules` on standard input. */
_Noreturn void firewall_command(struct init *in, const struct child_plan *c);
/* It ended; new rules may have new names. */
void firewall_ended(struct init *in, const struct session *s);

/* resolver.c */

/* 0 and *x, for names_free(); -1 and e, with nothing to free. */
int names_parse(struct names *x, const char *rules, struct err *e);
void names_free(struct names *x);
/* Starts it anew, for in->names; none if there are no names. */
int resolver_start(struct init *in, struct err *e);
void resolver_stop(struct init *in);
/* It has addresses for a set, or ended: then the VM does. */
void resolver_read(struct init *in);

/* nftset.c */

struct nft_address {
	unsigned char ip[16];
	size_t size; /* bytes of it: 4 or 16 */
	uint64_t seconds;
};

/* The socket for nftset_add(), or -1 and e. */
int nftset_open(struct err *e);
/* Adds it to a set of table inet vmrun for its time, counted from now, unless
 * it stays there for longer anyway.  0, or -1 with errno. */
int nftset_add(int s, const char *set, const struct nft_address *a);

/* loop.c */

/* Until `done` says so, or deadline (now_ms(), -1: none) is over. */
void loop_run(struct init *in, bool (*done)(const struct init *in),
	      int64_t deadline);

#endif
