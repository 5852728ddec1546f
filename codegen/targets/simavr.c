/* SPDX-License-Identifier: MIT */

/* An AVR program on simavr, its serial line on this process's standard input and output.
 *
 *     simavr_line PROGRAM CORE HERTZ [MARK END]
 *
 * With the addresses of a mark and of an end, in bytes, standard error gets a line
 * "mark <instructions> <cycles>", both since the start, whenever the mark is called and at the
 * end, where the process ends, too.
 *
 * Built on first use, with the host's compiler: the `simavr` command has no input.
 */

#define _POSIX_C_SOURCE 200809L

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>

#define STEPS_PER_LOOK 256 /* instructions between two looks at standard input */

static int device_listens;

static void on_output(struct avr_irq_t *irq, uint32_t value, void *context)
{
    const char c = (char)value;

    (void)irq;
    (void)context;
    if (write(STDOUT_FILENO, &c, 1) != 1) {
        exit(1);
    }
}

static void on_listening(struct avr_irq_t *irq, uint32_t value, void *context)
{
    (void)irq;
    (void)value;
    device_listens = *(const int *)context;
}

int main(int argc, char **argv)
{
    static const int yes = 1, no = 0;
    elf_firmware_t firmware = {0};
    avr_t *avr;
    avr_irq_t *input;
    uint32_t flags = 0, mark = UINT32_MAX, end = UINT32_MAX;
    unsigned long long instructions = 0;

    if ((argc != 4 && argc != 6) || elf_read_firmware(argv[1], &firmware) != 0 ||
        (avr = avr_make_mcu_by_name(argv[2])) == NULL) {
        return 2;
    }
    if (argc == 6) {
        mark = (uint32_t)strtoul(argv[4], NULL, 0);
        end = (uint32_t)strtoul(argv[5], NULL, 0);
    }
    firmware.frequency = (uint32_t)strtoul(argv[3], NULL, 10);
    avr_init(avr);
    avr_load_firmware(avr, &firmware);
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags); /* no echo, no sleeping */
    input = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    avr_irq_register_notify(
        avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), on_output, NULL);
    avr_irq_register_notify(
        avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XON), on_listening,
        (void *)&yes);
    avr_irq_register_notify(
        avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XOFF), on_listening,
        (void *)&no);
    for (;;) {
        struct pollfd look = {STDIN_FILENO, POLLIN, 0};
        unsigned char c;

        for (int step = 0; step < STEPS_PER_LOOK; step++) {
            const int ends = avr->pc == end;
            int state;

            if (avr->pc == mark || ends) {
                fprintf(
                    stderr, "mark %llu %llu\n", instructions, (unsigned long long)avr->cycle);
            }
            if (ends) {
                return 0;
            }
            instructions++;
            state = avr_run(avr);
            if (state == cpu_Done || state == cpu_Crashed) {
                return state == cpu_Crashed;
            }
        }
        if (device_listens && poll(&look, 1, 0) == 1 && read(STDIN_FILENO, &c, 1) == 1) {
            avr_raise_irq(input, c);
        }
    }
}
