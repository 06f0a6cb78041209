/* SPDX-License-Identifier: GPL-3.0-or-later */
/* host: plan to QEMU's and virtiofsd's command lines, word for word. */
#include "base/buf.h"
#include "host/vm/fileserver.h"
#include "host/vm/vmm.h"
#include "tap.h"

#include <stdlib.h>

/* The words on lines of their own, for comparing. */
static void check(char **argv, const char *want, const char *what)
{
	struct buf b;

	buf_init(&b, 65536);
	for (char **a = argv; a && *a; a++)
		buf_printf(&b, "%s\n", *a);
	buf_put(&b, "", 1);
	tap_str(b.bad ? NULL : (char *)b.data, want, what);
	buf_free(&b);
	strv_free(argv);
}

#define SANDBOX                                                                \
	"-sandbox\non,obsolete=deny,elevateprivileges=deny,spawn=deny,"        \
	"resourcecontrol=deny\n"
#define START                                                                  \
	"/usr/bin/qemu-system-x86_64\n-nodefaults\n-no-user-config\n"          \
	"-no-reboot\n-display\nnone\n" SANDBOX
#define IMAGE "-kernel\n/image/kernel\n-initrd\n/image/initramfs\n"
#define PARAMS                                                                 \
	"-append\nconsole=ttyS0 quiet panic=-1 reboot=t cryptomgr.notests "    \
	"no_timer_check 8250.nr_uarts=1 random.trust_cpu=on "                  \
	"initcall_blacklist=ftrace_check_for_weak_functions,"                  \
	"trace_eval_init,tracer_init_tracefs"
#define PLAIN                                                                  \
	"-chardev\nsocket,id=plain,fd=6\n"                                     \
	"-device\nvhost-user-fs-device,chardev=plain,tag=vmrun-plain,"         \
	"queue-size=1024\n"
#define DEVICES(bus) SERVED(bus, "")
#define SERVED(bus, more)                                                      \
	JOINED(bus, "-chardev\nsocket,id=fs,fd=5\n"                            \
		    "-device\nvhost-user-fs-" bus                              \
		    ",chardev=fs,tag=vmrun,queue-size=1024\n" more)
#define JOINED(bus, trees)                                                     \
	"-chardev\nsocket,id=console,fd=4\n-serial\nchardev:console\n"         \
	"-device\nvirtio-serial-" bus ",max_ports=2\n"                         \
	"-chardev\nsocket,id=mux,fd=3\n"                                       \
	"-device\nvirtserialport,chardev=mux,name=org.vmrun.mux\n" trees       \
	"-device\nvirtio-balloon-" bus ",free-page-reporting=on\n"             \
	"-device\nvirtio-rng-" bus "\n"

static const char kvm_want[] =
	START "-machine\nmicrovm,pic=off,memory-backend=ram\n"
	      "-global\nvirtio-mmio.force-legacy=false\n"
	      "-accel\nkvm\n-cpu\nhost\n-smp\n2\n-m\n512M\n"
	      "-object\nmemory-backend-file,id=ram,mem-path=/ram/"
	      "guest,align=2M,size=512M,share=on\n" IMAGE PARAMS
	      " pci=off\n" DEVICES("device");

static const char firewall_want[] =
	START "-machine\nmicrovm,pic=off,memory-backend=ram\n"
	      "-global\nvirtio-mmio.force-legacy=false\n"
	      "-accel\nkvm\n-cpu\nhost\n-smp\n2\n-m\n512M\n"
	      "-object\nmemory-backend-file,id=ram,mem-path=/ram/"
	      "guest,align=2M,size=512M,share=on\n" IMAGE PARAMS
	      " pci=off\n" JOINED("device", "");

static const char plain_want[] =
	START "-machine\nmicrovm,pic=off,memory-backend=ram\n"
	      "-global\nvirtio-mmio.force-legacy=false\n"
	      "-accel\nkvm\n-cpu\nhost\n-smp\n2\n-m\n512M\n"
	      "-object\nmemory-backend-file,id=ram,mem-path=/ram/"
	      "guest,align=2M,size=512M,share=on\n" IMAGE PARAMS
	      " pci=off\n" SERVED("device", PLAIN);

static const char tcg_want[] = START
	"-machine\nmicrovm,pic=off,memory-backend=ram\n"
	"-global\nvirtio-mmio.force-legacy=false\n"
	"-accel\ntcg\n-cpu\nmax,-avx,-avx2,-avx512f,-erms,-fsrm\n-smp\n1\n-"
	"m\n1024M\n"
	"-object\nmemory-backend-file,id=ram,mem-path=/ram/"
	"guest,align=2M,size=1024M,share=on\n" IMAGE PARAMS
	" noreplace-smp tsc=reliable "
	"tsc_early_khz=2500000 pci=off one two=2\n" DEVICES(
		"device") "-add-fd\nfd=7,set=0\n"
			  "-blockdev\ndriver=raw,node-name=disk0,discard=unmap,"
			  "file.driver=file,file.filename=/dev/fdset/"
			  "0,file.locking=off\n"
			  "-device\nvirtio-blk-device,drive=disk0,werror="
			  "report\n"
			  "-netdev\ndgram,id=net0,local.type=fd,"
			  "local.str=23\n"
			  "-device\nvirtio-net-device,netdev=net0,"
			  "mac=02:76:6d:00:00:0a\n"
			  "-netdev\nstream,id=net1,addr.type=fd,addr.str=24\n"
			  "-device\nvirtio-net-device,netdev=net1,"
			  "mac=02:76:6d:00:00:0b\n"
			  "-netdev\ntap,id=net2,fd=25\n"
			  "-device\nvirtio-net-device,netdev=net2,"
			  "mac=02:76:6d:00:00:0c\n"
			  "-d\nguest_errors\n";

static const char pc_want[] = START
	"-machine\npc,smm=off,vmport=off,memory-backend=ram\n"
	"-accel\ntcg\n-cpu\nmax,-avx,-avx2,-avx512f,-erms,-fsrm\n-"
	"smp\n1\n-m\n1024M\n"
	"-object\nmemory-backend-file,id=ram,mem-path=/ram/"
	"guest,align=2M,size=1024M,share=on\n" IMAGE PARAMS " noreplace-smp "
	"acpi=off\n" DEVICES("pci,romfile=");

static const char device_want[] = START
	"-machine\npc,smm=off,vmport=off,memory-backend=ram\n"
	"-accel\nkvm\n-cpu\nhost\n-smp\n2\n-m\n128M\n"
	"-object\nmemory-backend-file,id=ram,mem-path=/ram/"
	"guest,align=2M,size=128M,share=on\n" IMAGE PARAMS "\n" JOINED(
		"pci,romfile=",
		"") "-netdev\ndgram,id=net0,local.type=fd,local.str=23\n"
		    "-device\nvirtio-net-pci,romfile=,netdev=net0,"
		    "mac=02:76:6d:00:00:0a\n"
		    "-device\nvfio-pci,sysfsdev=/pci/0000:03:00.0,romfile=\n";

static void test_device(void)
{
	struct options o = {.cpus = 0};
	struct plan p = {.opt = &o,
			 .cpus = 2,
			 .mem = 128u << 20,
			 .accel = ACCEL_KVM,
			 .firewall = (char *)(uintptr_t) "accept",
			 .nics = {{.nic.mac = {2, 0x76, 0x6d, 0, 0, 10}},
				  {.link = LINK_PCI, .fd = -1}},
			 .n_nics = 2,
			 .pci.device = {"0000:03:00.0", 26}};

	check(vmm_argv(&p, "/usr/bin/qemu-system-x86_64", 2500000), device_want,
	      "a PCI device makes it a PC, with ACPI");
}

static void test_qemu(void)
{
	char *append[] = {(char *)(uintptr_t) "one",
			  (char *)(uintptr_t) "two=2", NULL};
	char *more[] = {(char *)(uintptr_t) "-d",
			(char *)(uintptr_t) "guest_errors", NULL};
	struct plan_disk disk = {.size = 1 << 30};
	struct plan_share stick = {.use = SHARE_PLAIN};
	struct options plain = {.cpus = 0};
	struct options full = {.append = append, .qemu_args = more};
	struct plan p = {.opt = &plain,
			 .cpus = 2,
			 .mem = 512u << 20,
			 .accel = ACCEL_KVM};
	const char *qemu = "/usr/bin/qemu-system-x86_64";

	check(vmm_argv(&p, qemu, 2500000), kvm_want, "KVM");
	check(vmm_argv(&p, qemu, 0), kvm_want,
	      "KVM has clocks of its own: the counter does not matter");
	p.shares = &stick;
	p.n_shares = 1;
	check(vmm_argv(&p, qemu, 2500000), plain_want,
	      "a share without ACLs has a server of its own");
	p.n_shares = 0;
	p.firewall = (char *)(uintptr_t) "accept";
	check(vmm_argv(&p, qemu, 2500000), firewall_want,
	      "a firewall has no file server");
	p.firewall = NULL;
	p.accel = ACCEL_TCG;
	p.cpus = 1;
	p.mem = 1u << 30;
	check(vmm_argv(&p, qemu, 0), pc_want,
	      "TCG on a host without a constant counter");
	p.opt = &full;
	p.disks = &disk;
	p.n_disks = 1;
	for (unsigned i = 0; i < 3; i++)
		p.nics[i] =
			(struct plan_nic){.link = (enum plan_link)i,
					  .nic.mac = {2, 0x76, 0x6d, 0, 0,
						      (unsigned char)(10 + i)}};
	p.n_nics = 3;
	check(vmm_argv(&p, qemu, 2500000), tcg_want,
	      "TCG, a disk, a card of each kind, --append and --qemu-arg");
}

static void test_virtiofsd(void)
{
	struct probe_tool t = {.path = (char *)(uintptr_t) "/x/virtiofsd",
			       .kind = FILESERVER_RUST};

	check(fileserver_argv(&t, SETUP_TREE_GRANTED),
	      "/x/virtiofsd\n--fd=3\n--shared-dir=/tree\n--sandbox=none\n"
	      "--seccomp=kill\n--cache=auto\n"
	      "--inode-file-handles=never\n--no-announce-submounts\n"
	      "--log-level=error\n--posix-acl\n--xattr\n",
	      "the Rust virtiofsd");
	check(fileserver_argv(&t, SETUP_TREE_PLAIN),
	      "/virtiofsd\n--fd=3\n--shared-dir=/tree\n--sandbox=none\n"
	      "--seccomp=kill\n--cache=auto\n"
	      "--inode-file-handles=never\n--no-announce-submounts\n"
	      "--log-level=error\n",
	      "the same for what has no ACLs");
	t.kind = FILESERVER_C;
	check(fileserver_argv(&t, SETUP_TREE_GRANTED),
	      "/x/virtiofsd\n--fd=3\n-o\nsource=/tree\n-o\nsandbox=chroot\n-o\n"
	      "cache=auto\n-o\nlog_level=err\n-o\n"
	      "modcaps=-setuid:-setgid:-chown:-dac_override:-fowner:-fsetid:"
	      "-setfcap:-mknod\n-o\nposix_acl\n-o\nxattr\n",
	      "the C virtiofsd");
	check(fileserver_argv(&t, SETUP_TREE_PLAIN),
	      "/virtiofsd\n--fd=3\n-o\nsource=/tree\n-o\nsandbox=chroot\n-o\n"
	      "cache=auto\n-o\nlog_level=err\n-o\n"
	      "modcaps=-setuid:-setgid:-chown:-dac_override:-fowner:-fsetid:"
	      "-setfcap:-mknod\n",
	      "the same for what has no ACLs");
}

int main(void)
{
	test_qemu();
	test_device();
	test_virtiofsd();
	return tap_done();
}
