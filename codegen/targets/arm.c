/* SPDX-License-Identifier: MIT */

/* Start-up of a bare Cortex-M on QEMU's mps2 and mps3 boards, and its serial line.
 *
 * MI_UART_BASE is the address of the board's first CMSDK UART. Semihosting ends the emulation.
 */

#include <stdint.h>

extern uint32_t mi_data_load[], mi_data_start[], mi_data_end[];
extern uint32_t mi_bss_start[], mi_bss_end[], mi_stack_top[];

int main(void);

#define UART ((volatile uint32_t *)MI_UART_BASE)
#define UART_DATA 0
#define UART_STATE 1 /* bit 0: transmitter full, bit 1: a character has come */
#define UART_CONTROL 2
#define UART_DIVIDER 4

void mi_put(char c)
{
    while (UART[UART_STATE] & 1u) {
    }
    UART[UART_DATA] = (uint8_t)c;
}

int mi_get(void)
{
    while ((UART[UART_STATE] & 2u) == 0) {
    }
    return (int)(UART[UART_DATA] & 0xffu);
}

/* Semihosting's SYS_EXIT_EXTENDED: the emulator ends with `status`. */
static void leave(uint32_t status)
{
    const uint32_t block[2] = {0x20026u, status}; /* ADP_Stopped_ApplicationExit */
    register uint32_t operation __asm__("r0") = 0x20u;
    register const void *argument __asm__("r1") = block;

    __asm__ volatile("bkpt 0xab" : "+r"(operation) : "r"(argument) : "memory");
    for (;;) {
    }
}

static void reset(void)
{
    const uint32_t *load = mi_data_load;

#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    *(volatile uint32_t *)0xe000ed88u |= 0xfu << 20; /* CPACR: the floating-point unit and MVE */
    __asm__ volatile("dsb\n\tisb");
#endif
    /* volatile: gcc would call memcpy and memset, and start-up would pay for a model's. */
    for (volatile uint32_t *word = mi_data_start; word < mi_data_end; word++) {
        *word = *load++;
    }
    for (volatile uint32_t *word = mi_bss_start; word < mi_bss_end; word++) {
        *word = 0;
    }
    UART[UART_DIVIDER] = 16;
    UART[UART_CONTROL] = 3; /* transmitter and receiver on */
    leave((uint32_t)main());
}

static void fault(void)
{
    for (const char *text = "error fault\n"; *text != '\0'; text++) {
        mi_put(*text);
    }
    leave(1);
}

typedef void (*handler)(void);

extern const handler mi_vectors[16];
__attribute__((section(".vectors"), used)) const handler mi_vectors[16] = {
    (handler)(uintptr_t)mi_stack_top, reset, fault, fault, fault, fault, fault, fault,
    0, 0, 0, fault, fault, 0, fault, fault,
};
