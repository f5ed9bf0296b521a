/* SPDX-License-Identifier: MIT */
#include "process/group.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/name.h"
#include "process/ask.h"
#include "util/escape.h"
#include "util/room.h"
#include "util/select.h"
#include "util/sip.h"
#include "process/table.h"

#define KERNEL "kernel"
/* cgroup files in the first round and in a later one; the others in the next one */
#define READS_FIRST 2000
#define READS_MOST 400
#define LOOK_EVERY 64               /* rounds, where the back end does not tell of another cgroup */
#define UNIT 4096                   /* a whole path may be in its name */
#define START 5                     /* rounds in which all groups come to be */
#define ANSWERED (10 * QMEM_SECOND) /* what the worker has not told by then, it may never tell */
#define COMM_MOST 15                /* bytes */
#define NAME_MOST ((size_t)PROCGROUP_NAME - 32)

/* What is known of a slot. */
struct member {
	uint32_t generation;
	uint32_t group;
	uint32_t mark; /* of uid, cgroups, exec; with comm's it tells of a change, also in rounds that were not ours */
	uint32_t comm;
	uint32_t cgroups; /* a hash of their paths; 0: not known */
	bool pending;     /* the worker is to be asked */
	bool asked;       /* and has been */
	bool told;        /* the group is by what it has answered */
	bool again;       /* place it anew in the next round */
	bool late;        /* look at its cgroups in the next round */
};

struct own {
	struct select comm, cmdline, user, cgroup;
};

struct procgroups {
	enum procgroup_by by;
	unsigned want; /* enum procask_want */
	bool want_cgroup, want_comm;
	struct own *own;
	size_t own_n;

	struct grouptable table;

	struct member *members;
	size_t members_room;
	uint64_t table_round;
	unsigned reads;                   /* of cgroups, left in this round */
	struct proctable_cgroups cgroups; /* those that were read last */

	struct procask *ask; /* NULL unless something is wanted */
	uint64_t began;      /* the first round */
	bool told;           /* of rules that are in vain */
	uint64_t names_paid; /* new names are paid for until then */
};

const char *const procgroup_words[] = { "comm", "exe", "user", "cgroup", "unit", NULL };

#define CGROUPS "/sys/fs/cgroup"
#define PART_MOST 255 /* bytes between two slashes */

static bool check_comm(const char *comm, char *why, size_t size)
{
	if (!select_check_plain(comm, why, size))
		return false;
	if (select_is_expression(comm) || strlen(comm) <= COMM_MOST)
		return true;
	snprintf(why, size, "is longer than the %d bytes that the kernel keeps of a name: '%.*s' would match",
		 COMM_MOST, COMM_MOST, comm);
	return false;
}

static bool check_cgroup(const char *path, char *why, size_t size)
{
	if (!select_check(path, why, size))
		return false;
	if (strncmp(path, CGROUPS, strlen(CGROUPS)) == 0) {
		snprintf(why, size,
			 "begins with " CGROUPS ": the path of a cgroup is what follows, as in /proc/PID/cgroup");
		return false;
	}
	if (select_is_expression(path))
		return true;
	if (*path != '/') {
		snprintf(why, size, "does not begin with '/', as the path of a cgroup does");
		return false;
	}
	for (const char *part = path; *part; part += strcspn(part, "/")) {
		part += strspn(part, "/");
		if (strcspn(part, "/") > PART_MOST) {
			snprintf(why, size, "has a part longer than the %d bytes that a name may have", PART_MOST);
			return false;
		}
	}
	return true;
}

bool procgroup_check_name(const char *name, char *why, size_t size)
{
	if (strcmp(name, PROCGROUP_OTHER) == 0 || strcmp(name, KERNEL) == 0)
		snprintf(why, size, "is the name of a built-in group");
	else if (strlen(name) > NAME_MOST)
		snprintf(why, size, "is longer than %zu bytes", NAME_MOST);
	else
		return true;
	return false;
}

#define RULES(name_, member_, check_, help_, example_)                                                                 \
	{                                                                                                              \
		.name = name_, .type = QMEM_LIST, .offset = offsetof(struct procgroup_rules, member_),                 \
		.check = check_, .help = help_, .example = example_                                                    \
	}

const struct qmem_option procgroup_rows[] = {
	RULES("Comm", comm, check_comm, "the name of the process, or an /expression/ that finds it",
	      "/^(nginx|apache2)$/"),
	RULES("Cmdline", cmdline, select_check, "the same for its command line, the words separated by blanks",
	      "/^php-fpm: /"),
	RULES("User", user, select_check_plain, "the same for its user, or the user's number where there is no name",
	      "www-data"),
	RULES("Cgroup", cgroup, check_cgroup,
	      "the same for its cgroup's path, such as /system.slice/nginx.service, where memory is accounted or units are",
	      "/^.system.slice.nginx/"),
	{ 0 },
};

/* ---- names ---- */

/* Is `name` one of the reserved ones, with any number of `suffix` behind it? */
static bool is_reserved(const struct procgroups *g, const char *name, const char *suffix, size_t owns)
{
	char base[PROCGROUP_NAME];
	size_t len = strlen(name), suffix_len = strlen(suffix);

	memcpy(base, name, len + 1);
	for (;;) {
		if (strcmp(base, PROCGROUP_OTHER) == 0 || strcmp(base, KERNEL) == 0)
			return true;
		for (size_t i = 0; i < owns; i++)
			if (qmem_name_blank_alike(base, g->table.groups[1 + i].name))
				return true;
		if (len <= suffix_len || strcmp(base + len - suffix_len, suffix) != 0)
			return false;
		len -= suffix_len;
		base[len] = '\0';
	}
}

/* Two names stay two: those that others have get a suffix, and so do those that look as if they had it already. */
static void name_group(const struct procgroups *g, char *ret, const char *name, const char *suffix, size_t owns,
		       bool assumed)
{
	size_t len = strlen(name), most = NAME_MOST;

	if (len <= most)
		memcpy(ret, name, len + 1);
	else
		snprintf(ret, PROCGROUP_NAME, "%.*s~%016" PRIx64, (int)escape_whole(name, most), name,
			 sip_known(name, len, 0));
	if ((assumed || is_reserved(g, ret, suffix, owns)) && strlen(ret) + strlen(suffix) < PROCGROUP_NAME)
		strcat(ret, suffix);
}

/* Does a process that is known by its own name only call itself as a group of those is called that are known better? */
static bool is_assumed(const struct procgroups *g, const char *comm)
{
	char unit[PROCGROUP_NAME];

	switch (g->by) {
	case PROCGROUP_UNIT:
		return cgroup_unit(comm, unit, sizeof(unit)) > 0;
	case PROCGROUP_EXE:
	case PROCGROUP_CGROUP:
		return *comm == '/';
	default:
		return false;
	}
}

static uint32_t group_of(struct procgroups *g, const char *name, enum procgroup_kind kind)
{
	static const char suffix[] = " (processes)";
	char shown[PROCGROUP_NAME];

	name = *name ? name : "?";
	name_group(g, shown, name, suffix, g->own_n, kind == PROCGROUP_SINGLE && is_assumed(g, name));
	return grouptable_find_or_add(&g->table, shown, kind);
}

/* ---- where a process belongs ---- */

static bool has_rules(const struct own *own)
{
	return own->comm.n || own->cmdline.n || own->user.n || own->cgroup.n;
}

static bool has_cgroup(const struct select *rules, const struct cgroup_paths *cgroups)
{
	if (!rules->n)
		return true;
	for (int use = 0; cgroups && use < CGROUP_USES; use++)
		if (select_wants(rules, cgroups->path[use]))
			return true;
	return false;
}

static bool has(const struct select *rules, const char *text, bool *unsure)
{
	if (!rules->n)
		return true;
	if (!text)
		*unsure = true;
	return text && select_wants(rules, text);
}

/* The group, and whether a fact that is not known could make it another one. `stay` is the one that the worker's answer has
 * told before, or GROUPTABLE_NONE: it is taken where only the worker can tell another. */
static uint32_t decide(struct procgroups *g, const struct proc *p, const struct procask_facts *f,
		       const struct cgroup_paths *cgroups, uint32_t stay, bool *ret_unsure)
{
	char unit[UNIT];
	const char *name = NULL;

	for (size_t i = 0; i < g->own_n; i++) {
		const struct own *own = &g->own[i];
		bool unsure = false;

		if (!has_rules(own))
			continue;
		if (has(&own->comm, p->comm, &unsure) && has_cgroup(&own->cgroup, cgroups) &&
		    has(&own->user, f->user, &unsure) && has(&own->cmdline, f->cmdline, &unsure))
			return (uint32_t)(1 + i);
		*ret_unsure |= unsure;
		if (unsure && stay == 1 + i)
			return stay;
	}
	switch (g->by) {
	case PROCGROUP_COMM:
		return group_of(g, p->comm, PROCGROUP_NAMED);
	case PROCGROUP_EXE:
		name = f->exe;
		*ret_unsure |= !name;
		if (!name && stay != GROUPTABLE_NONE && g->table.groups[stay].kind == PROCGROUP_NAMED)
			return stay;
		break;
	case PROCGROUP_USER:
		name = f->user;
		*ret_unsure |= !name;
		break;
	case PROCGROUP_CGROUP:
		name = cgroups ? cgroups->path[CGROUP_MEMORY] : NULL;
		break;
	case PROCGROUP_UNIT:
		name = cgroups && cgroup_unit(cgroups->path[CGROUP_UNITS], unit, sizeof(unit)) ? unit : NULL;
		break;
	}
	return group_of(g, name ? name : p->comm, name ? PROCGROUP_NAMED : PROCGROUP_SINGLE);
}

/* Into g->cgroups, with a hash of them that is not 0. -EAGAIN: not in this round. */
static int read_cgroups(struct qmem *q, struct procgroups *g, const struct proc *p, uint32_t *ret)
{
	uint32_t hash = 0;
	int err;

	if (!g->reads)
		return -EAGAIN;
	g->reads--;
	err = proctable_cgroups(q, p, &g->cgroups);
	for (int use = 0; !err && use < CGROUP_USES; use++)
		hash = hash * UINT32_C(16777619) ^ grouptable_hash(&g->table, g->cgroups.paths.path[use]);
	*ret = err ? 0 : hash | 1;
	return err;
}

static int place(struct qmem *q, struct procgroups *g, const struct proc *p, struct member *m,
		 const struct procask_facts *f, bool final)
{
	bool unsure = false;
	uint32_t cgroups = 0;
	int no_cgroup = -ENODATA;
	/* a user that is not known is another than the one that the answer was of */
	uint32_t group, stay = m->told && !final && (f->user || !(g->want & PROCASK_USER)) ? m->group : GROUPTABLE_NONE;

	if (p->kthread) {
		m->group = 0;
		return 0;
	}
	if (g->want_cgroup)
		no_cgroup = read_cgroups(q, g, p, &cgroups);
	m->again = no_cgroup == -EAGAIN;
	m->asked = false;
	/* better where it was than as if it were in none */
	if (m->again && m->cgroups)
		return 0;
	group = decide(g, p, f, no_cgroup ? NULL : &g->cgroups.paths, stay, &unsure);
	if (group == GROUPTABLE_NONE)
		return -ENOMEM;
	m->cgroups = cgroups;
	m->told = final ? !unsure : group == stay;
	m->group = group;
	m->pending = unsure && !final && g->ask;
	return 0;
}

static uint32_t mark_of(const struct proc *p)
{
	uint32_t h = UINT32_C(2166136261) ^ p->uid;

	h = (h ^ p->cgroups) * UINT32_C(16777619);
	/* no back end has both */
	return (h ^ p->execs ^ p->startstack) * UINT32_C(16777619);
}

/* Can another comm mean another group? Without BPF it is also what tells of an exec. */
static bool looks_at_comm(const struct procgroups *g, const struct proc *p, const struct member *m)
{
	return g->by != PROCGROUP_EXE || g->want_comm || !p->execs || !m->told;
}

/* Is it in another cgroup, which no mark tells of? What is said of a zombie is not where it was. */
static bool has_moved(struct qmem *q, struct procgroups *g, const struct proc *p, struct member *m)
{
	uint32_t cgroups;
	int err;

	if (!g->want_cgroup || p->cgroups || p->kthread || p->state == 'Z' ||
	    (!m->late && (g->table.round + p->slot) % LOOK_EVERY))
		return false;
	err = read_cgroups(q, g, p, &cgroups);
	m->late = err == -EAGAIN;
	return !err && cgroups != m->cgroups;
}

/* Is it another process than the one that was placed? */
static bool has_changed(const struct procgroups *g, const struct proc *p, const struct member *m)
{
	return mark_of(p) != m->mark || (grouptable_hash(&g->table, p->comm) != m->comm && looks_at_comm(g, p, m));
}

static int take_answers(struct qmem *q, struct procgroups *g, const struct proctable *table)
{
	const struct procask_answer *answers;
	bool refused = procask_refused(g->ask);
	size_t n = procask_take(g->ask, &answers);
	int err = 0;

	if (!refused && procask_refused(g->ask))
		qmem_log(q, QMEM_LOG_WARNING, PROCGROUP_NO_EXE);
	for (size_t i = 0; i < n; i++) {
		const struct procask_answer *a = &answers[i];
		const struct proc *p = proctable_at(table, a->slot);
		struct member *m = a->slot < g->members_room ? &g->members[a->slot] : NULL;

		if (!p || p->ended || !m || p->generation != a->generation || m->generation != a->generation)
			continue;
		/* it has become another since, by an exec or so, and the answer may be what it was */
		if (!m->asked)
			continue;
		m->asked = false;
		if (a->answered && a->uid == p->uid) {
			int bad = place(q, g, p, m, &a->facts, true);

			if (bad)
				err = bad;
		}
	}
	return err;
}

static void tell_rules(struct qmem *q, const char *group, const char *option, const struct select *rules)
{
	char shown[PROCGROUP_NAME], text[PROCGROUP_NAME];

	escape_name(shown, sizeof(shown), group);
	for (size_t i = 0; i < rules->n; i++) {
		const char *unused = select_unused(rules, i);

		if (!unused)
			continue;
		escape_name(text, sizeof(text), unused);
		qmem_log(q, QMEM_LOG_NOTICE, "Group '%s': %s '%s' has matched nothing for a minute", shown, option,
			 text);
	}
}

/* A name may be misspelt, or its program may not be there yet. */
static void tell_unused(struct qmem *q, struct procgroups *g)
{
	if (!g->began)
		g->began = g->table.now;
	if (g->told || g->table.now - g->began < SELECT_PATIENCE)
		return;
	g->told = true;
	for (size_t i = 0; i < g->own_n; i++) {
		const char *name = g->table.groups[1 + i].name;

		tell_rules(q, name, "Comm", &g->own[i].comm);
		tell_rules(q, name, "Cmdline", &g->own[i].cmdline);
		tell_rules(q, name, "User", &g->own[i].user);
		tell_rules(q, name, "Cgroup", &g->own[i].cgroup);
	}
}

int procgroups_update(struct qmem *q, struct procgroups *g, const struct proctable *table)
{
	bool missed = proctable_round(table) != g->table_round + 1;
	const struct proc *p;
	int err = room_fit(&g->members, &g->members_room, proctable_capacity(table), sizeof(*g->members));

	if (err)
		return err;
	g->table.round++;
	g->table.now = qmem_now(q);
	g->table_round = proctable_round(table);
	g->reads = g->table.round == 1 ? READS_FIRST : READS_MOST;
	if (g->ask)
		err = take_answers(q, g, table);
	for (size_t i = 0; i < g->table.n; i++)
		g->table.groups[i].members = g->table.groups[i].waiting = 0;
	proctable_each(table, p)
	{
		struct member *m = &g->members[p->slot];
		bool is_new = m->generation != p->generation;

		if (is_new)
			*m = (struct member){ .generation = p->generation };
		if (is_new || m->again || ((missed || (p->changed & PROC_ID)) && has_changed(g, p, m)) ||
		    has_moved(q, g, p, m)) {
			const struct procask_facts f = { .user = g->ask ? procask_user(g->ask, p->uid) : NULL };
			int bad = place(q, g, p, m, &f, false);

			m->mark = mark_of(p);
			m->comm = grouptable_hash(&g->table, p->comm);
			if (bad)
				err = bad;
		}
		if (m->pending && !m->asked)
			m->asked = procask_add(q, g->ask, p);
		g->table.groups[m->group].members++;
		g->table.groups[m->group].waiting += m->pending;
		g->table.groups[m->group].round = g->table.round;
	}
	grouptable_forget(&g->table);
	tell_unused(q, g);
	if (g->ask)
		procask_go(q, g->ask);
	return err;
}

/* ---- what they are asked ---- */

enum procgroup_by procgroups_by(const struct procgroups *g)
{
	return g->by;
}

size_t procgroups_capacity(const struct procgroups *g)
{
	return g->table.n;
}

const struct procgroup *procgroups_at(const struct procgroups *g, size_t index)
{
	return index < g->table.n && g->table.groups[index].kind ? &g->table.groups[index] : NULL;
}

/* What has come to be at the start is no new name. */
static bool is_new_name(const struct procgroup *group)
{
	return group->kind >= PROCGROUP_NAMED && !group->shown_until && group->first > START;
}

static bool may_be_new(const struct procgroups *g)
{
	return g->names_paid < g->table.now + PROCGROUP_NAMES * PROCGROUP_NAME_EVERY;
}

bool procgroups_competes(const struct procgroups *g, const struct procgroup *group)
{
	/* a name that only stands in for the one that the worker is asked for */
	bool stands_in = group->kind == PROCGROUP_SINGLE && group->members && group->waiting == group->members;
	uint64_t young = stands_in ? ANSWERED : group->first > START ? PROCGROUP_YOUNG : 0;

	return group->kind >= PROCGROUP_NAMED && g->table.now - group->since >= young &&
	       (!is_new_name(group) || may_be_new(g));
}

uint32_t procgroups_of(const struct procgroups *g, const struct proc *p)
{
	const struct member *m = p->slot < g->members_room ? &g->members[p->slot] : NULL;

	return m && m->generation == p->generation ? m->group : 0;
}

void procgroups_show(const struct qmem *q, struct procgroups *g, size_t index)
{
	struct procgroup *group = &g->table.groups[index];
	uint64_t until = qmem_now(q) + qmem_grace(qmem_interval(q));

	if (is_new_name(group))
		g->names_paid = (g->names_paid > g->table.now ? g->names_paid : g->table.now) + PROCGROUP_NAME_EVERY;
	/* another service may show it, too, and more rarely */
	if (until > group->shown_until)
		group->shown_until = until;
}

bool procgroups_refused(const struct procgroups *g)
{
	return g->ask && procask_refused(g->ask);
}

bool procgroups_want_users(const struct procgroups *g)
{
	return g->want & PROCASK_USER;
}

/* ---- life ---- */

void procgroups_free(struct procgroups *g)
{
	if (!g)
		return;
	for (size_t i = 0; g->own && i < g->own_n; i++) {
		select_release(&g->own[i].comm);
		select_release(&g->own[i].cmdline);
		select_release(&g->own[i].user);
		select_release(&g->own[i].cgroup);
	}
	procask_free(g->ask);
	free(g->own);
	grouptable_release(&g->table);
	free(g->members);
	free(g);
}

static int add_own(struct qmem *q, struct procgroups *g, const struct qmem_block *block)
{
	const struct procgroup_rules *rules = block->data;
	struct own *own = &g->own[g->own_n];
	char name[PROCGROUP_NAME];
	int err = select_init(&own->comm, &rules->comm, false);

	if (!err)
		err = select_init(&own->cmdline, &rules->cmdline, false);
	if (!err)
		err = select_init(&own->user, &rules->user, false);
	if (!err)
		err = select_init(&own->cgroup, &rules->cgroup, false);
	name_group(g, name, *block->name ? block->name : "?", " (group)", g->own_n, false);
	if (!err && grouptable_find_or_add(&g->table, name, PROCGROUP_OWN) == GROUPTABLE_NONE)
		err = -ENOMEM;
	g->own_n++; /* also what failed half-way is released */
	if (!err && !has_rules(own))
		qmem_vain(q, &(struct qmem_vain){ .block = "Group", .block_name = block->name },
			  "has no rule that says which processes are in it: none are");
	if (own->cmdline.n)
		g->want |= PROCASK_CMDLINE;
	if (own->user.n)
		g->want |= PROCASK_USER;
	g->want_comm |= own->comm.n > 0;
	if (own->cgroup.n)
		g->want_cgroup = true;
	return err;
}

int procgroups_new(struct qmem *q, enum procgroup_by by, const struct qmem_blocks *blocks, struct procgroups **ret)
{
	struct procgroups *g = calloc(1, sizeof(*g));
	int err = 0;

	if (!g)
		return -ENOMEM;
	g->by = by;
	g->table.key = sip_key_new();
	g->want = by == PROCGROUP_EXE ? PROCASK_EXE : by == PROCGROUP_USER ? PROCASK_USER : 0;
	g->want_cgroup = by == PROCGROUP_CGROUP || by == PROCGROUP_UNIT;
	g->own = calloc(blocks->n + 1, sizeof(*g->own));
	if (!g->own || grouptable_find_or_add(&g->table, KERNEL, PROCGROUP_KERNEL) == GROUPTABLE_NONE)
		err = -ENOMEM;
	for (size_t i = 0; i < blocks->n && !err; i++)
		err = add_own(q, g, &blocks->items[i]);
	if (!err && g->want)
		err = procask_new(q, g->want, &g->ask);
	if (err) {
		procgroups_free(g);
		return err;
	}
	*ret = g;
	return 0;
}
