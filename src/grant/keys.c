/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What looks like a private key.  See keys.h. */
#include "grant/keys.h"

#include <string.h>
#include <strings.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcasecmp(name, list[i]))
			return true;
	return false;
}

bool key_name(const char *name)
{
	static const char *const names[] = {
		".netrc", ".pgpass", ".my.cnf",	    ".git-credentials",
		".npmrc", ".pypirc", "credentials", "secring.gpg",
	};
	static const char *const ends[] = {
		".pem", ".key", ".p12",	 ".pfx",    ".ppk",
		".jks", ".kdb", ".kdbx", ".keytab",
	};
	const char *dot = strrchr(name, '.');

	if (!strncmp(name, "id_", 3))
		return !dot || strcmp(dot, ".pub") != 0;
	if (is_one_of(name, names, COUNT(names)))
		return true;
	return dot && is_one_of(dot, ends, COUNT(ends));
}

bool key_dir(const char *name)
{
	static const char *const names[] = {
		".ssh",	   ".gnupg", ".password-store",
		".aws",	   ".kube",  "private-keys-v1.d",
		".docker",
	};

	return is_one_of(name, names, COUNT(names));
}

bool key_starts(const void *p, size_t n)
{
	static const char begin[] = "-----BEGIN ", key[] = "PRIVATE KEY";
	static const char putty[] = "PuTTY-User-Key-File-";
	static const char age[] = "AGE-SECRET-KEY-", made[] = "# created: ";
	const char *eol;

	if (n > KEY_BYTES)
		n = KEY_BYTES;
	if (n >= sizeof(putty) - 1 && !memcmp(p, putty, sizeof(putty) - 1))
		return true;
	if (n >= sizeof(age) - 1 && !memcmp(p, age, sizeof(age) - 1))
		return true;
	/* age-keygen: two lines of comment before the key. */
	if (n >= sizeof(made) - 1 && !memcmp(p, made, sizeof(made) - 1) &&
	    memmem(p, n, "# public key: age1", 18))
		return true;
	if (n < sizeof(begin) - 1 || memcmp(p, begin, sizeof(begin) - 1))
		return false;
	eol = memchr(p, '\n', n);
	if (eol)
		n = (size_t)(eol - (const char *)p);
	return memmem(p, n, key, sizeof(key) - 1) != NULL;
}
