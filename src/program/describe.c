/* SPDX-License-Identifier: MIT */
#include "program/describe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/describe.h"
#include "program/standard.h"

static const char *const formats[] = {
	[QMEM_DESCRIBE_TEXT] = "text",
	[QMEM_DESCRIBE_MARKDOWN] = "markdown",
	[QMEM_DESCRIBE_MAN] = "man",
};
#define FORMATS (sizeof(formats) / sizeof(*formats))

int describe_services(const struct request *r)
{
	size_t form = 0;
	int err = 0;

	while (r->format && form < FORMATS && strcmp(formats[form], r->format) != 0)
		form++;
	if (form == FORMATS)
		return request_wrong(r, "no format", r->format);
	for (size_t i = 0; !err && i < (r->n_words ? r->n_words : 1); i++) {
		const char *service = r->n_words ? r->words[i] : NULL;

		if (i && form != QMEM_DESCRIBE_MAN)
			putchar('\n');
		err = qmem_describe(stdout, (enum qmem_describe_form)form, QMEM_DESCRIBE_ALL, qmem_services, service);
		if (err == -ENOENT)
			return request_no_service(r, service);
	}
	if (err == -ENOMEM)
		fprintf(stderr, "%s: %s\n", r->program, strerror(-err));
	return standard_finish(r->program, err ? 1 : 0);
}
