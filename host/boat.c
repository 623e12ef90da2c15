/*
 * The engine: one line out, its answer in, and what is to be done next.
 *
 * Everything that happens follows from bytes and from time. A byte is looked at
 * when everything that the bytes before it have caused is done, so how they
 * were cut on their way changes nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "boat_internal.h"

/* What is going on. */
enum {
	FLUSH, /* bringing the other side to a line's beginning */
	STEP,  /* a command of the opening */
	IDLE,
	USER,  /* the owner's command */
	WHY,   /* asking why it was refused */
	FETCH, /* reading codes that were missed */
	PAUSE  /* before a command is given again */
};

/* The commands of the opening. The first stands twice: after a reset an OK may
 * be one that the host's former life had asked for. READY has an answer of its
 * own and no echo, so behind it every answer belongs to its command. */
enum { SET, SET_AGAIN, ASK_READY, SET_LINEMAX, SET_URC, ASK_EVENTS, STEPS };

#define QUIET_MS 200u    /* without a byte: nothing more comes */
#define FLUSH_MS 3000u   /* however much somebody chatters */
#define STEP_MS 2600u    /* longer than boatd waits for raw bytes, 2 s */
#define PAUSE_MS 500u
#define PAGE 16u         /* codes read at once */
#define READS_MAX 256u   /* bytes looked at in one poll */
#define STRIKES 2u       /* echoes after ATE0 until it is believed that they stay */

static uint32_t now(const struct boat *b)
{
	return b->port.now(b->port.context);
}

static void tell(struct boat *b, const struct boat_event *e)
{
	if (b->port.event != NULL) {
		b->port.event(b->port.context, e);
	}
}

void boat__tell(struct boat *b, enum boat_event_kind kind, const char *text)
{
	struct boat_event e = {BOAT_EVENT_OPEN, 0, "", {0, 0, 0}, ""};

	e.kind = kind;
	e.text = text;
	tell(b, &e);
}

/* Returns what follows a line's beginning, or NULL if it begins otherwise. */
static const char *after(const char *line, const char *beginning)
{
	while (*beginning != '\0') {
		if (*line++ != *beginning++) {
			return NULL;
		}
	}
	return line;
}

/* The C library's strcmp() costs more than all that is compared here. */
static bool is(const char *text, const char *other)
{
	const char *rest = after(text, other);

	return rest != NULL && *rest == '\0';
}

/* Makes c the command that is going on. Its line leaves with pump(). */
static void begin(struct boat *b, uint8_t phase, struct boat_command *c)
{
	c->took = false;
	c->cut = false;
	b->page = 0;
	if (phase == USER) { /* else the answer may not have been looked at */
		b->length = 0;
		b->announced = 0;
	}
	b->phase = phase;
	b->current = c;
	b->up.raw = false;
	b->sent = 0;
	b->total = boat__compose(b, c, true);
	b->since = now(b);
}

static void begin_flush(struct boat *b)
{
	b->phase = FLUSH;
	b->current = NULL;
	b->stale = false;
	b->step = 0;
	b->sent = 0;
	b->since = now(b);
	b->opened = b->since;
}

static void end_user(struct boat *b, int code)
{
	b->code = code;
	b->pending = false;
}

/* The other side was started anew, or does not answer: from the beginning. */
static void lose(struct boat *b, int code)
{
	if (b->phase == USER || b->phase == WHY || (b->phase == PAUSE && b->resume == USER)) {
		end_user(b, b->phase == WHY ? BOAT_E_REFUSED : code);
	}
	begin_flush(b);
}

static void take_ready(struct boat *b)
{
	boat__read_number(b);
	b->heard = boat__read_number(b);
}

static void take_why(struct boat *b)
{
	uint32_t code = boat__read_number(b);

	b->odd = b->odd || code == 0 || code > 65535;
	b->code = (int)code;
}

/* Where the log of codes ends. Without a number of the host's own, what is in
 * it is over; where it ends below that number, the module is another one. */
static void take_log(struct boat *b)
{
	boat__read_number(b);
	b->newest = boat__read_number(b);
	if (!b->have_seq || b->seq > b->newest) {
		b->seq = b->newest;
		b->have_seq = true;
	}
}

/* Reads a string and puts a NUL behind it: over its quote, which is read. */
static const char *read_text(struct boat *b)
{
	size_t n;
	const char *s = boat__read_string(b, &n);

	if (n > 0) {
		b->line[(size_t)(s - b->line) + n] = '\0';
		return s;
	}
	return "";
}

/* An unsolicited code, as it came or as it was fetched. */
static void take_code(struct boat *b, bool fetched)
{
	struct boat_event e = {BOAT_EVENT_URC, 0, "", {0, 0, 0}, ""};
	uint32_t more;
	unsigned i;

	e.seq = boat__read_number(b);
	e.name = read_text(b);
	if (b->odd) {
		return;
	}
	for (i = 0; boat_field_number(&b->fields, i < 3 ? &e.n[i] : &more); i++) {
	}
	e.text = read_text(b); /* there may be none */
	b->odd = false;
	if (!fetched && boat_is_open(b) && is(e.name, "ready") && e.n[1] != b->starts) {
		lose(b, BOAT_E_LOST);
	}
	if (!b->have_seq || e.seq <= b->seq) {
		return; /* known */
	}
	if (!fetched && e.seq - b->seq > 1) {
		if (e.seq > b->newest) {
			b->newest = e.seq; /* the log tells it, and what is before it */
		}
		return;
	}
	b->seq = e.seq;
	tell(b, &e);
}

static void take_page(struct boat *b)
{
	b->page++;
	take_code(b, true);
}

static void begin_step(struct boat *b)
{
	static const char *const names[STEPS] = {
		"E0V1Q0+CMEE=1", "E0V1Q0+CMEE=1", "+BOATREADY?",
		"+BOATCFG=\"linemax\",120", "+BOATCFG=\"urc\",", "+BOATEVTLST?",
	};
	struct boat_command *c = &b->own;

	boat__command(c, names[b->step], b->step <= ASK_READY ? STEP_MS : BOAT_B_MS);
	if (b->step == SET_URC) {
		boat__number(c, b->mask);
	}
	if (b->step == ASK_READY) {
		c->take = take_ready;
		c->need = true;
	}
	if (b->step == ASK_EVENTS) {
		c->take = take_log;
	}
	begin(b, STEP, c);
}

static void begin_why(struct boat *b)
{
	boat__command(&b->own, "+BOATERR?", BOAT_A_MS);
	b->own.take = take_why;
	begin(b, WHY, &b->own);
}

static void begin_fetch(struct boat *b)
{
	boat__command(&b->own, "+BOATEVTLST=", BOAT_A_MS);
	boat__number(&b->own, b->seq);
	boat__number(&b->own, PAGE);
	b->own.take = take_page;
	begin(b, FETCH, &b->own);
}

/* Starts what is next when nothing goes on. */
static void settle(struct boat *b)
{
	if (b->phase != IDLE) {
		return;
	}
	if (b->stale) {
		begin_flush(b);
	} else if (b->newest > b->seq) {
		begin_fetch(b);
	} else if (b->pending) {
		begin(b, USER, &b->user);
	}
}

static bool is_later(int code)
{
	return code == BOAT_CODE_BUSY || code == BOAT_CODE_STARTING;
}

static void pause(struct boat *b)
{
	b->resume = b->phase;
	b->phase = PAUSE;
	b->current = NULL;
	b->since = now(b);
}

static void end_step(struct boat *b, int code)
{
	struct boat_event e = {BOAT_EVENT_OPEN, 0, "", {0, 0, 0}, ""};

	if (is_later(code)) {
		pause(b);
		return;
	}
	if (b->step <= ASK_READY && (code != BOAT_OK || (b->own.need && !b->own.took))) {
		begin_flush(b); /* it was the answer to something else */
		return;
	}
	if (++b->step < STEPS) {
		begin_step(b);
		return;
	}
	b->phase = IDLE;
	b->current = NULL;
	e.n[0] = b->heard;
	e.n[1] = b->starts != 0 && b->starts != b->heard;
	b->starts = b->heard;
	tell(b, &e);
}

static void end_command(struct boat *b, int code)
{
	if (code != BOAT_OK && b->up.raw) {
		/* What boatd does not take as data any more it takes for lines. */
		lose(b, code == BOAT_REFUSED_PLAIN ? BOAT_E_REFUSED : code);
		return;
	}
	if (is_later(code) && now(b) - b->begun < BOAT_PATIENCE_MS) {
		pause(b);
		return;
	}
	if (code == BOAT_REFUSED_PLAIN) {
		begin_why(b);
		return;
	}
	if (code == BOAT_OK && b->user.need && (!b->user.took || b->length != b->announced)) {
		code = BOAT_E_ANSWER;
		b->stale = true; /* whose OK was it? */
	} else if (code == BOAT_OK && b->user.cut) {
		code = BOAT_E_ROOM;
	} else if (code == BOAT_OK && b->up.mode != BOAT_UP_NONE) {
		code = boat__uploaded(b);
		if (code > 0) {
			begin(b, USER, &b->user);
			return;
		}
	}
	b->phase = IDLE;
	b->current = NULL;
	end_user(b, code);
}

/* What the log does not tell any more is over; and a page that told nothing is
 * not asked for again. */
static void end_page(struct boat *b, bool more)
{
	if ((!more || b->seq == b->own.arg[0].n) && b->newest > b->seq) {
		b->seq = b->newest;
	}
}

/* A final result has come. */
static void end(struct boat *b, int code)
{
	switch (b->phase) {
	case STEP:
		end_step(b, code);
		break;
	case USER:
		end_command(b, code);
		break;
	case WHY:
		b->phase = IDLE;
		b->current = NULL;
		end_user(b, b->own.took ? b->code : BOAT_E_REFUSED);
		break;
	case FETCH:
		b->phase = IDLE;
		b->current = NULL;
		end_page(b, code == BOAT_OK && b->page == PAGE);
		break;
	default:
		break;
	}
}

/* Reads a final result. */
static bool is_result(const char *line, int *code)
{
	const char *p;
	uint32_t n;

	if (is(line, "OK")) {
		*code = BOAT_OK;
		return true;
	}
	*code = BOAT_REFUSED_PLAIN;
	p = after(line, "+CME ERROR: ");
	if (p != NULL) {
		if (boat_field_number(&p, &n) && n <= 65535) {
			*code = (int)n;
		}
		return true;
	}
	return is(line, "ERROR");
}

/* An echo before ATE0 is nothing. One behind it means that the session began
 * anew, or that the line echoes whatever one says. */
static void take_echo(struct boat *b)
{
	if (b->strikes >= STRIKES || (b->phase == STEP && b->step < ASK_READY) || b->phase == FLUSH) {
		return;
	}
	if (b->phase == STEP) {
		b->strikes++;
		begin_flush(b);
		return;
	}
	b->stale = true;
}

/* A line of the answer to c? A name ends where the line has its colon. */
static const char *answer_to(const struct boat_command *c, const char *line)
{
	const char *name = c->name;

	while (*name != '\0' && *name != '=' && *name != '?') {
		if (*line++ != *name++) {
			return NULL;
		}
	}
	return after(line, ": ");
}

static void take_line(struct boat *b)
{
	struct boat_command *c = b->current;
	const char *fields;
	int code;
	bool all = c != NULL && (b->sent == b->total || b->up.raw);

	b->odd = false;
	if (after(b->line, "AT+") != NULL || after(b->line, "ATE") != NULL) {
		take_echo(b);
		return;
	}
	if (b->overlong) {
		return;
	}
	fields = after(b->line, "+BOATURC: ");
	if (fields != NULL) {
		b->fields = fields;
		take_code(b, false);
		return;
	}
	if (is_result(b->line, &code)) {
		if (all) {
			end(b, code);
		}
		return;
	}
	fields = all ? answer_to(c, b->line) : NULL;
	if (fields == NULL) {
		boat__tell(b, BOAT_EVENT_FOREIGN, b->line);
	} else if (c->take != NULL) {
		b->fields = fields;
		c->take(b);
		if (!b->odd) {
			c->took = true;
			b->since = now(b);
		}
	}
}

/* One byte. Returns true when a command of the owner has ended with it. */
static bool receive(struct boat *b, char byte)
{
	bool was = b->pending;

	if (b->phase == FLUSH) {
		b->since = now(b);
	}
	if (byte == '\r' || byte == '\n') {
		b->line[b->filled] = '\0';
		if (b->filled > 0) {
			take_line(b);
			settle(b);
		}
		b->filled = 0;
		b->overlong = false;
	} else if (b->filled == 0 && byte == '>' && b->phase == USER && b->up.mode == BOAT_UP_RAW &&
	           !b->up.raw && b->sent == b->total) {
		b->up.raw = true;
		b->sent = 0;
		b->total = b->up.size;
	} else if (byte < ' ' || byte > '~' || (byte == ' ' && b->filled == 0)) {
		/* no part of a line */
	} else if (b->filled < sizeof b->line - 1) {
		b->line[b->filled++] = byte;
	} else {
		b->overlong = true;
	}
	return was && !b->pending;
}

/* Writes as much as the port takes. */
static void pump(struct boat *b)
{
	static const char flush[] = "\x1b\\\r";
	uint32_t before = b->sent;
	size_t k, left;
	const char *bytes = NULL;

	if (b->phase == FLUSH && b->sent < 3) {
		/* ESC ends a question to a network. The backslash spoils whatever line
		 * the host's former life has begun: no beginning of a command may be
		 * carried out as a whole one. */
		bytes = flush;
		b->total = 3;
	} else if (b->current == NULL || b->sent >= b->total) {
		return;
	} else if (b->up.raw) {
		bytes = b->up.data;
	}
	if (bytes == NULL) {
		boat__compose(b, b->current, false);
	} else {
		left = b->total - b->sent;
		k = b->port.write(b->port.context, bytes + b->sent, left);
		b->sent += (uint32_t)(k < left ? k : left);
	}
	if (b->sent != before) {
		b->since = now(b);
	}
}

/* Does what time brings. */
static void expire(struct boat *b)
{
	uint32_t t = now(b), waited = t - b->since;

	if (b->phase == FLUSH) {
		if (b->sent == 3 && (waited >= QUIET_MS || t - b->opened >= FLUSH_MS)) {
			begin_step(b);
		}
	} else if (b->phase == PAUSE) {
		if (waited >= PAUSE_MS && b->resume == STEP) {
			begin_step(b);
		} else if (waited >= PAUSE_MS) {
			begin(b, USER, &b->user);
		}
	} else if (b->current != NULL && waited > b->current->limit) {
		lose(b, BOAT_E_TIMEOUT);
	}
	if (b->pending && !boat_is_open(b) && b->phase != USER && b->phase != WHY && t - b->begun >= BOAT_OPEN_MS) {
		end_user(b, BOAT_E_CLOSED);
	}
}

void boat_init(struct boat *b, const struct boat_port *port, unsigned urc_mask)
{
	boat__clear(b, sizeof *b);
	b->port = *port;
	b->mask = (uint8_t)(urc_mask & 127u);
	b->net_ms = 65000;
	begin_flush(b);
}

bool boat_poll(struct boat *b)
{
	unsigned n;
	int c;

	expire(b);
	settle(b);
	pump(b);
	for (n = 0; n < READS_MAX; n++) {
		c = b->port.read(b->port.context);
		if (c < 0 || receive(b, (char)(c < 128 ? c : 127))) {
			break;
		}
		pump(b);
	}
	return boat_idle(b);
}

bool boat_idle(const struct boat *b)
{
	return !b->pending;
}

bool boat_is_open(const struct boat *b)
{
	return b->phase >= IDLE && !(b->phase == PAUSE && b->resume == STEP) && !b->stale;
}

int boat_do(struct boat *b, int started)
{
	if (started != BOAT_OK) {
		return started;
	}
	while (!boat_poll(b)) {
	}
	return b->code;
}

void boat_reopen(struct boat *b)
{
	lose(b, BOAT_E_LOST);
}

void boat_events_after(struct boat *b, uint32_t seq)
{
	b->seq = seq;
	b->have_seq = true;
	b->newest = seq;
	b->stale = boat_is_open(b); /* the opening asks where the log ends */
}
