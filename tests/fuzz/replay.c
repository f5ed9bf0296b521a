/* SPDX-License-Identifier: MIT */
/*
 * Where there is no libFuzzer: runs a fuzz target over the files below the given paths, each whole, and cut at many places.
 *	fuzz_NAME PATH...
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

#define CUTS 64

static unsigned long files;

/* A copy of the right size, so that a sanitizer or valgrind sees every read beyond it. */
static void feed(const uint8_t *data, size_t size)
{
	char *copy = fuzz_text(data, size);

	LLVMFuzzerTestOneInput((const uint8_t *)copy, size);
	free(copy);
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	size_t size;
	uint8_t *data;
	FILE *f;

	(void)ftw;
	if (type != FTW_F || !S_ISREG(st->st_mode))
		return 0;
	f = fopen(path, "re");
	data = malloc((size_t)st->st_size + 1);
	if (!f || !data) {
		perror(path);
		exit(2);
	}
	size = fread(data, 1, (size_t)st->st_size, f);
	fclose(f);
	feed(data, size);
	for (size_t cut = 0; cut < CUTS && cut < size; cut++)
		feed(data, size * cut / CUTS);
	free(data);
	files++;
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (nftw(argv[i], visit, 16, FTW_PHYS) < 0) {
			perror(argv[i]);
			return 2;
		}
	}
	printf("%lu files\n", files);
	return files ? 0 : 1;
}
