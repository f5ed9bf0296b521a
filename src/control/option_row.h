/* SPDX-License-Identifier: MIT */
/* An option as a row of a sheet: what it is called, what it may be, what it is unless it is set, and what it means. */
#ifndef QMEM_CONTROL_OPTION_ROW_H
#define QMEM_CONTROL_OPTION_ROW_H

#include "control/sheet.h"
#include "qmem.h"

extern const struct column option_columns[4];

/* `block` NULL: it is in none. One that is a block is followed by its own options. */
void option_row_put(struct sheet *sheet, const char *block, const struct qmem_option *option);

/* Has an option of every service anything to do in this one? */
bool option_is_for(const struct qmem_service *service, const struct qmem_option *common);
/* Is it one that only some services have something to do for? */
bool option_is_detail(const struct qmem_option *common);

#endif
