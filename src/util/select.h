/* SPDX-License-Identifier: MIT */
/* Which of many are wanted, by collectd's rules: names, or POSIX extended regular expressions between slashes. */
#ifndef QMEM_UTIL_SELECT_H
#define QMEM_UTIL_SELECT_H

#include <stdbool.h>

#include "qmem.h"

struct select_rule;

struct select {
	struct select_rule *rules;
	size_t n;
	bool ignore;
};

/*
 * The rules of a list option: "eth0" is that name, "/^veth/" whatever the expression finds (it is not anchored), "/" and
 * "//" are names. What one of them matches is wanted, and nothing else; with `ignore` it is the other way round. No rules:
 * all are wanted. -EINVAL: not an expression; -ENOMEM.
 */
int select_init(struct select *select, const struct qmem_list *list, bool ignore);
void select_release(struct select *select);
bool select_wants(const struct select *select, const char *name);
/* The i-th rule, as it was given, if it has matched nothing yet that none before it has; else NULL. */
const char *select_unused(const struct select *select, size_t i);
#define SELECT_PATIENCE (60 * QMEM_SECOND) /* before that is worth a line in the log */

/* For the `check` of an option: false, and `why`, for what is empty, and for an expression that regcomp() does not take or that
 * means something else than it would to Perl. */
bool select_check(const char *rule, char *why, size_t size);
/* The same for names that never have a slash: also false for one that begins or ends with one, and is no expression. */
bool select_check_plain(const char *rule, char *why, size_t size);
bool select_is_expression(const char *rule);

#endif
