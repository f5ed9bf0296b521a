/* SPDX-License-Identifier: MIT */
#include "proc/smaps.h"

#include <errno.h>
#include <string.h>

#include "proc/text.h"

/* "Key:   123 kB" in bytes; `key` with its colon. 1: it is another key; 0, -EINVAL, -ERANGE. */
static int take(const char *line, size_t len, const char *key, size_t key_len, int64_t *ret)
{
	const char *at = line + key_len, *end = line + len;
	int64_t value;

	if (len < key_len || memcmp(line, key, key_len) != 0)
		return 1;
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	at = text_digits(at, end, &value);
	if (!at || end - at != 3 || memcmp(at, " kB", 3) != 0)
		return -EINVAL;
	if (value == QMEM_NA || __builtin_mul_overflow(value, 1024, &value))
		return -ERANGE;
	*ret = value;
	return 0;
}

static int rollup_line(const char *line, const char *end, void *arg)
{
	struct smaps_rollup *r = arg;
	const struct {
		const char *key;
		int64_t *to;
		bool needed;
	} keys[] = {
		{ "Rss:", &r->rss, false },
		{ "Pss:", &r->pss, true },
		{ "Swap:", &r->swap, false },
		{ "SwapPss:", &r->swap_pss, false },
		{ "Shared_Clean:", &r->shared_clean, false },
		{ "Shared_Dirty:", &r->shared_dirty, false },
		{ "Private_Clean:", &r->private_clean, true },
		{ "Private_Dirty:", &r->private_dirty, true },
		{ "Shared_Hugetlb:", &r->shared_hugetlb, false },
		{ "Private_Hugetlb:", &r->private_hugetlb, true },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		int err = take(line, (size_t)(end - line), keys[i].key, strlen(keys[i].key), keys[i].to);

		if (err <= 0)
			return keys[i].needed ? err : 0;
	}
	return 0;
}

static int add(int64_t *sum, int64_t value)
{
	return __builtin_add_overflow(*sum, value, sum) ? -ERANGE : 0;
}

int smaps_rollup_parse(const char *text, size_t len, struct smaps_rollup *ret)
{
	struct smaps_rollup r = { QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA,
				  QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA };
	int err = text_lines(text, len, rollup_line, &r, NULL);

	if (err)
		return err;
	if (r.pss == QMEM_NA)
		return -ENODATA;
	if (r.private_clean != QMEM_NA && r.private_dirty != QMEM_NA) {
		r.uss = r.private_clean;
		if (add(&r.uss, r.private_dirty) || (r.private_hugetlb != QMEM_NA && add(&r.uss, r.private_hugetlb)))
			return -ERANGE;
	}
	*ret = r;
	return 0;
}

/* ---- smaps ---- */

void smaps_begin(struct smaps *s, bool heap_only)
{
	*s = (struct smaps){ .heap_only = heap_only };
}

/* A sum that lacks a part is no sum. */
static void join(int64_t *sum, int64_t value)
{
	if (*sum == QMEM_NA || value == QMEM_NA || add(sum, value))
		*sum = QMEM_NA;
}

static void close_mapping(struct smaps *s)
{
	struct smaps_amounts *to = &s->kinds[s->kind];
	const struct smaps_amounts *m = &s->mapping;

	if (!s->open)
		return;
	s->open = false;
	join(&to->size, m->size);
	join(&to->rss, m->rss);
	join(&to->rss, s->huge);
	join(&to->pss, m->pss);
	join(&to->swap, m->swap);
	join(&to->dirty, m->dirty);
}

static enum smaps_kind kind_of(const char *name, size_t len, const char *perms)
{
	bool executable = perms[2] == 'x', shared = perms[3] == 's';
	const char *end = name + len;

	/* a private mapping of /dev/zero is an old way to ask for anonymous memory; a shared one is a file of shmem's */
	if (!len || text_begins(name, end, "[anon:") || (text_is(name, end, "/dev/zero") && !shared))
		return executable ? SMAPS_JIT : SMAPS_ANON;
	if (text_is(name, end, "[heap]"))
		return SMAPS_HEAP;
	if (text_begins(name, end, "[stack"))
		return SMAPS_STACK;
	if (text_begins(name, end, "[anon_shmem:") || text_begins(name, end, "/SYSV") ||
	    text_begins(name, end, "/dev/shm/") || text_is(name, end, "/dev/zero (deleted)") ||
	    text_is(name, end, "/dev/zero"))
		return SMAPS_SHMEM;
	if (text_begins(name, end, "/memfd:"))
		return executable ? SMAPS_JIT : SMAPS_SHMEM;
	if (text_begins(name, end, "/anon_hugepage"))
		return SMAPS_HUGE;
	if (text_begins(name, end, "/dev/") || text_begins(name, end, "/dmabuf:") ||
	    text_begins(name, end, "anon_inode:"))
		return SMAPS_DEVICE;
	return SMAPS_FILE;
}

/* Past the field that ends at a blank, and the blanks; `end` if there is none. */
static const char *skip_field(const char *at, const char *end)
{
	while (at < end && *at != ' ')
		at++;
	while (at < end && *at == ' ')
		at++;
	return at;
}

static const char *skip_hex(const char *at, const char *end)
{
	while (at < end && ((*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'f')))
		at++;
	return at;
}

/* "55d0-55d1 rw-p 00000000 00:00 0      [heap]": a key never has a '-' behind hex digits. */
static bool is_header(const char *line, const char *end, const char **ret_perms)
{
	const char *dash = skip_hex(line, end), *blank;

	if (dash == line || dash == end || *dash != '-')
		return false;
	blank = skip_hex(dash + 1, end);
	if (blank == dash + 1 || end - blank < 6 || *blank != ' ' || blank[5] != ' ')
		return false;
	*ret_perms = blank + 1;
	return true;
}

static void open_mapping(struct smaps *s, const char *perms, const char *end)
{
	const char *name = perms;

	close_mapping(s);
	for (int i = 0; i < 4; i++) /* permissions, offset, device, inode */
		name = skip_field(name, end);
	s->kind = kind_of(name, (size_t)(end - name), perms);
	if (s->heap_only && s->heap_seen && s->kind != SMAPS_HEAP) {
		s->enough = true;
		return;
	}
	s->heap_seen |= s->kind == SMAPS_HEAP;
	s->mapping = (struct smaps_amounts){ 0 };
	s->huge = 0;
	s->open = true;
	s->mappings++;
}

/* Is it this key? A value that is malformed is QMEM_NA. */
static bool is_key(const char *line, size_t len, const char *key, size_t key_len, int64_t *to)
{
	int64_t value = QMEM_NA;

	if (take(line, len, key, key_len, &value) > 0)
		return false;
	*to = value;
	return true;
}
#define KEY(key_, to_) is_key(line, len, key_ ":", sizeof(key_ ":") - 1, (to_))

static void value_line(struct smaps *s, const char *line, size_t len)
{
	struct smaps_amounts *m = &s->mapping;
	int64_t value;

	switch (*line) {
	case 'S':
		if (KEY("Size", &m->size) || KEY("Swap", &m->swap))
			break;
		if (KEY("Shared_Dirty", &value))
			join(&m->dirty, value);
		else if (KEY("Shared_Hugetlb", &value))
			join(&s->huge, value);
		break;
	case 'R':
		(void)KEY("Rss", &m->rss);
		break;
	case 'P':
		if (KEY("Pss", &m->pss))
			break;
		if (KEY("Private_Dirty", &value))
			join(&m->dirty, value);
		else if (KEY("Private_Hugetlb", &value))
			join(&s->huge, value);
		break;
	case 'V':
		if (text_begins(line, line + len, "VmFlags:") && memmem(line, len, " ht", 3))
			s->kind = SMAPS_HUGE;
		break;
	default:
		break;
	}
}

int64_t smaps_feed(struct smaps *s, const char *text, size_t len)
{
	const char *at = text, *end = text + len, *eol;

	while (!s->enough && at < end && (eol = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		const char *perms;

		if (is_header(at, eol, &perms))
			open_mapping(s, perms, eol);
		else if (!s->open)
			return -EINVAL;
		else if (eol > at)
			value_line(s, at, (size_t)(eol - at));
		at = eol + 1;
	}
	return at - text;
}

void smaps_end(struct smaps *s)
{
	close_mapping(s);
}
