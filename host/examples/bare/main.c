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

/* Says what comes after a step with this result. */
static int next(int step, int code)
{
	if (code == BOAT_CODE_LOCKED) {
		return ASK_PIN;
	}
	if (code != BOAT_OK) {
		show("result", (uint32_t)code);
		return code == BOAT_CODE_WRONG_PIN ? DONE : step; /* again: nothing is done twice */
	}
	return step == ASK_PIN && pin.state == BOAT_PIN_READY ? MAKE_WALLET : step + 1;
}

int main(void)
{
	struct boat_port port = {port_read, port_write, port_now, on_event, NULL};
	int step = ASK_PIN;
	bool started = false;

	boat_ring_init(&ring, bytes, sizeof bytes);
	port.context = &ring;
	boat_init(&boat, &port, BOAT_URC_TX);
	for (;;) {
		/* the rest of the device's work stands here */
		if (!boat_poll(&boat) || step == DONE) {
			continue;
		}
		if (started) {
			step = next(step, boat.code);
			started = false;
		} else {
			started = begin(step) == BOAT_OK;
		}
	}
}
