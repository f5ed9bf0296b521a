/* SPDX-License-Identifier: MIT */
/*
 * An answer: rows of columns that have a type, and cells that keep the number, its unit and what it is divided by; so that each
 * form may write it in its own way. A sheet of it is for people.
 */
#ifndef QMEM_CONTROL_TABLE_H
#define QMEM_CONTROL_TABLE_H

#include "control/sheet.h"
#include "qmem.h"

enum table_type {
	TABLE_NAME,   /* text that names something */
	TABLE_WORDS,  /* text */
	TABLE_VALUE,  /* a quantity */
	TABLE_CHANGE, /* one that goes up or down by so much */
	TABLE_RATE,   /* one in a time */
};

struct table_column {
	const char *head; /* for people */
	enum table_type type;
};

/* value / divisor, in this unit, within `per` nanoseconds (of a rate). */
struct table_quantity {
	int64_t value; /* QMEM_NA: absent */
	int64_t divisor;
	const char *unit;
	uint64_t per;
};

struct table_cell {
	char *text; /* of TABLE_NAME and TABLE_WORDS */
	bool nothing;
	struct table_quantity quantity;
};

struct table {
	const struct table_column *columns;
	size_t width; /* SHEET_COLUMNS at most */
	struct table_cell *cells;
	size_t n, room;
	int err; /* -ENOMEM: cells are missing */
};
#define TABLE(columns_) ((struct table){ .columns = (columns_), .width = sizeof(columns_) / sizeof(*(columns_)) })

/* The next cell; the text is copied, the unit outlives the table. */
void table_put_text(struct table *table, const char *text);
void table_put(struct table *table, const struct table_quantity *quantity);
/* It has nothing to say: no more than an empty text. */
void table_put_nothing(struct table *table);
void table_release(struct table *table);

#define TABLE_QUANTITY 64
/* As people write it: "3.5 GiB", "+12.0 KiB", "250 pages/s"; "-" for what is absent. */
void table_print(char dst[TABLE_QUANTITY], enum table_type type, const struct table_quantity *quantity);

/* All of it for people; `heads`: the first row are the heads of the columns, for a form that writes none. `columns` are the
 * sheet's: room for `width` of them. -ENOMEM. */
int table_sheet(const struct table *table, bool heads, struct column columns[SHEET_COLUMNS], struct sheet *ret);

#endif
