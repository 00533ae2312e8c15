/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table from a 64-bit key to a 32-bit value: open addressing, linear probing, at most half full.
 *
 * One thread; the table owns its slots until the program ends. Keys are inserted once and never removed.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdint.h>
#include <stdlib.h>

#define NOT_FOUND UINT32_MAX
#define MULTIPLIER 0x9e3779b97f4a7c15u /* 2^64 divided by the golden ratio */

struct slot {
    uint64_t key_plus_one; /* 0: empty */
    uint32_t value;
};

struct table {
    struct slot *slots;
    uint32_t count;
    int bits; /* 2^bits slots */
};

static inline uint64_t first_slot(const struct table *table, uint64_t key)
{
    return key * MULTIPLIER >> (64 - table->bits);
}

static inline struct slot *slot_of(const struct table *table, uint64_t key)
{
    uint64_t mask = (UINT64_C(1) << table->bits) - 1;
    uint64_t at = first_slot(table, key);

    while (table->slots[at].key_plus_one && table->slots[at].key_plus_one != key + 1)
        at = (at + 1) & mask;
    return &table->slots[at];
}

static inline uint32_t table_find(const struct table *table, uint64_t key)
{
    const struct slot *slot = slot_of(table, key);

    return slot->key_plus_one ? slot->value : NOT_FOUND;
}

static inline struct table table_new(int bits)
{
    return (struct table){.slots = calloc((size_t)1 << bits, sizeof(struct slot)), .bits = bits};
}

static inline void table_insert(struct table *table, uint64_t key, uint32_t value)
{
    if (2 * (table->count + 1) > UINT32_C(1) << table->bits) {
        struct table wider = table_new(table->bits + 1);
        for (size_t i = 0; i < (size_t)1 << table->bits; i++)
            if (table->slots[i].key_plus_one)
                table_insert(&wider, table->slots[i].key_plus_one - 1, table->slots[i].value);
        free(table->slots);
        *table = wider;
    }
    *slot_of(table, key) = (struct slot){key + 1, value};
    table->count++;
}

#endif
