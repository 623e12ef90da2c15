/*
 * Tests of the host library: each is a script of what is sent and what comes
 * back, and is run whole, byte by byte and with a port that takes one byte.
 *
 * A script's lines:
 *
 *     open          the opening goes well; boatd has started 7 times
 *     do NAME       a command of the table below is started
 *     > TEXT        exactly this line was sent next
 *     >> BYTES      exactly these bytes were sent next; \e ESC, \r CR, \\ itself
 *     >             nothing more was sent
 *     < TEXT        this line comes, in its frame
 *     << BYTES      these bytes come
 *     wait MS       time passes
 *     stuck         the port takes nothing; "stuck" again: it does
 *     skip          what was sent and told does not matter
 *     = CODE [TEXT] the command has ended so, with this answer
 *     ...           the command has not ended
 *     * TEXT        exactly this event was told next
 *     *             no more events were told
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where answers go. */
static struct {
	uint32_t id;
	struct boat_tx tx;
	struct boat_pin pin;
	struct boat_balance balance;
	char text[96];
} got;

static const struct boat_order plain = {"w0", "r-1", NULL, false};
static const struct boat_order with_options = {"w0", "r-1", "gas=21000;tip=1gwei", false};
static const struct boat_order without = {"w0", "", NULL, false};
static const struct boat_order without_null = {"w0", NULL, NULL, false};
static const struct boat_order reckless = {"w0", NULL, NULL, true};
static const struct boat_order smuggled = {"w0", "r;", NULL, false};
static const struct boat_order longest = {"w0", "abcdefghijklmnop", NULL, false};
static const struct boat_order too_long = {"w0", "abcdefghijklmnopq", NULL, false};
static const char *const args[] = {"12", "a\"b\\c\r\n\xc3\xa9"};
static const char *const hole[] = {"12", NULL};
static const char data[] = "Hello, boatd";
static char many[3000];

static int do_pin(struct boat *b) { return boat_pin(b, &got.pin); }
static int do_enter(struct boat *b) { return boat_pin_enter(b, "2580"); }
static int do_set(struct boat *b) { return boat_pin_set(b, "", "2580", "13572468"); }
static int do_change(struct boat *b) { return boat_pin_set(b, "2580", "1470", NULL); }
static int do_unblock(struct boat *b) { return boat_pin_unblock(b, "13572468", "2580"); }
static int do_key(struct boat *b) { return boat_key(b, "k0", "m"); }
static int do_wallet(struct boat *b) { return boat_wallet(b, "w0", "box", NULL, got.text, 48); }
static int do_wallet_key(struct boat *b) { return boat_wallet(b, "w0", "box", "k0", got.text, 48); }
static int do_address(struct boat *b) { return boat_address(b, "w0", got.text, 48); }
static int do_narrow(struct boat *b) { return boat_address(b, "w0", got.text, 4); }
static int do_balance(struct boat *b) { return boat_balance(b, "w0", NULL, &got.balance); }
static int do_token(struct boat *b) { return boat_balance(b, "w0", "coin", &got.balance); }
static int do_send(struct boat *b) { return boat_send(b, &plain, "shop", "1", NULL, &got.id); }
static int do_send_token(struct boat *b) { return boat_send(b, &with_options, "shop", "2.5whole", "coin", &got.id); }
static int do_send_without(struct boat *b) { return boat_send(b, &without, "shop", "1", NULL, &got.id); }
static int do_send_null(struct boat *b) { return boat_send(b, &without_null, "shop", "1", NULL, &got.id); }
static int do_send_reckless(struct boat *b) { return boat_send(b, &reckless, "shop", "1", NULL, &got.id); }
static int do_send_smuggled(struct boat *b) { return boat_send(b, &smuggled, "shop", "1", NULL, &got.id); }
static int do_send_longest(struct boat *b) { return boat_send(b, &longest, "shop", "1", NULL, &got.id); }
static int do_send_too_long(struct boat *b) { return boat_send(b, &too_long, "shop", "1", NULL, &got.id); }
static int do_send_nobody(struct boat *b) { return boat_send(b, &plain, NULL, "1", NULL, &got.id); }
static int do_send_nowhere(struct boat *b) { return boat_send(b, &plain, "shop", "1", NULL, NULL); }
static int do_call(struct boat *b) { return boat_call(b, &plain, "meter", "set(uint256,string)", args, 2, &got.id); }
static int do_call_hole(struct boat *b) { return boat_call(b, &plain, "meter", "f", hole, 2, &got.id); }
static int do_call_many(struct boat *b) { return boat_call(b, &plain, "meter", many, NULL, 0, &got.id); }
static int do_call_most(struct boat *b) { return boat_call(b, &plain, "meter", many + sizeof many - 2018, NULL, 0, &got.id); }
static int do_query(struct boat *b) { return boat_query(b, "box", "meter", "get()(uint256)", NULL, 0, got.text, sizeof got.text); }
static int do_query_short(struct boat *b) { return boat_query(b, "box", "meter", "get()", NULL, 0, got.text, 3); }
static int do_tx(struct boat *b) { return boat_tx(b, 5, &got.tx); }
static int do_tx_0(struct boat *b) { return boat_tx(b, 0, &got.tx); }
static int do_tx_big(struct boat *b) { return boat_tx(b, 2147483648u, &got.tx); }
static int do_wait(struct boat *b) { return boat_tx_wait(b, 5, BOAT_TX_CONFIRMED, 30, &got.tx); }
static int do_wait_long(struct boat *b) { return boat_tx_wait(b, 5, BOAT_TX_CONFIRMED, 181, &got.tx); }
static int do_wait_5(struct boat *b) { return boat_tx_wait(b, 5, BOAT_TX_REVERTED, 30, &got.tx); }
static int do_find(struct boat *b) { return boat_tx_find(b, "w0", "r-1", &got.id); }
static int do_sign(struct boat *b) { return boat_sign(b, "k0", BOAT_SIGN_MESSAGE, "t:hi", got.text, 65); }
static int do_sign_9(struct boat *b) { return boat_sign(b, "k0", 9, "t:hi", got.text, 65); }
static int do_put(struct boat *b) { return boat_slot_put(b, 3, data, 12); }
static int do_put_8(struct boat *b) { return boat_slot_put(b, 8, data, 12); }
static int do_put_none(struct boat *b) { return boat_slot_put(b, 3, data, 0); }
static int do_put_null(struct boat *b) { return boat_slot_put(b, 3, NULL, 12); }
static int do_put_short(struct boat *b) { b->arg_max = 20; return boat_slot_put(b, 3, data, 12); }
static int do_put_tightest(struct boat *b) { b->arg_max = 1; return boat_slot_put(b, 3, data, 12); }
static int do_put_tight(struct boat *b) { b->arg_max = 11; return boat_slot_put(b, 3, data, 12); }
static int do_send_tight(struct boat *b) { b->arg_max = 20; return boat_send(b, &plain, "shop", "1", NULL, &got.id); }
static int do_send_fits(struct boat *b) { b->arg_max = 21; return boat_send(b, &plain, "shop", "1", NULL, &got.id); }
static int do_raw(struct boat *b) { return boat_slot_raw(b, 3, data, 12); }
static int do_ack(struct boat *b) { return boat_events_forget(b, 41); }
static int do_after(struct boat *b) { boat_events_after(b, 38); return 0; }
static int do_reopen(struct boat *b) { boat_reopen(b); return 0; }
static int do_ask(struct boat *b) { return boat_ask(b, "+BOATINFO=\"api\"", BOAT_A_MS); }

static const struct {
	const char *name;
	int (*run)(struct boat *b);
} commands[] = {
	{"pin", do_pin}, {"enter", do_enter}, {"set", do_set}, {"change", do_change}, {"unblock", do_unblock},
	{"key", do_key}, {"wallet", do_wallet}, {"wallet-key", do_wallet_key}, {"address", do_address},
	{"narrow", do_narrow}, {"balance", do_balance}, {"token", do_token}, {"send", do_send},
	{"send-token", do_send_token}, {"send-without", do_send_without}, {"send-null", do_send_null},
	{"send-reckless", do_send_reckless}, {"send-smuggled", do_send_smuggled}, {"send-longest", do_send_longest},
	{"send-too-long", do_send_too_long}, {"send-nobody", do_send_nobody}, {"send-nowhere", do_send_nowhere},
	{"call", do_call}, {"call-hole", do_call_hole}, {"call-many", do_call_many}, {"call-most", do_call_most},
	{"query", do_query}, {"query-short", do_query_short}, {"tx", do_tx}, {"tx-0", do_tx_0}, {"tx-big", do_tx_big},
	{"wait", do_wait}, {"wait-long", do_wait_long}, {"wait-5", do_wait_5}, {"find", do_find}, {"sign", do_sign},
	{"sign-9", do_sign_9}, {"put", do_put}, {"put-8", do_put_8}, {"put-none", do_put_none},
	{"put-short", do_put_short}, {"put-tight", do_put_tight}, {"put-tightest", do_put_tightest},
	{"put-null", do_put_null}, {"send-tight", do_send_tight},
	{"send-fits", do_send_fits}, {"raw", do_raw}, {"ack", do_ack}, {"after", do_after}, {"reopen", do_reopen},
	{"ask", do_ask},
};

#define HASH "25edb82a3d66992c783ded6323194cf940546aa427cbaea56ebc80e5272c2363"
#define ADDRESS "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"
#define HEX31 "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEX32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static const struct {
	const char *name, *script;
} tests[] = {
#include "scripts.inc"
};

/* The opening, as a script. */
static const char opening[] =
	">> \\e\\\\\\r\nwait 250\n"
	"> ATE0V1Q0+CMEE=1\n<< ATE0V1Q0+CMEE=1\\r\n< OK\n"
	"> ATE0V1Q0+CMEE=1\n< OK\n"
	"> AT+BOATREADY?\n< +BOATREADY: 31,7,100\n< OK\n"
	"> AT+BOATCFG=\"linemax\",120\n< +BOATCFG: \"linemax\",120\n< OK\n"
	"> AT+BOATCFG=\"urc\",127\n< +BOATCFG: \"urc\",127\n< OK\n"
	"> AT+BOATEVTLST?\n< +BOATEVTLST: 1,40\n< OK\n"
	"* open 7 0\n";

static struct sim s;
static size_t log_at;
static int failures;
static const char *running;
static bool by_length; /* the answer has boat.length bytes */

static void fail(const char *line, const char *what, const char *have, size_t n)
{
	failures++;
	printf("FAIL %s (cut %zu, room %zu): %s\n     %s: \"%.*s\"\n", running, s.cut, s.room, line, what, (int)n, have);
}

/* Reads \e, \r, \n and \\. */
static size_t unescape(const char *text, char *bytes)
{
	size_t n = 0;

	for (; *text != '\0'; text++) {
		if (*text == '\\') {
			text++;
			bytes[n++] = *text == 'e' ? '\x1b' : *text == 'r' ? '\r' : *text == 'n' ? '\n' : *text;
		} else {
			bytes[n++] = *text;
		}
	}
	return n;
}

static void sent(const char *line, const char *bytes, size_t n)
{
	sim_settle(&s);
	if (s.out_end - s.out_at < n || memcmp(s.out + s.out_at, bytes, n) != 0) {
		fail(line, "sent", s.out + s.out_at, s.out_end - s.out_at);
		n = s.out_end - s.out_at;
	}
	s.out_at += n;
}

static void told(const char *line, const char *text)
{
	const char *log = s.log + log_at;
	size_t n = strlen(text);

	sim_settle(&s);
	if (n == 0 ? s.log_end != log_at : strncmp(log, text, n) != 0 || log[n] != '\n') {
		fail(line, "told", log, s.log_end - log_at);
		return;
	}
	log_at += n > 0 ? n + 1 : 0;
}

/* The answer that the running command has had, as text. */
static const char *answer(void)
{
	static char text[512];
	size_t i, n = 0;

	text[0] = '\0';
	if (got.text[0] != '\0' || by_length) {
		for (i = 0; i < (by_length ? s.b.length : strlen(got.text)) && i < sizeof got.text; i++) {
			unsigned char c = (unsigned char)got.text[i];
			n += (size_t)snprintf(text + n, sizeof text - n, c < ' ' || c > '~' ? "[%02x]" : "%c", c);
		}
		return text;
	}
	snprintf(text, sizeof text, "%lu %lu,%lu,%lu,%lu,%lu,%s %d,%lu %lu,%s,%s", (unsigned long)got.id,
	         (unsigned long)got.tx.id, (unsigned long)got.tx.state, (unsigned long)got.tx.reason,
	         (unsigned long)got.tx.confirmations, (unsigned long)got.tx.block, got.tx.hash, (int)got.pin.state,
	         (unsigned long)got.pin.tries, (unsigned long)got.balance.decimals, got.balance.units,
	         got.balance.symbol);
	return text;
}

static int started;

static void run_command(const char *line, const char *name)
{
	size_t i;

	memset(&got, 0, sizeof got);
	by_length = strncmp(name, "query", 5) == 0 || strncmp(name, "sign", 4) == 0;
	for (i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (strcmp(commands[i].name, name) == 0) {
			started = commands[i].run(&s.b);
			return;
		}
	}
	fail(line, "no such command", name, strlen(name));
}

static void ended(const char *line, const char *want)
{
	char have[600];
	char *end;
	long code = strtol(want, &end, 10);

	sim_settle(&s);
	if (started == 0 && !boat_idle(&s.b)) {
		fail(line, "still running", "", 0);
	} else if (code != (started != 0 ? started : s.b.code)) {
		snprintf(have, sizeof have, "%d", started != 0 ? started : s.b.code);
		fail(line, "ended with", have, strlen(have));
	} else if (*end != '\0' && strcmp(end + 1, answer()) != 0) {
		fail(line, "answer", answer(), strlen(answer()));
	}
}

static void run_script(const char *script);

static void run_line(char *line)
{
	char bytes[1024];
	size_t n = 0;

	if (strcmp(line, "open") == 0) {
		run_script(opening);
	} else if (strncmp(line, "do ", 3) == 0) {
		run_command(line, line + 3);
	} else if (strncmp(line, ">> ", 3) == 0) {
		n = unescape(line + 3, bytes);
		sent(line, bytes, n);
	} else if (strncmp(line, "> ", 2) == 0) {
		n = (size_t)snprintf(bytes, sizeof bytes, "%s\r", line + 2);
		sent(line, bytes, n);
	} else if (strcmp(line, ">") == 0) {
		sim_settle(&s);
		if (s.out_at != s.out_end) {
			fail(line, "sent", s.out + s.out_at, s.out_end - s.out_at);
		}
	} else if (strncmp(line, "<< ", 3) == 0) {
		n = unescape(line + 3, bytes);
		sim_feed(&s, bytes, n);
	} else if (strncmp(line, "< ", 2) == 0) {
		n = (size_t)snprintf(bytes, sizeof bytes, "\r\n%s\r\n", line + 2);
		sim_feed(&s, bytes, n);
	} else if (strncmp(line, "wait ", 5) == 0) {
		uint32_t left = (uint32_t)strtoul(line + 5, NULL, 10);
		for (; left > 0; left -= left < 50 ? left : 50) {
			sim_settle(&s);
			s.clock += left < 50 ? left : 50;
		}
		sim_settle(&s);
	} else if (strncmp(line, "= ", 2) == 0) {
		ended(line, line + 2);
	} else if (strcmp(line, "stuck") == 0) {
		s.stuck = !s.stuck;
	} else if (strcmp(line, "skip") == 0) {
		sim_settle(&s);
		s.out_at = s.out_end;
		log_at = s.log_end;
	} else if (strcmp(line, "...") == 0) {
		sim_settle(&s);
		if (boat_idle(&s.b)) {
			fail(line, "the command has ended", "", 0);
		}
	} else if (line[0] == '*') {
		told(line, line[1] == ' ' ? line + 2 : "");
	} else {
		fail(line, "no such line of a script", line, strlen(line));
	}
}

static void run_script(const char *script)
{
	char line[1024];

	while (*script != '\0') {
		size_t n = strcspn(script, "\n");
		memcpy(line, script, n);
		line[n] = '\0';
		run_line(line);
		script += n + (script[n] == '\n');
	}
}

static void run_test(size_t i, size_t cut, size_t room)
{
	int before = failures;

	running = tests[i].name;
	sim_init(&s, 127);
	s.cut = cut;
	s.room = room;
	log_at = 0;
	started = 0;
	run_script(tests[i].script);
	if (failures == before && (s.out_at != s.out_end || log_at != s.log_end)) {
		fail("at the end", "sent", s.out + s.out_at, s.out_end - s.out_at);
		fail("at the end", "told", s.log + log_at, s.log_end - log_at);
	}
}

static void check(bool good, const char *what)
{
	if (!good) {
		failures++;
		printf("FAIL %s\n", what);
	}
}

static void test_ring(void)
{
	uint8_t bytes[8];
	struct boat_ring r;
	unsigned round, i;

	boat_ring_init(&r, bytes, sizeof bytes);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 7; i++) {
			check(boat_ring_put(&r, (uint8_t)(round + 250 + i)), "the ring has room for 7");
		}
		check(!boat_ring_put(&r, 0), "the ring is full");
		for (i = 0; i < 7; i++) {
			check(boat_ring_get(&r) == (uint8_t)(round + 250 + i), "the ring keeps bytes in order");
		}
		check(boat_ring_get(&r) == -1, "the ring is empty");
		boat_ring_put(&r, 1); /* begins elsewhere the next time */
		boat_ring_get(&r);
	}
}

static void test_fields(void)
{
	const char *f = "0,4294967295,\"a,b\",\"\",7x";
	const char *t;
	uint32_t n = 1;
	size_t len;

	check(boat_field_number(&f, &n) && n == 0, "0");
	check(boat_field_number(&f, &n) && n == 4294967295u, "4294967295");
	check(!boat_field_number(&f, &n), "a string is no number");
	check(boat_field_string(&f, &t, &len) && len == 3 && memcmp(t, "a,b", 3) == 0, "a comma in a string");
	check(boat_field_string(&f, &t, &len) && len == 0, "an empty string");
	check(!boat_field_number(&f, &n) && *f == '7', "7x is no number");
	f = "4294967296";
	check(!boat_field_number(&f, &n), "2^32 does not fit");
	f = "42949672950";
	check(!boat_field_number(&f, &n), "nor does ten times 2^32");
	f = "\"open";
	check(!boat_field_string(&f, &t, &len), "a string that does not end");
}

int main(void)
{
	static const size_t cuts[][2] = {{0, 0}, {2, 0}, {3, 1}, {7, 5}};
	size_t i, j, n = sizeof tests / sizeof tests[0];

	memset(many, 'f', sizeof many - 1);
	for (i = 0; i < n; i++) {
		for (j = 0; j < 4; j++) {
			run_test(i, cuts[j][0], cuts[j][1]);
		}
	}
	test_ring();
	test_fields();
	printf("%zu scripts, %d failures\n", n, failures);
	return failures > 0;
}
