/* SPDX-License-Identifier: MIT */
#include "program/standard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/escape.h"

#define TEXT_MAX 8192 /* with a path in it */

void standard_open(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

void standard_put(FILE *file, const char *text)
{
	char shown[TEXT_MAX];

	escape_text(shown, sizeof(shown), text);
	fputs(shown, file);
}

void standard_line(FILE *file, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	standard_put(file, text);
	fputc('\n', file);
}

int standard_finish(const char *program, int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "%s: cannot write: %s\n", program, strerror(errno));
	return 1;
}
