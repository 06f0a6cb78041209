/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ethernet frames for tests, written from the RFCs and not by our decoder. */
#ifndef TESTS_UNIT_FRAMES_H
#define TESTS_UNIT_FRAMES_H

#include "wire/ether.h"

#include <string.h>

struct frame {
	unsigned char b[16384];
	size_t n;
};

static const unsigned char mac_a[6] = {2, 0x76, 0x6d, 0, 0, 10};
static const unsigned char mac_b[6] = {2, 0x76, 0x6d, 0, 0, 11};
static const unsigned char mac_up[6] = {2, 0x76, 0x6d, 0, 0, 1};
static const unsigned char mac_all[6] = {255, 255, 255, 255, 255, 255};
static const unsigned char ip_a[4] = {10, 213, 1, 10};
static const unsigned char ip_b[4] = {10, 213, 1, 11};
static const unsigned char ip_zero[4];
static const unsigned char ip6_a[16] = {0xfd, [15] = 10};
static const unsigned char ip6_b[16] = {0xfd, [15] = 11};
static const unsigned char ip6_local[16] = {0xfe, 0x80, [15] = 10};
static const unsigned char ip6_zero[16];
static const unsigned char ip6_all[16] = {0xff, 2, [15] = 1};

static inline void f_put(struct frame *f, const void *p, size_t n)
{
	memcpy(f->b + f->n, p, n);
	f->n += n;
}

static inline void f_u8(struct frame *f, unsigned v)
{
	f->b[f->n++] = (unsigned char)v;
}

static inline void f_u16(struct frame *f, unsigned v)
{
	f_u8(f, v >> 8);
	f_u8(f, v & 255);
}

static inline void f_zero(struct frame *f, size_t n)
{
	memset(f->b + f->n, 0, n);
	f->n += n;
}

static inline void f_ether(struct frame *f, const unsigned char *dst,
			   const unsigned char *src, unsigned type)
{
	f->n = 0;
	f_put(f, dst, 6);
	f_put(f, src, 6);
	f_u16(f, type);
}

static inline void f_arp(struct frame *f, const unsigned char *src, unsigned op,
			 const unsigned char *mac, const unsigned char *ip)
{
	static const unsigned char head[] = {0, 1, 8, 0, 6, 4};

	f_ether(f, mac_all, src, 0x0806);
	f_put(f, head, sizeof(head));
	f_u16(f, op);
	f_put(f, mac, 6);
	f_put(f, ip, 4);
	f_zero(f, 6);
	f_put(f, ip_b, 4);
}

/* UDP of which `payload` bytes are what it carries. */
static inline void f_ip4(struct frame *f, const unsigned char *dst,
			 const unsigned char *src, const unsigned char *ip,
			 size_t payload)
{
	size_t at;
	unsigned sum = 0;

	f_ether(f, dst, src, 0x0800);
	at = f->n;
	f_u8(f, 0x45);
	f_u8(f, 0);
	f_u16(f, (unsigned)(28 + payload));
	f_u16(f, 0);
	f_u16(f, 0);
	f_u8(f, 64);
	f_u8(f, 17);
	f_u16(f, 0);
	f_put(f, ip, 4);
	f_put(f, ip_b, 4);
	for (size_t i = at; i < at + 20; i += 2)
		sum += (unsigned)f->b[i] << 8 | f->b[i + 1];
	sum = (sum >> 16) + (sum & 0xffff);
	sum = ~(sum + (sum >> 16)) & 0xffff;
	f->b[at + 10] = (unsigned char)(sum >> 8);
	f->b[at + 11] = (unsigned char)sum;
	f_u16(f, 4000);
	f_u16(f, 4001);
	f_u16(f, (unsigned)(8 + payload));
	f_u16(f, 0);
	f_zero(f, payload);
}

/* Ends with the fixed header; f_ip6_end() fills in the payload's length. */
static inline void f_ip6(struct frame *f, const unsigned char *src,
			 const unsigned char *ip, unsigned next)
{
	static const unsigned char group[6] = {0x33, 0x33, 0, 0, 0, 1};

	f_ether(f, group, src, 0x86dd);
	f_u8(f, 0x60);
	f_zero(f, 5);
	f_u8(f, next);
	f_u8(f, 255);
	f_put(f, ip, 16);
	f_put(f, ip6_all, 16);
}

static inline void f_ip6_end(struct frame *f)
{
	f->b[18] = (unsigned char)((f->n - 54) >> 8);
	f->b[19] = (unsigned char)(f->n - 54);
}

/* An ND message of its type and code: header, target, option. */
static inline void f_icmp6(struct frame *f, unsigned type,
			   const unsigned char *target, unsigned option,
			   const unsigned char *mac)
{
	f_u8(f, type);
	f_zero(f, 7);
	if (type == 134)
		f_zero(f, 8);
	if (type >= 135 && type <= 137)
		f_put(f, target, 16);
	if (type == 137)
		f_put(f, ip6_b, 16);
	if (option) {
		f_u8(f, option);
		f_u8(f, 1);
		f_put(f, mac, 6);
	}
}

static inline void f_nd(struct frame *f, unsigned type, const unsigned char *ip,
			const unsigned char *target, unsigned option,
			const unsigned char *mac)
{
	f_ip6(f, mac_a, ip, 58);
	f_icmp6(f, type, target, option, mac);
	f_ip6_end(f);
}

#endif
