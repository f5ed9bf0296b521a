/* SPDX-License-Identifier: MIT */
/* Lines on stderr. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program/log.h"
#include "program/standard.h"

/* What comes out behind the date. */
static const char *line(enum log_form form, const char *text)
{
	const struct log log = { .program = "qmem.plugin", .form = form, .most = QMEM_LOG_INFO };
	int before = dup(STDERR_FILENO), ends[2];
	static char got[4096];
	const char *at;
	ssize_t n;

	ck_assert_int_eq(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	log_line(&log, QMEM_LOG_WARNING, text);
	dup2(before, STDERR_FILENO);
	close(ends[1]);
	n = read(ends[0], got, sizeof(got) - 1);
	close(ends[0]);
	close(before);
	ck_assert_int_gt(n, 0);
	got[n] = '\0';
	at = strstr(got, form == LOG_LOGFMT ? "msg=" : form == LOG_OLD ? "MAIN : " : "warning: ");
	ck_assert_ptr_nonnull(at);
	return at;
}

#define HOSTILE "a '\nERROR: forged' \"q\" \\ \xc2\x85 \xe2\x80\xa8 \xe2\x80\xae \xff \xc3\xbc"
#define SHOWN "a '\\x0aERROR: forged' \"q\" \\ \\xc2\\x85 \\xe2\\x80\\xa8 \\xe2\\x80\\xae \\xff \xc3\xbc"

START_TEST(one_line_each)
{
	ck_assert_str_eq(line(LOG_PLAIN, HOSTILE), "warning: " SHOWN "\n");
	ck_assert_str_eq(line(LOG_OLD, HOSTILE), "MAIN : " SHOWN "\n");
	/* as the agent quotes its own */
	ck_assert_str_eq(line(LOG_LOGFMT, HOSTILE),
			 "msg=\"a '\\\\x0aERROR: forged' \\\"q\\\" \\\\ \\\\xc2\\\\x85 \\\\xe2\\\\x80\\\\xa8 "
			 "\\\\xe2\\\\x80\\\\xae \\\\xff \xc3\xbc\"\n");
}
END_TEST

START_TEST(very_long_ones)
{
	char text[2000];

	memset(text, '"', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_uint_eq(strlen(line(LOG_LOGFMT, text)), strlen("msg=\"\"\n") + 2 * 767);
	memset(text, '\x01', sizeof(text) - 1);
	ck_assert_uint_eq(strlen(line(LOG_PLAIN, text)), strlen("warning: \n") + 767 / 4 * 4);
}
END_TEST

START_TEST(what_people_ask_for)
{
	char *text;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	standard_put(file, "a\x1b[31m");
	standard_line(file, ": %s", "b\n\xe2\x80\xae");
	fclose(file);
	ck_assert_str_eq(text, "a\\x1b[31m: b\\x0a\\xe2\\x80\\xae\n");
	free(text);
}
END_TEST

SUITE(log)
{
	Suite *s = suite_create("log");
	TCase *t = tcase_create("log");

	tcase_add_test(t, one_line_each);
	tcase_add_test(t, very_long_ones);
	tcase_add_test(t, what_people_ask_for);
	suite_add_tcase(s, t);
	return s;
}
