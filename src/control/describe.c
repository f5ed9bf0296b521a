/* SPDX-License-Identifier: MIT */
#include "control/describe.h"

#include <errno.h>

#include "control/collectd_types.h"
#include "control/form.h"
#include "control/option_row.h"
#include "control/privilege.h"
#include "engine/name.h"

static const struct form *const forms[] = {
	[QMEM_DESCRIBE_TEXT] = &form_text,
	[QMEM_DESCRIBE_MARKDOWN] = &form_markdown,
	[QMEM_DESCRIBE_MAN] = &form_man,
};

struct page {
	FILE *out;
	const struct form *form;
	unsigned int parts; /* enum qmem_describe_parts */
	bool headings;
	bool begun;  /* there is something that the next thing does not belong to */
	bool headed; /* there is a heading, and no paragraph since */
	int err;
};

static void separate(struct page *page)
{
	if (page->begun)
		fputs(page->form->between, page->out);
	page->begun = true;
}

/* What was written stands over what follows. Only a text has them close together. */
static void stand_over(struct page *page)
{
	page->begun = page->form->document;
}

static void heading(struct page *page, const char *what, const char *name)
{
	if (!page->headings)
		return;
	separate(page);
	page->form->heading(page->out, what, name);
	stand_over(page);
	page->headed = true;
}

/* The heading of what is told service by service. Documents say in their own heading what it is. */
static void service_heading(struct page *page, const char *what, const struct qmem_service *service)
{
	heading(page, page->form->document ? "" : what, service->name);
}

static void nothing(struct page *page, const char *words)
{
	separate(page);
	fprintf(page->out, "%s%s\n", page->form->indent, words);
}

/* Writes the sheet, and frees it. */
static void sheet_end(struct page *page, struct sheet *sheet)
{
	if (sheet->err) {
		page->err = sheet->err;
	} else if (sheet->n) {
		separate(page);
		page->form->sheet(page->out, sheet);
	}
	sheet_release(sheet);
}

/* ---- options ---------------------------------------------------------------------------------------------------- */

/* Those for everybody. */
static void describe_shared(struct page *page, const char *title, const struct qmem_option *option)
{
	struct sheet sheet = SHEET(option_columns);

	heading(page, title, "");
	for (; option && option->name; option++)
		/* that one appears under its services only */
		if (!option_is_detail(option))
			option_row_put(&sheet, NULL, option);
	sheet_end(page, &sheet);
}

static void describe_options(struct page *page, const struct qmem_service *service)
{
	const struct qmem_option *option;
	struct sheet sheet = SHEET(option_columns);

	service_heading(page, "Options of ", service);
	for (option = service->options; option && option->name; option++)
		option_row_put(&sheet, NULL, option);
	for (option = qmem_common_options; option->name; option++)
		if (option_is_detail(option) && option_is_for(service, option))
			option_row_put(&sheet, NULL, option);
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

static void put_services(struct page *page, const struct qmem_service *const *services, const struct qmem_service *only)
{
	static const struct column columns[] = {
		{ "Service", LITERAL }, { "Source", LITERAL },  { "Kernel", WORDS },
		{ "Privilege", WORDS }, { "Default", LITERAL }, { "What it tells", WORDS },
	};
	struct sheet sheet = SHEET(columns);

	sheet.sentences = true;
	for (; *services; services++) {
		const struct qmem_service *service = *services;

		if (only && service != only)
			continue;
		sheet_put(&sheet, service->name);
		sheet_put(&sheet, service->source);
		sheet_put(&sheet, service->kernel);
		sheet_put(&sheet, service->privilege);
		/* a text has it among the options of every service */
		sheet_put(&sheet, page->form->document ? enabled_default() : NULL);
		sheet_put(&sheet, service->help);
	}
	sheet_end(page, &sheet);
}

static void put_capabilities(struct page *page, const struct qmem_service *const *services,
			     const struct qmem_service *only)
{
	static const struct column columns[] = {
		{ "Line", WORDS },
		{ "Capability", LITERAL },
		{ "Service", LITERAL },
		{ "File or call", LITERAL },
		{ "qmem.plugin", WORDS },
		{ "collectd", WORDS },
		{ "What is done with it", WORDS },
	};
	struct sheet sheet = SHEET(columns);
	struct privilege p = { 0 };
	char subject[128];

	if (!page->form->document)
		heading(page,
			"Capabilities: line, name, service, file or call, where qmem.plugin has it from, and collectd",
			"");
	while (privilege_next(&p, services)) {
		if (only && p.service != only)
			continue;
		privilege_subject(subject, sizeof(subject), p.row);
		sheet_printf(&sheet, "%u", p.line);
		sheet_put(&sheet, p.row->name);
		sheet_put(&sheet, p.service->name);
		sheet_put(&sheet, subject);
		sheet_put(&sheet, privilege_of_plugin(p.row));
		sheet_put(&sheet, privilege_of_collectd(p.row));
		sheet_put(&sheet, p.row->why);
	}
	if (!sheet.n)
		nothing(page, "None.");
	sheet_end(page, &sheet);
}

static const char *kind_word(const struct qmem_family *family)
{
	return family->kind == QMEM_COUNTER ? "counter" : "gauge";
}

static const char *flag_words(const struct qmem_family *family)
{
	if (family->flags & QMEM_INTERNAL)
		return "internal";
	if (family->flags & QMEM_DETAIL)
		return "with Detail";
	return family->flags & QMEM_OVERLAP ? "with Overlap" : "";
}

static void describe_families(struct page *page, const struct qmem_service *const *services,
			      const struct qmem_service *only)
{
	static const struct column columns[] = {
		{ "Family", LITERAL }, { "Kind", WORDS },  { "Unit", WORDS },  { "collectd type", LITERAL },
		{ "One per", WORDS },  { "Shown", WORDS }, { "Title", WORDS },
	};
	struct sheet sheet = SHEET(columns);

	if (!page->form->document)
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

/* "service.family: Title (gauge, bytes, one per device; collectd type 'memory'; Netdata context 'qmem.service_family')" */
static void family_line(struct page *page, const struct qmem_service *service, const struct qmem_family *family)
{
	const struct form *form = page->form;
	const char *flags = flag_words(family);
	char name[256];

	qmem_canonical(name, sizeof(name), service->name, family->id, NULL, NULL);
	separate(page);
	if (!page->headed)
		fputs(form->paragraph, page->out);
	page->headed = false;
	form->put(page->out, LITERAL, name);
	fputs(": ", page->out);
	form->put(page->out, WORDS, family->title);
	fprintf(page->out, " (%s, ", kind_word(family));
	form->put(page->out, WORDS, family->unit);
	if (family->label) {
		fputs(", one per ", page->out);
		form->put(page->out, WORDS, family->label);
	}
	if (*flags)
		fprintf(page->out, ", %s", flags);
	if (family->type && page->parts & QMEM_DESCRIBE_COLLECTD) {
		fputs("; collectd type ", page->out);
		form->put(page->out, LITERAL, qmem_collectd_type(family, collectd_types_lists(family)));
	}
	if (page->parts & QMEM_DESCRIBE_NETDATA && !(family->flags & QMEM_INTERNAL)) {
		char context[QMEM_NETDATA_NAME];

		qmem_netdata_context(context, service->name, family->id);
		fputs("; Netdata context ", page->out);
		form->put(page->out, LITERAL, context);
	}
	fputs(")\n", page->out);
	stand_over(page);
}

#define NAME_ROOM 512

/* What stands for the name of an instance. */
static void stand_in(char *dst, size_t size, const struct qmem_family *family)
{
	snprintf(dst, size, family->label ? "<%s>" : "%s", family->label ? family->label : "");
}

static void put_collectd(struct sheet *sheet, const struct qmem_service *service, const struct qmem_family *family,
			 const struct qmem_metric *metric)
{
	enum qmem_collectd_lists lists = collectd_types_lists(family);
	char plugin[QMEM_COLLECTD_NAME], instance[QMEM_COLLECTD_NAME], type_instance[QMEM_COLLECTD_NAME];
	char name[NAME_ROOM];

	if (family->flags & QMEM_INTERNAL) {
		sheet_put(sheet, NULL);
		return;
	}
	qmem_collectd_plugin(plugin, service->name);
	stand_in(instance, sizeof(instance), family);
	qmem_collectd_type_instance(type_instance, family->id, lists == QMEM_COLLECTD_JOINED ? NULL : metric->id);
	qmem_collectd_identifier(name, sizeof(name), plugin, instance, qmem_collectd_type(family, lists),
				 type_instance);
	if (lists == QMEM_COLLECTD_JOINED)
		sheet_printf(sheet, "%s %s", name, metric->id);
	else
		sheet_put(sheet, name);
}

static void put_netdata(struct sheet *sheet, const struct qmem_service *service, const struct qmem_family *family,
			const struct qmem_metric *metric)
{
	char chart[QMEM_NETDATA_NAME], instance[QMEM_NETDATA_NAME];

	if (family->flags & QMEM_INTERNAL) {
		sheet_put(sheet, NULL);
		return;
	}
	stand_in(instance, sizeof(instance), family);
	if (family->label)
		qmem_netdata_chart_of(chart, service->name, family->id, instance);
	else
		qmem_netdata_context(chart, service->name, family->id);
	sheet_printf(sheet, "%s %s", chart, metric->id);
}

static void put_metric(struct page *page, struct sheet *sheet, const struct qmem_service *service,
		       const struct qmem_family *family, const struct qmem_metric *metric)
{
	char name[256];

	qmem_canonical(name, sizeof(name), service->name, family->id, metric->id, family->label);
	sheet_put(sheet, name);
	sheet_put(sheet, metric->key);
	if (page->parts & QMEM_DESCRIBE_COLLECTD)
		put_collectd(sheet, service, family, metric);
	if (page->parts & QMEM_DESCRIBE_NETDATA)
		put_netdata(sheet, service, family, metric);
	sheet_put(sheet, metric->help);
}

static void describe_metrics(struct page *page, const struct qmem_service *service)
{
	static const struct {
		struct column column;
		unsigned int part; /* 0: always */
	} all[] = {
		{ { "Metric", LITERAL }, 0 },
		{ { "Kernel", LITERAL }, 0 },
		{ { "collectd", LITERAL }, QMEM_DESCRIBE_COLLECTD },
		{ { "Netdata", LITERAL }, QMEM_DESCRIBE_NETDATA },
		{ { "Meaning", WORDS }, 0 },
	};
	struct column columns[sizeof(all) / sizeof(*all)];
	unsigned int below = 0;
	size_t width = 0;
	const struct qmem_family *family;
	const struct qmem_metric *metric;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!all[i].part || page->parts & all[i].part) {
			below |= (all[i].part != 0) << width;
			columns[width++] = all[i].column;
		}
	service_heading(page, "Metrics of ", service);
	if (!service->families || !service->families->id)
		nothing(page, "None.");
	for (family = service->families; family && family->id; family++) {
		struct sheet sheet = { .columns = columns, .width = width, .below = below };

		family_line(page, service, family);
		for (metric = family->metrics; metric && metric->id; metric++)
			put_metric(page, &sheet, service, family, metric);
		sheet_end(page, &sheet);
	}
}

int qmem_describe(FILE *out, enum qmem_describe_form form, unsigned int parts,
		  const struct qmem_service *const *services, const char *only)
{
	const unsigned int shared = QMEM_DESCRIBE_GLOBAL | QMEM_DESCRIBE_COMMON;
	struct page page = { .out = out };
	const struct qmem_service *one = NULL;
	size_t i;

	if (!parts ||
	    (parts & ~(unsigned int)(QMEM_DESCRIBE_ALL | QMEM_DESCRIBE_FAMILIES | QMEM_DESCRIBE_CAPABILITIES)) ||
	    form >= sizeof(forms) / sizeof(*forms))
		return -EINVAL;
	for (i = 0; only && !one && services[i]; i++)
		if (qmem_name_same(services[i]->name, only))
			one = services[i];
	if (only && !one)
		return -ENOENT;
	if (only && (parts & ~shared))
		parts &= ~shared;
	page.form = forms[form];
	page.parts = parts;
	page.headings = !page.form->document || (!only && (parts & ~shared));

	if (parts & QMEM_DESCRIBE_SERVICES)
		put_services(&page, services, one);
	if (parts & QMEM_DESCRIBE_CAPABILITIES)
		put_capabilities(&page, services, one);
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
