/*
 * Command lines as they are written, fields as they are read, and the ring.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "boat_internal.h"

/* A line on its way out. It is composed anew each time the port has room, and
 * what it has taken before is skipped: that costs some cycles and saves a
 * buffer of 2 KB. */
struct out {
	struct boat *b;
	uint32_t at, skip;
	uint8_t n;
	bool dry, full;
	char chunk[32];
};

static void flush(struct out *o)
{
	size_t k;

	if (o->n > 0 && !o->full) {
		k = o->b->port.write(o->b->port.context, o->chunk, o->n);
		o->full = k < o->n;
		o->b->sent += o->full ? (uint32_t)k : o->n;
	}
	o->n = 0;
}

static void put(struct out *o, char c)
{
	if (o->at++ < o->skip || o->dry) {
		return;
	}
	o->chunk[o->n++] = c;
	if (o->n == sizeof o->chunk) {
		flush(o);
	}
}

static void puts_as_is(struct out *o, const char *s)
{
	while (*s != '\0') {
		put(o, *s++);
	}
}

static void put_hex(struct out *o, char c)
{
	static const char digits[] = "0123456789ABCDEF";

	put(o, digits[((unsigned char)c >> 4) & 15]);
	put(o, digits[(unsigned char)c & 15]);
}

/* Everything that means something to the parser is written as \hh. */
static void put_string(struct out *o, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\' || *s < ' ' || *s > '~') {
			put(o, '\\');
			put_hex(o, *s);
		} else {
			put(o, *s);
		}
	}
}

static void put_number(struct out *o, uint32_t n)
{
	char digits[10];
	size_t i = 0;

	do {
		digits[i++] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	while (i > 0) {
		put(o, digits[--i]);
	}
}

static void put_arg(struct out *o, const struct boat_arg *a)
{
	uint32_t i;

	if (a->kind == BOAT_ARG_NUMBER) {
		put_number(o, a->n);
		return;
	}
	if (a->kind == BOAT_ARG_NONE) {
		return;
	}
	put(o, a->kind == BOAT_ARG_JOIN ? ';' : '"');
	if (a->kind == BOAT_ARG_HEX) {
		for (i = 0; i < a->n; i++) {
			put_hex(o, a->s[i]);
		}
	} else {
		put_string(o, a->s);
	}
	if (a->kind != BOAT_ARG_OPEN) {
		put(o, '"');
	}
}

uint32_t boat__compose(struct boat *b, const struct boat_command *c, bool dry)
{
	struct out o;
	unsigned i;

	o.b = b;
	o.at = 0;
	o.skip = b->sent;
	o.n = 0;
	o.dry = dry;
	o.full = false;
	puts_as_is(&o, "AT");
	puts_as_is(&o, c->name);
	for (i = 0; i < c->args; i++) {
		if (i > 0 && c->arg[i].kind != BOAT_ARG_JOIN) {
			put(&o, ',');
		}
		put_arg(&o, &c->arg[i]);
	}
	for (i = 0; i < c->mores; i++) {
		puts_as_is(&o, ",\"");
		put_string(&o, c->more[i]);
		put(&o, '"');
	}
	put(&o, '\r');
	flush(&o);
	return o.at;
}

static void comma(const char **fields)
{
	if (**fields == ',') {
		++*fields;
	}
}

bool boat_field_number(const char **fields, uint32_t *out)
{
	const char *p = *fields;
	uint32_t n = 0;

	if (*p < '0' || *p > '9') {
		return false;
	}
	for (; *p >= '0' && *p <= '9'; p++) {
		uint32_t digit = (uint32_t)(*p - '0');
		if (n > (UINT32_MAX - digit) / 10) {
			return false;
		}
		n = n * 10 + digit;
	}
	if (*p != ',' && *p != '\0') {
		return false;
	}
	*out = n;
	*fields = p;
	comma(fields);
	return true;
}

bool boat_field_string(const char **fields, const char **s, size_t *n)
{
	const char *p = *fields;

	if (*p != '"') {
		return false;
	}
	p++;
	*s = p;
	while (*p != '"') {
		if (*p++ == '\0') {
			return false;
		}
	}
	*n = (size_t)(p - *s);
	*fields = p + 1;
	comma(fields);
	return true;
}

uint32_t boat__read_number(struct boat *b)
{
	uint32_t n = 0;

	b->odd = !boat_field_number(&b->fields, &n) || b->odd;
	return n;
}

const char *boat__read_string(struct boat *b, size_t *n)
{
	const char *s = "";

	*n = 0;
	b->odd = !boat_field_string(&b->fields, &s, n) || b->odd;
	return s;
}

/* Each index has one writer, and a byte is in its place before the index says
 * so: volatile keeps the compiler to that order, and one core keeps the rest. */

void boat_ring_init(struct boat_ring *r, uint8_t *bytes, uint16_t size)
{
	r->bytes = bytes;
	r->mask = (uint16_t)(size - 1);
	r->head = 0;
	r->tail = 0;
}

bool boat_ring_put(struct boat_ring *r, uint8_t byte)
{
	uint16_t head = r->head;
	uint16_t next = (uint16_t)((head + 1u) & r->mask);

	if (next == r->tail) {
		return false;
	}
	*(volatile uint8_t *)&r->bytes[head] = byte;
	r->head = next;
	return true;
}

int boat_ring_get(struct boat_ring *r)
{
	uint16_t tail = r->tail;
	int byte;

	if (tail == r->head) {
		return -1;
	}
	byte = *(volatile uint8_t *)&r->bytes[tail];
	r->tail = (uint16_t)((tail + 1u) & r->mask);
	return byte;
}
