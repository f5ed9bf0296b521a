/* SPDX-License-Identifier: MIT */
#include "control/skeleton.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "control/option_row.h"

#define WIDTH 118 /* of a line of words */

struct page {
	FILE *out;
	bool collectd;
	int depth; /* of blocks in blocks: collectd's are indented */
	int err;
};

/* ---- lines ---- */

static void indent(struct page *page)
{
	fputc('#', page->out);
	for (int i = 0; page->collectd && i < page->depth; i++)
		fputc('\t', page->out);
}

/* Words behind a '#', over as many lines as they take. What is commented out stays a comment if its own '#' is taken. */
static void comment(struct page *page, const char *words)
{
	int start = page->collectd ? 8 * page->depth : 0, column = 0;

	while (*words) {
		int n = (int)strcspn(words, " ");

		if (column && column + 1 + n > WIDTH) {
			fputc('\n', page->out);
			column = 0;
		}
		if (!column) {
			if (start)
				indent(page);
			fputs("# ", page->out);
			column = start + 1;
		} else {
			fputc(' ', page->out);
		}
		fprintf(page->out, "%.*s", n, words);
		column += n + 1;
		words += n + strspn(words + n, " ");
	}
	fputc('\n', page->out);
}

static void comment_printf(struct page *page, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void comment_printf(struct page *page, const char *fmt, ...)
{
	char *words = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&words, fmt, args) < 0)
		words = NULL;
	va_end(args);
	if (words)
		comment(page, words);
	else
		page->err = -ENOMEM;
	free(words);
}

static bool needs_quotes(const struct page *page, const char *value, size_t n)
{
	if (!n || value[0] == ' ' || value[n - 1] == ' ')
		return true;
	for (size_t i = 0; i < n; i++) {
		bool word = (value[i] >= 'a' && value[i] <= 'z') || (value[i] >= 'A' && value[i] <= 'Z') ||
			    (value[i] >= '0' && value[i] <= '9') || value[i] == '_';

		if (page->collectd ? !word : strchr("#;\"'", value[i]) != NULL)
			return true;
	}
	return false;
}

static void put_value(struct page *page, const char *value, size_t n)
{
	bool quotes = needs_quotes(page, value, n);

	if (quotes)
		fputc('"', page->out);
	for (size_t i = 0; i < n; i++) {
		if (quotes && (value[i] == '"' || value[i] == '\\'))
			fputc('\\', page->out);
		fputc(value[i], page->out);
	}
	if (quotes)
		fputc('"', page->out);
}

/* One line for each item. */
static void setting(struct page *page, const char *name, const char *items)
{
	do {
		size_t n = strcspn(items, "\n");

		indent(page);
		fprintf(page->out, page->collectd ? "%s " : "%s = ", name);
		put_value(page, items, n);
		fputc('\n', page->out);
		items += n + (items[n] == '\n');
	} while (*items);
}

/* ---- options ---- */

/* What an option says of itself: the cells of its row. */
enum { NAME, VALUE, DEFAULT, MEANING };

static void put_words(struct page *page, const struct qmem_option *option, char *const *cells)
{
	bool has_default = option->type == QMEM_LIST ? option->def && *option->def : *cells[DEFAULT] != '\0';

	comment_printf(page, "%s (%s)%s", cells[MEANING], cells[VALUE],
		       has_default ? "" : "; an example, there is none by default");
}

static void put_setting(struct page *page, const struct qmem_option *option, char *const *cells)
{
	const char *items = option->type == QMEM_LIST ? option->def : cells[DEFAULT];

	if (!items || !*items)
		items = option->example ? option->example : "";
	setting(page, option->name, items);
}

static void put_option(struct page *page, const struct qmem_option *option)
{
	struct sheet sheet = SHEET(option_columns);

	option_row_put(&sheet, NULL, option);
	if (sheet.err) {
		page->err = sheet.err;
	} else {
		put_words(page, option, sheet.cells);
		if (option->type != QMEM_BLOCK)
			put_setting(page, option, sheet.cells);
	}
	sheet_release(&sheet);
}

/* The options of a section but for blocks, which stand behind them: an ini has no end of a block but the next one. */
static void put_options(struct page *page, const struct qmem_option *options)
{
	for (const struct qmem_option *o = options; o && o->name; o++) {
		if (o->type == QMEM_BLOCK)
			continue;
		if (!page->collectd)
			fputc('\n', page->out);
		put_option(page, o);
	}
}

static void put_block(struct page *page, const struct qmem_service *service, const struct qmem_option *block)
{
	const char *name = block->example ? block->example : "name";

	if (!page->collectd)
		fputc('\n', page->out);
	put_option(page, block);
	indent(page);
	if (page->collectd)
		fprintf(page->out, "<%s \"%s\">\n", block->name, name);
	else
		fprintf(page->out, "[%s.%s \"%s\"]\n", service->name, block->name, name);
	page->depth++;
	put_options(page, block->sub);
	page->depth--;
	if (page->collectd) {
		indent(page);
		fprintf(page->out, "</%s>\n", block->name);
	}
}

/* ---- sections ---- */

static void heading(struct page *page, const char *name, const char *words)
{
	int n = fprintf(page->out, page->collectd ? "\n# %s%s%s" : "\n# ---- %s%s%s ", name, words ? ": " : "",
			words ? words : "");

	while (!page->collectd && n++ < WIDTH)
		fputc('-', page->out);
	fputc('\n', page->out);
}

/* The options of every service, once with their words. */
static void put_common(struct page *page)
{
	heading(page, "every service has these", NULL);
	page->depth = 0;
	for (const struct qmem_option *o = qmem_common_options; o->name; o++) {
		struct sheet sheet = SHEET(option_columns);
		char *const *cells;

		option_row_put(&sheet, NULL, o);
		cells = sheet.cells;
		if (sheet.err)
			page->err = sheet.err;
		else
			comment_printf(page, "%s - %s (%s); %s by default", cells[NAME], cells[MEANING], cells[VALUE],
				       cells[DEFAULT]);
		sheet_release(&sheet);
	}
}

static void put_service(struct page *page, const struct qmem_service *service)
{
	heading(page, service->name, service->help);
	if (page->collectd)
		fprintf(page->out, "#\t<Service \"%s\">\n", service->name);
	else
		fprintf(page->out, "\n[%s]\n", service->name);
	page->depth = 2;
	for (const struct qmem_option *o = qmem_common_options; o->name; o++)
		if (option_is_for(service, o)) {
			struct sheet sheet = SHEET(option_columns);

			option_row_put(&sheet, NULL, o);
			if (!sheet.err)
				setting(page, o->name, sheet.cells[DEFAULT]);
			else
				page->err = sheet.err;
			sheet_release(&sheet);
		}
	put_options(page, service->options);
	for (const struct qmem_option *o = service->options; o && o->name; o++)
		if (o->type == QMEM_BLOCK)
			put_block(page, service, o);
	if (page->collectd)
		fputs("#\t</Service>\n", page->out);
}

int qmem_skeleton(FILE *out, enum qmem_skeleton_form form, const struct qmem_service *const *services)
{
	struct page page = { .out = out, .collectd = form == QMEM_SKELETON_COLLECTD, .depth = 1 };

	if (form != QMEM_SKELETON_COLLECTD && form != QMEM_SKELETON_NETDATA)
		return -EINVAL;
	put_options(&page, qmem_global_options);
	put_common(&page);
	for (; *services; services++)
		put_service(&page, *services);
	if (page.err)
		return page.err;
	return fflush(out) || ferror(out) ? -EIO : 0;
}
