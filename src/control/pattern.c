/* SPDX-License-Identifier: MIT */
#include "control/pattern.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "engine/name.h"

#define PART 128

/* The i-th part of the name, before the instance: false: it has none. */
static bool part(const char *pattern, int i, char ret[PART])
{
	size_t len = strcspn(pattern, "[");

	for (; i; i--) {
		const char *dot = memchr(pattern, '.', len);

		if (!dot)
			return false;
		len -= (size_t)(dot + 1 - pattern);
		pattern = dot + 1;
	}
	if (memchr(pattern, '.', len))
		len = (size_t)((const char *)memchr(pattern, '.', len) - pattern);
	snprintf(ret, PART, "%.*s", len < PART ? (int)len : PART - 1, pattern);
	return true;
}

static bool fits(const char *pattern, int i, const char *name)
{
	char text[PART];

	if (!part(pattern, i, text))
		return true;
	return qmem_name_same(text, name) || fnmatch(text, name, FNM_CASEFOLD) == 0;
}

bool pattern_may(const char *pattern, const struct qmem_service *service, const struct qmem_family *family,
		 const struct qmem_metric *metric)
{
	char text[PART];

	return !part(pattern, 3, text) && fits(pattern, 0, service->name) &&
	       (!family || fits(pattern, 1, family->id)) && (!metric || fits(pattern, 2, metric->id));
}

bool pattern_is(const char *pattern, const struct qmem_service *service, const struct qmem_family *family,
		const struct qmem_metric *metric, const char *instance)
{
	const char *bracket = strchr(pattern, '[');
	char text[4096];
	size_t len;

	if (!pattern_may(pattern, service, family, metric))
		return false;
	if (!bracket)
		return true;
	len = strlen(bracket + 1);
	if (!instance || !len || bracket[len] != ']' || len > sizeof(text))
		return false;
	memcpy(text, bracket + 1, len - 1);
	text[len - 1] = '\0';
	return strcmp(text, instance) == 0 || fnmatch(text, instance, 0) == 0;
}

bool pattern_is_narrow(const char *pattern)
{
	char text[PART];

	return part(pattern, 1, text);
}
