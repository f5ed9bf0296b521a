/* SPDX-License-Identifier: MIT */
/*
 * Lines "service<TAB>option<TAB>value", and the first one's value into every option there is: a wrong one is refused with words,
 * and changes nothing. A few lines are as good as many, which take ten times as long.
 */
#include "fuzz.h"
#include "engine/number.h"

#define LINES 4
#define PARTS 3

static uint64_t cpu_ns(void *host)
{
	(void)host;
	return 0;
}

static const struct qmem_host host = { .cpu_ns = cpu_ns };

static void set(struct qmem *q, const char *service, const char *option, const char *value)
{
	struct qmem_error error = { "" };
	int err = qmem_set(q, *service ? service : NULL, NULL, NULL, option, value, &error);

	check(err <= 0 && !err == !*error.text);
	check(strnlen(error.text, sizeof(error.text)) < sizeof(error.text) && !strchr(error.text, '\n'));
}

/* What is taken is written in one way only, which means the same. */
static void check_percent(const char *text)
{
	int64_t number, again;
	char line[64];

	if (qmem_parse_percent(text, &number))
		return;
	check(number >= 0);
	qmem_print_percent(line, sizeof(line), number);
	check(qmem_parse_percent(line, &again) == 0 && again == number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *line, *rest = NULL;
	int n = 0;
	struct qmem *q = qmem_new(&host, NULL, qmem_services);
	int64_t number;
	bool on;

	check(q != NULL);
	for (line = strtok_r(text, "\n", &rest); line && n < LINES; line = strtok_r(NULL, "\n", &rest), n++) {
		char *option = strchr(line, '\t'), *value;
		struct qmem_status status;

		(void)qmem_parse_duration(line, &number);
		(void)qmem_parse_size(line, &number);
		check_percent(line);
		(void)qmem_parse_bool(line, &on);
		if (!option)
			option = line;
		else
			*option++ = '\0';
		value = strchr(option, '\t');
		if (value)
			*value++ = '\0';
		else
			value = option;
		set(q, line, option, value);
		/* any value into any option, by its length into those of some services */
		for (size_t i = 0; !n && qmem_status(q, i, &status); i++)
			for (const struct qmem_option *o = status.service->options; o && o->name; o++)
				if ((i + size) % PARTS == 0)
					set(q, status.service->name, o->name, value);
	}
	qmem_free(q);
	free(text);
	return 0;
}
