/* SPDX-License-Identifier: MIT */
/* Rows of cells, kept until the widths of the columns are known. */
#ifndef QMEM_CONTROL_SHEET_H
#define QMEM_CONTROL_SHEET_H

#include <stdbool.h>
#include <stddef.h>

#define SHEET_COLUMNS 8 /* at most */

enum style {
	WORDS,   /* are read by people */
	PHRASE,  /* likewise, and says by itself what it is */
	LITERAL, /* is typed, or compared byte for byte */
};

struct column {
	const char *head;
	enum style style;
};

/* The first column names the row, the last one tells what it is. */
struct sheet {
	const struct column *columns;
	size_t width;
	bool sentences;     /* cells are long */
	unsigned int below; /* bit i: a text and a man page have column i on a line of its own, below the row */
	char **cells;
	size_t n, room;
	int err; /* -ENOMEM: cells are missing */
};
#define SHEET(columns_) ((struct sheet){ .columns = (columns_), .width = sizeof(columns_) / sizeof(*(columns_)) })

/* The next cell; NULL: it is empty. */
void sheet_put(struct sheet *sheet, const char *text);
void sheet_printf(struct sheet *sheet, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A text that is the sheet's from now on; NULL: there was no memory for it. */
void sheet_take(struct sheet *sheet, char *cell);
void sheet_release(struct sheet *sheet);

#define SHEET_HEAD 32
/* The head of a column as it stands within a sentence. */
void sheet_head(const struct sheet *sheet, size_t column, char ret[SHEET_HEAD]);

#endif
