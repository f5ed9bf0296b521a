/* SPDX-License-Identifier: MIT */
#include "engine/name.h"

#include <stdio.h>
#include <string.h>

#include "util/fnv.h"

static bool plain(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static bool hex_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool ends_like_hashed(const char *name, size_t len)
{
	if (len < QMEM_NAME_SUFFIX || name[len - QMEM_NAME_SUFFIX] != '_')
		return false;
	for (size_t i = len - QMEM_NAME_SUFFIX + 1; i < len; i++)
		if (!hex_digit(name[i]))
			return false;
	return true;
}

size_t qmem_name_safe(char *dst, size_t size, const char *name, const char *allowed)
{
	size_t len = strlen(name), kept = len < size ? len : size - 1;
	bool altered = kept != len || !len || ends_like_hashed(name, len);

	for (size_t i = 0; i < kept; i++) {
		bool good = plain(name[i]) || strchr(allowed, name[i]);

		dst[i] = good ? name[i] : '_';
		altered |= !good;
	}
	if (altered) {
		if (kept > size - 1 - QMEM_NAME_SUFFIX)
			kept = size - 1 - QMEM_NAME_SUFFIX;
		snprintf(dst + kept, size - kept, "_%08x", fnv(name, len));
		kept += QMEM_NAME_SUFFIX;
	}
	dst[kept] = '\0';
	return kept;
}

size_t qmem_name_character(const char *text, uint32_t *ret)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} forms[] = { { 0x80, 0x00, 0x20 }, { 0xe0, 0xc0, 0xa0 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 } };
	const unsigned char *s = (const unsigned char *)text;

	for (size_t n = 0; n < 4; n++) {
		uint32_t code = s[0] & (unsigned char)~forms[n].mask;

		if ((s[0] & forms[n].mask) != forms[n].lead)
			continue;
		for (size_t i = 1; i <= n; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (s[i] & 0x3f);
		}
		if (code < forms[n].least || code > 0x10ffff || code == 0x7f || (code >= 0xd800 && code < 0xe000) ||
		    code == 0x2028 || code == 0x2029)
			return 0;
		*ret = code;
		return n + 1;
	}
	return 0;
}

size_t qmem_name_label(char *dst, size_t size, const char *name)
{
	size_t len = 0;

	while (*name) {
		uint32_t code;
		size_t n = qmem_name_character(name, &code);

		if (len + (n ? n : 1) >= size)
			break;
		if (!n || strchr("\"'\\`", *name)) {
			dst[len++] = '?';
			name++;
			continue;
		}
		memcpy(dst + len, name, n);
		len += n;
		name += n;
	}
	dst[len] = '\0';
	return len;
}

size_t qmem_canonical(char *dst, size_t size, const char *service, const char *family, const char *metric,
		      const char *instance)
{
	char label[256];
	int len;

	if (instance)
		qmem_name_label(label, sizeof(label), instance);
	len = snprintf(dst, size, "%s.%s%s%s%s%s%s", service, family, metric ? "." : "", metric ? metric : "",
		       instance ? "[" : "", instance ? label : "", instance ? "]" : "");
	return (size_t)len < size ? (size_t)len : size - 1;
}

/* ---- collectd ---- */

void qmem_collectd_plugin(char dst[QMEM_COLLECTD_NAME], const char *service)
{
	snprintf(dst, QMEM_COLLECTD_NAME, "qmem_%s", service);
}

bool qmem_collectd_instance(char dst[QMEM_COLLECTD_NAME], const char *instance)
{
	if (!instance) {
		*dst = '\0';
		return false;
	}
	/* '/' separates the parts of an identifier, and a blank must be quoted in every command on the unixsock */
	qmem_name_safe(dst, QMEM_COLLECTD_NAME, instance, ".-:@");
	return strcmp(dst, instance) != 0;
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

void qmem_netdata_chart(char dst[QMEM_NETDATA_NAME], const char *service, const char *family, const char *instance)
{
	size_t len;

	if (!instance) {
		qmem_netdata_context(dst, service, family);
		return;
	}
	len = begin_chart(dst, service, family);
	/* a '.' or '-' stands for something in some of what reads an id */
	qmem_name_safe(dst + len, QMEM_NETDATA_NAME - len, instance, "");
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
