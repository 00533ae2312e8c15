/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entries of a ternary table as rules: whether one matches a key, and which of two that match wins: the larger
 * priority, then the earlier insertion.
 *
 * Indexes hold bids. A bid says enough to pass over a rule that can't win; the rule itself, in its cell, then decides
 * whether it matches. An index may therefore propose too much, as it does while it is being changed, but never too
 * little.
 *
 * Threads: one writer; readers are lock-free, inside an epoch. A number's cell and sequence are set before any bid with
 * it is published, and numbers are not taken again before readers have passed.
 */
#ifndef SNIC_RULES_H
#define SNIC_RULES_H

#include <stdatomic.h>

#include "snic_cell.h"

/* High half: the rule's priority. Low half: its number; 0: no bid. */
typedef _Atomic uint64_t snic_bid;

struct snic_rules {
    const struct snic_table_desc *desc;
    struct snic_cells *cells;
    _Atomic uint32_t *cell_of; /* the table's: cells by number */
    uint64_t *sequence;        /* of insertion, by number */
    bool has_ranges;
};

/* The winner so far. */
struct snic_best {
    uint32_t cell; /* 0: none */
    int32_t priority;
    uint64_t sequence;
};

static inline uint64_t snic_make_bid(int32_t priority, uint32_t number)
{
    return (uint64_t)(uint32_t)priority << 32 | number;
}

static inline uint32_t snic_bid_number(uint64_t bid)
{
    return (uint32_t)bid;
}

static inline int32_t snic_bid_priority(uint64_t bid)
{
    return (int32_t)(bid >> 32);
}

static inline uint32_t snic_rule_cell(const struct snic_rules *rules, uint64_t bid)
{
    return atomic_load_explicit(&rules->cell_of[snic_bid_number(bid)], memory_order_acquire);
}

/* Where some fields are ranges. */
bool snic_rule_matches_fields(const struct snic_rules *rules, uint32_t cell, const uint8_t *key);
/* The bits that a key must share with the rule, `key_room` bytes: masks, and what is common to the ends of ranges. */
void snic_rule_cares(const struct snic_rules *rules, uint32_t cell, uint8_t *cares);

static inline bool snic_rule_matches(const struct snic_rules *rules, uint32_t cell, const uint8_t *key, uint32_t room)
{
    const uint8_t *there = snic_cell_key(rules->cells, cell);

    if (rules->has_ranges)
        return snic_rule_matches_fields(rules, cell, key);
    return snic_equal_masked(key, there, there + room, room);
}

/* Lets a rule compete; `key`: `room` bytes, which is key_room. */
static inline void snic_compete(const struct snic_rules *rules, const uint8_t *key, uint32_t room, uint64_t bid,
                                struct snic_best *best)
{
    int32_t priority = snic_bid_priority(bid);
    uint64_t sequence;

    if (!bid || (best->cell && priority < best->priority))
        return;
    sequence = rules->sequence[snic_bid_number(bid)];
    if (best->cell && priority == best->priority && sequence >= best->sequence)
        return;
    uint32_t cell = snic_rule_cell(rules, bid);
    if (snic_rule_matches(rules, cell, key, room))
        *best = (struct snic_best){cell, priority, sequence};
}

#endif
