/* SPDX-License-Identifier: MIT */
#include "proc/snmp.h"

#include <string.h>

#include "proc/text.h"

void snmp_init(struct snmp *s, const struct snmp_row *rows, size_t n)
{
	s->rows = rows;
	s->n = n < SNMP_ROWS ? n : SNMP_ROWS;
	s->n_tables = s->used = 0;
}

/* NULL is no word. */
static bool is(const char *text, size_t len, const char *word)
{
	return word && text_is(text, text + len, word);
}

static enum fault_kind value(const struct snmp_row *row, const char *s, const char *end, int64_t *ret)
{
	return row->below_zero ? text_signed(s, end, ret) : text_value(s, end, true, ret);
}

/* Which row a column is. */
static int find(const struct snmp_row *rows, size_t n, const char *table, size_t table_len, const char *column,
		size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (is(column, len, rows[i].column) && is(table, table_len, rows[i].table))
			return (int)i;
	return -1;
}

/* ---- two lines ---- */

/* The k-th table of the text, of this line of names: its entry, looked up anew where the line is another one. `spare` takes one
 * that cannot be kept. */
static size_t learn(struct snmp *s, size_t k, const char *names, const char *colon, const char *end)
{
	size_t len = (size_t)(end - names), n = 0;
	bool keep = k < SNMP_TABLES - 1 && k <= s->n_tables;
	size_t slot = keep ? k : SNMP_TABLES - 1;

	if (keep && k < s->n_tables && s->tables[k].len == len && memcmp(s->names + s->tables[k].at, names, len) == 0)
		return k;
	for (const char *at = text_blanks(colon + 1, end); at < end && n < SNMP_COLUMNS; at = text_blanks(at, end)) {
		const char *word = at;

		at = text_word_end(at, end);
		s->tables[slot].row[n++] =
			(int8_t)find(s->rows, s->n, names, (size_t)(colon - names), word, (size_t)(at - word));
	}
	s->tables[slot].columns = n;
	if (!keep)
		return slot;
	/* what stood behind it is learnt anew */
	s->used = k < s->n_tables ? s->tables[k].at : s->used;
	s->n_tables = k;
	if (len <= sizeof(s->names) - s->used) {
		memcpy(s->names + s->used, names, len);
		s->tables[k].at = s->used;
		s->tables[k].len = len;
		s->used += len;
		s->n_tables = k + 1;
	}
	return slot;
}

static size_t count_words(const char *at, const char *end)
{
	size_t n = 0;

	for (at = text_blanks(at, end); at < end; at = text_blanks(text_word_end(at, end), end))
		n++;
	return n;
}

static int take_numbers(const struct snmp *s, size_t table, const char *at, const char *end, int64_t *ret,
			struct fault *fault)
{
	int found = 0;

	at = text_blanks(at, end);
	for (size_t i = 0; i < s->tables[table].columns && at < end; i++, at = text_blanks(at, end)) {
		int row = s->tables[table].row[i];
		const char *word = at;
		enum fault_kind kind;

		at = text_word_end(at, end);
		if (row < 0)
			continue;
		kind = ret[row] != QMEM_NA ? FAULT_DUPLICATE : value(&s->rows[row], word, at, &ret[row]);
		if (kind)
			fault_add(fault, kind, s->rows[row].column, strlen(s->rows[row].column));
		else
			found++;
	}
	return found;
}

int snmp_parse(struct snmp *s, const char *text, size_t len, int64_t *ret, struct fault *ret_fault)
{
	const char *end = text + len;
	size_t k = 0;
	int found = 0;

	*ret_fault = (struct fault){ .n = 0 };
	for (size_t i = 0; i < s->n; i++)
		ret[i] = QMEM_NA;
	while (text < end) {
		const char *names = text, *names_end = memchr(text, '\n', (size_t)(end - text)), *numbers, *numbers_end,
			   *colon;
		size_t table, prefix;

		if (!names_end) {
			fault_add(ret_fault, FAULT_TRUNCATED, names, (size_t)(end - names));
			break;
		}
		text = numbers = names_end + 1;
		colon = memchr(names, ':', (size_t)(names_end - names));
		if (!colon)
			continue;
		numbers_end = numbers < end ? memchr(numbers, '\n', (size_t)(end - numbers)) : NULL;
		if (!numbers_end) {
			fault_add(ret_fault, FAULT_TRUNCATED, names, (size_t)(colon - names));
			break;
		}
		prefix = (size_t)(colon - names) + 1;
		/* its numbers are not there: the line may be names of the next table */
		if ((size_t)(numbers_end - numbers) < prefix || memcmp(names, numbers, prefix) != 0) {
			fault_add(ret_fault, FAULT_MALFORMED, names, prefix - 1);
			continue;
		}
		text = numbers_end + 1;
		table = learn(s, k++, names, colon, names_end);
		/* beyond the columns that there is room for, both lines may go on */
		if (count_words(colon + 1, names_end) != count_words(numbers + prefix, numbers_end)) {
			fault_add(ret_fault, FAULT_MALFORMED, names, prefix - 1);
			continue;
		}
		found += take_numbers(s, table, numbers + prefix, numbers_end, ret, ret_fault);
	}
	return found;
}

/* ---- snmp6 ---- */

struct keys {
	const struct snmp_row *rows;
	size_t n;
	int64_t *ret;
	struct fault *fault;
};

static int take_key(const char *line, const char *end, void *arg)
{
	struct keys *keys = arg;
	const char *key = line, *number;

	while (line < end && *line != ' ' && *line != '\t')
		line++;
	for (size_t i = 0; i < keys->n; i++) {
		enum fault_kind kind;

		if (keys->rows[i].table || !is(key, (size_t)(line - key), keys->rows[i].column))
			continue;
		for (number = line; number < end && (*number == ' ' || *number == '\t');)
			number++;
		kind = keys->ret[i] != QMEM_NA ? FAULT_DUPLICATE : value(&keys->rows[i], number, end, &keys->ret[i]);
		if (kind)
			fault_add(keys->fault, kind, key, (size_t)(line - key));
		return !kind;
	}
	return 0;
}

int snmp_parse_keys(const struct snmp_row *rows, size_t n, const char *text, size_t len, int64_t *ret,
		    struct fault *ret_fault)
{
	struct keys keys = { rows, n, ret, ret_fault };

	*ret_fault = (struct fault){ .n = 0 };
	for (size_t i = 0; i < n; i++)
		ret[i] = QMEM_NA;
	return text_lines(text, len, take_key, &keys, ret_fault);
}
