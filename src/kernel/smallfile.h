/* SPDX-License-Identifier: MIT */
/*
 * Small files of sysfs, many of a kind: a number each, or a few lines. They stay open, but not more of a service than it allows:
 * those beyond are opened each time. One that is not there is looked for again after a while.
 *
 *	struct smallfiles all = { .most = 64 };
 *	smallfile_name(&f, "sys/.../%s/nr_hugepages", size);
 *	smallfiles_begin(&all);
 *	value = smallfile_number(q, &all, &f);
 *	smallfiles_tell(q, &all);
 *	smallfile_close(&all, &f);
 */
#ifndef QMEM_KERNEL_SMALLFILE_H
#define QMEM_KERNEL_SMALLFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qmem.h"

#define SMALLFILE_PATH 112

struct smallfile {
	char path[SMALLFILE_PATH];
	struct qmem_file file; /* its own */
	unsigned wait;         /* reads until it is looked for again */
};

struct smallfiles {
	size_t most; /* the service's: how many stay open */
	/* its own */
	size_t open;
	unsigned wrong;
	char first[SMALLFILE_PATH]; /* of those that are wrong */
	struct qmem_complaint faulty;
};

/* Before its first read. False: the path is too long, and the file is none. */
bool smallfile_name(struct smallfile *f, const char *path_fmt, ...) __attribute__((format(printf, 2, 3)));
/* As qmem_read(); -ENOENT: it is not there. */
ssize_t smallfile_read(struct qmem *q, struct smallfiles *all, struct smallfile *f, const char **ret_text);
/* A number that is not negative, alone in its line; QMEM_NA: it is not there, cannot be read, or is no such number. */
int64_t smallfile_number(struct qmem *q, struct smallfiles *all, struct smallfile *f);
void smallfile_close(struct smallfiles *all, struct smallfile *f);

/* Around a round: what is wrong in it is told when it begins, and when it is over. */
void smallfiles_begin(struct smallfiles *all);
void smallfiles_wrong(struct smallfiles *all, const char *path);
void smallfiles_tell(struct qmem *q, struct smallfiles *all);

/* Each name in a directory that is `prefix`, a number, and `suffix`; none where there is no such directory. `each` returns 0 or
 * -errno, which ends it. */
int smallfiles_list(struct qmem *q, const char *directory, const char *prefix, const char *suffix,
		    int (*each)(struct qmem *q, const char *name, int64_t number, void *arg), void *arg);

#endif
