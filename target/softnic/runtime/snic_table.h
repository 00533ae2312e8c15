/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table: its entries, the index that packets use, and what packets leave on entries.
 *
 * Each entry has a dense number, kept while it exists, and a cell (snic_cell.h), replaced when it is modified. All
 * entries stand in `identities`; in a table of exact fields that is what packets use too. What packets don't read
 * stands in arrays by number, and only where the table needs it.
 *
 * Threads: one writer; readers are lock-free, inside an epoch. They see each insert, modify or delete entirely or not
 * at all. Cells and numbers are used again only when every reader has passed.
 */
#ifndef SNIC_TABLE_H
#define SNIC_TABLE_H

#include "snic_lpm.h"
#include "snic_meter.h"
#include "snic_profile.h"
#include "snic_ternary.h"

/*
 * A table beyond this is for the most part out of the caches near to a core: worth the detour of begin, advance and
 * finish. Below, packets that run straight on make up for it.
 */
#define SNIC_LARGE_BYTES (1u << 20)

/* What one worker counted. */
struct snic_tally {
    _Atomic uint64_t packets, bytes;
};

/* Neighbours in the order of insertion, by number; 0: none. */
struct snic_order {
    uint32_t before, behind;
};

/* The default entry's number: it has a counter and a meter, but no cell. */
#define SNIC_DEFAULT_NUMBER 0u

/* How many keys of SNIC_NARROW_BYTES there are. */
#define SNIC_NARROW_BYTES 2u
#define SNIC_NARROW_KEYS 65536u

struct snic_table {
    struct snic_cells cells;
    struct snic_exact identities;
    _Atomic uint32_t *narrow; /* cell by key, in a table of exact fields with a key of 1 or 2 bytes; else NULL */
    _Atomic(struct snic_call *) default_call;
    _Atomic bool large;
    union {
        struct snic_lpm lpm;
        struct snic_ternary ternary;
    };
    const struct snic_table_desc *desc;
    struct snic_profile *profile; /* NULL: none */
    struct snic_epoch *epoch;

    /* By number. */
    uint32_t room; /* numbers are below it; 0 is no entry, or the default one */
    uint32_t count;
    uint32_t used, free; /* of numbers; free ones are linked by `behind` */
    uint32_t first, last;
    uint64_t inserted;
    _Atomic uint32_t *cell_of; /* 0: free */
    struct snic_order *order;
    int32_t *priority;           /* NULL: none has one */
    uint64_t *idle_timeout_ns;   /* NULL: no timeouts */
    _Atomic uint64_t *last_hit_ns;
    struct snic_meter *meters;   /* NULL: no direct meter */
    struct snic_count *counted;  /* NULL: no direct counter; what to add to the workers' */
    struct snic_tally *tallies[SNIC_MAX_WORKERS]; /* the workers' own */
};

/* Packets find narrow keys by counting, without a hash. */
static inline bool snic_is_narrow(const struct snic_table_desc *desc)
{
    return desc->match == SNIC_EXACT && desc->key_bytes > 0 && desc->key_bytes <= SNIC_NARROW_BYTES;
}

/* Of a key in a zero-padded word. */
static inline uint32_t snic_narrow_index(const uint8_t *key)
{
    return (uint32_t)snic_word(key) & (SNIC_NARROW_KEYS - 1);
}

/* 0 or SNIC_NO_MEMORY; snic_table_destroy in any case. `profile`: NULL: none. */
int snic_table_init(struct snic_table *table, const struct snic_table_desc *desc, struct snic_profile *profile,
                    struct snic_epoch *epoch);
void snic_table_destroy(struct snic_table *table);

/* The number of an entry; 0: none. */
uint32_t snic_table_locate(const struct snic_table *table, const uint8_t *key, const uint8_t *mask, int32_t priority);
/* Sets `*number`. */
int snic_table_insert(struct snic_table *table, const uint8_t *key, const uint8_t *mask, int32_t priority,
                      const struct snic_target *target, uint32_t *number);
int snic_table_modify(struct snic_table *table, uint32_t number, const struct snic_target *target);
void snic_table_delete(struct snic_table *table, uint32_t number);
int snic_table_set_default(struct snic_table *table, const struct snic_target *target);
void snic_table_stamp(struct snic_table *table, uint32_t number, uint64_t idle_timeout_ns, uint64_t now_ns);
void snic_table_view(const struct snic_table *table, uint32_t number, struct snic_entry_view *view);
void snic_target_of(const struct snic_call *call, struct snic_target *target);
/* The first entry at or behind a place in the order, which may have been deleted since; 0: none. */
uint32_t snic_table_from(const struct snic_table *table, uint64_t cursor);
/* The cursor behind an entry. */
uint64_t snic_table_behind(const struct snic_table *table, uint32_t number);

#endif
