/* SPDX-License-Identifier: MIT */
#include "proc/cgroup.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "proc/maps.h"
#include "proc/text.h"

/* ---- lines ---- */

struct line {
	const char *controllers, *path; /* each up to the colon, or the newline, behind it */
	const char *end;                /* the newline */
	bool unified;
};

/* Is `word` one of those between commas? */
static bool has_word(const char *list, const char *end, const char *word)
{
	for (;;) {
		const char *comma = memchr(list, ',', (size_t)(end - list));
		const char *stop = comma ? comma : end;

		if (text_is(list, stop, word))
			return true;
		if (!comma)
			return false;
		list = comma + 1;
	}
}

static bool has_controller(const struct line *l, const char *word)
{
	return has_word(l->controllers, l->path - 1, word);
}

/* The line at `text`: 1, 0 if it is not as they are, with l->end set; -EINVAL: it does not end. */
static int parse_line(const char *text, const char *end, struct line *l)
{
	const char *newline = memchr(text, '\n', (size_t)(end - text)), *list, *path;

	if (!newline)
		return -EINVAL;
	l->end = newline;
	list = memchr(text, ':', (size_t)(newline - text));
	path = list ? memchr(list + 1, ':', (size_t)(newline - list - 1)) : NULL;
	if (!path || path[1] != '/' || memchr(path, '\0', (size_t)(newline - path)))
		return 0;
	l->controllers = list + 1;
	l->path = path + 1;
	l->unified = list - text == 1 && *text == '0' && path == list + 1;
	return 1;
}

/* ---- which of them ---- */

enum hierarchy { MEMORY, SYSTEMD, UNIFIED, OTHER, HIERARCHIES };

/* The line with the lowest number, of those with the same the first one, is the one. */
static unsigned rank_of(enum cgroup_use use, const struct line *l)
{
	static const unsigned char ranks[CGROUP_USES][HIERARCHIES] = {
		/* the last two: the kernel was told to account none */
		[CGROUP_MEMORY] = { [MEMORY] = 0, [UNIFIED] = 1, [SYSTEMD] = 2, [OTHER] = 3 },
		[CGROUP_UNITS] = { [SYSTEMD] = 0, [UNIFIED] = 1, [MEMORY] = 2, [OTHER] = 3 },
	};
	enum hierarchy hierarchy = l->unified                        ? UNIFIED :
				   has_controller(l, "memory")       ? MEMORY :
				   has_controller(l, "name=systemd") ? SYSTEMD :
								       OTHER;
	bool root = l->end - l->path == 1;

	return ranks[use][hierarchy] + (use == CGROUP_UNITS && root ? HIERARCHIES : 0);
}

/* The end of its path. */
static const char *end_of(const struct line *l, bool zombie)
{
	bool deleted = zombie && l->unified && maps_is_deleted(l->path, (size_t)(l->end - l->path));

	return l->end - (deleted ? MAPS_DELETED : 0);
}

int cgroup_parse(char *text, size_t len, bool zombie, struct cgroup_paths *ret)
{
	unsigned best[CGROUP_USES] = { UINT_MAX, UINT_MAX };
	const char *end = text + len;
	struct line found[CGROUP_USES];

	for (const char *at = text; at < end;) {
		struct line l;
		int n = parse_line(at, end, &l);

		if (n < 0)
			return n;
		for (int use = 0; n && use < CGROUP_USES; use++) {
			unsigned rank = rank_of((enum cgroup_use)use, &l);

			if (rank >= best[use])
				continue;
			best[use] = rank;
			found[use] = l;
		}
		at = l.end + 1;
	}
	if (best[0] == UINT_MAX)
		return -ENODATA;
	for (int use = 0; use < CGROUP_USES; use++) {
		ret->path[use] = found[use].path;
		text[end_of(&found[use], zombie) - text] = '\0';
	}
	return 0;
}

int cgroup_v1(const char *text, size_t len, const char *controller, char *ret, size_t size)
{
	const char *end = text + len;

	while (text < end) {
		struct line l;
		int n = parse_line(text, end, &l);

		if (n < 0)
			return n;
		if (n && has_controller(&l, controller)) {
			len = (size_t)(l.end - l.path);
			if (len >= size)
				return -ENAMETOOLONG;
			memcpy(ret, l.path, len);
			ret[len] = '\0';
			return 0;
		}
		text = l.end + 1;
	}
	return -ENODATA;
}

/* ---- units ---- */

struct part {
	const char *at, *end;
};

struct out {
	char *text;
	size_t len, size; /* len >= size: it had no room */
};

static void put(struct out *o, const char *text, size_t len)
{
	if (o->len + len < o->size)
		memcpy(o->text + o->len, text, len);
	o->len += len;
}

/* One that a unit's name may hold. */
static bool is_valid(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr(":-_.\\@", c));
}

static bool ends(const struct part *p, const char *word)
{
	return (size_t)(p->end - p->at) > strlen(word) && text_ends(p->at, p->end, word);
}

static bool is_name(const struct part *p)
{
	for (const char *at = p->at; at < p->end; at++)
		if (!is_valid(*at))
			return false;
	return true;
}

static bool is_unit(const struct part *p)
{
	static const char *const kinds[] = { ".service", ".scope", ".socket", ".mount", ".swap" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (ends(p, kinds[i]))
			return is_name(p);
	return false;
}

size_t cgroup_unit(const char *path, char *ret, size_t size)
{
	struct out o = { ret, 0, size };
	size_t kept = 0, found = 0;

	while (*path) {
		struct part p = { path, strchrnul(path, '/') };
		size_t before = o.len;

		path = *p.end ? p.end + 1 : p.end;
		if (p.at == p.end)
			continue;
		if (is_unit(&p)) {
			/* systemd's, for names that the kernel may want for files of its own */
			p.at += *p.at == '_';
			o.len = kept;
			put(&o, "/", kept ? 1 : 0);
			put(&o, p.at, (size_t)(p.end - p.at));
			kept = found = o.len;
			continue;
		}
		put(&o, "/", before ? 1 : 0);
		put(&o, p.at, (size_t)(p.end - p.at));
		if (!ends(&p, ".slice") || !is_name(&p))
			kept = o.len;
	}
	if (!found || found >= size)
		return 0;
	ret[found] = '\0';
	return found;
}
