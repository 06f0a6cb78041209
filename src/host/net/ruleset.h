/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rulesets: what a person writes in net/NAME.nft, and what nft(8) in the
 * firewall VM is given.
 *
 * The file is the body of one chain, `allow`.  All around it (tables, the
 * drop policy, translation, what is private) is generated, so that a file can
 * open what it names and close nothing by accident.  Besides nft's rules there
 * are lines
 *
 *     allow-net 192.168.0.0/16 [tcp dport 22]
 *
 * for private networks, which are refused else whatever a rule says, or for the
 * part of one that the rule behind it describes; those of this machine's public
 * IPv6 addresses are private, too; this machine's own addresses
 * stay refused unless such a line names one alone (/32, /128).  And
 *
 *     allow-host example.org [tcp dport 443]
 *     allow-host .example.org
 *
 * for a name, or a name and all below it.  Without a rule behind it everything
 * to what is named is allowed.  With an allow-host line the firewall answers
 * DNS itself, for these names only, and what is allowed are the addresses that
 * it gave out (guest-init/resolver.c; it is told by lines `#@ ...` in front of
 * the rest).
 *
 * A line
 *
 *     refuse-list doh
 *
 * refuses the addresses that net/doh.list names, an address or a network a
 * line, whatever else allows them.
 *
 * Every text has a number of its own, and a connection keeps the number of the
 * text that let it pass: after a reload its next packet is judged again, unless
 * the text is the same.  Sets of names keep what is in them.
 */
#ifndef HOST_NET_RULESET_H
#define HOST_NET_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

#define RULESET_MAX (48u * 1024)       /* bytes of a file */
#define RULESET_INPUT_MAX (64u * 1024) /* and of what nft is given */
#define RULESET_NETS_MAX 256u
#define RULESET_REFUSED_MAX 256u /* of a family */
#define RULESET_HOSTS_MAX 128u
#define RULESET_HOST_MAX 200u /* bytes; a set's name has 255 */

struct ruleset {
	char *name;		     /* "web" */
	char *path;		     /* of the file */
	char *text;		     /* the file's */
	char **nets4, **nets6;	     /* of allow-net lines without a match */
	char **hosts;		     /* names of allow-host lines, each once */
	char **refused4, **refused6; /* networks of the lists */
};

enum ruleset_protocol { RULESET_TCP, RULESET_UDP };

/* --publish: what comes to that port of the outer card goes to a client. */
struct ruleset_publish {
	enum ruleset_protocol protocol;
	uint16_t outer_port;
	const char *address; /* the client's, of either family */
	uint16_t port;
};

/* Addresses and the like of one firewall VM, in nft's spelling. */
struct ruleset_net {
	const char *inner, *outer;	 /* interfaces: clients; the way out */
	const char *clients4, *clients6; /* networks of the clients */
	const char *gateway4, *gateway6; /* the firewall VM's inner address */
	/* Where DNS goes by each family; NULL: that is refused. */
	const char *resolver4, *resolver6;
	const char *const *host_addrs4,
		*const *host_addrs6; /* this machine's: hostnet.h */
	const char *const *links6;   /* as private as private networks */
	const struct ruleset_publish *publish;
	size_t n_publish;
	bool passt; /* is what the outer card ends at, perhaps by a bridge */
};

/*
 * Reads NAME.nft from the first of the folders (NULL-terminated, …/vmrun each)
 * that has it in net/.  0, or -1 and e; a link that leads to nothing is an
 * error, so that no other folder's goes for it.
 */
int ruleset_find(struct ruleset *r, const char *name,
		 const char *const *config_dirs, struct err *e);
/* The same of a file by its path; its name is "file".  The folders are for the
 * lists that it names. */
int ruleset_read(struct ruleset *r, const char *path,
		 const char *const *config_dirs, struct err *e);
/* What a net VM has: everything passes, firewalls before it have judged. */
int ruleset_routing(struct ruleset *r, struct err *e);
void ruleset_free(struct ruleset *r);
/* A name that a ruleset may have: "none" is no network. */
bool ruleset_is_name(const char *name);

struct ruleset_entry {
	char *name, *path; /* owned */
};

/* Those that ruleset_find() finds, by name; for ruleset_list_free(). */
int ruleset_list(const char *const *config_dirs, struct ruleset_entry **list,
		 size_t *n, struct err *e);
void ruleset_list_free(struct ruleset_entry *list, size_t n);

/* Pure: whether it is an address (of 4 or 16 bytes) that is refused unless the
 * ruleset opens it, whoever's it is. */
bool ruleset_is_private(int family, const unsigned char *ip);

/* Pure: whether a line opens a network, or a part of one, that it is in. */
bool ruleset_opens(const struct ruleset *r, int family,
		   const unsigned char *ip);

/*
 * Pure: the whole input of `nft -f`.  The first line of the body is line
 * *first of it, and each line of the file is one line.
 */
void ruleset_compose(const struct ruleset *r, const struct ruleset_net *n,
		     struct buf *out, size_t *first);

/*
 * What nft says about such an input, in a user and network namespace that is
 * gone afterwards; changes nothing.  -1 and e with the file's own line.
 */
int ruleset_check(const struct ruleset *r, struct err *e);

#endif
