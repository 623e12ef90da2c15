/*
 * Whatever comes back, the library keeps within its memory and its results, and
 * how the bytes were cut changes nothing.
 *
 * An input is a list of operations: 0xff lets 300 ms pass, 0xfe a minute, 0xf0
 * to 0xfd starts a command, and every other byte comes from the other side.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Answers, each between bytes that must stay as they are. */
struct answers {
	uint32_t before;
	struct boat_tx tx;
	uint32_t a;
	struct boat_pin pin;
	uint32_t b;
	struct boat_balance balance;
	uint32_t c;
	char text[24];
	uint32_t d;
	uint32_t id;
	uint32_t after;
};

#define GUARD 0xb0a7b0a7u

static void start(struct boat *b, struct answers *a, unsigned which)
{
	static const struct boat_order order = {"w0", "r", NULL, false};
	static const char *const args[] = {"1", "\"\\"};
	static const char bytes[] = "0123456789abcdefghijklmnopqrstuvwxyz";

	switch (which) {
	case 0: boat_pin(b, &a->pin); break;
	case 1: boat_wallet(b, "w0", "box", NULL, a->text, sizeof a->text); break;
	case 2: boat_balance(b, "w0", NULL, &a->balance); break;
	case 3: boat_send(b, &order, "shop", "1", NULL, &a->id); break;
	case 4: boat_call(b, &order, "m", "f(uint256,string)", args, 2, &a->id); break;
	case 5: boat_query(b, "box", "m", "f()", NULL, 0, a->text, sizeof a->text); break;
	case 6: boat_tx(b, 1, &a->tx); break;
	case 7: boat_sign(b, "k", 0, "t:x", a->text, sizeof a->text); break;
	case 8: boat_slot_raw(b, 1, bytes, sizeof bytes); break;
	case 9: b->arg_max = 30; boat_slot_put(b, 1, bytes, sizeof bytes); break;
	case 10: boat_ask(b, "+BOATINFO", BOAT_A_MS); break;
	case 11: boat_events_after(b, 5); break;
	case 12: boat_address(b, "w0", a->text, 1); break;
	default: boat_reopen(b);
	}
}

static void require(int good, const char *what)
{
	if (!good) {
		fprintf(stderr, "broken: %s\n", what);
		abort();
	}
}

static void run(struct sim *s, const uint8_t *data, size_t size, size_t cut, size_t room)
{
	struct answers a;
	bool running = false;
	size_t i;

	memset(&a, 0, sizeof a);
	a.before = a.a = a.b = a.c = a.d = a.after = GUARD;
	sim_init(s, 127);
	s->cut = cut;
	s->room = room;
	for (i = 0; i < size; i++) {
		if (data[i] >= 0xfe) {
			sim_settle(s);
			s->clock += data[i] == 0xff ? 300 : 60000;
		} else if (data[i] >= 0xf0) {
			sim_settle(s);
			start(&s->b, &a, data[i] - 0xf0u);
		} else {
			sim_feed(s, (const char *)&data[i], 1);
		}
		running = running || !boat_idle(&s->b);
		if (data[i] >= 0xf0 || i + 1 == size) {
			sim_settle(s);
		}
		if (running && boat_idle(&s->b)) {
			running = false;
			require(s->b.code >= BOAT_E_CLOSED && s->b.code <= 65535, "the result");
			sim_log(s, "= %d %lu %lu\n", s->b.code, (unsigned long)s->b.length, (unsigned long)a.id);
		}
	}
	require(a.before == GUARD && a.a == GUARD && a.b == GUARD && a.c == GUARD && a.d == GUARD && a.after == GUARD,
	        "the guards");
	require(s->b.filled < BOAT_LINE_MAX, "the line");
	require(memchr(a.tx.hash, 0, sizeof a.tx.hash) && memchr(a.balance.units, 0, sizeof a.balance.units) &&
	        memchr(a.balance.symbol, 0, sizeof a.balance.symbol), "the ends of strings");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sim whole, cut, slow;

	if (size > 4000) {
		return 0;
	}
	run(&whole, data, size, 0, 0);
	run(&slow, data, size, 3, 3);
	run(&cut, data, size, 2, 0);
	require(whole.log_end == cut.log_end && memcmp(whole.log, cut.log, cut.log_end) == 0, "what is told");
	require(whole.out_end == cut.out_end && memcmp(whole.out, cut.out, cut.out_end) == 0, "what is sent");
	return 0;
}
