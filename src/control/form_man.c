/* SPDX-License-Identifier: MIT */
/* man(7), whose macros have the blank lines. */
#include <inttypes.h>

#include "control/form.h"

static void escape(FILE *out, enum style style, const char *text)
{
	/* a line must not begin with what roff takes for a request */
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	while (*text) {
		uint32_t c = form_letter(&text).code;

		switch (c) {
		case '\\':
			fputs("\\(rs", out);
			break;
		case '-':
			fputs(style == LITERAL ? "\\-" : "-", out);
			break;
		case '\'':
			fputs("\\(aq", out);
			break;
		case '"':
			fputs("\\(dq", out);
			break;
		case '`':
			fputs("\\(ga", out);
			break;
		case '^':
			fputs("\\(ha", out);
			break;
		case '~':
			fputs("\\(ti", out);
			break;
		default:
			if (c < 0x80)
				fputc((int)c, out);
			else
				fprintf(out, "\\[u%04" PRIX32 "]", c);
		}
	}
}

static void put(FILE *out, enum style style, const char *text)
{
	if (style == LITERAL)
		fputs("\\fB", out);
	escape(out, style, text);
	if (style == LITERAL)
		fputs("\\fR", out);
}

static void heading(FILE *out, const char *what, const char *name)
{
	fputs(".SS \"", out);
	escape(out, WORDS, what);
	escape(out, LITERAL, name);
	fputs("\"\n", out);
}

/* What is between the first cell and the last: in brackets, or a line each. */
static void put_details(FILE *out, const struct sheet *sheet, char *const *cells)
{
	char head[SHEET_HEAD];
	bool any = false;

	for (size_t column = 1; column + 1 < sheet->width; column++) {
		if (!*cells[column] || (sheet->below >> column & 1))
			continue;
		fputs(sheet->sentences ? ".br\n" : any ? "; " : " (", out);
		if (sheet->columns[column].style != PHRASE) {
			sheet_head(sheet, column, head);
			escape(out, WORDS, head);
			fputs(sheet->sentences ? ": " : " ", out);
		}
		put(out, sheet->columns[column].style, cells[column]);
		if (sheet->sentences)
			fputc('\n', out);
		any = true;
	}
	if (any && !sheet->sentences)
		fputc(')', out);
}

static void put_below(FILE *out, const struct sheet *sheet, char *const *cells)
{
	for (size_t column = 0; column < sheet->width; column++) {
		if (!(sheet->below >> column & 1) || !*cells[column])
			continue;
		fprintf(out, ".br\n%s: ", sheet->columns[column].head);
		put(out, sheet->columns[column].style, cells[column]);
		fputc('\n', out);
	}
}

/* The first cell is the tag, the last one its text; the others stand in brackets after the tag, or below the text. */
static void put_sheet(FILE *out, const struct sheet *sheet)
{
	for (size_t i = 0; i < sheet->n; i += sheet->width) {
		char *const *cells = sheet->cells + i;
		const char *text = cells[sheet->width - 1];

		fputs(".TP\n", out);
		put(out, LITERAL, cells[0]);
		if (!sheet->sentences)
			put_details(out, sheet, cells);
		fputc('\n', out);
		/* a tag without a text would take the next tag for one */
		if (*text)
			put(out, WORDS, text);
		else
			fputs("\\&", out);
		fputc('\n', out);
		if (sheet->sentences)
			put_details(out, sheet, cells);
		put_below(out, sheet, cells);
	}
}

const struct form form_man = {
	.document = true,
	.between = "",
	.paragraph = ".PP\n",
	.indent = "",
	.put = put,
	.heading = heading,
	.sheet = put_sheet,
};
