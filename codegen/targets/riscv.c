/* SPDX-License-Identifier: MIT */

/* Start-up of a bare 32-bit RISC-V on QEMU's virt board, and its serial line (NS16550 at
 * MI_UART_BASE). A word at 0x100000 ends the emulation.
 */

#include <stdint.h>

extern uint32_t mi_data_load[], mi_data_start[], mi_data_end[];
extern uint32_t mi_bss_start[], mi_bss_end[];

int main(void);

#define UART ((volatile uint8_t *)MI_UART_BASE)
#define UART_DATA 0
#define UART_STATE 5 /* bit 0: a character has come, bit 5: transmitter empty */

void mi_put(char c)
{
    while ((UART[UART_STATE] & 0x20u) == 0) {
    }
    UART[UART_DATA] = (uint8_t)c;
}

int mi_get(void)
{
    while ((UART[UART_STATE] & 1u) == 0) {
    }
    return UART[UART_DATA];
}

static void leave(uint32_t status)
{
    *(volatile uint32_t *)0x100000u = status == 0 ? 0x5555u : (status << 16 | 0x3333u);
    for (;;) {
    }
}

__attribute__((used)) static void start(void)
{
    const uint32_t *load = mi_data_load;

    /* volatile: gcc would call memcpy and memset, and start-up would pay for a model's. */
    for (volatile uint32_t *word = mi_data_start; word < mi_data_end; word++) {
        *word = *load++;
    }
    for (volatile uint32_t *word = mi_bss_start; word < mi_bss_end; word++) {
        *word = 0;
    }
    leave((uint32_t)main());
}

__attribute__((used)) static void fault(void)
{
    for (const char *text = "error fault\n"; *text != '\0'; text++) {
        mi_put(*text);
    }
    leave(1);
}

__asm__(".option arch, +zicsr\n"
        ".section .vectors, \"ax\"\n"
        ".globl mi_reset\n"
        "mi_reset:\n"
        "    la sp, mi_stack_top\n"
        "    la t0, 1f\n"
        "    csrw mtvec, t0\n"
        "    j start\n"
        "    .balign 4\n"
        "1:  j fault\n"
        ".text\n");
