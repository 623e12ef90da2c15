/*
 * A device that pays once for each order that it has, whatever happens: it is
 * switched off, the module is, or both.
 *
 * The log says what it does and ends with "PASS <id> <hash>" or "FAIL <why>".
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "board.h"

#include "../../boat.h"

#ifndef BOX_NET
#define BOX_NET "box"
#endif
#ifndef BOX_WALLET
#define BOX_WALLET "w0"
#endif
#ifndef BOX_PIN
#define BOX_PIN "2468x"
#endif
#ifndef BOX_PUK
#define BOX_PUK "13572468"
#endif
#ifndef BOX_TO
#define BOX_TO "0x000000000000000000000000000000000000b0a7"
#endif
#ifndef BOX_AMOUNT
#define BOX_AMOUNT "0.01ether"
#endif

static struct boat boat;

static void say_number(uint32_t n)
{
	char text[11];
	char *p = text + sizeof text - 1;

	*p = '\0';
	do {
		*--p = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	board_log(p);
}

static void say(const char *what, const char *more)
{
	say_number(board_now(NULL));
	board_log(" ");
	board_log(what);
	board_log(more);
	board_log("\r\n");
}

static void say_code(const char *what, int code)
{
	say_number(board_now(NULL));
	board_log(" ");
	board_log(what);
	board_log(code < 0 ? ": -" : ": ");
	say_number((uint32_t)(code < 0 ? -code : code));
	board_log("\r\n");
}

static void on_event(void *context, const struct boat_event *e)
{
	(void)context;
	if (e->kind == BOAT_EVENT_OPEN) {
		say(e->n[1] != 0 ? "boatd answers again" : "boatd answers", "");
	} else if (e->kind == BOAT_EVENT_URC) {
		say("code ", e->name);
	}
}

static void sleep_ms(uint32_t ms)
{
	uint32_t begin = board_now(NULL);

	while (board_now(NULL) - begin < ms) {
		boat_poll(&boat);
	}
}

/* Unlocks the channel. What it returns is no more than a hint: what needs the
 * PIN tells. A wrong PIN is not tried again. */
static int unlock(void)
{
	struct boat_pin pin;
	int code = boat_do(&boat, boat_pin(&boat, &pin));

	if (code != BOAT_OK || pin.state == BOAT_PIN_READY) {
		return code;
	}
	if (pin.state == BOAT_PIN_NONE) {
		say("setting the PIN", "");
		return boat_do(&boat, boat_pin_set(&boat, "", BOX_PIN, BOX_PUK));
	}
	if (pin.state != BOAT_PIN_NEEDED) {
		return BOAT_CODE_WRONG_PIN;
	}
	say("entering the PIN", "");
	return boat_do(&boat, boat_pin_enter(&boat, BOX_PIN));
}

/* Says whether a command is to be given again after this result, and does what
 * has to be done before. */
static bool again(const char *what, int code)
{
	say_code(what, code);
	switch (code) {
	case BOAT_CODE_LOCKED:
		return unlock() != BOAT_CODE_WRONG_PIN;
	case BOAT_E_TIMEOUT:
	case BOAT_E_LOST:
	case BOAT_E_ANSWER:
	case BOAT_E_CLOSED:
	case BOAT_CODE_BUSY:
	case BOAT_CODE_STARTING:
	case BOAT_CODE_NO_BEARER:
	case BOAT_CODE_TIMEOUT:
	case BOAT_CODE_UNREACHABLE:
		sleep_ms(500);
		return true;
	default:
		return false;
	}
}

static int make_wallet(void)
{
	char address[48];
	int code;

	do {
		code = boat_do(&boat, boat_wallet(&boat, BOX_WALLET, BOX_NET, NULL, address, sizeof address));
	} while (code != BOAT_OK && again("wallet", code));
	if (code == BOAT_OK) {
		say("wallet ", address);
	}
	return code;
}

static int await_funds(void)
{
	static struct boat_balance balance;
	int code;

	for (;;) {
		code = boat_do(&boat, boat_balance(&boat, BOX_WALLET, NULL, &balance));
		if (code == BOAT_OK && (balance.units[0] != '0' || balance.units[1] != '\0')) {
			say("balance ", balance.units);
			return code;
		}
		if (code != BOAT_OK && !again("balance", code)) {
			return code;
		}
		sleep_ms(500);
	}
}

static int give_order(const char *reference, uint32_t *id)
{
	struct boat_order order = {BOX_WALLET, NULL, NULL, false};
	int code;

	order.reference = reference;
	do {
		say("order ", reference);
		code = boat_do(&boat, boat_send(&boat, &order, BOX_TO, BOX_AMOUNT, NULL, id));
	} while (code != BOAT_OK && again("order", code));
	return code;
}

static int await_end(uint32_t id, struct boat_tx *tx)
{
	int code;

	do {
		code = boat_do(&boat, boat_tx_wait(&boat, id, BOAT_TX_CONFIRMED, 20, tx));
	} while (code != BOAT_OK && again("waiting", code));
	return code;
}

/* The reference is made of a number that survives a reset and goes on when the
 * order has ended: so one order has one reference, however often it is given. */
static void name_order(char *reference, uint32_t n)
{
	unsigned i;

	reference[0] = 'm';
	reference[1] = '-';
	for (i = 0; i < 8; i++) {
		reference[2 + i] = "0123456789abcdef"[n >> (28 - 4 * i) & 15];
	}
	reference[10] = '\0';
}

static int pay(struct boat_tx *tx)
{
	char reference[17];
	uint32_t id = 0, n = board_counter();
	int code;

	name_order(reference, n);
	code = unlock();
	if (code != BOAT_OK && !again("PIN", code)) {
		return code;
	}
	code = make_wallet();
	if (code == BOAT_OK) {
		code = await_funds();
	}
	if (code == BOAT_OK) {
		code = give_order(reference, &id);
	}
	if (code == BOAT_OK) {
		code = await_end(id, tx);
	}
	if (code == BOAT_OK) {
		board_set_counter(n + 1);
	}
	return code;
}

int main(void)
{
	static const struct boat_port port = {board_read, board_write, board_now, on_event, NULL};
	static struct boat_tx tx;
	int code;

	board_init();
	say("reset", "");
	boat_init(&boat, &port, BOAT_URC_TX | BOAT_URC_READY);
	code = pay(&tx);
	if (code == BOAT_OK && tx.state == BOAT_TX_CONFIRMED) {
		board_log("PASS ");
		say_number(tx.id);
		board_log(" ");
		board_log(tx.hash);
		board_log("\r\n");
	} else {
		board_log(code == BOAT_OK ? "FAIL state " : code < 0 ? "FAIL code -" : "FAIL code ");
		say_number(code == BOAT_OK ? tx.state : (uint32_t)(code < 0 ? -code : code));
		board_log("\r\n");
	}
	for (;;) {
		boat_poll(&boat);
	}
}
