/* SPDX-License-Identifier: MIT */
#include "proc/pidstat.h"

#include <errno.h>
#include <string.h>

#include "proc/text.h"

/* ---- words and numbers ---- */

struct cursor {
	const char *at, *end;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static void skip_blanks(struct cursor *c)
{
	while (c->at < c->end && is_blank(*c->at))
		c->at++;
}

static int skip_words(struct cursor *c, int n)
{
	while (n--) {
		skip_blanks(c);
		if (c->at == c->end)
			return -EINVAL;
		while (c->at < c->end && !is_blank(*c->at))
			c->at++;
	}
	return 0;
}

/* Digits up to a blank. A number at the very end may have been cut, and would pass for a smaller one. */
static int number(struct cursor *c, int64_t *ret)
{
	const char *stop;
	int64_t value;

	skip_blanks(c);
	stop = text_digits(c->at, c->end, &value);
	if (!stop || stop == c->end || !is_blank(*stop))
		return -EINVAL;
	if (value == QMEM_NA)
		return -ERANGE;
	c->at = stop;
	*ret = value;
	return 0;
}

static int scaled(struct cursor *c, int64_t unit, int64_t *ret)
{
	int64_t value;
	int err = number(c, &value);

	if (err)
		return err;
	if (__builtin_mul_overflow(value, unit, &value))
		return -ERANGE;
	*ret = value;
	return 0;
}

/* Likewise of a value that others do without: QMEM_NA where the word is no number. */
static int value(struct cursor *c, int64_t unit, int64_t *ret)
{
	const char *at = c->at;
	int err = scaled(c, unit, ret);

	if (!err)
		return 0;
	c->at = at;
	err = skip_words(c, 1);
	if (err || c->at == c->end)
		return -EINVAL;
	*ret = QMEM_NA;
	return 0;
}

static int number32(struct cursor *c, int32_t *ret)
{
	int64_t value;
	int err = number(c, &value);

	if (err)
		return err;
	if (value > INT32_MAX)
		return -ERANGE;
	*ret = (int32_t)value;
	return 0;
}

/* ---- stat ---- */

static int stat_numbers(struct cursor *c, const struct pidstat_units *units, struct pidstat *st)
{
	int64_t flags;
	int err;

	err = number32(c, &st->ppid);
	if (!err)
		err = skip_words(c, 4); /* pgrp session tty_nr tpgid */
	if (!err)
		err = number(c, &flags);
	if (!err && flags > UINT32_MAX)
		err = -ERANGE;
	if (!err)
		err = value(c, 1, &st->minflt);
	if (!err)
		err = value(c, 1, &st->cminflt);
	if (!err)
		err = value(c, 1, &st->majflt);
	if (!err)
		err = skip_words(c, 1);
	if (!err)
		err = value(c, units->tick_ns, &st->utime);
	if (!err)
		err = value(c, units->tick_ns, &st->stime);
	if (!err)
		err = skip_words(c, 4); /* cutime cstime priority nice */
	if (!err)
		err = number32(c, &st->threads);
	if (!err)
		err = skip_words(c, 1); /* itrealvalue */
	if (!err)
		err = scaled(c, units->tick_ns, &st->start);
	if (!err)
		err = value(c, 1, &st->vsize);
	if (err)
		return err;
	st->flags = (uint32_t)flags;
	st->startstack = 0;
	if (!skip_words(c, 4)) /* rss rsslim startcode endcode */
		(void)number(c, &st->startstack);
	return 0;
}

int pidstat_parse(const char *text, size_t len, const struct pidstat_units *units, struct pidstat *ret)
{
	struct cursor c = { text, text + len };
	const char *open, *close;
	struct pidstat st;
	size_t comm;
	int err;

	if (!len)
		return -ENODATA;
	/* "12 (a) S 1 (b) S ...": nothing behind the name has a bracket */
	open = memchr(text, '(', len);
	close = memrchr(text, ')', len);
	if (!open || !close || close < open)
		return -EINVAL;
	c.end = open;
	err = number32(&c, &st.pid);
	if (err)
		return err;
	if (c.at + 1 != open || !st.pid)
		return -EINVAL;
	comm = (size_t)(close - open - 1);
	if (comm >= sizeof(st.comm))
		comm = sizeof(st.comm) - 1;
	memcpy(st.comm, open + 1, comm);
	st.comm[comm] = '\0';

	c = (struct cursor){ close + 1, text + len };
	if (c.end - c.at < 3 || c.at[0] != ' ' || is_blank(c.at[1]) || c.at[2] != ' ')
		return -EINVAL;
	st.state = c.at[1];
	c.at += 2;
	err = stat_numbers(&c, units, &st);
	if (!err)
		*ret = st;
	return err;
}

/* ---- statm ---- */

int pidstatm_parse(const char *text, size_t len, const struct pidstat_units *units, struct pidstatm *ret)
{
	struct cursor c = { text, text + len };
	struct pidstatm st;
	int err;

	if (!len)
		return -ENODATA;
	err = value(&c, units->page, &st.size);
	if (!err)
		err = value(&c, units->page, &st.resident);
	if (!err)
		err = value(&c, units->page, &st.shared);
	if (!err)
		*ret = st;
	return err;
}

/* ---- schedstat ---- */

int pidschedstat_parse(const char *text, size_t len, int64_t *ret)
{
	struct cursor c = { text, text + len };

	return len ? scaled(&c, 1, ret) : -ENODATA;
}

/* ---- status ---- */

#define LINE(key_, member_, unit_)                                                                                     \
	{                                                                                                              \
		key_, offsetof(struct pidstatus, member_), unit_                                                       \
	}

static const struct {
	const char *key;
	size_t offset;
	int64_t unit; /* 1024: the line says kB, 1: nothing */
} status_lines[] = {
	/* clang-format off */
	LINE("Uid", uid, 1),
	LINE("VmSize", vmsize, 1024),
	LINE("VmHWM", hwm, 1024),
	LINE("VmRSS", rss, 1024),
	LINE("RssAnon", anon, 1024),
	LINE("RssFile", file, 1024),
	LINE("RssShmem", shmem, 1024),
	LINE("VmData", data, 1024),
	LINE("VmPTE", pte, 1024),
	LINE("VmSwap", swap, 1024),
	/* clang-format on */
};

static int64_t *value_of(struct pidstatus *st, size_t i)
{
	return (int64_t *)(void *)((char *)st + status_lines[i].offset);
}

static int status_line(const char *line, const char *end, void *arg)
{
	struct pidstatus *st = arg;
	const char *colon;

	/* most lines are others */
	if (*line != 'V' && *line != 'R' && *line != 'U')
		return 0;
	colon = memchr(line, ':', (size_t)(end - line));
	for (size_t i = 0; colon && i < sizeof(status_lines) / sizeof(*status_lines); i++) {
		struct cursor c = { colon + 1, end + 1 }; /* the newline is the blank behind a number */
		size_t len = strlen(status_lines[i].key);
		int64_t *to = value_of(st, i);

		if (len != (size_t)(colon - line) || memcmp(line, status_lines[i].key, len) != 0)
			continue;
		if (scaled(&c, status_lines[i].unit, to) ||
		    (status_lines[i].unit != 1 && (end - c.at != 3 || memcmp(c.at, " kB", 3) != 0)))
			*to = QMEM_NA;
		return 0;
	}
	return 0;
}

int pidstatus_parse(const char *text, size_t len, struct pidstatus *ret)
{
	struct pidstatus st;
	int err;

	if (!len)
		return -ENODATA;
	for (size_t i = 0; i < sizeof(status_lines) / sizeof(*status_lines); i++)
		*value_of(&st, i) = QMEM_NA;
	err = text_lines(text, len, status_line, &st, NULL);
	if (err)
		return err;
	if (st.uid > UINT32_MAX)
		st.uid = QMEM_NA;
	if (st.uid == QMEM_NA && st.vmsize == QMEM_NA && st.rss == QMEM_NA)
		return -EINVAL;
	*ret = st;
	return 0;
}

/* ---- wchan ---- */

int pidwchan_parse(const char *text, size_t len, char *ret, size_t size)
{
	if (len && text[len - 1] == '\n')
		len--;
	if (memchr(text, '\0', len))
		return -EINVAL;
	if (len == 1 && *text == '0')
		len = 0;
	if (len >= size)
		return -ENAMETOOLONG;
	memcpy(ret, text, len);
	ret[len] = '\0';
	return 0;
}
