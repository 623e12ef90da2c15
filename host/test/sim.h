/*
 * The other side of a line, made of two strings and a clock.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SIM_H
#define SIM_H

#include "../boat.h"

struct sim {
	struct boat b;
	char in[8192], out[8192], log[8192];
	size_t in_end, in_at, out_end, out_at, log_end;
	size_t cut;   /* a read in so many says that there is nothing; 0: none */
	size_t reads;
	size_t room;  /* bytes that a write takes; 0: all */
	bool stuck;   /* a write takes none */
	uint32_t clock;
};

void sim_init(struct sim *s, unsigned urc_mask);
void sim_feed(struct sim *s, const char *bytes, size_t n);
void sim_log(struct sim *s, const char *format, ...);
/* Polls until nothing more happens without time or input. */
void sim_settle(struct sim *s);

#endif
