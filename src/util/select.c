/* SPDX-License-Identifier: MIT */
#include "util/select.h"

#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct select_rule {
	const char *text; /* the list's */
	bool is_name, used;
	regex_t expression;
};

bool select_is_expression(const char *rule)
{
	size_t len = strlen(rule);

	return len > 2 && rule[0] == '/' && rule[len - 1] == '/';
}

static int compile(regex_t *ret, const char *rule)
{
	char *inner = strndup(rule + 1, strlen(rule) - 2);
	int err;

	if (!inner)
		return -ENOMEM;
	err = regcomp(ret, inner, REG_EXTENDED | REG_NOSUB);
	free(inner);
	if (err)
		return err == REG_ESPACE ? -ENOMEM : -EINVAL;
	return 0;
}

int select_init(struct select *select, const struct qmem_list *list, bool ignore)
{
	*select = (struct select){ .ignore = ignore };
	if (!list->n)
		return 0;
	select->rules = calloc(list->n, sizeof(*select->rules));
	if (!select->rules)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++) {
		struct select_rule *rule = &select->rules[i];

		if (select_is_expression(list->items[i])) {
			int err = compile(&rule->expression, list->items[i]);

			if (err) {
				select_release(select);
				return err;
			}
		} else {
			rule->is_name = true;
		}
		rule->text = list->items[i];
		select->n++;
	}
	return 0;
}

void select_release(struct select *select)
{
	for (size_t i = 0; i < select->n; i++)
		if (!select->rules[i].is_name)
			regfree(&select->rules[i].expression);
	free(select->rules);
	*select = (struct select){ 0 };
}

static bool matches(const struct select_rule *rule, const char *name)
{
	if (rule->is_name)
		return strcmp(rule->text, name) == 0;
	return regexec(&rule->expression, name, 0, NULL, 0) == 0;
}

bool select_wants(const struct select *select, const char *name)
{
	if (!select->n)
		return true;
	for (size_t i = 0; i < select->n; i++)
		if (matches(&select->rules[i], name)) {
			select->rules[i].used = true;
			return !select->ignore;
		}
	return select->ignore;
}

const char *select_unused(const struct select *select, size_t i)
{
	return select->rules[i].used ? NULL : select->rules[i].text;
}

/* What Perl has for sets of characters, and what POSIX has. glibc takes some of the former, but not in brackets. */
static const struct {
	char letter;
	const char *set;
} sets[] = {
	{ 'd', "0-9" },
	{ 'w', "[:alnum:]_" },
	{ 's', "[:space:]" },
};

/* False: there is no POSIX for what s, behind a backslash, stands for. */
static bool check_escape(const char *s, bool in_brackets, char *why, size_t size)
{
	char lower = (char)tolower((unsigned char)*s);
	const char *set = NULL;

	if (!isalpha((unsigned char)*s))
		return true;
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++)
		if (sets[i].letter == lower)
			set = sets[i].set;
	if (in_brackets && set)
		snprintf(why, size, "has '\\%c' in brackets, where POSIX has only characters and sets such as %s", *s,
			 set);
	else if (set)
		snprintf(why, size, "has '\\%c', which POSIX has not: write [%s%s]", *s, lower == *s ? "" : "^", set);
	else if (!in_brackets)
		snprintf(why, size, "has '\\%c', which POSIX has not", *s);
	else
		return true;
	return false;
}

/* The end of the brackets that open at s: the closing one, or the NUL. */
static const char *brackets_end(const char *s)
{
	s += s[1] == '^' ? 2 : 1;
	if (*s == ']')
		s++;
	for (; *s && *s != ']'; s++) {
		char kind = s[1];
		const char *end;

		if (*s != '[' || (kind != ':' && kind != '.' && kind != '='))
			continue;
		for (end = s + 2; *end && (*end != kind || end[1] != ']'); end++)
			;
		if (!*end)
			return end;
		s = end + 1;
	}
	return s;
}

/* What Perl has and POSIX has not. */
static bool check_dialect(const char *s, char *why, size_t size)
{
	for (; *s; s++) {
		if (*s == '[') {
			const char *end = brackets_end(s);

			for (; s < end; s++)
				if (*s == '\\' && !check_escape(s + 1, true, why, size))
					return false;
			if (!*s)
				return true;
		} else if (*s == '\\') {
			if (!check_escape(++s, false, why, size))
				return false;
			if (!*s)
				return true;
		} else if (*s == '(' && s[1] == '?') {
			snprintf(why, size, "has '(?', which POSIX has not");
			return false;
		}
	}
	return true;
}

bool select_check(const char *rule, char *why, size_t size)
{
	regex_t expression;

	if (!*rule) {
		snprintf(why, size, "is empty");
		return false;
	}
	if (!select_is_expression(rule))
		return true;
	if (!check_dialect(rule, why, size))
		return false;
	if (compile(&expression, rule)) {
		snprintf(why, size, "is not an extended regular expression");
		return false;
	}
	regfree(&expression);
	return true;
}

bool select_check_plain(const char *rule, char *why, size_t size)
{
	size_t len = strlen(rule);

	if (!select_check(rule, why, size))
		return false;
	if (select_is_expression(rule) || (rule[0] != '/' && rule[len - 1] != '/'))
		return true;
	snprintf(why, size, "%s with '/': an expression stands between two, and a name has none",
		 rule[0] == '/' ? "begins" : "ends");
	return false;
}
