/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmrun's option table: a row for each option, in the order of --help. */
#include "host/option/optset.h"

#define AT(member) .at = offsetof(struct options, member)

/* clang-format off: a row stays a row */
const struct opt optset_table[] = {
	{.help = "What the guest may see (SRC is on this machine, DST in the "
		 "guest; DST = SRC):"},
	{"rw", NULL, 0, "SRC[:DST]", "a directory or file to read and write",
	 OPT_EVERYWHERE, OPT_REPEAT, optset_share, 0},
	{"ro", NULL, 0, "SRC[:DST]", "a directory or file to read only",
	 OPT_EVERYWHERE, OPT_REPEAT, optset_share, 0},
	{"rw-try", NULL, 0, "SRC[:DST]",
	 "like --rw; left out if SRC is missing", OPT_EVERYWHERE, OPT_REPEAT,
	 optset_share, 0},
	{"ro-try", NULL, 0, "SRC[:DST]",
	 "like --ro; left out if SRC is missing", OPT_EVERYWHERE, OPT_REPEAT,
	 optset_share, 0},
	{"partial", NULL, 0, NULL,
	 "start although files in a SRC cannot be\n"
	 "shared: not yours, or immutable",
	 OPT_EVERYWHERE, OPT_ONCE, optset_flag, AT(partial)},
	{"include-keys", NULL, 0, "PATH",
	 "share what looks like a private key too,\n"
	 "in this file or directory of a SRC",
	 OPT_EVERYWHERE, OPT_REPEAT, optset_paths, AT(include_keys)},
	{"tmp", NULL, 0, "DIR[:SIZE]",
	 "an empty directory on disk, gone\n"
	 "afterwards (4G)",
	 OPT_EVERYWHERE, OPT_REPEAT, optset_tmp, 0},
	{"root", NULL, 0, "DIR", "use the userland in DIR, not this machine's",
	 OPT_EVERYWHERE, OPT_ONCE, optset_path, AT(root)},
	{"device", NULL, 0, "NAME",
	 "a node in the guest's /dev that the\n"
	 "command may use too",
	 OPT_EVERYWHERE, OPT_REPEAT, optset_device, AT(devices)},
	{"socket", NULL, 0, "SRC[:DST]",
	 "a Unix socket of this machine that the\n"
	 "guest may connect to: a path, ssh-agent,\n"
	 "wayland (windows on this desktop), or x11",
	 OPT_EVERYWHERE, OPT_REPEAT, optset_socket, 0},
	{"clipboard", NULL, 0, "off|in|out|both",
	 "with --socket wayland: may the guest paste\n"
	 "what others copied (in), others what it\n"
	 "copied (out)? (off)",
	 OPT_EVERYWHERE, OPT_ONCE, optset_clipboard, 0},
	{"wayland-allow", NULL, 0, "GLOBAL",
	 "offer one that the guest does not see", OPT_EVERYWHERE, OPT_REPEAT,
	 optset_nonempty, AT(wayland_allow)},
	{"wayland-deny", NULL, 0, "GLOBAL", "hide one that it does see",
	 OPT_EVERYWHERE, OPT_REPEAT, optset_nonempty, AT(wayland_deny)},

	{"net", NULL, 0, "NAME",
	 "a network card in the network of this\n"
	 "ruleset, see vmrunctl net (none)",
	 OPT_EVERYWHERE, OPT_ONCE, optset_net, AT(net)},
	{"publish", NULL, 0, "[ADDR:]HOSTPORT:PORT[/udp]",
	 "with --net: a port of this machine that\n"
	 "leads to one of the guest's (127.0.0.1)",
	 OPT_EVERYWHERE, OPT_REPEAT, optset_publish, 0},
	{"nic", NULL, 0, "FD,mac=MAC[,...]",
	 "a network card whose other end is\n"
	 "the descriptor FD; pci:ADDRESS with --firewall",
	 OPT_COMMAND_LINE, OPT_REPEAT, optset_nic, 0},
	{"firewall", NULL, 0, "FD",
	 "no COMMAND: pass on between two cards what\n"
	 "nft's input, read from FD, allows",
	 OPT_COMMAND_LINE, OPT_ONCE, optset_fd, AT(firewall_fd)},

	{.help = "Who the VM is:"},
	{"alias", NULL, 'n', "NAME",
	 "keep UID and ACL entries under this name,\n"
	 "so that later starts edit none",
	 OPT_EVERYWHERE, OPT_ONCE, optset_name, AT(alias)},
	{"home", NULL, 0, NULL,
	 "a home directory of the alias's own, kept\n"
	 "for its next run (an empty one)",
	 OPT_EVERYWHERE, OPT_ONCE, optset_flag, AT(home)},
	{"verify", NULL, 0, NULL,
	 "look through what the alias has before the\n"
	 "start, not beside it",
	 OPT_EVERYWHERE, OPT_ONCE, optset_flag, AT(verify)},

	{.help = "The command's surroundings:"},
	{"env", NULL, 'e', "NAME[=VALUE]",
	 "set a variable; without VALUE: "
	 "pass on\nthis one",
	 OPT_EVERYWHERE, OPT_REPEAT, optset_env, AT(env)},
	{"path-add", NULL, 0, "VAR=DIR",
	 "put DIR in front of a search path\n"
	 "such as PATH or LD_LIBRARY_PATH",
	 OPT_EVERYWHERE, OPT_REPEAT, optset_path_add, AT(path_add)},
	{"cwd", "chdir", 0, "DIR", "start in DIR of the guest", OPT_EVERYWHERE,
	 OPT_ONCE, optset_guest_path, AT(cwd)},
	{"dbus", NULL, 0, "session", "a message bus of the guest's own",
	 OPT_EVERYWHERE, OPT_ONCE, optset_dbus, 0},
	{"wrap", NULL, 0, "dbus,restricted",
	 "run the command with a message bus of the\n"
	 "guest's own; with fewer system calls",
	 OPT_EVERYWHERE, OPT_REPEAT, optset_wrap, 0},
	{"tty", NULL, 't', NULL,
	 "a terminal (default: if stdin and stdout\n"
	 "are one)",
	 OPT_EVERYWHERE, OPT_ONCE, optset_tty, AT(tty)},
	{"no-tty", NULL, 'T', NULL, "three separate, binary-safe streams",
	 OPT_EVERYWHERE, OPT_ONCE, optset_tty, AT(tty)},
	{"timeout", NULL, 0, "TIME", "end the command after this time: 30s, 5m",
	 OPT_EVERYWHERE, OPT_ONCE, optset_timeout, AT(timeout_ms)},

	{.help = "The virtual machine:"},
	{"cpus", NULL, 0, "N", "processors (1)", OPT_EVERYWHERE, OPT_ONCE,
	 optset_cpus, AT(cpus)},
	{"mem", NULL, 'm', "SIZE", "memory, in MiB or with suffix (1G)",
	 OPT_EVERYWHERE, OPT_ONCE, optset_mem, AT(mem)},
	{"accel", NULL, 0, "auto|kvm|tcg",
	 "how the processor is provided; "
	 "tcg is\nslow and no security boundary",
	 OPT_EVERYWHERE, OPT_ONCE, optset_accel, AT(accel)},
	{"image", NULL, 0, "NAME", "guest image, see vmrunctl image (default)",
	 OPT_EVERYWHERE, OPT_ONCE, optset_name, AT(image)},
	{"kernel", NULL, 0, "FILE", "boot this kernel instead of the image's",
	 OPT_EVERYWHERE, OPT_ONCE, optset_path, AT(kernel)},
	{"append", NULL, 0, "STRING", "more kernel parameters", OPT_EVERYWHERE,
	 OPT_REPEAT, optset_nonempty, AT(append)},
	{"qemu-arg", NULL, 0, "ARG",
	 "UNSAFE: one more argument for QEMU; can\n"
	 "undo every promise",
	 OPT_EVERYWHERE, OPT_REPEAT, optset_nonempty, AT(qemu_args)},

	{.help = "Profiles:"},
	{"profile", NULL, 0, "NAME",
	 "read profiles/NAME.conf (default: the "
	 "one\nnamed like the command, if there is one)",
	 OPT_COMMAND_LINE, OPT_ONCE, optset_name, AT(profile)},
	{"no-profile", NULL, 0, NULL, "read no profile", OPT_COMMAND_LINE,
	 OPT_ONCE, optset_flag, AT(no_profile)},
	{"args", NULL, 0, "FD",
	 "read more options from a descriptor, each\n"
	 "ended by a NUL",
	 OPT_COMMAND_LINE, OPT_REPEAT, optset_args, 0},

	{.help = "Telling others:"},
	{"dry-run", NULL, 0, NULL, "print the whole plan and start nothing",
	 OPT_COMMAND_LINE, OPT_ONCE, optset_flag, AT(dry_run)},
	{"format", NULL, 0, "text|json", "how --dry-run prints (text)",
	 OPT_EVERYWHERE, OPT_ONCE, optset_format, AT(format)},
	{"json-status-fd", NULL, 0, "FD", "write what happens as JSON lines",
	 OPT_COMMAND_LINE, OPT_ONCE, optset_fd, AT(status_fd)},
	{"ready-fd", NULL, 0, "FD", "write a newline when the command is ready",
	 OPT_COMMAND_LINE, OPT_ONCE, optset_fd, AT(ready_fd)},
	{"notify-fd", NULL, 0, "FD",
	 "the command writes a newline to FD when\n"
	 "it is ready",
	 OPT_EVERYWHERE, OPT_ONCE, optset_notify_fd, AT(notify_fd)},
	{"verbose", NULL, 'v', NULL, "say what is done; twice: all of it",
	 OPT_EVERYWHERE, OPT_REPEAT, optset_count, AT(verbose)},
	{"quiet", NULL, 'q', NULL, "no warnings", OPT_EVERYWHERE, OPT_ONCE,
	 optset_flag, AT(quiet)},
	{"help", NULL, 'h', NULL, "print this and exit", OPT_COMMAND_LINE,
	 OPT_ONCE, optset_show, AT(show_help)},
	{"version", NULL, 'V', NULL, "print the version and exit",
	 OPT_COMMAND_LINE, OPT_ONCE, optset_show, AT(show_version)},
	{.name = NULL, .help = NULL},
};
/* clang-format on */
