/* SPDX-License-Identifier: MIT */
/*
 * Which group a process belongs to. The groups are those of the service procmem, also for others that have
 * `.needs = &procmem_service`: then they are up to date when a service is collected, whether procmem is shown or not.
 *
 *	const struct procgroups *groups = procmem_groups(q);	// service/procmem.h; NULL: procmem could not start
 *
 *	proctable_each(table, p)
 *		sum[procgroups_of(groups, p)] += ...		// room for procgroups_capacity(groups)
 *	for (i = 0; i < procgroups_capacity(groups); i++)
 *		if (procgroups_at(groups, i)) ...
 *
 * A group keeps its index as long as it lives, and no generation is given twice. A group lives as long as it has members, and
 * after that as long as a host has a chart of it, or there are not many of its like: then the oldest go. Groups of the
 * configuration live for ever. A process may change its group
 * at any round: what is counted from one round to the next goes to the group that it is in now. While the worker is asked
 * about it anew, as after an exec, it stays where the last answer has put it, unless what is known tells that it is another.
 */
#ifndef QMEM_PROCESS_GROUP_H
#define QMEM_PROCESS_GROUP_H

#include "process/grouptable.h"
#include "qmem.h"

#define PROCGROUP_OTHER "other" /* the name of all groups that are not shown; no group has it */
#define PROCGROUP_YOUNG (3 * QMEM_SECOND)
/* Agents keep a file of each name for years, and users choose names: so many in a row, and one more each time that long after that. */
#define PROCGROUP_NAMES 100
#define PROCGROUP_NAME_EVERY (600 * QMEM_SECOND)
#define PROCGROUP_REST                                                                                                 \
	"the others are summed as '" PROCGROUP_OTHER                                                                   \
	"', and so is each group in its first three seconds; of names that "                                           \
	"have not been shown before 100 are shown in a row, and one more each ten minutes" /* for help */

enum procgroup_by { PROCGROUP_COMM, PROCGROUP_EXE, PROCGROUP_USER, PROCGROUP_CGROUP, PROCGROUP_UNIT };
extern const char *const procgroup_words[]; /* "comm", ... up to NULL */

/* As it is emitted; NULL: of those that are not shown. */
static inline struct qmem_instance procgroup_instance(const struct procgroup *group)
{
	if (!group)
		return (struct qmem_instance){ .name = PROCGROUP_OTHER };
	return (struct qmem_instance){ .name = group->name, .configured = group->kind == PROCGROUP_OWN };
}

/* A block <Group "web">: every option that is given must have a rule that matches. */
struct procgroup_rules {
	struct qmem_list comm, cmdline, user, cgroup;
};
extern const struct qmem_option procgroup_rows[]; /* into struct procgroup_rules */
/* For the `check` of such blocks, which are called Group: may one have this name? */
bool procgroup_check_name(const char *name, char *why, size_t size);

struct proc;
struct proctable;
struct procgroups;

/* `blocks` are of procgroup_rules and outlive the groups. -ENOMEM, -EINVAL. */
int procgroups_new(struct qmem *q, enum procgroup_by by, const struct qmem_blocks *blocks, struct procgroups **ret);
void procgroups_free(struct procgroups *groups);
/* Once a round. -ENOMEM: some processes are in the group of an earlier round, or in the kernel's. */
int procgroups_update(struct qmem *q, struct procgroups *groups, const struct proctable *table);

enum procgroup_by procgroups_by(const struct procgroups *groups);
/* Indices are below this. When there have been more it falls, slowly, as far as those that live on let it. */
size_t procgroups_capacity(const struct procgroups *groups);
/* NULL: no group has this index. */
const struct procgroup *procgroups_at(const struct procgroups *groups, size_t index);
/* May it have a place among the greatest? Neither those that are shown in any case, nor what is so new that it may be gone again
 * at once: many of these would leave their lines in the agent's database for ever. */
bool procgroups_competes(const struct procgroups *groups, const struct procgroup *group);
/* The index of the group of a process that is in the table in this round. */
uint32_t procgroups_of(const struct procgroups *groups, const struct proc *p);
/* The calling service emits it: its counters are needed for as long as hosts may have its charts. */
void procgroups_show(const struct qmem *q, struct procgroups *groups, size_t index);
/* Has every exe of another user's process been refused? */
#define PROCGROUP_NO_EXE "no exe of other users' processes: needs CAP_SYS_PTRACE"
bool procgroups_refused(const struct procgroups *groups);
/* Does a name of a user tell a group? */
#define PROCGROUP_USERS "users that etc/passwd does not have (LDAP, SSSD) are shown by number"
bool procgroups_want_users(const struct procgroups *groups);

#endif
