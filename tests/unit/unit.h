/* SPDX-License-Identifier: MIT */
/* What every unit test includes first. */
#ifndef QMEM_UNIT_H
#define QMEM_UNIT_H

#include <check.h>
#include <string.h>

struct unit_suite {
	const char *name;
	Suite *(*make)(void);
	struct unit_suite *next;
};

void unit_add(struct unit_suite *suite);

/* A file's suite, which main.c runs because the file is linked: SUITE(name) { ... return suite; } */
#define SUITE(name_)                                                                                                   \
	static Suite *name_##_suite(void);                                                                             \
	__attribute__((constructor)) static void name_##_suite_add(void)                                               \
	{                                                                                                              \
		static struct unit_suite unit = { .name = #name_, .make = name_##_suite };                             \
		unit_add(&unit);                                                                                       \
	}                                                                                                              \
	static Suite *name_##_suite(void)

#define HAS(text, what) ck_assert_msg(strstr(text, what) != NULL, "no '%s' in:\n%s", what, text)
#define HAS_NOT(text, what) ck_assert_msg(strstr(text, what) == NULL, "'%s' in:\n%s", what, text)

/* How often `what` is in `text`. */
static inline int count_of(const char *text, const char *what)
{
	int n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

#endif
