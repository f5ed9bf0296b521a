/* SPDX-License-Identifier: MIT */
#include "program/ini.h"

#include <stdbool.h>
#include <string.h>

struct state {
	const struct ini_reader *reader;
	void *arg;
	struct ini_key at;
	bool lost; /* in a section that was wrong */
};

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static bool comment(char c)
{
	return c == '#' || c == ';';
}

static char *skip(char *s)
{
	while (blank(*s))
		s++;
	return s;
}

/* Cuts what is blank at the end of what begins at s. */
static void trim(char *s)
{
	size_t len = strlen(s);

	while (len && blank(s[len - 1]))
		len--;
	s[len] = '\0';
}

static void bad(const struct state *st, const char *why)
{
	if (st->reader->bad)
		st->reader->bad(st->arg, st->at.line, why);
}

/* Takes the quotes off s in place; *ret_rest is what follows them. False if they are never closed. */
static bool unquote(char *s, char **ret_rest)
{
	char quote = *s, *to = s, *from = s + 1;

	for (; *from && *from != quote; from++) {
		if (*from == '\\' && (from[1] == quote || from[1] == '\\'))
			from++;
		*to++ = *from;
	}
	if (!*from)
		return false;
	*to = '\0';
	*ret_rest = from + 1;
	return true;
}

static bool empty(char *s)
{
	s = skip(s);
	return !*s || comment(*s);
}

/* [section], [section.block "name"]; s is behind the bracket. NULL, or what is wrong. */
static const char *read_section(struct state *st, char *s)
{
	char *name = NULL, *end, *dot;

	s = skip(s);
	end = s + strcspn(s, "]\"' \t");
	if (*skip(end) == '"' || *skip(end) == '\'') {
		name = skip(end);
		*end = '\0'; /* if there was no blank, the quote itself: unquote() needs it */
		if (name == end)
			return "no blank before the quotes";
		if (!unquote(name, &end))
			return "quotes that are never closed";
		end = skip(end);
	} else {
		end = s + strcspn(s, "]");
	}
	if (*end != ']')
		return "a section without ']'";
	if (!empty(end + 1))
		return "text after ']'";
	*end = '\0';
	trim(s);
	dot = strchr(s, '.');
	if (dot)
		*dot++ = '\0';
	if (!*s)
		return "a section without a name";
	if (dot && !*dot)
		return "a section's dot without a block";
	if (name && !dot)
		return "a section with a name, but without a block";
	st->at.section = s;
	st->at.block = dot;
	st->at.name = name;
	st->at.key = st->at.value = NULL;
	st->lost = st->reader->section && !st->reader->section(st->arg, &st->at);
	return NULL;
}

static const char *read_key(struct state *st, char *s)
{
	char *value = strchr(s, '='), *rest;

	if (!value)
		return "no '='";
	*value++ = '\0';
	trim(s);
	if (!*s)
		return "no key before '='";
	value = skip(value);
	if (*value == '"' || *value == '\'') {
		if (!unquote(value, &rest))
			return "quotes that are never closed";
		if (!empty(rest))
			return "text after the quotes";
	} else {
		for (char *c = value; *c; c++) {
			if (comment(*c) && (c == value || blank(c[-1]))) {
				*c = '\0';
				break;
			}
		}
		trim(value);
	}
	st->at.key = s;
	st->at.value = value;
	return NULL;
}

static void read_line(struct state *st, char *s, size_t len)
{
	const char *why;

	if (memchr(s, '\0', len)) {
		bad(st, "a NUL byte");
		return;
	}
	s = skip(s);
	if (empty(s))
		return;
	if (*s == '[') {
		why = read_section(st, s + 1);
		st->lost |= why != NULL;
	} else {
		if (st->lost)
			return;
		why = *s == '<' ? "a block as in collectd.conf, which collectd alone reads: here it is [section]" :
				  read_key(st, s);
		if (!why)
			st->reader->key(st->arg, &st->at);
	}
	if (why)
		bad(st, why);
}

void ini_read(char *text, size_t len, const struct ini_reader *reader, void *arg)
{
	struct state st = { .reader = reader, .arg = arg };
	char *end = text + len;

	text[len] = '\0';
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	while (text < end) {
		char *eol = memchr(text, '\n', (size_t)(end - text));

		if (!eol)
			eol = end;
		*eol = '\0';
		st.at.line++;
		read_line(&st, text, (size_t)(eol - text));
		text = eol + 1;
	}
}
