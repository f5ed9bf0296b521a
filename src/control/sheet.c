/* SPDX-License-Identifier: MIT */
#include "control/sheet.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sheet_take(struct sheet *sheet, char *cell)
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

void sheet_put(struct sheet *sheet, const char *text)
{
	sheet_take(sheet, strdup(text ? text : ""));
}

void sheet_printf(struct sheet *sheet, const char *fmt, ...)
{
	char *cell = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&cell, fmt, args) < 0)
		cell = NULL;
	va_end(args);
	sheet_take(sheet, cell);
}

void sheet_release(struct sheet *sheet)
{
	for (size_t i = 0; i < sheet->n; i++)
		free(sheet->cells[i]);
	free(sheet->cells);
}

void sheet_head(const struct sheet *sheet, size_t column, char ret[SHEET_HEAD])
{
	const char *head = sheet->columns[column].head;
	size_t n;

	for (n = 0; head[n] && n + 1 < SHEET_HEAD; n++)
		ret[n] = (char)(head[n] >= 'A' && head[n] <= 'Z' ? head[n] - 'A' + 'a' : head[n]);
	ret[n] = '\0';
}
