/*
 * Runs the inputs of the fuzz target without a fuzzer: those that are kept, and
 * of each a few thousand changed ones that are the same every time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUTATIONS 400

static uint32_t seed = 1;

static uint32_t next(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

/* Changes, drops or repeats some bytes. */
static size_t mutate(uint8_t *data, size_t size, size_t room)
{
	uint32_t times = 1 + next(4);

	for (; times > 0 && size > 4; times--) {
		size_t at = next((uint32_t)size), n = 1 + next(8);
		switch (next(4)) {
		case 0:
			data[at] = (uint8_t)next(256);
			break;
		case 1:
			data[at] = (uint8_t)"\r\n\",0+ >"[next(8)];
			break;
		case 2:
			n = n < size - at ? n : size - at;
			memmove(data + at, data + at + n, size - at - n);
			size -= n;
			break;
		default:
			n = n < room - size ? n : room - size;
			memmove(data + at + n, data + at, size - at);
			size += n;
		}
	}
	return size;
}

int main(int argc, char **argv)
{
	static uint8_t whole[2048], changed[4000];
	unsigned long runs = 0;
	int i, j;

	for (i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		size_t n;
		if (f == NULL) {
			perror(argv[i]);
			return 1;
		}
		n = fread(whole, 1, sizeof whole, f);
		fclose(f);
		LLVMFuzzerTestOneInput(whole, n);
		for (j = 0; j < MUTATIONS; j++) {
			memcpy(changed, whole, n);
			LLVMFuzzerTestOneInput(changed, mutate(changed, n, sizeof changed));
			runs++;
		}
	}
	printf("%d inputs, %lu changed ones\n", argc - 1, runs);
	return argc < 2;
}
