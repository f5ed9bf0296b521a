/* SPDX-License-Identifier: MIT */
#include "keys.h"

#include <check.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct look {
	const struct kv_ignore *ignored;
	const char *what;
};

static void look_up(const char *key, size_t len, void *arg)
{
	const struct look *look = arg;
	const char *reason = kv_ignored(look->ignored, key, len);

	ck_assert_msg(reason && *reason, "%s: '%.*s' is in no family, and no reason is given why", look->what, (int)len,
		      key);
}

void keys_check(const struct kv *kv, const struct kv_ignore *ignored, const char *what, const char *text)
{
	struct look look = { ignored, what };

	kv_unknown(kv, text, strlen(text), look_up, &look);
}

void keys_check_roots(const struct kv *kv, const struct kv_ignore *ignored, const char *file)
{
	static char text[65536];
	const char *srcdir = getenv("QMEM_SRCDIR");
	char pattern[PATH_MAX];
	size_t checked = 0;
	glob_t g;

	if (!srcdir) {
		printf("# QMEM_SRCDIR is not set: the keys of the roots are not checked\n");
		return;
	}
	snprintf(pattern, sizeof(pattern), "%s/tests/roots/*/*/%s", srcdir, file);
	ck_assert_int_eq(glob(pattern, 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		FILE *f;
		size_t len;

		if (strstr(g.gl_pathv[i], "/hostile/"))
			continue;
		f = fopen(g.gl_pathv[i], "r");
		ck_assert_ptr_nonnull(f);
		len = fread(text, 1, sizeof(text) - 1, f);
		fclose(f);
		text[len] = '\0';
		ck_assert_uint_gt(len, 0);
		keys_check(kv, ignored, g.gl_pathv[i], text);
		checked++;
	}
	globfree(&g);
	ck_assert_uint_gt(checked, 0);
}
