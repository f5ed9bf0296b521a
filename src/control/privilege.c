/* SPDX-License-Identifier: MIT */
#include "control/privilege.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>

#include "util/right.h"
#include "util/words.h"

bool privilege_next(struct privilege *p, const struct qmem_service *const *services)
{
	if (p->service && p->row[1].name) {
		p->row++;
	} else {
		while (p->service && *services != p->service)
			services++;
		services += p->service != NULL;
		while (*services && !((*services)->capabilities && (*services)->capabilities->name))
			services++;
		if (!*services)
			return false;
		p->service = *services;
		p->row = p->service->capabilities;
	}
	p->line++;
	return true;
}

enum privilege_state privilege_state(struct qmem *q, const struct privilege *p, uint64_t permitted,
				     const char **ret_why)
{
	int number = p->row->number;

	*ret_why = "";
	if (!qmem_uses(q, p->service, p->row))
		return PRIVILEGE_UNUSED;
	if (permitted >> number & 1) {
		if (qmem_open_root(q) > 0)
			return PRIVILEGE_THERE;
		*ret_why = "it is not lent to what is below this HostRoot";
	} else if (prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 0) {
		*ret_why = "the unit's CapabilityBoundingSet has no such";
	} else if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) {
		*ret_why = "the unit's NoNewPrivileges keeps it away";
	} else if (p->row->extra) {
		*ret_why = "an administrator may give it";
	} else {
		*ret_why = "it has not been given";
	}
	return PRIVILEGE_LACKING;
}

void privilege_subject(char *dst, size_t size, const struct qmem_capability *row)
{
	*dst = '\0';
	words_add(dst, size, "%s", row->file);
	if (row->option)
		words_add(dst, size, " with %s%s%s", row->option, row->value ? " " : "", row->value ? row->value : "");
}

/* ---- where it comes from ---- */

/* What the bounding set of Debian's netdata.service has, of what may be asked for. */
static bool debian_has(int number)
{
	return number == CAP_DAC_READ_SEARCH || number == CAP_SYS_PTRACE || number == CAP_NET_RAW;
}

const char *privilege_of_plugin(const struct qmem_capability *row)
{
	if (row->extra)
		return debian_has(row->number) ? "by hand" : "by hand, drop-in";
	return debian_has(row->number) ? "installed" : "installed, drop-in";
}

const char *privilege_of_collectd(const struct qmem_capability *row)
{
	return row->extra || right_is_wide(row->number) ? "by hand" : "drop-in";
}

/* ---- drop-ins ---- */

#define LIST 512

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += len)
		if ((at == list || at[-1] == ' ') && (!at[len] || at[len] == ' '))
			return true;
	return false;
}

static void add_word(char list[LIST], const char *word)
{
	if (!has_word(list, word))
		words_add(list, LIST, "%s%s", *list ? " " : "", word);
}

static bool is_by_hand(enum privilege_unit unit, const struct qmem_capability *row)
{
	return row->extra || (unit == PRIVILEGE_COLLECTD && right_is_wide(row->number));
}

static void put_rows(FILE *out, const char *name, const struct qmem_service *const *services)
{
	struct privilege p = { 0 };
	char subject[128];

	while (privilege_next(&p, services)) {
		if (strcmp(p.row->name, name) != 0)
			continue;
		privilege_subject(subject, sizeof(subject), p.row);
		fprintf(out, "#\t%-20s %2u  %s, %s: %s\n", name, p.line, p.service->name, subject, p.row->why);
	}
}

static void put_list(FILE *out, const char *list, const struct qmem_service *const *services)
{
	char name[64];

	for (const char *at = list; *at; at += strcspn(at, " "), at += *at == ' ') {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, " "), at);
		put_rows(out, name, services);
	}
}

int privilege_unit(FILE *out, enum privilege_unit unit, const struct qmem_service *const *services)
{
	char given[LIST] = "", by_hand[LIST] = "";
	const char *ambient = unit == PRIVILEGE_COLLECTD ? "AmbientCapabilities" : NULL;
	struct privilege p = { 0 };

	while (privilege_next(&p, services))
		add_word(is_by_hand(unit, p.row) ? by_hand : given, p.row->name);
	put_list(out, given, services);
	fprintf(out, "CapabilityBoundingSet=%s\n", given);
	if (ambient)
		fprintf(out, "%s=%s\n", ambient, given);
	if (*by_hand) {
		fputs("# Not without need, since each opens far more than what it is for:\n", out);
		put_list(out, by_hand, services);
		fprintf(out, "#CapabilityBoundingSet=%s\n", by_hand);
		if (ambient)
			fprintf(out, "#%s=%s\n", ambient, by_hand);
	}
	return ferror(out) ? -EIO : 0;
}
