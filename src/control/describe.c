/* SPDX-License-Identifier: MIT */
#include "control/describe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "name.h"
#include "option.h"

/* Words are read by people, literals are typed or compared byte for byte. */
enum style { WORDS, LITERAL };

#define MAX_COLUMNS 8

struct column {
	const char *head;
	enum style style;
};

/* Rows of text cells, kept until the widths are known. */
struct sheet {
	const struct column *columns;
	size_t width;
	bool below; /* man(7): long cells under the text */
	char **cells;
	size_t n, room;
	int err;
};

struct page {
	FILE *out;
	enum qmem_describe_form form;
	bool headings;
	bool begun;  /* something stands before */
	bool headed; /* a heading does */
	int err;
};

/* ---- escaping --------------------------------------------------------------------------------------------------- */

/* A character as it may be printed. */
struct letter {
	uint32_t code;
	char utf8[5];
};

/* Takes the next one off the text: blanks are ' ', what is not UTF-8 or not to be seen is '?'. */
static struct letter next_letter(const char **text)
{
	struct letter letter = { 0 };
	size_t n = qmem_name_character(*text, &letter.code);

	if (n) {
		memcpy(letter.utf8, *text, n);
		*text += n;
		return letter;
	}
	letter.code = strchr("\n\t\r", **text) ? ' ' : '?';
	letter.utf8[0] = (char)letter.code;
	*text += 1;
	return letter;
}

static size_t text_width(const char *text)
{
	size_t n = 0;

	for (; *text; n++)
		next_letter(&text);
	return n;
}

static void put_text(FILE *out, const char *text)
{
	while (*text)
		fputs(next_letter(&text).utf8, out);
}

static void put_markdown(FILE *out, enum style style, const char *text)
{
	size_t run = 0, longest = 0, i;

	if (!*text)
		return;
	if (style == WORDS) {
		while (*text) {
			struct letter letter = next_letter(&text);
			uint32_t c = letter.code;

			if (c == '<' || c == '>' || c == '&') {
				fputs(c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&amp;", out);
				continue;
			}
			if (c < 0x80 && strchr("\\`*_[]|~", (int)c))
				fputc('\\', out);
			fputs(letter.utf8, out);
		}
		return;
	}
	/* a code span ends at the first run of backquotes as long as the one it began with */
	for (i = 0; text[i]; i++) {
		run = text[i] == '`' ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	for (i = 0; i <= longest; i++)
		fputc('`', out);
	if (longest)
		fputc(' ', out);
	while (*text) {
		struct letter letter = next_letter(&text);

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

static void put_man(FILE *out, enum style style, const char *text)
{
	/* a line must not begin with what roff takes for a request */
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	while (*text) {
		uint32_t c = next_letter(&text).code;

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

static void put(const struct page *page, enum style style, const char *text)
{
	switch (page->form) {
	case QMEM_DESCRIBE_TEXT:
		put_text(page->out, text);
		break;
	case QMEM_DESCRIBE_MARKDOWN:
		put_markdown(page->out, style, text);
		break;
	case QMEM_DESCRIBE_MAN:
		put_man(page->out, style, text);
		break;
	}
}

/* ---- sheets ----------------------------------------------------------------------------------------------------- */

/* Takes the cell, which is NULL when there was no memory for it. */
static void sheet_take(struct sheet *sheet, char *cell)
{
	if (cell && sheet->n == sheet->room) {
		size_t room = sheet->room ? sheet->room * 2 : 64;
		char **cells = reallocarray(sheet->cells, room, sizeof(*cells));

		if (!cells) {
			free(cell);
			cell = NULL;
		} else {
			sheet->cells = cells;
			sheet->room = room;
		}
	}
	if (!cell) {
		sheet->err = -ENOMEM;
		return;
	}
	sheet->cells[sheet->n++] = cell;
}

static void sheet_put(struct sheet *sheet, const char *text)
{
	sheet_take(sheet, strdup(text ? text : ""));
}

static __attribute__((format(printf, 2, 3))) void sheet_printf(struct sheet *sheet, const char *fmt, ...)
{
	char *cell = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&cell, fmt, args) < 0)
		cell = NULL;
	va_end(args);
	sheet_take(sheet, cell);
}

static void sheet_text(const struct page *page, const struct sheet *sheet)
{
	size_t widths[MAX_COLUMNS] = { 0 }, column, i;

	for (i = 0; i < sheet->n; i++) {
		size_t width = text_width(sheet->cells[i]);

		if (width > widths[i % sheet->width])
			widths[i % sheet->width] = width;
	}
	for (i = 0; i < sheet->n; i += sheet->width) {
		size_t blanks = 2;

		for (column = 0; column < sheet->width; column++) {
			const char *cell = sheet->cells[i + column];

			if (*cell) {
				fprintf(page->out, "%*s", (int)blanks, "");
				put_text(page->out, cell);
				blanks = 0;
			}
			/* a column that is empty throughout takes no room */
			if (widths[column])
				blanks += widths[column] - text_width(cell) + 2;
		}
		fputc('\n', page->out);
	}
}

static void sheet_markdown(const struct page *page, const struct sheet *sheet)
{
	size_t column, i;

	for (column = 0; column < sheet->width; column++)
		fprintf(page->out, "| %s ", sheet->columns[column].head);
	fputs("|\n", page->out);
	for (column = 0; column < sheet->width; column++)
		fputs("| --- ", page->out);
	fputs("|\n", page->out);
	for (i = 0; i < sheet->n; i += sheet->width) {
		for (column = 0; column < sheet->width; column++) {
			const char *cell = sheet->cells[i + column];

			fputs(*cell ? "| " : "|", page->out);
			put_markdown(page->out, sheet->columns[column].style, cell);
			fputc(' ', page->out);
		}
		fputs("|\n", page->out);
	}
}

static void put_lower(const struct page *page, const char *head)
{
	char lower[64];
	size_t n;

	for (n = 0; head[n] && n + 1 < sizeof(lower); n++)
		lower[n] = (char)(head[n] >= 'A' && head[n] <= 'Z' ? head[n] - 'A' + 'a' : head[n]);
	lower[n] = '\0';
	put_man(page->out, WORDS, lower);
}

/* What is between the first cell and the last: in brackets, or a line each. */
static void man_details(const struct page *page, const struct sheet *sheet, size_t row)
{
	size_t column;
	bool any = false;

	for (column = 1; column + 1 < sheet->width; column++) {
		const struct column *c = &sheet->columns[column];
		const char *cell = sheet->cells[row + column];

		if (!*cell)
			continue;
		fputs(sheet->below ? ".br\n" : any ? "; " : " (", page->out);
		if (*c->head) {
			put_lower(page, c->head);
			fputs(sheet->below ? ": " : " ", page->out);
		}
		if (c->style == LITERAL)
			fputs("\\fB", page->out);
		put_man(page->out, c->style, cell);
		if (c->style == LITERAL)
			fputs("\\fR", page->out);
		if (sheet->below)
			fputc('\n', page->out);
		any = true;
	}
	if (any && !sheet->below)
		fputc(')', page->out);
}

/* The first column is the tag, the last one its text; the others stand in brackets after the tag, or below the text. */
static void sheet_man(const struct page *page, const struct sheet *sheet)
{
	size_t row;

	for (row = 0; row < sheet->n; row += sheet->width) {
		const char *text = sheet->cells[row + sheet->width - 1];

		fputs(".TP\n\\fB", page->out);
		put_man(page->out, LITERAL, sheet->cells[row]);
		fputs("\\fR", page->out);
		if (!sheet->below)
			man_details(page, sheet, row);
		fputc('\n', page->out);
		/* a tag without a text would take the next tag for one */
		if (*text)
			put_man(page->out, WORDS, text);
		else
			fputs("\\&", page->out);
		fputc('\n', page->out);
		if (sheet->below)
			man_details(page, sheet, row);
	}
}

/* A blank line between two things. man(7) has its macros for that, and a text's heading stands right above its table. */
static void separate(struct page *page)
{
	if (page->begun && page->form != QMEM_DESCRIBE_MAN)
		fputc('\n', page->out);
	page->begun = true;
}

/* Prints the sheet, and frees it. */
static void sheet_end(struct page *page, struct sheet *sheet)
{
	size_t i;

	if (sheet->err) {
		page->err = sheet->err;
	} else if (sheet->n) {
		separate(page);
		switch (page->form) {
		case QMEM_DESCRIBE_TEXT:
			sheet_text(page, sheet);
			break;
		case QMEM_DESCRIBE_MARKDOWN:
			sheet_markdown(page, sheet);
			break;
		case QMEM_DESCRIBE_MAN:
			sheet_man(page, sheet);
			break;
		}
	}
	for (i = 0; i < sheet->n; i++)
		free(sheet->cells[i]);
	free(sheet->cells);
}

static void heading(struct page *page, const char *what, const char *name)
{
	if (page->form != QMEM_DESCRIBE_TEXT && !page->headings)
		return;
	separate(page);
	switch (page->form) {
	case QMEM_DESCRIBE_TEXT:
		put_text(page->out, what);
		put_text(page->out, name);
		fputc('\n', page->out);
		page->begun = false;
		break;
	case QMEM_DESCRIBE_MARKDOWN:
		fputs("### ", page->out);
		put_markdown(page->out, WORDS, what);
		put_markdown(page->out, LITERAL, name);
		fputc('\n', page->out);
		break;
	case QMEM_DESCRIBE_MAN:
		fputs(".SS \"", page->out);
		put_man(page->out, WORDS, what);
		put_man(page->out, LITERAL, name);
		fputs("\"\n", page->out);
		page->headed = true;
		break;
	}
}

/* The heading of what is told service by service. Documents say in their own heading what it is. */
static void service_heading(struct page *page, const char *what, const struct qmem_service *service)
{
	heading(page, page->form == QMEM_DESCRIBE_TEXT ? what : "", service->name);
}

static void nothing(struct page *page, const char *words)
{
	separate(page);
	fprintf(page->out, "%s%s\n", page->form == QMEM_DESCRIBE_TEXT ? "  " : "", words);
}

/* ---- options ---------------------------------------------------------------------------------------------------- */

static void put_range(struct sheet *sheet, const struct qmem_option *option, const char *noun,
		      void (*print)(char *dst, size_t size, int64_t value))
{
	char min[48], max[48];

	print(min, sizeof(min), option->min);
	print(max, sizeof(max), option->max);
	if (!option->min && !option->max)
		sheet_put(sheet, noun);
	else if (option->max == INT64_MAX)
		sheet_printf(sheet, "%s, at least %s", noun, min);
	else
		sheet_printf(sheet, "%s, %s to %s", noun, min, max);
}

static void print_int(char *dst, size_t size, int64_t value)
{
	snprintf(dst, size, "%" PRId64, value);
}

static void put_words(struct sheet *sheet, const char *const *words)
{
	char *text = NULL;
	size_t length = 0, i;
	FILE *f = open_memstream(&text, &length);

	if (!f) {
		sheet_take(sheet, NULL);
		return;
	}
	for (i = 0; words[i]; i++)
		fprintf(f, "%s%s", !i ? "" : words[i + 1] ? ", " : " or ", words[i]);
	if (fclose(f)) {
		free(text);
		text = NULL;
	}
	sheet_take(sheet, text);
}

static void put_value(struct sheet *sheet, const struct qmem_option *option)
{
	switch (option->type) {
	case QMEM_BOOL:
		sheet_put(sheet, "yes or no");
		break;
	case QMEM_TRISTATE:
		sheet_put(sheet, "auto, yes or no");
		break;
	case QMEM_INT:
		put_range(sheet, option, "number", print_int);
		break;
	case QMEM_SIZE:
		put_range(sheet, option, "size", qmem_print_size);
		break;
	case QMEM_DURATION:
		put_range(sheet, option, "duration", qmem_print_duration);
		break;
	case QMEM_STRING:
		sheet_put(sheet, "text");
		break;
	case QMEM_ENUM:
		put_words(sheet, option->words);
		break;
	case QMEM_LIST:
		sheet_put(sheet, "list");
		break;
	case QMEM_BLOCK:
		sheet_put(sheet, "named block");
		break;
	}
}

static void put_list(struct sheet *sheet, const char *items)
{
	char *text = NULL;
	size_t length = 0;
	FILE *f = open_memstream(&text, &length);

	if (!f) {
		sheet_take(sheet, NULL);
		return;
	}
	while (*items) {
		size_t n = strcspn(items, "\n");

		fprintf(f, "%s\"%.*s\"", ftell(f) > 0 ? ", " : "", (int)n, items);
		items += n + (items[n] == '\n');
	}
	if (fclose(f)) {
		free(text);
		text = NULL;
	}
	sheet_take(sheet, text);
}

static void put_default(struct sheet *sheet, const struct qmem_option *option)
{
	const char *def = option->def && *option->def ? option->def : NULL;

	switch (option->type) {
	case QMEM_BOOL:
	case QMEM_TRISTATE:
		sheet_put(sheet, def ? def : "no");
		break;
	case QMEM_INT:
	case QMEM_SIZE:
	case QMEM_DURATION:
		sheet_put(sheet, def ? def : "0");
		break;
	case QMEM_ENUM:
		sheet_put(sheet, def ? def : option->words[0]);
		break;
	case QMEM_LIST:
		put_list(sheet, def ? def : "");
		break;
	case QMEM_STRING:
	case QMEM_BLOCK:
		sheet_put(sheet, def);
		break;
	}
}

/* Does this option appear under its service only, where it has something to do? */
static bool is_detail(const struct qmem_option *option)
{
	return qmem_name_same(option->name, "Detail");
}

static void put_option(struct sheet *sheet, const char *block, const struct qmem_option *option)
{
	sheet_printf(sheet, "%s%s%s", block ? block : "", block ? "." : "", option->name);
	put_value(sheet, option);
	put_default(sheet, option);
	sheet_put(sheet, option->help);
	if (option->type == QMEM_BLOCK) {
		const struct qmem_option *sub;

		for (sub = option->sub; sub && sub->name; sub++)
			put_option(sheet, option->name, sub);
	}
}

static const struct column option_columns[] = {
	{ "Option", LITERAL },
	{ "Value", WORDS },
	{ "Default", LITERAL },
	{ "Meaning", WORDS },
};

static void options_begin(const struct page *page, struct sheet *sheet)
{
	/* the value's form needs no head before it within a line */
	static const struct column within[] = {
		{ "Option", LITERAL }, { "", WORDS }, { "Default", LITERAL }, { "", WORDS }
	};

	*sheet = (struct sheet){ .columns = page->form == QMEM_DESCRIBE_MAN ? within : option_columns, .width = 4 };
}

/* Those for everybody. */
static void describe_shared(struct page *page, const char *title, const struct qmem_option *option)
{
	struct sheet sheet;

	heading(page, title, "");
	options_begin(page, &sheet);
	for (; option && option->name; option++)
		if (!is_detail(option))
			put_option(&sheet, NULL, option);
	sheet_end(page, &sheet);
}

static bool has_detail(const struct qmem_service *service)
{
	const struct qmem_family *family;

	for (family = service->families; family && family->id; family++)
		if (family->flags & QMEM_DETAIL)
			return true;
	return false;
}

static void describe_options(struct page *page, const struct qmem_service *service)
{
	const struct qmem_option *option;
	struct sheet sheet;

	service_heading(page, "Options of ", service);
	options_begin(page, &sheet);
	for (option = service->options; option && option->name; option++)
		put_option(&sheet, NULL, option);
	for (option = qmem_common_options; option->name; option++)
		if (is_detail(option) && has_detail(service))
			put_option(&sheet, NULL, option);
	if (!sheet.n)
		nothing(page, "None but the common ones.");
	sheet_end(page, &sheet);
}

/* ---- services, families, metrics -------------------------------------------------------------------------------- */

static const char *enabled_default(void)
{
	const struct qmem_option *option;

	for (option = qmem_common_options; option->name; option++)
		if (qmem_name_same(option->name, "Enabled") && option->def)
			return option->def;
	return "no";
}

/* A terminal is too narrow for a table of sentences. */
static void service_text(struct page *page, const struct qmem_service *service)
{
	put_text(page->out, service->name);
	fputs(": ", page->out);
	put_text(page->out, service->help);
	if (service->source) {
		fputs("\n  source     ", page->out);
		put_text(page->out, service->source);
	}
	fputs("\n  kernel     ", page->out);
	put_text(page->out, service->kernel);
	fputs("\n  privilege  ", page->out);
	put_text(page->out, service->privilege);
	fputc('\n', page->out);
	page->begun = true;
}

static void describe_services(struct page *page, const struct qmem_service *const *services,
			      const struct qmem_service *only)
{
	static const struct column columns[] = {
		{ "Service", LITERAL }, { "Source", LITERAL },  { "Kernel", WORDS },
		{ "Privilege", WORDS }, { "Default", LITERAL }, { "What it tells", WORDS },
	};
	struct sheet sheet = { .columns = columns, .width = sizeof(columns) / sizeof(columns[0]), .below = true };

	for (; *services; services++) {
		const struct qmem_service *service = *services;

		if (only && service != only)
			continue;
		if (page->form == QMEM_DESCRIBE_TEXT) {
			service_text(page, service);
			continue;
		}
		sheet_put(&sheet, service->name);
		sheet_put(&sheet, service->source);
		sheet_put(&sheet, service->kernel);
		sheet_put(&sheet, service->privilege);
		sheet_put(&sheet, enabled_default());
		sheet_put(&sheet, service->help);
	}
	sheet_end(page, &sheet);
}

static const char *kind_word(const struct qmem_family *family)
{
	return family->kind == QMEM_COUNTER ? "counter" : "gauge";
}

static const char *flag_words(const struct qmem_family *family)
{
	switch (family->flags & (QMEM_DETAIL | QMEM_INTERNAL)) {
	case 0:
		return "";
	case QMEM_DETAIL:
		return "with Detail";
	default:
		return "internal";
	}
}

static void describe_families(struct page *page, const struct qmem_service *const *services,
			      const struct qmem_service *only)
{
	static const struct column columns[] = {
		{ "Family", LITERAL }, { "Kind", WORDS },  { "Unit", WORDS },  { "collectd type", LITERAL },
		{ "One per", WORDS },  { "Shown", WORDS }, { "Title", WORDS },
	};
	struct sheet sheet = { .columns = columns, .width = sizeof(columns) / sizeof(columns[0]) };

	if (page->form == QMEM_DESCRIBE_TEXT)
		heading(page, "Families: name, kind, unit, collectd type, one per, shown, title", "");
	for (; *services; services++) {
		const struct qmem_family *family = (*services)->families;

		if (only && *services != only)
			continue;
		for (; family && family->id; family++) {
			sheet_printf(&sheet, "%s.%s", (*services)->name, family->id);
			sheet_put(&sheet, kind_word(family));
			sheet_put(&sheet, family->unit);
			sheet_put(&sheet, family->type);
			sheet_put(&sheet, family->label);
			sheet_put(&sheet, flag_words(family));
			sheet_put(&sheet, family->title);
		}
	}
	if (!sheet.n)
		nothing(page, "None.");
	sheet_end(page, &sheet);
}

/* "service.family: Title (gauge, bytes, one per device; collectd type 'memory')" */
static void family_line(struct page *page, const struct qmem_service *service, const struct qmem_family *family)
{
	const char *flags = flag_words(family);
	char name[256];

	qmem_canonical(name, sizeof(name), service->name, family->id, NULL, NULL);
	separate(page);
	if (page->form == QMEM_DESCRIBE_MAN)
		fputs(page->headed ? "\\fB" : ".PP\n\\fB", page->out);
	page->headed = false;
	put(page, LITERAL, name);
	fputs(page->form == QMEM_DESCRIBE_MAN ? "\\fR: " : ": ", page->out);
	put(page, WORDS, family->title);
	fprintf(page->out, " (%s, ", kind_word(family));
	put(page, WORDS, family->unit);
	if (family->label) {
		fputs(", one per ", page->out);
		put(page, WORDS, family->label);
	}
	if (*flags)
		fprintf(page->out, ", %s", flags);
	if (family->type) {
		fputs(page->form == QMEM_DESCRIBE_MAN ? "; collectd type \\fB" : "; collectd type ", page->out);
		put(page, LITERAL, family->type);
		if (page->form == QMEM_DESCRIBE_MAN)
			fputs("\\fR", page->out);
	}
	fputs(")\n", page->out);
}

static void describe_metrics(struct page *page, const struct qmem_service *service)
{
	static const struct column columns[] = { { "Metric", LITERAL }, { "Kernel", LITERAL }, { "Meaning", WORDS } };
	const struct qmem_family *family;
	const struct qmem_metric *metric;

	service_heading(page, "Metrics of ", service);
	if (!service->families || !service->families->id)
		nothing(page, "None.");
	for (family = service->families; family && family->id; family++) {
		struct sheet sheet = { .columns = columns, .width = 3 };

		family_line(page, service, family);
		/* a table after its line; in a text nothing is between */
		page->begun = page->form != QMEM_DESCRIBE_TEXT;
		for (metric = family->metrics; metric && metric->id; metric++) {
			char name[256];

			qmem_canonical(name, sizeof(name), service->name, family->id, metric->id, family->label);
			sheet_put(&sheet, name);
			sheet_put(&sheet, metric->key);
			sheet_put(&sheet, metric->help);
		}
		sheet_end(page, &sheet);
	}
}

int qmem_describe(FILE *out, enum qmem_describe_form form, unsigned int parts,
		  const struct qmem_service *const *services, const char *only)
{
	const unsigned int shared = QMEM_DESCRIBE_GLOBAL | QMEM_DESCRIBE_COMMON;
	struct page page = { .out = out, .form = form, .headings = !only };
	const struct qmem_service *one = NULL;
	size_t i;

	if (!parts || (parts & ~(unsigned int)(QMEM_DESCRIBE_ALL | QMEM_DESCRIBE_FAMILIES)) || form > QMEM_DESCRIBE_MAN)
		return -EINVAL;
	for (i = 0; only && !one && services[i]; i++)
		if (qmem_name_same(services[i]->name, only))
			one = services[i];
	if (only && !one)
		return -ENOENT;
	if (only && (parts & ~shared))
		parts &= ~shared;
	if (form != QMEM_DESCRIBE_TEXT && !(parts & ~shared))
		page.headings = false;

	if (parts & QMEM_DESCRIBE_SERVICES)
		describe_services(&page, services, one);
	if (parts & QMEM_DESCRIBE_FAMILIES)
		describe_families(&page, services, one);
	if (parts & QMEM_DESCRIBE_GLOBAL)
		describe_shared(&page, "Options of qmem", qmem_global_options);
	if (parts & QMEM_DESCRIBE_COMMON)
		describe_shared(&page, "Options of every service", qmem_common_options);
	for (i = 0; services[i]; i++) {
		if (one && services[i] != one)
			continue;
		if (parts & QMEM_DESCRIBE_OPTIONS)
			describe_options(&page, services[i]);
		if (parts & QMEM_DESCRIBE_METRICS)
			describe_metrics(&page, services[i]);
	}
	if (page.err)
		return page.err;
	return fflush(out) || ferror(out) ? -EIO : 0;
}
