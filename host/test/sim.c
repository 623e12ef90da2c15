/* SPDX-License-Identifier: Apache-2.0 */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int sim_read(void *context)
{
	struct sim *s = context;

	if (s->in_at == s->in_end || (s->cut > 0 && ++s->reads % s->cut == 0)) {
		return -1;
	}
	return (unsigned char)s->in[s->in_at++];
}

static size_t sim_write(void *context, const char *bytes, size_t n)
{
	struct sim *s = context;

	if (s->room > 0 && n > s->room) {
		n = s->room;
	}
	if (n > sizeof s->out - s->out_end) {
		n = sizeof s->out - s->out_end;
	}
	if (s->stuck) {
		return 0;
	}
	memcpy(s->out + s->out_end, bytes, n);
	s->out_end += n;
	return n;
}

static uint32_t sim_now(void *context)
{
	return ((struct sim *)context)->clock;
}

static void sim_event(void *context, const struct boat_event *e)
{
	struct sim *s = context;

	switch (e->kind) {
	case BOAT_EVENT_OPEN:
		sim_log(s, "open %lu %lu\n", (unsigned long)e->n[0], (unsigned long)e->n[1]);
		break;
	case BOAT_EVENT_URC:
		sim_log(s, "%lu %s %lu %lu %lu %s\n", (unsigned long)e->seq, e->name, (unsigned long)e->n[0],
		        (unsigned long)e->n[1], (unsigned long)e->n[2], e->text);
		break;
	case BOAT_EVENT_LINE:
		sim_log(s, "line %s\n", e->text);
		break;
	default:
		sim_log(s, "foreign %s\n", e->text);
	}
}

void sim_log(struct sim *s, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(s->log + s->log_end, sizeof s->log - s->log_end, format, args);
	va_end(args);
	if (n > 0 && (size_t)n < sizeof s->log - s->log_end) {
		s->log_end += (size_t)n;
	}
}

void sim_init(struct sim *s, unsigned urc_mask)
{
	struct boat_port port = {sim_read, sim_write, sim_now, sim_event, NULL};

	memset(s, 0, sizeof *s);
	s->clock = UINT32_MAX - 5000; /* it wraps soon */
	port.context = s;
	boat_init(&s->b, &port, urc_mask);
}

void sim_feed(struct sim *s, const char *bytes, size_t n)
{
	if (n > sizeof s->in - s->in_end) {
		n = sizeof s->in - s->in_end;
	}
	memcpy(s->in + s->in_end, bytes, n);
	s->in_end += n;
}

void sim_settle(struct sim *s)
{
	unsigned still = 0;

	while (still < 3) {
		size_t in = s->in_at, out = s->out_end;
		boat_poll(&s->b);
		still = in == s->in_at && out == s->out_end ? still + 1 : 0;
	}
}
