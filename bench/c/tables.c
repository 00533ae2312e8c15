/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one lookup costs, without a program around it. Arguments: exact | lpm4 | lpm6 | ternary, the number of entries.
 * Prints: kind, entries, ns for each lookup one by one, ns in groups of 32 (begin, advance, finish), us for each
 * insert, bytes of memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "snic_packet_api.h"

enum { GROUP = 32, KEYS = 1 << 16, ROUNDS = 40 };

static const struct snic_action_desc actions[] = {{"set", 8}};
static const struct snic_key_field exact_fields[] = {{"key", SNIC_EXACT, 0, 16, 128}};
static const struct snic_key_field lpm4_fields[] = {{"dst", SNIC_LPM, 0, 4, 32}};
static const struct snic_key_field lpm6_fields[] = {{"dst", SNIC_LPM, 0, 16, 128}};
static const struct snic_key_field ternary_fields[] = {{"five_tuple", SNIC_TERNARY, 0, 13, 104}};

#define TABLE(NAME, MATCH, FIELDS, BYTES, ROOM)                                                                       \
    {.name = NAME, .match = MATCH, .key_bytes = BYTES, .key_room = ROOM, .n_fields = 1, .fields = FIELDS,             \
     .n_actions = 1, .actions = actions, .max_args_bytes = 8, .max_size = 1u << 24, .profile = SNIC_NO_PROFILE}
static const struct snic_table_desc tables[] = {
    TABLE("exact", SNIC_EXACT, exact_fields, 16, 16), TABLE("lpm4", SNIC_LPM, lpm4_fields, 4, 8),
    TABLE("lpm6", SNIC_LPM, lpm6_fields, 16, 16), TABLE("ternary", SNIC_TERNARY, ternary_fields, 13, 16)};

static uint64_t seed = 1;

static uint64_t next_random(void)
{
    seed += 0x9e3779b97f4a7c15u;
    uint64_t mixed = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

struct match {
    _Alignas(8) uint8_t key[16];
    uint8_t mask[16];
};

static void prefix(struct match *match, uint32_t bytes, uint32_t length)
{
    for (uint32_t bit = 0; bit < length; bit++)
        match->mask[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    for (uint32_t i = 0; i < bytes; i++)
        match->key[i] &= match->mask[i];
}

/* v4: lengths as in the Internet's table; v6: /32 to /64, in 2000::/3; rules: prefixes, ports and protocol, or not. */
static struct match random_match(uint32_t table)
{
    static const uint8_t lengths4[] = {24, 24, 24, 24, 24, 24, 23, 22, 22, 21, 20, 19, 18, 17, 16, 12, 8};
    struct match match = {{0}, {0}};
    uint64_t random[2] = {next_random(), next_random()};

    memcpy(match.key, random, 16);
    switch (table) {
    case 0:
        memset(match.mask, 0xff, 16);
        break;
    case 1:
        memset(match.key + 4, 0, 12);
        prefix(&match, 4, lengths4[next_random() % sizeof lengths4]);
        break;
    case 2:
        match.key[0] = 0x20;
        match.key[2] &= 0x0f;
        prefix(&match, 16, next_random() % 3 ? 48 : 32 + 4 * (uint32_t)(next_random() % 9));
        break;
    default:
        memset(match.key + 13, 0, 3);
        for (uint32_t i = 0; i < 2; i++)
            memset(match.mask + 4 * i, 0xff, next_random() % 5);
        for (uint32_t i = 0; i < 2; i++)
            memset(match.mask + 8 + 2 * i, next_random() % 2 ? 0xff : 0, 2);
        match.mask[12] = 0xff;
        match.key[12] = next_random() % 2 ? 6 : 17;
        for (uint32_t i = 0; i < 13; i++)
            match.key[i] &= match.mask[i];
    }
    return match;
}

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

#define MEASURE(FIND, BEGIN, ADVANCE, FINISH, ROOM)                                                                   \
    do {                                                                                                              \
        double start = now_ns();                                                                                      \
        for (uint32_t round = 0; round < ROUNDS; round++)                                                             \
            for (uint32_t i = 0; i < KEYS; i++)                                                                       \
                found += FIND(table, keys[i].key, ROOM) != NULL;                                                      \
        one_by_one = (now_ns() - start) / KEYS / ROUNDS;                                                              \
        start = now_ns();                                                                                             \
        for (uint32_t round = 0; round < ROUNDS; round++)                                                             \
            for (uint32_t i = 0; i < KEYS; i += GROUP) {                                                              \
                uint64_t tokens[GROUP];                                                                               \
                for (uint32_t j = 0; j < GROUP; j++)                                                                  \
                    tokens[j] = BEGIN(table, keys[i + j].key, ROOM);                                                  \
                for (uint32_t j = 0; j < GROUP; j++)                                                                  \
                    tokens[j] = ADVANCE(table, tokens[j]);                                                            \
                for (uint32_t j = 0; j < GROUP; j++)                                                                  \
                    found += FINISH(table, keys[i + j].key, ROOM, tokens[j])->index & 1;                              \
            }                                                                                                         \
        grouped = (now_ns() - start) / KEYS / ROUNDS;                                                                 \
    } while (0)

extern const struct snic_program snic_program_v1;
const struct snic_program snic_program_v1 = {
    .abi = SNIC_ABI, .json_sha256 = "bench", .name = "bench", .n_tables = 4, .tables = tables, .vector = 1};

int main(int argc, char **argv)
{
    static struct match keys[KEYS];
    struct snic_engine *engine;
    uint32_t kind = 0, entries, missing;
    uint64_t found = 0, args = 0;
    double one_by_one = 0, grouped = 0;
    const struct snic_target target = {SNIC_TARGET_ACTION, 0, (const uint8_t *)&args};

    if (argc != 3 || snic_engine_open(NULL, "bench", &engine))
        return 2;
    while (kind < 3 && strcmp(tables[kind].name, argv[1]))
        kind++;
    entries = (uint32_t)atoi(argv[2]);
    missing = entries;
    double start = now_ns();
    while (missing) {
        struct match match = random_match(kind);
        int32_t priority = kind == 3 ? (int32_t)(next_random() % 1000) : 0;
        if (!snic_insert(engine, kind, match.key, match.mask, priority, &target, 0)) {
            missing--;
            /* Every lookup hits: its key is within some entry, its free bits are random. */
            uint32_t at = missing < KEYS ? missing : (uint32_t)next_random() % KEYS;
            for (uint32_t i = at; i < KEYS; i += entries < KEYS ? entries : KEYS) {
                uint64_t random[2] = {next_random(), next_random()};
                memcpy(keys[i].key, random, 16);
                for (uint32_t j = 0; j < 16; j++)
                    keys[i].key[j] = (uint8_t)((keys[i].key[j] & ~match.mask[j]) | match.key[j]);
                memset(keys[i].key + tables[kind].key_bytes, 0, 16u - tables[kind].key_bytes);
            }
        }
    }
    double insert_us = (now_ns() - start) / entries / 1000;
    for (uint32_t i = KEYS - 1; i > 0; i--) { /* no order of insertion in the order of lookups */
        uint32_t other = (uint32_t)(next_random() % (i + 1));
        struct match swapped = keys[i];
        keys[i] = keys[other];
        keys[other] = swapped;
    }
    const struct snic_table *table = snic_table_of(snic_worker(engine, 0), kind);
    switch (kind) {
    case 0:
        MEASURE(snic_exact_find, snic_exact_begin, snic_exact_advance, snic_exact_finish, 16);
        break;
    case 1:
        MEASURE(snic_lpm_find, snic_lpm_begin, snic_lpm_advance, snic_lpm_finish, 8);
        break;
    case 2:
        MEASURE(snic_lpm_find, snic_lpm_begin, snic_lpm_advance, snic_lpm_finish, 16);
        break;
    default:
        MEASURE(snic_ternary_find, snic_ternary_begin, snic_ternary_advance, snic_ternary_finish, 16);
    }
    printf("%s %u %.1f %.1f %.2f %zu %d\n", argv[1], entries, one_by_one, grouped, insert_us,
           snic_table_memory(engine, kind), (int)(found & 1));
    snic_engine_close(engine);
    return 0;
}
