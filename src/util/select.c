/* SPDX-License-Identifier: MIT */
#include "util/select.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

struct select_rule {
	const char *name; /* the list's; NULL: an expression */
	regex_t expression;
};

static bool is_expression(const char *rule)
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

		if (is_expression(list->items[i])) {
			int err = compile(&rule->expression, list->items[i]);

			if (err) {
				select_release(select);
				return err;
			}
		} else {
			rule->name = list->items[i];
		}
		select->n++;
	}
	return 0;
}

void select_release(struct select *select)
{
	for (size_t i = 0; i < select->n; i++)
		if (!select->rules[i].name)
			regfree(&select->rules[i].expression);
	free(select->rules);
	*select = (struct select){ 0 };
}

static bool matches(const struct select_rule *rule, const char *name)
{
	if (rule->name)
		return strcmp(rule->name, name) == 0;
	return regexec(&rule->expression, name, 0, NULL, 0) == 0;
}

bool select_wants(const struct select *select, const char *name)
{
	if (!select->n)
		return true;
	for (size_t i = 0; i < select->n; i++)
		if (matches(&select->rules[i], name))
			return !select->ignore;
	return select->ignore;
}

const char *select_check(const char *rule)
{
	regex_t expression;

	if (!*rule)
		return "is empty";
	if (!is_expression(rule))
		return NULL;
	if (compile(&expression, rule))
		return "is not an extended regular expression";
	regfree(&expression);
	return NULL;
}
