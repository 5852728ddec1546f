/* SPDX-License-Identifier: MIT */

/* The serial line of an ATmega328P, at a sixteenth of its clock. Start-up is avr-libc's. */

#include <avr/io.h>

#include <stdint.h>

void mi_put(char c);
int mi_get(void);

/* Waits until the character is on the line, so that none is left when the program ends. */
void mi_put(char c)
{
    UCSR0A |= 1 << TXC0;
    UDR0 = (uint8_t)c;
    while ((UCSR0A & (1 << TXC0)) == 0) {
    }
}

int mi_get(void)
{
    while ((UCSR0A & (1 << RXC0)) == 0) {
    }
    return UDR0;
}

__attribute__((constructor)) static void line_up(void)
{
    UBRR0 = 0;
    UCSR0B = (1 << RXEN0) | (1 << TXEN0);
}
