/* SPDX-License-Identifier: MIT */
#include "kernel/nodes.h"

#include <errno.h>
#include <string.h>

#include "proc/cpulist.h"

void nodes_init(struct nodes *nodes)
{
	nodes->n = 0;
	nodes->file = QMEM_FILE_SINGLE("sys/devices/system/node/online");
}

void nodes_release(struct nodes *nodes)
{
	/* of a service that has not come so far */
	if (nodes->file.path)
		qmem_file_close(&nodes->file);
}

int nodes_read(struct qmem *q, struct nodes *nodes)
{
	uint32_t ids[NODES_MOST];
	const char *text;
	ssize_t len = qmem_read(q, &nodes->file, &text);
	size_t n;
	int err;

	if (len < 0)
		return (int)len;
	err = cpulist_parse(text, (size_t)len, ids, NODES_MOST, &n);
	if (err)
		return qmem_fail(q, err, "'/%s' is no list of nodes", nodes->file.path);
	if (n == nodes->n && memcmp(ids, nodes->ids, n * sizeof(*ids)) == 0)
		return 0;
	memcpy(nodes->ids, ids, n * sizeof(*ids));
	nodes->n = n;
	return 1;
}

int nodes_possible(struct qmem *q)
{
	uint32_t ids[NODES_MOST], most = 0;
	char text[4096];
	ssize_t len = qmem_read_once(q, text, sizeof(text), "sys/devices/system/node/possible");
	size_t n = 0;
	int err;

	if (len < 0)
		return len == -ENOENT ? 1 : (int)len;
	err = cpulist_parse(text, (size_t)len, ids, NODES_MOST, &n);
	if (err)
		return err;
	for (size_t i = 0; i < n; i++)
		if (ids[i] > most)
			most = ids[i];
	return (int)most + 1;
}
