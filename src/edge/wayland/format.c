/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Formats of pixels.  Pure. */
#include "format.h"

#include <stddef.h>
#include <string.h>

/* The letters of drm_fourcc.h, by the size of a pixel. */
static const struct {
	unsigned bytes;
	const char *codes; /* four letters each */
} formats[] = {
	{1, "RGB8BGR8"},
	{2, "XR12XB12RX12BX12AR12AB12RA12BA12XR15XB15RX15BX15AR15AB15RA15BA15"
	    "RG16BG16"},
	{3, "RG24BG24"},
	{4, "XB24RX24BX24AB24RA24BA24XR30XB30RX30BX30AR30AB30RA30BA30"},
	{8, "XR4HXB4HAR4HAB4HXR48XB48AR48AB48"},
};

unsigned format_bytes(uint32_t format)
{
	const char code[] = {(char)(format & 255), (char)(format >> 8 & 255),
			     (char)(format >> 16 & 255), (char)(format >> 24)};

	/* ARGB8888 and XRGB8888 */
	if (format <= 1)
		return 4;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		for (const char *p = formats[i].codes; *p; p += sizeof(code))
			if (!memcmp(p, code, sizeof(code)))
				return formats[i].bytes;
	return 0;
}
