/*
 * The smallest firmware: a bare loop that never waits. What it does next
 * depends on the result of what it did last. uart_*() and millis() are the
 * board's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "../../boat.h"

extern size_t uart_write(const char *bytes, size_t n); /* returns what fits */
extern uint32_t millis(void);
extern void show(const char *what, uint32_t n);

static uint8_t bytes[256];
static struct boat_ring ring;
static struct boat boat;

/* The UART's receive interrupt. */
void uart_received(uint8_t byte);
void uart_received(uint8_t byte)
{
	boat_ring_put(&ring, byte);
}

static int port_read(void *context)
{
	return boat_ring_get(context);
}

static size_t port_write(void *context, const char *s, size_t n)
{
	(void)context;
	return uart_write(s, n);
}

static uint32_t port_now(void *context)
{
	(void)context;
	return millis();
}

static void on_event(void *context, const struct boat_event *e)
{
	(void)context;
	if (e->kind == BOAT_EVENT_URC && e->name[0] == 't') { /* "tx" */
		show("state of a transaction", e->n[1]);
	}
}

#define AGAIN_MS 1000u /* before a command is given again */

enum { ASK_PIN, UNLOCK, MAKE_WALLET, PAY, DONE };

static struct boat_pin pin;
static char address[48];
static uint32_t id;

/* Starts what is due. */
static int begin(int step)
{
	/* The number in the reference comes from where it survives a reset. */
	static const struct boat_order order = {"w0", "order-1", NULL, false};

	switch (step) {
	case ASK_PIN:
		return boat_pin(&boat, &pin);
	case UNLOCK:
		return pin.state == BOAT_PIN_NONE ? boat_pin_set(&boat, "", "2580", "13572468")
		                                  : boat_pin_enter(&boat, "2580");
	case MAKE_WALLET:
		return boat_wallet(&boat, "w0", "main", NULL, address, sizeof address);
	default:
		return boat_send(&boat, &order, "0x000000000000000000000000000000000000b0a7", "0.01ether", NULL, &id);
	}
}

/* Says whether a step may be given again after this result. Nothing is done
 * twice: wallets are made once, and an order has its reference. */
static bool is_passing(int code)
{
	switch (code) {
	case BOAT_E_TIMEOUT:
	case BOAT_E_LOST:
	case BOAT_E_ANSWER:
	case BOAT_E_CLOSED:
	case BOAT_CODE_BUSY:
	case BOAT_CODE_STARTING:
	case BOAT_CODE_NO_BEARER:
	case BOAT_CODE_TIMEOUT:
	case BOAT_CODE_UNREACHABLE:
		return true;
	default:
		return false;
	}
}

/* Says what comes after a step with this result. What will be the same the next
 * time, such as a wrong PIN, ends it. */
static int next(int step, int code)
{
	if (code == BOAT_CODE_LOCKED) {
		return ASK_PIN;
	}
	if (code != BOAT_OK) {
		show("result", (uint32_t)code);
		return is_passing(code) ? step : DONE;
	}
	if (step != ASK_PIN) {
		return step + 1;
	}
	switch (pin.state) {
	case BOAT_PIN_READY:
		return MAKE_WALLET;
	case BOAT_PIN_NEEDED:
	case BOAT_PIN_NONE:
		return UNLOCK;
	default: /* the PUK is asked for: that is for somebody to decide */
		show("PIN", pin.state);
		return DONE;
	}
}

int main(void)
{
	struct boat_port port = {port_read, port_write, port_now, on_event, NULL};
	int step = ASK_PIN;
	bool started = false;
	uint32_t since = 0, pause = 0;

	boat_ring_init(&ring, bytes, sizeof bytes);
	port.context = &ring;
	boat_init(&boat, &port, BOAT_URC_TX);
	for (;;) {
		/* the rest of the device's work stands here */
		if (!boat_poll(&boat) || step == DONE || millis() - since < pause) {
			continue;
		}
		if (started) {
			step = next(step, boat.code);
			started = false;
			since = millis();
			pause = boat.code == BOAT_OK ? 0 : AGAIN_MS;
		} else {
			started = begin(step) == BOAT_OK;
			pause = 0;
		}
	}
}
