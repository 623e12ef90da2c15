/*
 * poll: the least that can answer AT, what boatd's line stands beside. A loop
 * waits for bytes, echoes them, gathers a line and answers OK or ERROR. It writes
 * what a line takes: name, instructions.
 */
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "count.h"

enum { LINE = 2048 };

static char line[LINE];
static size_t length;

static int answer(int fd, const char *text) { return write(fd, text, strlen(text)) < 0; }

static int take(int fd, char c)
{
	int bad;

	if (c != '\r') {
		if (length < LINE - 1)
			line[length++] = c;
		return 0;
	}
	line[length] = 0;
	length = 0;
	bad = strcasecmp(line, "AT") != 0;
	return answer(fd, bad ? "\r\nERROR\r\n" : "\r\nOK\r\n");
}

/* turn is one turn of the loop. */
static int turn(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	char bytes[256];
	ssize_t n;

	if (poll(&wait, 1, -1) != 1 || (n = read(fd, bytes, sizeof bytes)) <= 0 || write(fd, bytes, (size_t)n) != n)
		return 1;
	for (ssize_t i = 0; i < n; i++)
		if (take(fd, bytes[i]))
			return 1;
	return 0;
}

int main(void)
{
	enum { N = 1000 };
	volatile uint64_t *counts = open_counts();
	uint64_t sum = 0;
	char heard[64];
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return 1;
	for (int i = 0; i < N; i++) {
		if (write(ends[1], "AT\r", 3) != 3)
			return 1;
		uint64_t start = counts[0];
		if (turn(ends[0]))
			return 1;
		sum += counts[0] - start;
		if (read(ends[1], heard, sizeof heard) != 9 || memcmp(heard, "AT\r\r\nOK\r\n", 9))
			return 1;
	}
	report("c-poll-at-line", sum / N);
	return 0;
}
