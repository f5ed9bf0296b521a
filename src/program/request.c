/* SPDX-License-Identifier: MIT */
#include "program/request.h"

#include <stdio.h>
#include <string.h>

#include "engine/name.h"
#include "qmem.h"
#include "util/near.h"

#include "program/standard.h"

int request_wrong(const struct request *r, const char *what, const char *word)
{
	standard_line(stderr, "%s: %s '%s'; see --help", r->program, what, word);
	return 2;
}

int request_unlike(const struct request *r, const char *what, const char *word, const char *meant)
{
	if (!meant)
		return request_wrong(r, what, word);
	fprintf(stderr, "%s: %s '%s'; did you mean '%s'? See --help\n", r->program, what, word, meant);
	return 2;
}

/* Of that family; NULL. */
static const struct qmem_service *owner_of(const char *word)
{
	for (const struct qmem_service *const *s = qmem_services; *s; s++) {
		size_t len = strlen((*s)->name);
		const char *id = strncmp(word, (*s)->name, len) == 0 && word[len] == '.' ? word + len + 1 : word;

		for (const struct qmem_family *f = (*s)->families; f && f->id; f++)
			if (qmem_name_same(f->id, id))
				return *s;
	}
	return NULL;
}

/* The service that has a family of nearly that name; NULL. */
static const struct qmem_service *near_family(const char *word, struct near *near)
{
	const struct qmem_service *owner = NULL;
	const char *dot = strchr(word, '.');

	*near = NEAR(dot ? dot + 1 : word);
	for (const struct qmem_service *const *s = qmem_services; *s; s++)
		for (const struct qmem_family *f = (*s)->families; f && f->id; f++) {
			const char *before = near->name;

			near_try(near, f->id);
			if (near->name != before)
				owner = *s;
		}
	return owner;
}

int request_no_service(const struct request *r, const char *word)
{
	const struct qmem_service *owner = owner_of(word);
	struct near near = NEAR(word);

	for (const struct qmem_service *const *s = qmem_services; *s; s++)
		near_try(&near, (*s)->name);
	if (!near.name && !owner) {
		owner = near_family(word, &near);
		if (owner) {
			fprintf(stderr, "%s: no service '%s'; did you mean '%s', for its family '%s'? See --help\n",
				r->program, word, owner->name, near.name);
			return 2;
		}
	}
	if (near.name || !owner)
		return request_unlike(r, "no service", word, near.name);
	fprintf(stderr, "%s: no service '%s': it is a family of '%s'; see --help\n", r->program, word, owner->name);
	return 2;
}
