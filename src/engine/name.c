/* SPDX-License-Identifier: MIT */
#include "engine/name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/ids.h"
#include "util/escape.h"
#include "util/fnv.h"
#include "util/sip.h"

#define TURNS 100 /* more than any table has of one hash */

#define SHORT_DIGITS 8
#define LONG_DIGITS 16
_Static_assert(QMEM_NAME_SUFFIX == 1 + LONG_DIGITS, "the longer of the two");

static bool plain(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static bool ends_in_digits(const char *name, size_t len, size_t digits)
{
	if (len < digits + 1 || name[len - digits - 1] != '_')
		return false;
	for (size_t i = len - digits; i < len; i++)
		if (!strchr("0123456789abcdef", name[i]))
			return false;
	return true;
}

static bool ends_like_hashed(const char *name, size_t len)
{
	return ends_in_digits(name, len, SHORT_DIGITS) || ends_in_digits(name, len, LONG_DIGITS);
}

size_t qmem_name_safe(char *dst, size_t size, const char *name, const char *allowed, unsigned turn)
{
	size_t len = strlen(name), kept = escape_undo(dst, size, name);
	bool altered = turn || kept != len || !len || ends_like_hashed(name, len);
	char suffix[1 + QMEM_NAME_SUFFIX];
	int n;

	for (size_t i = 0; i < kept; i++) {
		bool good = plain(dst[i]) || strchr(allowed, dst[i]);

		dst[i] = good ? dst[i] : '_';
		altered |= !good;
	}
	if (!altered)
		return kept;
	if (turn)
		n = snprintf(suffix, sizeof(suffix), "_%016" PRIx64, sip_known(name, len, turn));
	else
		n = snprintf(suffix, sizeof(suffix), "_%08" PRIx32, fnv(name, len));
	if (kept > size - 1 - (size_t)n)
		kept = size - 1 - (size_t)n;
	memcpy(dst + kept, suffix, (size_t)n + 1);
	return kept + (size_t)n;
}

size_t qmem_name_label(char *dst, size_t size, const char *name)
{
	return escape_name(dst, size, name);
}

bool qmem_name_blank_alike(const char *a, const char *b)
{
	while (*a && (*a == ' ' ? '_' : *a) == (*b == ' ' ? '_' : *b)) {
		a++;
		b++;
	}
	return *a == *b;
}

/*
 * The id of an instance, behind what `dst` begins with, which no other name has. NULL: it is the name itself, or `ids` is NULL.
 * What a user has named has its blanks replaced first: the configuration has seen to it that no other one is called so.
 */
static struct ids_seat *give_id(struct ids *ids, char *dst, size_t begin, size_t size,
				const struct qmem_instance *instance, const char *allowed)
{
	const char *name = instance->name;
	struct ids_seat *seat = NULL;
	unsigned turn = 0;
	char own[256];

	if (instance->configured && strlen(name) < sizeof(own)) {
		for (char *to = strcpy(own, name); (to = strchr(to, ' '));)
			*to = '_';
		name = own;
	}
	do {
		qmem_name_safe(dst + begin, size - begin, name, allowed, turn);
		if (!ids || strcmp(dst + begin, name) == 0)
			return NULL;
		seat = ids_take(ids, dst, name);
	} while (!seat && turn++ < TURNS);
	return seat;
}

size_t qmem_canonical(char *dst, size_t size, const char *service, const char *family, const char *metric,
		      const char *instance)
{
	int n = snprintf(dst, size, "%s.%s%s%s%s", service, family, metric ? "." : "", metric ? metric : "",
			 instance ? "[" : "");
	size_t len = n < 0 ? 0 : (size_t)n;

	if (len >= size)
		return size - 1;
	if (instance && len + 2 < size) {
		len += escape_name(dst + len, size - len - 1, instance);
		strcpy(dst + len++, "]");
	}
	return len;
}

/* ---- collectd ---- */

void qmem_collectd_plugin(char dst[QMEM_COLLECTD_NAME], const char *service)
{
	snprintf(dst, QMEM_COLLECTD_NAME, "qmem_%s", service);
}

bool qmem_collectd_instance(char dst[QMEM_COLLECTD_NAME], struct ids *ids, const struct qmem_instance *instance)
{
	*dst = '\0';
	if (!instance || !instance->name)
		return false;
	/* '/' separates the parts of an identifier, and a blank must be quoted in every command on the unixsock */
	give_id(ids, dst, 0, QMEM_COLLECTD_NAME, instance, ".-:@");
	return strcmp(dst, instance->name) != 0;
}

static bool has_metric(const struct qmem_family *family, const char *id)
{
	for (const struct qmem_metric *m = family->metrics; m->id; m++)
		if (strcmp(m->id, id) == 0)
			return true;
	return false;
}

static size_t count_metrics(const struct qmem_family *family)
{
	size_t n = 0;

	while (family->metrics[n].id)
		n++;
	return n;
}

enum qmem_collectd_lists qmem_collectd_lists(const struct qmem_family *family, const struct qmem_collectd_type *type)
{
	if (!type || !type->n || type->kind != family->kind)
		return QMEM_COLLECTD_PLAIN;
	if (type->n == 1)
		return QMEM_COLLECTD_EACH;
	if (type->n != count_metrics(family))
		return QMEM_COLLECTD_PLAIN;
	for (size_t i = 0; i < type->n; i++)
		if (!has_metric(family, type->sources[i]))
			return QMEM_COLLECTD_PLAIN;
	return QMEM_COLLECTD_JOINED;
}

const char *qmem_collectd_type(const struct qmem_family *family, enum qmem_collectd_lists lists)
{
	if (lists != QMEM_COLLECTD_PLAIN)
		return family->type;
	return family->kind == QMEM_GAUGE ? "gauge" : "derive";
}

void qmem_collectd_type_instance(char dst[QMEM_COLLECTD_NAME], const char *family, const char *metric)
{
	snprintf(dst, QMEM_COLLECTD_NAME, "%s%s%s", family, metric ? "_" : "", metric ? metric : "");
}

void qmem_collectd_identifier(char *dst, size_t size, const char *plugin, const char *plugin_instance, const char *type,
			      const char *type_instance)
{
	snprintf(dst, size, "%s%s%s/%s-%s", plugin, *plugin_instance ? "-" : "", plugin_instance, type, type_instance);
}

/* ---- Netdata ---- */

void qmem_netdata_context(char dst[QMEM_NETDATA_NAME], const char *service, const char *family)
{
	snprintf(dst, QMEM_NETDATA_NAME, "qmem.%s_%s", service, family);
}

/* What stands before an instance. Returns its length. */
static size_t begin_chart(char dst[QMEM_NETDATA_NAME], const char *service, const char *family)
{
	return (size_t)snprintf(dst, QMEM_NETDATA_NAME, "qmem.%s_%s_", service, family);
}

struct ids_seat *qmem_netdata_chart(char dst[QMEM_NETDATA_NAME], struct ids *ids, const char *service,
				    const char *family, const struct qmem_instance *instance)
{
	if (!instance || !instance->name) {
		qmem_netdata_context(dst, service, family);
		return NULL;
	}
	/* a '.' or '-' stands for something in some of what reads an id */
	return give_id(ids, dst, begin_chart(dst, service, family), QMEM_NETDATA_NAME, instance, "");
}

size_t qmem_netdata_label(char *dst, size_t size, const char *name)
{
	char undone[512];
	size_t len;

	/* what cannot be shown stays an escape, and is none that was made here */
	if (strlen(name) < sizeof(undone)) {
		len = escape_undo(undone, sizeof(undone), name);
		if (escape_text(dst, size, undone) == len)
			name = undone;
	}
	len = escape_name(dst, size, name);
	for (size_t i = 0; i < len; i++)
		dst[i] = dst[i] == '\\' ? '/' : strchr("\"'`", dst[i]) ? '_' : dst[i];
	return len;
}

void qmem_netdata_chart_of(char dst[QMEM_NETDATA_NAME], const char *service, const char *family, const char *safe)
{
	size_t len = begin_chart(dst, service, family);

	snprintf(dst + len, QMEM_NETDATA_NAME - len, "%s", safe);
}

/* ---- options ---- */

static char next(const char **s)
{
	char c;

	while (**s == '-' || **s == '_' || **s == ' ' || **s == '\t')
		(*s)++;
	c = **s;
	if (c)
		(*s)++;
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool qmem_name_same(const char *a, const char *b)
{
	for (;;) {
		char x = next(&a), y = next(&b);

		if (x != y)
			return false;
		if (!x)
			return true;
	}
}
