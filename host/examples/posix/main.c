/*
 * The library on a computer with a serial port: one command, or several, each
 * with its arguments and a "--" between them.
 *
 *     boat-posix /dev/ttyUSB0 pin 2580 13572468 -- wallet w0 box -- balance w0
 *
 * What a host does first in its life it does first here, too: it asks for the
 * PIN and enters it, or sets it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _DEFAULT_SOURCE

#include "../../boat.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* How often an order is given until it is answered. */
#define TRIES 5

static struct boat b;
static int line = -1;

/* Waits a little for a byte, so that polling costs nothing. */
static int port_read(void *context)
{
	static unsigned char bytes[256];
	static ssize_t have, at;
	struct pollfd p = {-1, POLLIN, 0};

	(void)context;
	if (at == have) {
		p.fd = line;
		if (poll(&p, 1, 5) <= 0) {
			return -1;
		}
		at = 0;
		have = read(line, bytes, sizeof bytes);
		if (have <= 0) {
			have = 0;
			return -1;
		}
	}
	return bytes[at++];
}

static size_t port_write(void *context, const char *bytes, size_t n)
{
	ssize_t k = write(line, bytes, n);

	(void)context;
	return k > 0 ? (size_t)k : 0;
}

static uint32_t port_now(void *context)
{
	struct timespec t;

	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint32_t)t.tv_sec * 1000u + (uint32_t)(t.tv_nsec / 1000000);
}

static void port_event(void *context, const struct boat_event *e)
{
	(void)context;
	switch (e->kind) {
	case BOAT_EVENT_OPEN:
		printf("open %u %u\n", (unsigned)e->n[0], (unsigned)e->n[1]);
		break;
	case BOAT_EVENT_URC:
		printf("code %u %s %u %u %u %s\n", (unsigned)e->seq, e->name, (unsigned)e->n[0], (unsigned)e->n[1],
		       (unsigned)e->n[2], e->text);
		break;
	case BOAT_EVENT_LINE:
		printf("line %s\n", e->text);
		break;
	default:
		printf("foreign %s\n", e->text);
	}
	fflush(stdout);
}

static int open_line(const char *name)
{
	struct termios t;

	line = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (line < 0) {
		return -1;
	}
	if (tcgetattr(line, &t) == 0) {
		cfmakeraw(&t);
		cfsetspeed(&t, B115200);
		tcsetattr(line, TCSANOW, &t);
	}
	return 0;
}

static int unlock(const char *pin, const char *puk)
{
	struct boat_pin state;
	int code = boat_do(&b, boat_pin(&b, &state));

	if (code != BOAT_OK || state.state == BOAT_PIN_READY) {
		return code;
	}
	if (state.state == BOAT_PIN_NONE) {
		return boat_do(&b, boat_pin_set(&b, "", pin, puk));
	}
	return boat_do(&b, boat_pin_enter(&b, pin));
}

/* Says whether an order is in doubt, so that it has to be given again. */
static int in_doubt(int code)
{
	return code == BOAT_E_TIMEOUT || code == BOAT_E_LOST || code == BOAT_E_ANSWER;
}

static int send_coin(char **a, int n)
{
	struct boat_order order = {a[0], a[1], NULL, false};
	uint32_t id;
	int i, code = BOAT_E_TIMEOUT;

	for (i = 0; i < TRIES && in_doubt(code); i++) {
		code = boat_do(&b, boat_send(&b, &order, a[2], a[3], n > 4 ? a[4] : NULL, &id));
	}
	if (code == BOAT_OK) {
		printf("id %u\n", (unsigned)id);
	}
	return code;
}

static int call(char **a, int n)
{
	struct boat_order order = {a[0], a[1], NULL, false};
	uint32_t id;
	int i, code = BOAT_E_TIMEOUT;

	for (i = 0; i < TRIES && in_doubt(code); i++) {
		code = boat_do(&b, boat_call(&b, &order, a[2], a[3], (const char *const *)(a + 4), (size_t)(n - 4), &id));
	}
	if (code == BOAT_OK) {
		printf("id %u\n", (unsigned)id);
	}
	return code;
}

/* Shows bytes as text where they are text. */
static void show_bytes(const char *bytes, uint32_t n, int hex)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		printf(hex ? "%02x" : "%c", (unsigned char)bytes[i]);
	}
	printf("\n");
}

static int query(char **a, int n)
{
	char value[4096];
	int code = boat_do(&b, boat_query(&b, a[0], a[1], a[2], (const char *const *)(a + 3), (size_t)(n - 3), value,
	                                  sizeof value));

	if (code == BOAT_OK) {
		show_bytes(value, b.length, value[0] == '\0');
	}
	return code;
}

static int sign(char **a)
{
	char signature[256];
	int code = boat_do(&b, boat_sign(&b, a[0], BOAT_SIGN_MESSAGE, a[1], signature, sizeof signature));

	if (code == BOAT_OK) {
		show_bytes(signature, b.length, 1);
	}
	return code;
}

static int show_tx(int code, const struct boat_tx *tx)
{
	if (code == BOAT_OK) {
		printf("tx %u %u %u %u %u %s\n", (unsigned)tx->id, (unsigned)tx->state, (unsigned)tx->reason,
		       (unsigned)tx->confirmations, (unsigned)tx->block, tx->hash);
	}
	return code;
}

static int wait_tx(uint32_t id)
{
	struct boat_tx tx;
	int i, code = BOAT_CODE_TIMEOUT;

	for (i = 0; i < TRIES && (in_doubt(code) || code == BOAT_CODE_TIMEOUT); i++) {
		code = boat_do(&b, boat_tx_wait(&b, id, BOAT_TX_CONFIRMED, 60, &tx));
	}
	return show_tx(code, &tx);
}

static uint32_t number(const char *s)
{
	return (uint32_t)strtoul(s, NULL, 10);
}

/* Waits for unsolicited codes. */
static int listen_for(uint32_t ms)
{
	uint32_t begin = port_now(NULL);

	while (port_now(NULL) - begin < ms) {
		boat_poll(&b);
	}
	return BOAT_OK;
}

/* Puts the bytes of a file into a slot. */
static int upload(char **a)
{
	static char bytes[65536];
	FILE *f = fopen(a[2], "rb");
	size_t n;

	if (f == NULL) {
		return BOAT_E_PARAMETER;
	}
	n = fread(bytes, 1, sizeof bytes, f);
	fclose(f);
	return boat_do(&b, a[0][0] == 'r' ? boat_slot_raw(&b, number(a[1]), bytes, n)
	                                  : boat_slot_put(&b, number(a[1]), bytes, n));
}

/* Runs one command of n words; -100 for one that is none. */
static int run(char **a, int n)
{
	char text[80];
	struct boat_balance balance;
	struct boat_tx tx;
	uint32_t id;
	int code = -100;

	if (strcmp(a[0], "pin") == 0 && n == 3) {
		return unlock(a[1], a[2]);
	} else if (strcmp(a[0], "limit") == 0 && n == 2) {
		b.arg_max = (uint16_t)number(a[1]);
		return BOAT_OK;
	} else if (strcmp(a[0], "wallet") == 0 && (n == 3 || n == 4)) {
		code = boat_do(&b, boat_wallet(&b, a[1], a[2], n > 3 ? a[3] : NULL, text, sizeof text));
	} else if (strcmp(a[0], "address") == 0 && n == 2) {
		code = boat_do(&b, boat_address(&b, a[1], text, sizeof text));
	} else if (strcmp(a[0], "balance") == 0 && (n == 2 || n == 3)) {
		code = boat_do(&b, boat_balance(&b, a[1], n > 2 ? a[2] : NULL, &balance));
		snprintf(text, sizeof text, "%.40s %u %s", balance.units, (unsigned)balance.decimals, balance.symbol);
	} else if (strcmp(a[0], "send") == 0 && (n == 5 || n == 6)) {
		return send_coin(a + 1, n - 1);
	} else if (strcmp(a[0], "call") == 0 && n >= 5) {
		return call(a + 1, n - 1);
	} else if (strcmp(a[0], "query") == 0 && n >= 4) {
		return query(a + 1, n - 1);
	} else if (strcmp(a[0], "key") == 0 && n == 3) {
		return boat_do(&b, boat_key(&b, a[1], a[2]));
	} else if (strcmp(a[0], "sign") == 0 && n == 3) {
		return sign(a + 1);
	} else if ((strcmp(a[0], "put") == 0 || strcmp(a[0], "raw") == 0) && n == 3) {
		return upload(a);
	} else if (strcmp(a[0], "find") == 0 && n == 3) {
		code = boat_do(&b, boat_tx_find(&b, a[1], a[2], &id));
		snprintf(text, sizeof text, "id %u", (unsigned)id);
	} else if (strcmp(a[0], "tx") == 0 && n == 2) {
		return show_tx(boat_do(&b, boat_tx(&b, number(a[1]), &tx)), &tx);
	} else if (strcmp(a[0], "wait") == 0 && n == 2) {
		return wait_tx(number(a[1]));
	} else if (strcmp(a[0], "listen") == 0 && n == 2) {
		return listen_for(number(a[1]));
	} else if (strcmp(a[0], "ask") == 0 && n == 2) {
		return boat_do(&b, boat_ask(&b, a[1], 60000));
	}
	if (code == BOAT_OK) {
		printf("%s\n", text);
	}
	return code;
}

int main(int argc, char **argv)
{
	static const struct boat_port port = {port_read, port_write, port_now, port_event, NULL};
	int i, end, code;

	if (argc < 3 || open_line(argv[1]) != 0) {
		fprintf(stderr, "usage: %s TERMINAL COMMAND [-- COMMAND]...: %s\n", argv[0], strerror(errno));
		return 2;
	}
	boat_init(&b, &port, BOAT_URC_TX | BOAT_URC_READY);
	for (i = 2; i < argc; i = end + 1) {
		for (end = i; end < argc && strcmp(argv[end], "--") != 0; end++) {
		}
		if (end == i) {
			continue;
		}
		code = run(argv + i, end - i);
		if (code != BOAT_OK) {
			printf("%s: %d\n", argv[i], code);
			return 1;
		}
		fflush(stdout);
	}
	return 0;
}
