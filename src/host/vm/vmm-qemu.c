/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plan to QEMU's command line.  Pure; the person's own authority.
 *
 * A short device list and few kernel parameters: most of a start is the
 * guest's boot, and each device and each self-test of the kernel costs.  The
 * kernel is an uncompressed ELF booted through its PVH entry, which skips the
 * decompressor (and with it KASLR: see vmrun-security(7)).
 */
#include "host/vm/vmm.h"

#include "base/buf.h"
#include "wire/setup.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct args {
	char **v;
	size_t n, room;
	bool bad;
};

__attribute__((format(printf, 2, 3))) static void add(struct args *a,
						      const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;

	if (a->n + 1 >= a->room) {
		size_t room = a->room ? a->room * 2 : 64;
		char **v = realloc(a->v, room * sizeof(*v));

		if (!v) {
			a->bad = true;
			return;
		}
		a->v = v;
		a->room = room;
	}
	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	if (!s) {
		a->bad = true;
		return;
	}
	a->v[a->n++] = s;
	a->v[a->n] = NULL;
}

/*
 * quiet, panic=-1, reboot=t: say nothing but a panic, and end with it: QEMU
 * runs with -no-reboot.  cryptomgr.notests: the kernel tests its ciphers at
 * each boot otherwise.  initcall_blacklist: nor does it trace itself.
 * no_timer_check, and noreplace-smp where there is one processor: probes and
 * patching that a VM does not need.  8250.nr_uarts=1: there is one serial port.
 */
static const char kernel_params[] =
	"console=ttyS0 quiet panic=-1 reboot=t cryptomgr.notests "
	"no_timer_check 8250.nr_uarts=1 random.trust_cpu=on "
	"initcall_blacklist=ftrace_check_for_weak_functions,trace_eval_init,"
	"tracer_init_tracefs";

/*
 * TCG emulates AVX slowly, and the guest's libc would choose it.  Its string
 * instructions go element by element: a guest that believes that those of
 * bytes are fast (erms, fsrm) copies in eight times as many steps, and its
 * pipes have half the throughput.
 */
static const char tcg_cpu[] = "max,-avx,-avx2,-avx512f,-erms,-fsrm";

/*
 * Where there is a PCI device, or no clock, it is a PC.  A microvm has no PCI:
 * each PCI device costs 100 ms of interpreted firmware tables under TCG.  Where
 * the host's counter is of no use to it, it would have no clock.  Without
 * firmware nobody masks the old interrupt controller, and Linux 6.12 then dies
 * in one of two boots: pic=off.
 */
static bool has_pci(const struct plan *p, uint32_t khz)
{
	return plan_has_pci(p) || (p->accel == ACCEL_TCG && !khz);
}

static void add_kernel(struct args *a, const struct plan *p, uint32_t khz)
{
	struct buf cmdline;

	buf_init(&cmdline, 65536);
	buf_printf(&cmdline, "%s", kernel_params);
	if (p->cpus == 1)
		buf_printf(&cmdline, " noreplace-smp");
	/* No other clock to calibrate against: host/tsc.h. */
	if (p->accel == ACCEL_TCG && khz)
		buf_printf(&cmdline, " tsc=reliable tsc_early_khz=%u", khz);
	/* Without ACPI Linux finds no interrupt controller that could take a
	 * device's messages. */
	if (has_pci(p, khz) && !plan_has_pci(p))
		buf_printf(&cmdline, " acpi=off");
	else if (!has_pci(p, khz))
		buf_printf(&cmdline, " pci=off");
	for (char **s = p->opt->append; s && *s; s++)
		buf_printf(&cmdline, " %s", *s);
	buf_put(&cmdline, "", 1);
	add(a, "-kernel");
	add(a, "%s", VMM_KERNEL);
	add(a, "-initrd");
	add(a, "%s", VMM_INITRAMFS);
	add(a, "-append");
	add(a, "%s", cmdline.bad ? kernel_params : (char *)cmdline.data);
	a->bad |= cmdline.bad;
	buf_free(&cmdline);
}

/* Images of --tmp: unlinked files, handed over as descriptors. */
static void add_disks(struct args *a, const struct plan *p, const char *bus)
{
	for (size_t i = 0; i < p->n_disks; i++) {
		add(a, "-add-fd");
		add(a, "fd=%zu,set=%zu", VMM_FD_DISK + i, i);
		add(a, "-blockdev");
		add(a,
		    "driver=raw,node-name=disk%zu,discard=unmap,"
		    "file.driver=file,file.filename=/dev/fdset/%zu,"
		    "file.locking=off",
		    i, i);
		add(a, "-device");
		/* The default stops the guest for good where the host's disk
		 * is full. */
		add(a, "virtio-blk-%s,drive=disk%zu,werror=report", bus, i);
	}
}

/* A device of this machine's.  Of /sys QEMU needs one link, which the stage
 * made; code from the device's ROM is not for us to run. */
static void add_device(struct args *a, const struct plan *p)
{
	add(a, "-device");
	add(a, "vfio-pci,sysfsdev=" SETUP_PCI_DIR "/%s,romfile=",
	    p->pci.device.address);
}

/* The frames of each card come and go by an inherited descriptor: QEMU has no
 * network to make a socket in. */
static void add_nics(struct args *a, const struct plan *p, const char *bus)
{
	for (size_t i = 0; i < p->n_nics; i++) {
		const unsigned char *m = p->nics[i].nic.mac;
		unsigned fd = VMM_FD_NIC + (unsigned)i;

		if (p->nics[i].link == LINK_PCI) {
			add_device(a, p);
			continue;
		}
		add(a, "-netdev");
		switch (p->nics[i].link) {
		case LINK_MESSAGES:
			add(a, "dgram,id=net%zu,local.type=fd,local.str=%u", i,
			    fd);
			break;
		case LINK_STREAM:
			add(a, "stream,id=net%zu,addr.type=fd,addr.str=%u", i,
			    fd);
			break;
		case LINK_TAP:
			add(a, "tap,id=net%zu,fd=%u", i, fd);
			break;
		case LINK_PCI:
			break;
		}
		add(a, "-device");
		add(a,
		    "virtio-net-%s,netdev=net%zu,"
		    "mac=%02x:%02x:%02x:%02x:%02x:%02x",
		    bus, i, m[0], m[1], m[2], m[3], m[4], m[5]);
	}
}

static void add_machine(struct args *a, const struct plan *p, bool pci)
{
	bool kvm = p->accel == ACCEL_KVM;

	add(a, "-nodefaults");
	add(a, "-no-user-config");
	add(a, "-no-reboot");
	add(a, "-display");
	add(a, "none");
	add(a, "-sandbox");
	add(a, "on,obsolete=deny,elevateprivileges=deny,spawn=deny,"
	       "resourcecontrol=deny");
	add(a, "-machine");
	add(a, "%s,memory-backend=ram",
	    pci ? "pc,smm=off,vmport=off" : "microvm,pic=off");
	if (!pci) {
		add(a, "-global");
		add(a, "virtio-mmio.force-legacy=false");
	}
	add(a, "-accel");
	add(a, "%s", kvm ? "kvm" : "tcg");
	add(a, "-cpu");
	add(a, "%s", kvm ? "host" : tcg_cpu);
	add(a, "-smp");
	add(a, "%u", p->cpus);
	add(a, "-m");
	add(a, "%lluM", (unsigned long long)(p->mem >> 20));
	add(a, "-object");
	/* Aligned, or no huge page fits; QEMU asks for them by itself. */
	add(a,
	    "memory-backend-file,id=ram,mem-path=" VMM_MEMORY
	    ",align=2M,size=%lluM,share=on",
	    (unsigned long long)(p->mem >> 20));
}

/* A file server: its socket, and its tag in the guest. */
static void add_tree(struct args *a, const char *bus, const char *id, int fd,
		     const char *tag)
{
	add(a, "-chardev");
	add(a, "socket,id=%s,fd=%d", id, fd);
	add(a, "-device");
	add(a, "vhost-user-fs-%s,chardev=%s,tag=%s,queue-size=1024", bus, id,
	    tag);
}

static void add_devices(struct args *a, const struct plan *p, const char *bus)
{
	add(a, "-chardev");
	add(a, "socket,id=console,fd=%d", VMM_FD_CONSOLE);
	add(a, "-serial");
	add(a, "chardev:console");
	add(a, "-device");
	add(a, "virtio-serial-%s,max_ports=2", bus);
	add(a, "-chardev");
	add(a, "socket,id=mux,fd=%d", VMM_FD_MUX);
	add(a, "-device");
	add(a, "virtserialport,chardev=mux,name=org.vmrun.mux");
	if (!p->firewall)
		add_tree(a, bus, "fs", VMM_FD_FS, "vmrun");
	if (plan_has_plain(p))
		add_tree(a, bus, "plain", VMM_FD_PLAIN, "vmrun-plain");
	add(a, "-device");
	add(a, "virtio-balloon-%s,free-page-reporting=on", bus);
	add(a, "-device");
	add(a, "virtio-rng-%s", bus);
}

char **vmm_argv(const struct plan *p, const char *qemu, uint32_t khz)
{
	bool pci = has_pci(p, khz);
	const char *bus = pci ? "pci,romfile=" : "device";
	struct args a = {0};

	add(&a, "%s", qemu);
	add_machine(&a, p, pci);
	add_kernel(&a, p, khz);
	add_devices(&a, p, bus);
	add_disks(&a, p, bus);
	add_nics(&a, p, bus);
	for (char **s = p->opt->qemu_args; s && *s; s++)
		add(&a, "%s", *s);
	if (a.bad) {
		strv_free(a.v);
		return NULL;
	}
	return a.v;
}
