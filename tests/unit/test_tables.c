/* SPDX-License-Identifier: MIT */
/* What every table of every built-in service must keep to. */
#include "unit.h"

#include <ctype.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/option.h"
#include "qmem.h"

/* one a line, so that each that is added is a line */
/* clang-format off */
static const char *const units[] = {
	"bytes",
	"seconds",
	"percent",
	"events",
	"pages",
	"packets",
	"errors",
	"faults",
	"files",
	"maps",
	"level",
	"state",
	"operations",
	"values",
	"processes",
	"value",
	"threads",
	"tasks",
	"forks",
	"switches",
	"cpu-seconds",
	"blocks",
	"order",
	"ratio",
	"objects",
	"bytes/s",
	"caches",
	"files",
	"sockets",
	"connections",
	NULL,
};
/* clang-format on */

static bool among(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(*words, word) == 0)
			return true;
	return false;
}

static bool lower_snake(const char *id)
{
	return *id && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(id);
}

static const char *lower(const char *name)
{
	static char text[32];
	size_t n = 0;

	for (; name[n]; n++)
		text[n] = (char)tolower(name[n]);
	text[n] = '\0';
	return text;
}

static void check_family(const struct qmem_service *s, const struct qmem_family *f)
{
	static const char *const styles[] = { "line", "area", "stacked", "files", NULL };
	size_t n = 0;

	ck_assert_msg(lower_snake(f->id), "%s.%s", s->name, f->id);
	ck_assert_msg(among(f->unit, units), "%s.%s: unit '%s'", s->name, f->id, f->unit);
	ck_assert_msg(among(f->style, styles), "%s.%s: style '%s'", s->name, f->id, f->style);
	ck_assert_msg(f->title && *f->title && f->menu && *f->menu && f->type && *f->type, "%s.%s", s->name, f->id);
	ck_assert_int_ge(f->divisor, 1);
	for (const struct qmem_metric *m = f->metrics; m->id; m++, n++) {
		ck_assert_msg(lower_snake(m->id), "%s.%s.%s", s->name, f->id, m->id);
		ck_assert_msg(m->help && *m->help, "%s.%s.%s has no help", s->name, f->id, m->id);
		ck_assert_uint_eq(m->offset % sizeof(int64_t), 0);
		for (const struct qmem_metric *other = f->metrics; other < m; other++)
			ck_assert_msg(strcmp(m->id, other->id) != 0, "%s.%s.%s twice", s->name, f->id, m->id);
	}
	ck_assert_msg(n && n <= QMEM_METRICS, "%s.%s has %zu metrics", s->name, f->id, n);
}

START_TEST(families)
{
	for (const struct qmem_service *const *s = qmem_services; *s; s++) {
		for (const struct qmem_family *f = (*s)->families; f && f->id; f++) {
			check_family(*s, f);
			/* the chart of "a" with an instance "b_c" and that of "a_b" with "c" would be one in Netdata */
			for (const struct qmem_family *other = (*s)->families; other->id; other++) {
				size_t len = strlen(other->id);

				ck_assert_msg(!other->label || strncmp(f->id, other->id, len) != 0 || f->id[len] != '_',
					      "%s: %s and instances of %s", (*s)->name, f->id, other->id);
			}
			/* "a" with a metric "b_c" and "a_b" with "c" would be one name in collectd */
			for (const struct qmem_family *other = (*s)->families; other < f; other++)
				for (const struct qmem_metric *m = f->metrics; m->id; m++)
					for (const struct qmem_metric *o = other->metrics; o->id; o++) {
						char a[256], b[256];

						snprintf(a, sizeof(a), "%s-%s_%s", f->type, f->id, m->id);
						snprintf(b, sizeof(b), "%s-%s_%s", other->type, other->id, o->id);
						ck_assert_str_ne(a, b);
					}
		}
	}
}
END_TEST

/* Address spaces are larger than collectd's type memory is, which ends at 2^48. */
START_TEST(sizes_beyond_memory)
{
	static const char *const names[] = { "procmem.virtual", "heapmon.size", NULL };
	int n = 0;

	for (const struct qmem_service *const *s = qmem_services; *s; s++) {
		for (const struct qmem_family *f = (*s)->families; f && f->id; f++) {
			char name[128];

			snprintf(name, sizeof(name), "%s.%s", (*s)->name, f->id);
			if (!among(name, names))
				continue;
			ck_assert_str_eq(f->type, "bytes");
			n++;
		}
	}
	ck_assert_int_eq(n, 2);
}
END_TEST

static void check_capability(const struct qmem_service *s, const struct qmem_capability *c)
{
	const struct qmem_option *row = c->option ? qmem_option_find(s->options, c->option) : NULL;

	ck_assert_msg(c->why && *c->why && strstr(s->privilege, c->name), "%s: %s", s->name, c->name);
	ck_assert_msg(c->file && (*c->file == '/' ||
				  (strlen(c->file) > 2 && strcmp(c->file + strlen(c->file) - 2, "()") == 0)),
		      "%s: %s is for no .file and no call()", s->name, c->name);
	ck_assert_msg(!c->option || row, "%s: %s: no option '%s'", s->name, c->name, c->option);
	if (c->value && row->type == QMEM_ENUM)
		ck_assert_msg(among(c->value, row->words), "%s: %s: %s is never '%s'", s->name, c->name, c->option,
			      c->value);
	/* such a one is for one file, for a moment */
	ck_assert_msg(c->extra || (c->number != CAP_SYS_ADMIN && c->number != CAP_DAC_OVERRIDE), "%s: %s", s->name,
		      c->name);
	ck_assert_msg(c->extra == (strstr(PLUGIN_CAPS, lower(c->name)) == NULL),
		      "%s: %s: Makefile.am has PLUGIN_CAPS = %s", s->name, c->name, PLUGIN_CAPS);
}

/* make install gives what rows name, and nothing else. */
START_TEST(installed_with)
{
	char caps[] = PLUGIN_CAPS;

	ck_assert_str_eq(caps + strlen(caps) - 2, "=p");
	caps[strlen(caps) - 2] = '\0';
	for (char *save, *cap = strtok_r(caps, ",", &save); cap; cap = strtok_r(NULL, ",", &save)) {
		bool found = false;

		for (const struct qmem_service *const *s = qmem_services; *s; s++)
			for (const struct qmem_capability *c = (*s)->capabilities; c && c->name; c++)
				found |= !c->extra && strcmp(cap, lower(c->name)) == 0;
		ck_assert_msg(found, "no row has %s", cap);
	}
}
END_TEST

START_TEST(services)
{
	for (const struct qmem_service *const *s = qmem_services; *s; s++) {
		ck_assert_msg(lower_snake((*s)->name) && !strchr((*s)->name, '-'), "%s", (*s)->name);
		ck_assert_msg((*s)->help && *(*s)->help && (*s)->kernel && (*s)->privilege, "%s", (*s)->name);
		for (const struct qmem_capability *c = (*s)->capabilities; c && c->name; c++)
			check_capability(*s, c);
		for (const struct qmem_service *const *other = qmem_services; other < s; other++)
			ck_assert_str_ne((*s)->name, (*other)->name);
		if ((*s)->needs) {
			const struct qmem_service *const *before = qmem_services;

			while (*before && *before != (*s)->needs)
				before++;
			ck_assert_msg(before < s, "%s stands before what it needs", (*s)->name);
		}
	}
}
END_TEST

/* Each service has priorities of its own: one that is added moves no chart of another. */
START_TEST(priorities)
{
	for (const struct qmem_service *const *s = qmem_services; *s; s++) {
		unsigned n = 0;

		for (const struct qmem_family *f = (*s)->families; f && f->id; f++)
			n++;
		ck_assert_msg((*s)->priority && (*s)->priority % QMEM_PRIORITIES == 0, "%s: priority %u", (*s)->name,
			      (*s)->priority);
		ck_assert_msg(n <= QMEM_PRIORITIES, "%s has %u families", (*s)->name, n);
		for (const struct qmem_service *const *other = qmem_services; other < s; other++)
			ck_assert_msg((*s)->priority != (*other)->priority, "%s and %s: priority %u", (*s)->name,
				      (*other)->name, (*s)->priority);
	}
}
END_TEST

struct place {
	unsigned priority;
	const char *menu, *name;
};

static int by_priority(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->priority > y->priority) - (x->priority < y->priority);
}

static size_t branch(const char *menu)
{
	return strcspn(menu, "/");
}

static bool same_branch(const char *a, const char *b)
{
	return branch(a) == branch(b) && strncmp(a, b, branch(a)) == 0;
}

/* Netdata's menus are a tree of two levels, whose order tells a story; what is one menu stands together. */
START_TEST(menus)
{
	static const char *const branches[] = { "memory",   "page cache", "slabs",   "reclaim",
						"pressure", "processes",  "network", "self" };
	struct place places[256];
	size_t n = 0, at = 0;

	for (const struct qmem_service *const *s = qmem_services; *s; s++) {
		unsigned i = 0;

		for (const struct qmem_family *f = (*s)->families; f && f->id; f++, i++) {
			ck_assert_uint_lt(n, sizeof(places) / sizeof(*places));
			places[n++] = (struct place){ (*s)->priority + i, f->menu, f->id };
		}
	}
	qsort(places, n, sizeof(*places), by_priority);
	for (size_t i = 0; i < n; i++) {
		const struct place *p = &places[i];

		while (at < sizeof(branches) / sizeof(*branches) && !same_branch(p->menu, branches[at]))
			at++;
		ck_assert_msg(at < sizeof(branches) / sizeof(*branches), "%s: menu '%s' is none, or out of order",
			      p->name, p->menu);
		for (size_t k = 0; k < i; k++) {
			const struct place *other = &places[k];

			/* a menu has charts or menus, not both */
			ck_assert_msg(!same_branch(p->menu, other->menu) ||
					      !strchr(p->menu, '/') == !strchr(other->menu, '/'),
				      "menus '%s' and '%s'", p->menu, other->menu);
			ck_assert_msg(strcmp(p->menu, other->menu) != 0 || strcmp(p->menu, places[i - 1].menu) == 0,
				      "%s: apart from others of menu '%s'", p->name, p->menu);
		}
	}
}
END_TEST

static void check_options(const char *where, const struct qmem_option *rows)
{
	for (const struct qmem_option *o = rows; o && o->name; o++) {
		ck_assert_msg(o->help && *o->help, "%s: %s has no help", where, o->name);
		ck_assert_msg(o->min <= o->max, "%s: %s", where, o->name);
		ck_assert_ptr_eq(qmem_option_find(rows, o->name), o);
		if (o->type == QMEM_BLOCK)
			check_options(o->name, o->sub);
	}
}

START_TEST(options)
{
	check_options("qmem", qmem_global_options);
	check_options("common", qmem_common_options);
	for (const struct qmem_service *const *s = qmem_services; *s; s++) {
		check_options((*s)->name, (*s)->options);
		for (const struct qmem_option *o = (*s)->options; o && o->name; o++)
			ck_assert_msg(!qmem_option_find(qmem_common_options, o->name), "%s: %s hides a common option",
				      (*s)->name, o->name);
	}
}
END_TEST

SUITE(tables)
{
	Suite *s = suite_create("tables");
	TCase *t = tcase_create("tables");

	tcase_add_test(t, families);
	tcase_add_test(t, sizes_beyond_memory);
	tcase_add_test(t, services);
	tcase_add_test(t, installed_with);
	tcase_add_test(t, priorities);
	tcase_add_test(t, menus);
	tcase_add_test(t, options);
	suite_add_tcase(s, t);
	return s;
}
