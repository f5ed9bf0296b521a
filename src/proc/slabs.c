/* SPDX-License-Identifier: MIT */
#include "proc/slabs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proc/text.h"

#define TUNABLES " : tunables"
#define SLABDATA " : slabdata"
#define FIRST 5 /* columns before the tunables */

static const char *const columns[SLABINFO_COLUMNS] = {
	"active_objs", "num_objs", "objsize", "objperslab", "pagesperslab", "active_slabs", "num_slabs",
};

static void blame(struct fault *fault, enum fault_kind kind, const struct slabinfo *cache, int column)
{
	char key[sizeof(fault->key)];
	int len = cache->name_len < 32 ? (int)cache->name_len : 32;

	if (!fault->n)
		snprintf(key, sizeof(key), "%.*s %s", len, cache->name, columns[column]);
	fault_add(fault, kind, key, fault->n ? 0 : strlen(key));
}

static const char *find(const char *at, const char *end, const char *word)
{
	return memmem(at, (size_t)(end - at), word, strlen(word));
}

/* The word that ends at `end`, blanks behind it left out; where it begins. */
static const char *last_word(const char *begin, const char **end)
{
	const char *at;

	while (*end > begin && (*end)[-1] == ' ')
		(*end)--;
	for (at = *end; at > begin && at[-1] != ' '; at--)
		;
	return at;
}

static void take(struct slabinfo *cache, int column, const char *word, const char *end, struct fault *fault)
{
	enum fault_kind kind = text_value(word, end, false, &cache->column[column]);

	if (kind)
		blame(fault, kind, cache, column);
}

/* "<active_slabs> <num_slabs> <sharedavail>" */
static void take_slabs(struct slabinfo *cache, const char *at, const char *end, struct fault *fault)
{
	for (int column = SLABINFO_ACTIVE_SLABS; column <= SLABINFO_NUM_SLABS; column++) {
		const char *word = text_blanks(at, end);

		at = text_word_end(word, end);
		take(cache, column, word, at, fault);
	}
}

int slabinfo_parse(const char *line, size_t len, struct slabinfo *ret, struct fault *fault)
{
	const char *end = line + len, *tunables = find(line, end, TUNABLES), *slabdata, *at = tunables, *name;
	struct {
		const char *word, *end;
	} words[FIRST];
	struct slabinfo cache = { .name = line };

	if (!len || *line == '#' || (len >= 8 && !memcmp(line, "slabinfo", 8) && !tunables))
		return -ENODATA;
	if (!tunables)
		goto malformed;
	/* a name may hold it */
	for (const char *next; (next = find(tunables + 1, end, TUNABLES)); tunables = next)
		;
	at = tunables;
	/* and blanks and numbers: what is left of the five is the name */
	for (int i = FIRST - 1; i >= 0; i--) {
		const char *word_end = at;

		words[i].word = last_word(line, &word_end);
		words[i].end = word_end;
		at = words[i].word;
	}
	name = text_blanks(line, at);
	while (at > name && at[-1] == ' ')
		at--;
	if (at == name || memchr(name, '\0', (size_t)(at - name)))
		goto malformed;
	cache.name = name;
	cache.name_len = (size_t)(at - name);
	for (int i = 0; i < SLABINFO_COLUMNS; i++)
		cache.column[i] = QMEM_NA;
	for (int i = 0; i < FIRST; i++)
		take(&cache, i, words[i].word, words[i].end, fault);
	slabdata = find(tunables, end, SLABDATA);
	take_slabs(&cache, slabdata ? slabdata + strlen(SLABDATA) : end, end, fault);
	*ret = cache;
	return 0;
malformed:
	fault_add(fault, FAULT_MALFORMED, line, len);
	return -EINVAL;
}

bool slabinfo_next(struct slabinfo_walk *walk, struct slabinfo *ret)
{
	const char *line, *newline;

	while ((line = text_next_line(&walk->at, walk->end, &newline, &walk->fault)))
		if (!slabinfo_parse(line, (size_t)(newline - line), ret, &walk->fault))
			return true;
	return false;
}

/* ---- families ---- */

static size_t digits(const char *at, const char *end)
{
	const char *first = at;

	while (at < end && text_is_digit(*at))
		at++;
	return (size_t)(at - first);
}

/* "zram0", "dm-3", "loop17", "nvme0n1", "sda" behind a '-', '_' or ':' at `at`: is it all of the rest? */
static bool is_device(const char *at, const char *end)
{
	static const char *const kinds[] = { "zram", "loop", "dm-", "md", "nbd", "ram", NULL };

	for (const char *const *kind = kinds; *kind; kind++) {
		size_t len = strlen(*kind);

		if ((size_t)(end - at) > len && !memcmp(at, *kind, len) &&
		    digits(at + len, end) == (size_t)(end - at) - len)
			return true;
	}
	if (text_begins(at, end, "nvme")) {
		at += strlen("nvme");
		at += digits(at, end);
		if (at < end && *at == 'n' && digits(at + 1, end) && at + 1 + digits(at + 1, end) == end)
			return true;
	}
	return false;
}

/* A number or two, "4:25", "253:0": of a device or a mount. */
static bool is_number_of_device(const char *at, const char *end)
{
	size_t n = digits(at, end);

	return n && at + n < end && at[n] == ':' && digits(at + n + 1, end) == (size_t)(end - at) - n - 1 &&
	       at + n + 1 < end;
}

const char *slabinfo_family(const char *name, size_t *len, char buffer[SLABINFO_FAMILY])
{
	static const char random[] = "kmalloc-rnd-";
	const char *end = name + *len, *at;

	if (text_begins(name, end, random)) {
		at = name + strlen(random);
		at += digits(at, end);
		if (at < end && *at == '-' && at > name + strlen(random) && end - at < SLABINFO_FAMILY - 8) {
			*len = (size_t)snprintf(buffer, SLABINFO_FAMILY, "kmalloc%.*s", (int)(end - at), at);
			return buffer;
		}
	}
	/* (...) at the end */
	if (end[-1] == ')' && (at = memrchr(name, '(', *len)) && at > name) {
		while (at > name + 1 && at[-1] == ' ')
			at--;
		*len = (size_t)(at - name);
		return name;
	}
	for (at = name + 1; at < end; at++) {
		if (strchr("-_:", *at) && (is_device(at + 1, end) || is_number_of_device(at + 1, end))) {
			*len = (size_t)(at - name);
			return name;
		}
	}
	return name;
}
