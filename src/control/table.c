/* SPDX-License-Identifier: MIT */
#include "control/table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/room.h"
#include "util/words.h"

static struct table_cell *next_cell(struct table *table)
{
	if (room_make(&table->cells, &table->room, table->n + 1, sizeof(*table->cells))) {
		table->err = -ENOMEM;
		return NULL;
	}
	table->cells[table->n] = (struct table_cell){ 0 };
	return &table->cells[table->n++];
}

void table_put_text(struct table *table, const char *text)
{
	struct table_cell *cell = next_cell(table);

	if (!cell)
		return;
	cell->text = strdup(text);
	if (!cell->text)
		table->err = -ENOMEM;
}

void table_put(struct table *table, const struct table_quantity *quantity)
{
	struct table_cell *cell = next_cell(table);

	if (cell)
		cell->quantity = *quantity;
}

void table_put_nothing(struct table *table)
{
	struct table_cell *cell = next_cell(table);

	if (cell)
		cell->nothing = true;
}

void table_release(struct table *table)
{
	for (size_t i = 0; i < table->n; i++)
		free(table->cells[i].text);
	free(table->cells);
	*table = (struct table){ 0 };
}

/* ---- for people ---- */

/* As many decimals as say something, and none of them 0 at the end. */
static void print_decimal(char *dst, size_t size, double value)
{
	int decimals = value < 1 ? 4 : value < 100 ? 2 : value < 1000 ? 1 : 0;
	char *end;

	snprintf(dst, size, "%.*f", decimals, value);
	if (!decimals)
		return;
	end = dst + strlen(dst);
	while (end[-1] == '0')
		*--end = '\0';
	if (end[-1] == '.')
		end[-1] = '\0';
}

void table_print(char dst[TABLE_QUANTITY], enum table_type type, const struct table_quantity *q)
{
	bool percent = strcmp(q->unit, "percent") == 0, seconds = strstr(q->unit, "seconds") != NULL;
	const char *sign = q->value < 0 ? "-" : type == TABLE_CHANGE && q->value > 0 ? "+" : "";
	double value = (double)q->value / (double)q->divisor;
	char number[WORDS_NUMBER + 8];

	if (q->value == QMEM_NA || (type == TABLE_RATE && !q->per)) {
		strcpy(dst, "-");
		return;
	}
	if (value < 0)
		value = -value;
	if (type == TABLE_RATE)
		value = value * 1e9 / (double)q->per;
	if (strcmp(q->unit, "bytes") == 0) {
		words_bytes(number, value < 9e18 ? (int64_t)value : INT64_MAX);
		snprintf(dst, TABLE_QUANTITY, "%s%s%s", sign, number, type == TABLE_RATE ? "/s" : "");
		return;
	}
	/* a count is exact */
	if (type != TABLE_RATE && q->divisor == 1)
		snprintf(number, sizeof(number), "%" PRIu64, q->value < 0 ? -(uint64_t)q->value : (uint64_t)q->value);
	else
		print_decimal(number, sizeof(number), value);
	snprintf(dst, TABLE_QUANTITY, "%s%s %.20s%s", sign, number,
		 percent ? "%" :
		 seconds ? "s" :
			   q->unit,
		 type == TABLE_RATE ? "/s" : "");
}

int table_sheet(const struct table *table, bool heads, struct column columns[SHEET_COLUMNS], struct sheet *ret)
{
	char text[TABLE_QUANTITY];

	for (size_t i = 0; i < table->width; i++)
		columns[i] = (struct column){ table->columns[i].head,
					      table->columns[i].type == TABLE_NAME ? LITERAL : WORDS };
	*ret = (struct sheet){ .columns = columns, .width = table->width };
	for (size_t i = 0; heads && i < table->width; i++)
		sheet_put(ret, table->columns[i].head);
	for (size_t i = 0; i < table->n; i++) {
		const struct table_cell *cell = &table->cells[i];
		enum table_type type = table->columns[i % table->width].type;

		if (cell->nothing) {
			sheet_put(ret, NULL);
		} else if (type != TABLE_NAME && type != TABLE_WORDS) {
			table_print(text, type, &cell->quantity);
			sheet_put(ret, text);
		} else {
			sheet_put(ret, cell->text);
		}
	}
	return table->err ? table->err : ret->err;
}
