/* SPDX-License-Identifier: MIT */
/*
 * HostRoot, and how files below it are opened: who may run the program chooses it, and must not read through it what he may not
 * read himself.
 *
 * The kernel follows no link for us. A link is read here, and what it says is looked for below the root, "/" being the root: so
 * none leads out of it. Of procfs's own only those are followed that say where in procfs to look (self, net); never those that
 * lead elsewhere (exe, cwd, root, fd). What blocks or has no end is not opened: see root_open().
 */
#ifndef QMEM_ENGINE_ROOT_H
#define QMEM_ENGINE_ROOT_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct qmem;
struct root;

#define ROOT_NO_FILE EMEDIUMTYPE  /* a FIFO, a device, a socket in place of a file */
#define ROOT_FILE_MOST (16 << 20) /* bytes: no file of the kernel that is read as a whole is longer */

/* 0 or -errno. Directories of a path that is a link are followed, by the rights of who calls. */
int root_new(const char *path, struct root **ret);
/* It is shared with the worker, and lasts as long as one has hold of it. */
struct root *root_hold(struct root *root);
void root_drop(struct root *root); /* may be NULL */
/* That of an engine which has started; the caller's to drop. */
struct root *root_of(struct qmem *q);

/*
 * Is its proc the kernel's own, and the way to it not by the caller's choice? What is opened below proc is in the directory that
 * was looked at, whatever is renamed meanwhile. The way is absolute and by no link of a process (/proc/PID/root, /proc/self/fd/3):
 * those lead into mount namespaces of users, who mount there what they like, files over files of processes, too.
 */
bool root_is_real(const struct root *root);

/*
 * A descriptor, close-on-exec, or -errno; `path` has no leading '/'. Without O_PATH or O_DIRECTORY it is a file and nothing
 * else: -EISDIR, -ROOT_NO_FILE, -EFBIG for one on a disk beyond ROOT_FILE_MOST. No opening and no reading waits for anybody, but
 * for what the kernel itself has to do.
 */
int root_open(const struct root *root, const char *path, int flags);
/* proc/PID/NAME, to be read; where proc is real without a look at what it is. */
int root_open_process(const struct root *root, int32_t pid, const char *name);
/*
 * What one read() of it gives, which is all where the kernel makes the text at once (cgroup, cmdline, io, limits, smaps_rollup):
 * the length, `size` where there may be more, or -errno.
 */
ssize_t root_read_process(const struct root *root, int32_t pid, const char *name, char *text, size_t size);
/* What the link itself says that a process has there: the length, or -errno. */
ssize_t root_read_link(const struct root *root, int32_t pid, const char *name, char *text, size_t size);

/*
 * A namespace: the "net" of a process, or with pid 0 a file that `ip netns` has made, run/netns/NAME. It is a namespace, or -EINVAL.
 * -EPERM for that of a process where proc is not real: its link would lead anywhere.
 */
int root_open_namespace(const struct root *root, int32_t pid, const char *name);

/* Of what these return. */
const char *root_words(int err, char *buffer, size_t size);

#endif
