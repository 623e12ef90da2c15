/*
 * What the firmware needs of the board.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BOARD_H
#define BOARD_H

#include <stddef.h>
#include <stdint.h>

/* Starts the clock and both UARTs. */
void board_init(void);

/* The next byte from the module, or -1 after a sleep of at most 1 ms. */
int board_read(void *context);

/* Sends bytes to the module and returns how many went. */
size_t board_write(void *context, const char *bytes, size_t n);

/* Milliseconds since the reset. */
uint32_t board_now(void *context);

/* Writes text to the log. */
void board_log(const char *text);

/* A word that survives a reset. Here it is a word of the external RAM, which
 * nothing clears and QEMU's loader can set; elsewhere it is in flash, FRAM or a
 * backup register. */
uint32_t board_counter(void);
void board_set_counter(uint32_t n);

#endif
