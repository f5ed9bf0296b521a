/* SPDX-License-Identifier: MIT */
/* Aligned columns for a terminal. */
#include "control/form.h"

static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text; n++)
		form_letter(&text);
	return n;
}

static void put(FILE *out, enum style style, const char *text)
{
	(void)style;
	while (*text)
		fputs(form_letter(&text).utf8, out);
}

static void heading(FILE *out, const char *what, const char *name)
{
	put(out, WORDS, what);
	put(out, LITERAL, name);
	fputc('\n', out);
}

/* A terminal is too narrow for a table of sentences. */
static void put_sentences(FILE *out, const struct sheet *sheet, char *const *cells)
{
	char head[SHEET_HEAD];

	put(out, LITERAL, cells[0]);
	fputs(": ", out);
	put(out, WORDS, cells[sheet->width - 1]);
	for (size_t column = 1; column + 1 < sheet->width; column++) {
		if (!*cells[column])
			continue;
		sheet_head(sheet, column, head);
		fprintf(out, "\n  %-11s", head);
		put(out, sheet->columns[column].style, cells[column]);
	}
	fputc('\n', out);
}

static void put_row(FILE *out, const struct sheet *sheet, char *const *cells, const size_t *widths)
{
	size_t blanks = 2;

	for (size_t column = 0; column < sheet->width; column++) {
		if (sheet->below >> column & 1)
			continue;
		if (*cells[column]) {
			fprintf(out, "%*s", (int)blanks, "");
			put(out, sheet->columns[column].style, cells[column]);
			blanks = 0;
		}
		/* a column that is empty throughout takes no room */
		if (widths[column])
			blanks += widths[column] - width_of(cells[column]) + 2;
	}
	fputc('\n', out);
	for (size_t column = 0; column < sheet->width; column++) {
		if (!(sheet->below >> column & 1) || !*cells[column])
			continue;
		fprintf(out, "    %-8s  ", sheet->columns[column].head);
		put(out, sheet->columns[column].style, cells[column]);
		fputc('\n', out);
	}
}

static void put_sheet(FILE *out, const struct sheet *sheet)
{
	size_t widths[SHEET_COLUMNS] = { 0 }, i;

	for (i = 0; i < sheet->n; i++) {
		size_t width = width_of(sheet->cells[i]);

		if (width > widths[i % sheet->width])
			widths[i % sheet->width] = width;
	}
	for (i = 0; i < sheet->n; i += sheet->width) {
		if (sheet->sentences)
			put_sentences(out, sheet, sheet->cells + i);
		else
			put_row(out, sheet, sheet->cells + i, widths);
	}
}

const struct form form_text = {
	.between = "\n",
	.paragraph = "",
	.indent = "  ",
	.put = put,
	.heading = heading,
	.sheet = put_sheet,
};
