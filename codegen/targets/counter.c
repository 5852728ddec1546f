/* SPDX-License-Identifier: MIT */

/* A QEMU plugin: how often each instruction ran between one call of a marker and the next.
 *
 *     -plugin counter.so,out=FILE,base=HEX,bytes=HEX,marker=HEX
 *
 * Counts the instructions at base .. base + bytes. Whenever the one at `marker` runs, and at the
 * end, FILE gets a line "mark", then a line "<address> <runs> <taken>" for each instruction that
 * ran since the last mark; `taken` is how often another than the next in memory followed it.
 *
 * Built on first use, with the host's compiler. QEMU 7.2 comes without a header for plugins: the
 * few prototypes that are used are declared here. They are the same in the plugin interface of
 * version 1, the latest that QEMU until 8.2 takes, and of version 2, the earliest from 9.0 on.
 */

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef struct qemu_info_t qemu_info_t;

extern void qemu_plugin_register_vcpu_tb_trans_cb(
    qemu_plugin_id_t id, void (*cb)(qemu_plugin_id_t, struct qemu_plugin_tb *));
extern void qemu_plugin_register_vcpu_tb_exec_cb(
    struct qemu_plugin_tb *tb, void (*cb)(unsigned, void *), int flags, void *data);
extern void qemu_plugin_register_vcpu_insn_exec_cb(
    struct qemu_plugin_insn *insn, void (*cb)(unsigned, void *), int flags, void *data);
extern void qemu_plugin_register_atexit_cb(
    qemu_plugin_id_t id, void (*cb)(qemu_plugin_id_t, void *), void *data);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
extern uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
extern size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

#define EXPORT __attribute__((visibility("default")))
enum { NO_REGISTERS = 0 };

EXPORT int qemu_plugin_version = 1;

/* New in version 2: where it is, QEMU is one that wants that. */
extern void *qemu_plugin_scoreboard_new(size_t bytes) __attribute__((weak));

__attribute__((constructor)) static void choose_version(void)
{
    if (qemu_plugin_scoreboard_new != NULL) {
        qemu_plugin_version = 2;
    }
}

EXPORT int qemu_plugin_install(
    qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv);

/* Instructions take two bytes at least. */
static uint64_t base, slots, marker;
static uint64_t *runs, *taken;
static FILE *out;

/* A translated block: where it starts and ends, and its last instruction. */
typedef struct {
    uint64_t start, end, last;
} block;

static const block *previous;

static uint64_t *slot(uint64_t *counters, uint64_t address)
{
    return address >= base && (address - base) / 2 < slots ? &counters[(address - base) / 2] : NULL;
}

static void on_block(unsigned cpu, void *data)
{
    const block *const now = data;

    (void)cpu;
    if (previous != NULL && previous->end != now->start) {
        uint64_t *const counter = slot(taken, previous->last);
        if (counter != NULL) {
            ++*counter;
        }
    }
    previous = now;
}

static void on_instruction(unsigned cpu, void *counter)
{
    (void)cpu;
    ++*(uint64_t *)counter;
}

static void dump(void)
{
    fprintf(out, "mark\n");
    for (uint64_t i = 0; i < slots; i++) {
        if (runs[i] != 0) {
            fprintf(
                out, "%" PRIx64 " %" PRIu64 " %" PRIu64 "\n", base + 2 * i, runs[i], taken[i]);
        }
    }
    memset(runs, 0, slots * sizeof *runs);
    memset(taken, 0, slots * sizeof *taken);
}

static void on_marker(unsigned cpu, void *data)
{
    (void)cpu;
    (void)data;
    dump();
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    const size_t count = qemu_plugin_tb_n_insns(tb);
    block *const own = malloc(sizeof *own);

    (void)id;
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *const insn = qemu_plugin_tb_get_insn(tb, i);
        const uint64_t address = qemu_plugin_insn_vaddr(insn);
        uint64_t *const counter = slot(runs, address);

        if (i == 0) {
            own->start = address;
        }
        own->last = address;
        own->end = address + qemu_plugin_insn_size(insn);
        if (address == marker) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_marker, NO_REGISTERS, NULL);
        }
        if (counter != NULL) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_instruction, NO_REGISTERS, counter);
        }
    }
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, NO_REGISTERS, own);
}

static void at_end(qemu_plugin_id_t id, void *data)
{
    (void)id;
    (void)data;
    dump();
    fclose(out);
}

EXPORT int qemu_plugin_install(
    qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        const char *const value = strchr(argv[i], '=') + 1;
        if (strncmp(argv[i], "out=", 4) == 0) {
            out = fopen(value, "w");
        } else if (strncmp(argv[i], "base=", 5) == 0) {
            base = strtoull(value, NULL, 16);
        } else if (strncmp(argv[i], "bytes=", 6) == 0) {
            slots = strtoull(value, NULL, 16) / 2;
        } else if (strncmp(argv[i], "marker=", 7) == 0) {
            marker = strtoull(value, NULL, 16);
        }
    }
    runs = calloc(slots, sizeof *runs);
    taken = calloc(slots, sizeof *taken);
    if (out == NULL || runs == NULL || taken == NULL) {
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_atexit_cb(id, at_end, NULL);
    return 0;
}
