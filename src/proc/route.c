/* SPDX-License-Identifier: MIT */
#include "proc/route.h"

#include <string.h>

/* linux/route.h and linux/ipv6_route.h agree on these */
#define UP 0x1
#define REJECT 0x200

#define FIELDS 10 /* of IPv6; those of IPv4 that follow are of no interest */

struct field {
	const char *s;
	size_t len;
};

static size_t split(const char *s, const char *end, struct field *fields)
{
	size_t n = 0;

	while (n < FIELDS) {
		while (s < end && (*s == ' ' || *s == '\t'))
			s++;
		if (s == end)
			break;
		fields[n].s = s;
		while (s < end && *s != ' ' && *s != '\t')
			s++;
		fields[n].len = (size_t)(s - fields[n].s);
		n++;
	}
	return n;
}

/* Is it a number of `len` hexadecimal digits, all of them 0? */
static bool is_zero(const struct field *f, size_t len)
{
	return f->len == len && strspn(f->s, "0") >= len;
}

static bool leads_on(const struct field *f)
{
	unsigned long flags = 0;

	if (!f->len || f->len > 8)
		return false;
	for (size_t i = 0; i < f->len; i++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		const char *digit = f->s[i] ? strchr(digits, f->s[i]) : NULL;

		if (!digit)
			return false;
		flags = flags << 4 | (unsigned long)((digit - digits) & 15);
	}
	return flags & UP && !(flags & REJECT);
}

bool route_default_next(struct route_walk *walk, const char **ret_name, size_t *ret_len)
{
	const char *newline;

	while (walk->at < walk->end && (newline = memchr(walk->at, '\n', (size_t)(walk->end - walk->at))) != NULL) {
		struct field f[FIELDS];
		size_t n = split(walk->at, newline, f);
		const struct field *name = NULL;

		walk->at = newline + 1;
		/* Iface Destination Gateway Flags RefCnt Use Metric Mask */
		if (walk->family == ROUTE_IPV4 && n >= 8 && is_zero(&f[1], 8) && is_zero(&f[7], 8) && leads_on(&f[3]))
			name = &f[0];
		/* destination length source length gateway metric references use flags interface */
		if (walk->family == ROUTE_IPV6 && n == FIELDS && is_zero(&f[0], 32) && is_zero(&f[1], 2) &&
		    leads_on(&f[8]))
			name = &f[9];
		if (!name)
			continue;
		*ret_name = name->s;
		*ret_len = name->len;
		return true;
	}
	walk->at = walk->end;
	return false;
}
