/*
 * Cortex-M3 and the CMSDK peripherals of the AN385 image.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "board.h"

#include "../../boat.h"

#include <stdbool.h>

#define CLOCK_HZ 25000000u
#define BAUD 115200u

/* A CMSDK UART (Arm DDI 0479, APB UART). */
struct uart {
	volatile uint32_t data, state, control, interrupt, divisor;
};

#define UART_MODULE ((struct uart *)0x40004000)
#define UART_LOG ((struct uart *)0x40005000)

enum { STATE_TX_FULL = 1, STATE_RX_FULL = 2 };
enum { CONTROL_TX = 1, CONTROL_RX = 2, CONTROL_RX_INTERRUPT = 8 };
enum { INTERRUPT_RX = 2 };

#define SYSTICK_CONTROL (*(volatile uint32_t *)0xe000e010)
#define SYSTICK_RELOAD (*(volatile uint32_t *)0xe000e014)
#define SYSTICK_VALUE (*(volatile uint32_t *)0xe000e018)
#define NVIC_ENABLE (*(volatile uint32_t *)0xe000e100)
#define KEPT_COUNTER (*(volatile uint32_t *)0x21000000)

static volatile uint32_t ticks;
static uint8_t ring_bytes[256];
static struct boat_ring ring;

static void tick(void)
{
	ticks++;
}

static void received(void)
{
	UART_MODULE->interrupt = INTERRUPT_RX;
	while ((UART_MODULE->state & STATE_RX_FULL) != 0) {
		boat_ring_put(&ring, (uint8_t)UART_MODULE->data);
	}
}

void board_init(void)
{
	boat_ring_init(&ring, ring_bytes, sizeof ring_bytes);
	SYSTICK_RELOAD = CLOCK_HZ / 1000 - 1;
	SYSTICK_VALUE = 0;
	SYSTICK_CONTROL = 7;
	UART_MODULE->divisor = CLOCK_HZ / BAUD;
	UART_MODULE->control = CONTROL_TX | CONTROL_RX | CONTROL_RX_INTERRUPT;
	UART_LOG->divisor = CLOCK_HZ / BAUD;
	UART_LOG->control = CONTROL_TX;
	NVIC_ENABLE = 1; /* interrupt 0: bytes from the module */
}

int board_read(void *context)
{
	int byte = boat_ring_get(&ring);

	(void)context;
	if (byte < 0) {
		__asm__ volatile("wfi"); /* the clock's interrupt ends it at the latest */
	}
	return byte;
}

size_t board_write(void *context, const char *bytes, size_t n)
{
	size_t i = 0;

	(void)context;
	while (i < n && (UART_MODULE->state & STATE_TX_FULL) == 0) {
		UART_MODULE->data = (uint8_t)bytes[i++];
	}
	return i;
}

uint32_t board_now(void *context)
{
	(void)context;
	return ticks;
}

void board_log(const char *text)
{
	while (*text != '\0') {
		while ((UART_LOG->state & STATE_TX_FULL) != 0) {
		}
		UART_LOG->data = (uint8_t)*text++;
	}
}

uint32_t board_counter(void)
{
	return KEPT_COUNTER;
}

void board_set_counter(uint32_t n)
{
	KEPT_COUNTER = n;
}

extern uint32_t data_begin[], data_end[], data_load[], bss_begin[], bss_end[], stack_top[];

int main(void);

void reset(void)
{
	uint32_t *from = data_load, *to;

	for (to = data_begin; to < data_end; to++) {
		*to = *from++;
	}
	for (to = bss_begin; to < bss_end; to++) {
		*to = 0;
	}
	main();
	for (;;) {
		__asm__ volatile("wfi");
	}
}

static void fault(void)
{
	board_log("FAIL fault\r\n");
	for (;;) {
	}
}

/* Armv7-M, B1.5.3: the stack, 15 exceptions, then the interrupts. */
__attribute__((section(".vectors"), used)) static const uintptr_t vectors[] = {
	(uintptr_t)stack_top, (uintptr_t)reset, (uintptr_t)fault, (uintptr_t)fault,
	(uintptr_t)fault,     (uintptr_t)fault, (uintptr_t)fault, 0,
	0,                    0,                0,                (uintptr_t)fault,
	(uintptr_t)fault,     0,                (uintptr_t)fault, (uintptr_t)tick,
	(uintptr_t)received,
};
