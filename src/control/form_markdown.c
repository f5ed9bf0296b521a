/* SPDX-License-Identifier: MIT */
/* Pipe tables. */
#include <string.h>

#include "control/form.h"

static void put_words(FILE *out, const char *text)
{
	while (*text) {
		struct letter letter = form_letter(&text);
		uint32_t c = letter.code;

		if (c == '<' || c == '>' || c == '&') {
			fputs(c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&amp;", out);
			continue;
		}
		if (c < 0x80 && strchr("\\`*_[]|~", (int)c))
			fputc('\\', out);
		fputs(letter.utf8, out);
	}
}

/* A code span ends at the first run of backquotes as long as the one it began with. */
static void put_literal(FILE *out, const char *text)
{
	size_t run = 0, longest = 0, i;

	for (i = 0; text[i]; i++) {
		run = text[i] == '`' ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	for (i = 0; i <= longest; i++)
		fputc('`', out);
	if (longest)
		fputc(' ', out);
	while (*text) {
		struct letter letter = form_letter(&text);

		/* the one character a table takes from a code span */
		if (letter.code == '|')
			fputc('\\', out);
		fputs(letter.utf8, out);
	}
	if (longest)
		fputc(' ', out);
	for (i = 0; i <= longest; i++)
		fputc('`', out);
}

static void put(FILE *out, enum style style, const char *text)
{
	if (style != LITERAL)
		put_words(out, text);
	else if (*text)
		put_literal(out, text);
}

static void heading(FILE *out, const char *what, const char *name)
{
	fputs("### ", out);
	put(out, WORDS, what);
	put(out, LITERAL, name);
	fputc('\n', out);
}

static void put_sheet(FILE *out, const struct sheet *sheet)
{
	size_t column, i;

	for (column = 0; column < sheet->width; column++)
		fprintf(out, "| %s ", sheet->columns[column].head);
	fputs("|\n", out);
	for (column = 0; column < sheet->width; column++)
		fputs("| --- ", out);
	fputs("|\n", out);
	for (i = 0; i < sheet->n; i += sheet->width) {
		for (column = 0; column < sheet->width; column++) {
			const char *cell = sheet->cells[i + column];

			fputs(*cell ? "| " : "|", out);
			put(out, sheet->columns[column].style, cell);
			fputc(' ', out);
		}
		fputs("|\n", out);
	}
}

const struct form form_markdown = {
	.document = true,
	.between = "\n",
	.paragraph = "",
	.indent = "",
	.put = put,
	.heading = heading,
	.sheet = put_sheet,
};
