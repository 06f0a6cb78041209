/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nft and what it needs, into an initramfs.  Runs in vmrunctl, as the person.
 */
#include "host/image/imagenft.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "host/image/imagecpio.h"
#include "host/text.h"
#include "proc/spawn.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOADER "/lib64/ld-linux-x86-64.so.2"
#define LIST_MAX (64u * 1024) /* bytes of what the loader says */

static int pack_as(struct imagecpio *c, const char *path, const char *name,
		   mode_t mode, struct err *e)
{
	own_free char *to = text_fmt(e, IMAGENFT_DIR "/%s", name);
	own_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (!to)
		return -1;
	if (fd < 0)
		return err_set(e, errno, "%s", path);
	return imagecpio_file(c, to, mode, fd, e);
}

/* The loader's `\tNAME => PATH (0xADDRESS)`; its own line and the kernel's
 * library have no arrow. */
static int pack_line(struct imagecpio *c, char *line, struct err *e)
{
	static const char arrow[] = " => ";
	char *path = strstr(line, arrow);
	const char *name = line + strspn(line, "\t ");

	if (!path)
		return 0;
	*path = '\0';
	path += strlen(arrow);
	path[strcspn(path, " ")] = '\0';
	if (path[0] != '/' || strchr(name, '/'))
		return err_set(e, 0, "nft: library %s is not here", name);
	return pack_as(c, path, name, 0644, e);
}

static int list_libraries(const char *nft, struct buf *out, struct err *e)
{
	char *argv[] = {(char *)(uintptr_t)LOADER, (char *)(uintptr_t) "--list",
			(char *)(uintptr_t)nft, NULL};
	char *env[] = {(char *)(uintptr_t) "LC_ALL=C", NULL};
	const struct proc_spec s = {.path = LOADER, .argv = argv, .envp = env};
	int status = proc_capture(&s, out, e);

	if (status < 0)
		return -1;
	if (status != 0)
		return err_set(e, 0, "%s cannot list the libraries of %s",
			       LOADER, nft);
	buf_put_u8(out, 0);
	return out->bad ? err_set(e, E2BIG, "libraries of %s", nft) : 0;
}

static int pack_libraries(const char *nft, struct imagecpio *c, struct err *e)
{
	struct buf list;
	char *rest, *line;
	int r;

	buf_init(&list, LIST_MAX);
	r = list_libraries(nft, &list, e);
	rest = r == 0 ? (char *)list.data : NULL;
	while (r == 0 && (line = strsep(&rest, "\n")))
		r = pack_line(c, line, e);
	buf_free(&list);
	return r;
}

/* Rules may name services and protocols; a machine without these files has
 * nothing that its own nft would understand either. */
static int pack_names(struct imagecpio *c, struct err *e)
{
	static const char *const files[] = {"services", "protocols"};

	if (imagecpio_dir(c, "etc", 0755, e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char from[32], to[32];
		own_fd fd = -1;

		snprintf(from, sizeof(from), "/etc/%s", files[i]);
		snprintf(to, sizeof(to), "etc/%s", files[i]);
		fd = open(from, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd >= 0 && imagecpio_file(c, to, 0644, fd, e) < 0)
			return -1;
	}
	return 0;
}

int imagenft_pack(const char *nft, struct imagecpio *c, struct err *e)
{
	if (imagecpio_dir(c, IMAGENFT_DIR, 0755, e) < 0 ||
	    pack_as(c, LOADER, "ld.so", 0755, e) < 0 ||
	    pack_as(c, nft, "nft", 0755, e) < 0 ||
	    pack_libraries(nft, c, e) < 0)
		return -1;
	return pack_names(c, e);
}
