/* SPDX-License-Identifier: MIT */
/* Makes a segment of System V of so many bytes, touches the first half, attached until it is killed, and says its id: segment BYTES */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	int id = shmget(IPC_PRIVATE, size, 0600);
	char *memory = id < 0 ? (char *)-1 : shmat(id, NULL, 0);

	if (memory == (char *)-1)
		return 1;
	memset(memory, 1, size / 2);
	printf("%d\n", id);
	fflush(stdout);
	for (;;)
		pause();
}
