/*
 * What boat.c and boat_command.c share.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BOAT_INTERNAL_H
#define BOAT_INTERNAL_H

#include "boat.h"

/* How an argument is written. */
enum {
	BOAT_ARG_NUMBER,
	BOAT_ARG_NONE, /* left out */
	BOAT_ARG_STRING,
	BOAT_ARG_OPEN, /* a string that goes on with BOAT_ARG_JOIN */
	BOAT_ARG_JOIN,
	BOAT_ARG_HEX /* bytes, as a string of hex digits */
};

/* How bytes go into a slot. */
enum { BOAT_UP_NONE, BOAT_UP_HEX, BOAT_UP_RAW };

/* A result that is not told to anybody: refused without a number. */
#define BOAT_REFUSED_PLAIN (-100)

void boat__clear(void *p, size_t n);
void boat__command(struct boat_command *c, const char *name, uint32_t limit);
void boat__number(struct boat_command *c, uint32_t n);
void boat__string(struct boat_command *c, const char *s);

/* Writes the line of a command as far as the port takes it, behind the b->sent
 * bytes that it has taken, and returns its length; only the length if dry. */
uint32_t boat__compose(struct boat *b, const struct boat_command *c, bool dry);

/* Read the next field of the line. What is no such field is 0 or "", and makes
 * b->odd true. */
uint32_t boat__read_number(struct boat *b);
const char *boat__read_string(struct boat *b, size_t *n);

/* Calls the owner for something that is a text only. */
void boat__tell(struct boat *b, enum boat_event_kind kind, const char *text);

/* Judges OK of an upload: BOAT_OK, a failure, or 1 to go on with the next
 * segment, which stands in the command then. */
int boat__uploaded(struct boat *b);

#endif
