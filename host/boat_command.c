/*
 * The commands: what each one sends and what it makes of its answer.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "boat_internal.h"

#define ID_MAX 2147483647u
#define SLOTS 8u
#define SLOT_MAX 65536u
#define SEGMENT_MAX 512u    /* bytes of a slot in one line */
#define SEGMENT_FRAME 10u   /* 7,65535,"" */

/* The C library's memset() is made for speed, and is as long as three commands.
 * A compiler may see through a plain loop and call it nevertheless. */
void boat__clear(void *p, size_t n)
{
	volatile uint8_t *bytes = p;

	while (n > 0) {
		bytes[--n] = 0;
	}
}

void boat__command(struct boat_command *c, const char *name, uint32_t limit)
{
	boat__clear(c, sizeof *c);
	c->name = name;
	c->limit = limit;
}

static void arg(struct boat_command *c, uint8_t kind, const char *s, uint32_t n)
{
	struct boat_arg *a = &c->arg[c->args++];

	a->kind = kind;
	a->s = s;
	a->n = n;
	c->bad = c->bad || (s == NULL && kind > BOAT_ARG_NONE);
}

void boat__number(struct boat_command *c, uint32_t n)
{
	arg(c, BOAT_ARG_NUMBER, NULL, n);
}

void boat__string(struct boat_command *c, const char *s)
{
	arg(c, BOAT_ARG_STRING, s, 0);
}

/* A last parameter that may be left off. */
static void optional(struct boat_command *c, const char *s)
{
	if (s != NULL) {
		boat__string(c, s);
	}
}

static void number(struct boat_command *c, uint32_t n, uint32_t min, uint32_t max)
{
	c->bad = c->bad || n < min || n > max;
	boat__number(c, n);
}

/* Returns the owner's command, empty; while one is running, another one that
 * start() refuses, so that nobody else has to ask. */
static struct boat_command *fresh(struct boat *b, const char *name, uint32_t limit)
{
	struct boat_command *c = b->pending ? &b->refused : &b->user;

	boat__command(c, name, limit);
	return c;
}

/* Makes the command wait for its turn, if it is one. */
static int start(struct boat *b, struct boat_command *c)
{
	uint32_t length, name = 0;

	if (b->pending) {
		return BOAT_E_BUSY;
	}
	if (c->unsafe) {
		return BOAT_E_REFERENCE;
	}
	if (c->bad) {
		return BOAT_E_PARAMETER;
	}
	length = boat__compose(b, c, true) - 1; /* without CR */
	while (c->name[name] != '\0') {
		name++;
	}
	if (length > BOAT_COMMAND_MAX || (b->arg_max > 0 && length - 2 - name > b->arg_max)) {
		return BOAT_E_LONG;
	}
	b->pending = true;
	b->up.mode = c->upload;
	b->begun = b->port.now(b->port.context);
	return BOAT_OK;
}

/* start() for a command whose answer goes to out. */
static int start_for(struct boat *b, struct boat_command *c, void (*take)(struct boat *), void *out,
                     size_t room)
{
	c->take = take;
	c->out = out;
	c->room = room;
	c->need = true;
	c->bad = c->bad || out == NULL || room == 0;
	return start(b, c);
}

/* Appends a byte to the answer; what has no room is counted only. */
static void append(struct boat *b, char byte)
{
	struct boat_command *c = b->current;

	if (b->length < c->room) {
		((char *)c->out)[b->length] = byte;
	} else {
		c->cut = true;
	}
	b->length++;
}

/* Puts a NUL behind the answer, where there is room. */
static void terminate(struct boat *b)
{
	if (b->length < b->current->room) {
		((char *)b->current->out)[b->length] = '\0';
	}
}

/* Reads the next string into out, with its NUL. */
static void copy_string(struct boat *b, char *out, size_t room)
{
	size_t n, i;
	const char *s = boat__read_string(b, &n);

	for (i = 0; i < n && i < room - 1; i++) {
		out[i] = s[i];
	}
	out[i] = '\0';
	b->current->cut = i < n || b->current->cut;
}

/* Reads a hex digit; boatd's are small letters. */
static unsigned digit(struct boat *b, char c)
{
	if (c >= '0' && c <= '9') {
		return (unsigned)(c - '0');
	}
	b->odd = c < 'a' || c > 'f' || b->odd;
	return (unsigned)(c - 'a' + 10) & 15u;
}

/* <offset>,<total>,"<hex>": one line of a long value. */
static void take_hex(struct boat *b)
{
	uint32_t offset = boat__read_number(b);
	uint32_t total = boat__read_number(b);
	size_t n;
	const char *s = boat__read_string(b, &n);

	if (b->odd || offset != b->length) {
		b->odd = true;
		return;
	}
	b->announced = total;
	for (; n >= 2; n -= 2, s += 2) {
		append(b, (char)(digit(b, s[0]) << 4 | digit(b, s[1])));
	}
	if (b->odd) {
		b->length = offset; /* a line is there as a whole or not at all */
	}
	terminate(b);
}

/* <n>,"<type>","<value>" for each value, or hex lines. Behind a line that is
 * spoilt no other has the number that is due: the command ends in doubt. */
static void take_value(struct boat *b)
{
	const char *begin = b->fields, *s;
	uint32_t number = boat__read_number(b);
	size_t n;

	boat__read_string(b, &n);
	if (b->odd) {
		b->odd = false;
		b->fields = begin;
		take_hex(b);
	} else {
		s = boat__read_string(b, &n);
		b->odd = b->odd || number != b->page + 1u;
		if (!b->odd) {
			if (b->page++ > 0) {
				append(b, '\n');
			}
			for (; n > 0; n--) {
				append(b, *s++);
			}
			b->announced = b->length;
			terminate(b);
		}
	}
	if (b->odd) {
		b->announced = UINT32_MAX;
	}
}

static void take_number(struct boat *b)
{
	*(uint32_t *)b->current->out = boat__read_number(b);
}

/* The first string of the line. */
static void take_string(struct boat *b)
{
	copy_string(b, b->current->out, b->current->room);
}

/* The second string of the line. */
static void take_second(struct boat *b)
{
	size_t n;

	boat__read_string(b, &n);
	take_string(b);
}

/* The words differ in their first letter, but for PIN and PUK. */
static void take_pin(struct boat *b)
{
	static const char letters[] = "RIUBN";
	struct boat_pin *out = b->current->out;
	unsigned i = 0;
	const char *s;
	size_t n;

	out->tries = boat__read_number(b);
	s = boat__read_string(b, &n);
	if (n > 1 && *s == 'P') {
		s++;
	}
	while (i < BOAT_PIN_OTHER && *s != letters[i]) {
		i++;
	}
	out->state = (enum boat_pin_state)i;
}

static void take_balance(struct boat *b)
{
	struct boat_balance *out = b->current->out;

	out->decimals = 0;
	if (*b->fields == ',') {
		b->fields++; /* a token may not tell its decimals */
	} else {
		out->decimals = boat__read_number(b);
	}
	copy_string(b, out->units, sizeof out->units);
	copy_string(b, out->symbol, sizeof out->symbol);
}

static void take_tx(struct boat *b)
{
	struct boat_tx *out = b->current->out;

	out->id = boat__read_number(b);
	out->state = boat__read_number(b);
	out->reason = boat__read_number(b);
	out->confirmations = boat__read_number(b);
	out->block = boat__read_number(b);
	copy_string(b, out->hash, sizeof out->hash);
}

static void take_any(struct boat *b)
{
	boat__tell(b, BOAT_EVENT_LINE, b->fields);
}

int boat_ask(struct boat *b, const char *command, uint32_t limit_ms)
{
	struct boat_command *c = fresh(b, command, limit_ms);

	c->take = take_any;
	return start(b, c);
}

/* A command of one string whose answer goes to out. */
static int ask_for(struct boat *b, const char *name, uint32_t limit, const char *s,
                   void (*take)(struct boat *), void *out, size_t room)
{
	struct boat_command *c = fresh(b, name, limit);

	boat__string(c, s);
	return start_for(b, c, take, out, room);
}

int boat_pin(struct boat *b, struct boat_pin *out)
{
	struct boat_command *c = fresh(b, "+BOATPIN?", BOAT_B_MS);

	return start_for(b, c, take_pin, out, sizeof *out);
}

/* A command of two or three strings that answers nothing but OK. */
static int give(struct boat *b, const char *name, uint32_t limit, const char *s1, const char *s2, const char *s3)
{
	struct boat_command *c = fresh(b, name, limit);

	boat__string(c, s1);
	optional(c, s2);
	optional(c, s3);
	return start(b, c);
}

int boat_pin_enter(struct boat *b, const char *pin)
{
	return give(b, "+BOATPIN=", BOAT_B_MS, pin, NULL, NULL);
}

int boat_pin_set(struct boat *b, const char *old, const char *pin, const char *puk)
{
	return give(b, "+BOATPWD=", BOAT_B_MS, old, pin, puk);
}

int boat_pin_unblock(struct boat *b, const char *puk, const char *pin)
{
	return give(b, "+BOATPIN=", BOAT_B_MS, puk, pin, NULL);
}

int boat_key(struct boat *b, const char *key, const char *usage)
{
	struct boat_command *c = fresh(b, "+BOATKEYGEN=", BOAT_C_MS);

	boat__string(c, key);
	arg(c, BOAT_ARG_NONE, NULL, 0); /* the curve and the store that boatd chooses */
	arg(c, BOAT_ARG_NONE, NULL, 0);
	boat__string(c, usage);
	return start(b, c);
}

int boat_wallet(struct boat *b, const char *wallet, const char *net, const char *key, char *address, size_t room)
{
	struct boat_command *c = fresh(b, "+BOATWALADD=", BOAT_C_MS);

	boat__string(c, wallet);
	boat__string(c, net);
	optional(c, key);
	return start_for(b, c, take_second, address, room);
}

int boat_address(struct boat *b, const char *wallet, char *address, size_t room)
{
	return ask_for(b, "+BOATADDR=", BOAT_A_MS, wallet, take_string, address, room);
}

int boat_balance(struct boat *b, const char *wallet, const char *asset, struct boat_balance *out)
{
	struct boat_command *c = fresh(b, "+BOATBAL=", b->net_ms);

	boat__string(c, wallet);
	optional(c, asset);
	return start_for(b, c, take_balance, out, sizeof *out);
}

/* References are names: nothing in them can be taken for an option. */
static bool is_reference(const char *s)
{
	size_t n;

	for (n = 0; s[n] != '\0'; n++) {
		char c = s[n], small = (char)(c | 32);
		if (!(small >= 'a' && small <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-') {
			return false;
		}
	}
	return n >= 1 && n <= 16;
}

/* Begins an order. */
static struct boat_command *order(struct boat *b, const char *name, const struct boat_order *o)
{
	struct boat_command *c = fresh(b, name, BOAT_B_MS);
	const char *reference = o->reference != NULL ? o->reference : "";

	c->unsafe = *reference == '\0' ? !o->may_repeat : !is_reference(reference);
	boat__string(c, o->wallet);
	if (o->options != NULL) {
		arg(c, BOAT_ARG_OPEN, reference, 0);
		arg(c, BOAT_ARG_JOIN, o->options, 0);
	} else {
		boat__string(c, reference);
	}
	return c;
}

int boat_send(struct boat *b, const struct boat_order *o, const char *to, const char *amount,
              const char *asset, uint32_t *id)
{
	struct boat_command *c = order(b, "+BOATSEND=", o);

	boat__string(c, to);
	boat__string(c, amount);
	optional(c, asset);
	return start_for(b, c, take_number, id, sizeof *id);
}

/* The contract, the function and its arguments. */
static void function(struct boat_command *c, const char *contract, const char *signature,
                     const char *const *args, size_t n)
{
	size_t i;

	boat__string(c, contract);
	boat__string(c, signature);
	c->bad = c->bad || n > 255 || (n > 0 && args == NULL);
	for (i = 0; i < n && !c->bad; i++) {
		c->bad = args[i] == NULL;
	}
	c->more = args;
	c->mores = (uint8_t)n;
}

int boat_call(struct boat *b, const struct boat_order *o, const char *contract, const char *signature,
              const char *const *args, size_t n, uint32_t *id)
{
	struct boat_command *c = order(b, "+BOATCALL=", o);

	function(c, contract, signature, args, n);
	return start_for(b, c, take_number, id, sizeof *id);
}

int boat_query(struct boat *b, const char *wallet_or_net, const char *contract, const char *signature,
               const char *const *args, size_t n, char *out, size_t room)
{
	struct boat_command *c = fresh(b, "+BOATQUERY=", b->net_ms);

	boat__string(c, wallet_or_net);
	function(c, contract, signature, args, n);
	return start_for(b, c, take_value, out, room);
}

int boat_tx(struct boat *b, uint32_t id, struct boat_tx *out)
{
	struct boat_command *c = fresh(b, "+BOATTXGET=", BOAT_A_MS);

	number(c, id, 1, ID_MAX);
	return start_for(b, c, take_tx, out, sizeof *out);
}

int boat_tx_wait(struct boat *b, uint32_t id, uint32_t state, uint32_t seconds, struct boat_tx *out)
{
	struct boat_command *c = fresh(b, "+BOATTXWAI=", seconds * 1000u + BOAT_B_MS);

	number(c, id, 1, ID_MAX);
	number(c, state, BOAT_TX_SIGNED, BOAT_TX_CONFIRMED);
	number(c, seconds, 1, 180);
	return start_for(b, c, take_tx, out, sizeof *out);
}

int boat_tx_find(struct boat *b, const char *wallet, const char *reference, uint32_t *id)
{
	struct boat_command *c = fresh(b, "+BOATTXREF=", BOAT_A_MS);

	boat__string(c, wallet);
	boat__string(c, reference);
	return start_for(b, c, take_number, id, sizeof *id);
}

int boat_sign(struct boat *b, const char *key, unsigned scheme, const char *source, char *out, size_t room)
{
	struct boat_command *c = fresh(b, "+BOATSIGN=", BOAT_C_MS);

	boat__string(c, key);
	number(c, scheme, BOAT_SIGN_MESSAGE, BOAT_SIGN_DIGEST);
	boat__string(c, source);
	return start_for(b, c, take_hex, out, room);
}

int boat_events_forget(struct boat *b, uint32_t seq)
{
	struct boat_command *c = fresh(b, "+BOATEVTACK=", BOAT_B_MS);

	boat__number(c, seq);
	return start(b, c);
}

/* <slot>,<length>,"<crc32>". Without the checksum it is what precedes the
 * prompt for raw bytes. */
static void take_slot(struct boat *b)
{
	uint32_t slot = boat__read_number(b);
	uint32_t got = boat__read_number(b), crc = 0;
	size_t n, i;
	const char *s = boat__read_string(b, &n);

	for (i = 0; i < n; i++) {
		crc = crc << 4 | digit(b, s[i]);
	}
	b->odd = b->odd || n != 8 || slot != b->user.arg[0].n;
	b->up.got = got;
	b->up.crc = crc;
}

/* CRC-32 of ISO 3309, bit by bit: a table would cost 1 KB. */
static uint32_t crc32(const char *p, size_t n)
{
	uint32_t crc = UINT32_MAX;
	unsigned bit;

	for (; n > 0; n--) {
		crc ^= (unsigned char)*p++;
		for (bit = 0; bit < 8; bit++) {
			crc = crc >> 1 ^ ((crc & 1u) != 0 ? 0xedb88320u : 0u);
		}
	}
	return ~crc;
}

/* Puts the next segment into the command. */
static void segment(struct boat *b, struct boat_command *c, uint32_t offset)
{
	uint32_t left = b->up.size - offset;
	uint32_t most = SEGMENT_MAX;

	if (b->arg_max > 0 && (b->arg_max - SEGMENT_FRAME) / 2 < most) {
		most = (b->arg_max - SEGMENT_FRAME) / 2;
	}
	c->arg[1].n = offset;
	c->arg[2].s = b->up.data + offset;
	c->arg[2].n = left < most ? left : most;
}

int boat__uploaded(struct boat *b)
{
	const struct boat_upload *up = &b->up;
	struct boat_command *c = &b->user;
	uint32_t end = up->mode == BOAT_UP_RAW ? up->size : c->arg[1].n + c->arg[2].n;

	if (up->got != end) {
		return BOAT_E_DAMAGED;
	}
	if (end == up->size) {
		return up->crc == crc32(up->data, up->size) ? BOAT_OK : BOAT_E_DAMAGED;
	}
	segment(b, c, end);
	return 1;
}

/* Puts bytes into a slot, in lines of hex or raw. */
static int upload(struct boat *b, struct boat_command *c, unsigned slot, const void *data, size_t size)
{
	if (b->pending) {
		return BOAT_E_BUSY;
	}
	c->bad = size < 1 || size > SLOT_MAX || data == NULL ||
	         (b->arg_max > 0 && b->arg_max < SEGMENT_FRAME + 2);
	number(c, slot, 0, SLOTS - 1);
	boat__number(c, (uint32_t)size);
	b->up.data = data;
	b->up.size = (uint32_t)size;
	if (c->upload == BOAT_UP_HEX) {
		arg(c, BOAT_ARG_HEX, data, 0);
		if (!c->bad) {
			segment(b, c, 0); /* there is data, and room for a byte of it */
		}
	}
	return start_for(b, c, take_slot, &b->up, sizeof b->up);
}

int boat_slot_put(struct boat *b, unsigned slot, const void *data, size_t size)
{
	struct boat_command *c = fresh(b, "+BOATDATAHX=", BOAT_B_MS);

	c->upload = BOAT_UP_HEX;
	return upload(b, c, slot, data, size);
}

int boat_slot_raw(struct boat *b, unsigned slot, const void *data, size_t size)
{
	struct boat_command *c = fresh(b, "+BOATDATAWR=", BOAT_B_MS);

	c->upload = BOAT_UP_RAW;
	return upload(b, c, slot, data, size);
}
