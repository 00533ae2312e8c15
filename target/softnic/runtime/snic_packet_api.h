/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What compiled programs call while a packet runs. All of it is inline or cheap; nothing here blocks or allocates.
 *
 * Calls (struct snic_call) point into memory that stays valid until the worker's next quiescent point: within `run`.
 * Keys are `room` bytes, zero-padded, 8-byte aligned; `room` is a constant where programs call. `table`, `counter` and
 * so on are places in the program's lists. An index out of range has no effect but to be counted.
 *
 * A lookup in a large table takes three steps, so that packets of a vector wait for memory together: begin fetches
 * the bucket, advance the entry, finish finds it. Each hands a token to the next; the key stays where it is.
 */
#ifndef SNIC_PACKET_API_H
#define SNIC_PACKET_API_H

#include "snic_hash.h"
#include "snic_local.h"
#include "snic_spin.h"

/* ---- tables ----------------------------------------------------------------------------------------------------- */

static inline const struct snic_table *snic_table_of(struct snic_worker *worker, uint32_t table)
{
    return &snic_local_of(worker)->tables[table];
}

/* Tests set it: packets wait wherever they can. */
#ifndef SNIC_ALL_TABLES_ARE_LARGE
#define SNIC_ALL_TABLES_ARE_LARGE 0
#endif

/* Worth the detour of begin, advance and finish. */
static inline bool snic_table_large(const struct snic_table *table)
{
    return SNIC_ALL_TABLES_ARE_LARGE || atomic_load_explicit(&table->large, memory_order_relaxed);
}

/* NULL: a miss. Of a table that snic_is_narrow. */
static inline const struct snic_call *snic_narrow_find(const struct snic_table *table, const uint8_t *key)
{
    uint32_t cell = atomic_load_explicit(&table->narrow[snic_narrow_index(key)], memory_order_acquire);
    return snic_found(&table->cells, cell);
}

/* NULL: a miss. */
static inline const struct snic_call *snic_exact_find(const struct snic_table *table, const uint8_t *key, uint32_t room)
{
    return snic_found(&table->cells,
                      snic_exact_search(&table->identities, &table->cells, key, room, snic_key_hash(key, room)));
}

static inline uint64_t snic_exact_begin(const struct snic_table *table, const uint8_t *key, uint32_t room)
{
    uint64_t hash = snic_key_hash(key, room);
    snic_exact_prefetch_bucket(&table->identities, hash);
    return hash;
}

static inline uint64_t snic_exact_advance(const struct snic_table *table, uint64_t token)
{
    snic_exact_prefetch_cell(&table->identities, &table->cells, token);
    return token;
}

static inline const struct snic_call *snic_exact_finish(const struct snic_table *table, const uint8_t *key,
                                                        uint32_t room, uint64_t token)
{
    return snic_found(&table->cells, snic_exact_search(&table->identities, &table->cells, key, room, token));
}

static inline const struct snic_call *snic_lpm_find(const struct snic_table *table, const uint8_t *key, uint32_t room)
{
    return snic_found(&table->cells, snic_lpm_search(&table->lpm, key, room));
}

/* The token is the key, then the cell. */
static inline uint64_t snic_lpm_begin(const struct snic_table *table, const uint8_t *key, uint32_t room)
{
    (void)room;
    if (!table->lpm.grouped)
        snic_lpm_prefetch(&table->lpm, key);
    return (uintptr_t)key;
}

static inline uint64_t snic_lpm_advance(const struct snic_table *table, uint64_t token)
{
    const uint8_t *key = (const uint8_t *)(uintptr_t)token;
    uint32_t cell = snic_lpm_search(&table->lpm, key, table->cells.key_room);
    if (cell)
        __builtin_prefetch(snic_cell_call(&table->cells, cell));
    return cell;
}

static inline const struct snic_call *snic_lpm_finish(const struct snic_table *table, const uint8_t *key,
                                                      uint32_t room, uint64_t token)
{
    (void)key, (void)room;
    return snic_found(&table->cells, (uint32_t)token);
}

/* Also for ranges. */
static inline const struct snic_call *snic_ternary_find(const struct snic_table *table, const uint8_t *key,
                                                        uint32_t room)
{
    return snic_found(&table->cells, snic_ternary_search(&table->ternary, key, room));
}

/* Vectors are read from front to back, which the processor foresees, and tuples don't wait for each other. */
static inline uint64_t snic_ternary_begin(const struct snic_table *table, const uint8_t *key, uint32_t room)
{
    (void)table, (void)key, (void)room;
    return 0;
}

static inline uint64_t snic_ternary_advance(const struct snic_table *table, uint64_t token)
{
    (void)table;
    return token;
}

static inline const struct snic_call *snic_ternary_finish(const struct snic_table *table, const uint8_t *key,
                                                          uint32_t room, uint64_t token)
{
    (void)token;
    return snic_ternary_find(table, key, room);
}

/* Never NULL; kind NONE: no default action. */
static inline const struct snic_call *snic_default(const struct snic_table *table)
{
    return atomic_load_explicit(&table->default_call, memory_order_acquire);
}

static inline void snic_table_hit(struct snic_worker *worker, uint32_t table)
{
    snic_add(&snic_local_of(worker)->hits[table].hits, 1);
}

static inline void snic_table_missed(struct snic_worker *worker, uint32_t table)
{
    snic_add(&snic_local_of(worker)->hits[table].misses, 1);
}

static inline void snic_count_direct(struct snic_worker *worker, uint32_t table, const struct snic_call *call,
                                     uint64_t bytes)
{
    snic_tally_add(&snic_local_of(worker)->direct[table][call->index], bytes);
}

/* The entry was hit now. */
static inline void snic_stamp(struct snic_worker *worker, const struct snic_table *table, const struct snic_call *call)
{
    _Atomic uint64_t *last_hit_ns = &table->last_hit_ns[call->index];
    /* Workers share the cache line: written once a burst at most. */
    if (atomic_load_explicit(last_hit_ns, memory_order_relaxed) != worker->now_ns)
        atomic_store_explicit(last_hit_ns, worker->now_ns, memory_order_relaxed);
}

/* enum snic_colour, for a packet of so many bytes. */
static inline uint32_t snic_mark_direct(struct snic_worker *worker, const struct snic_table *table,
                                        const struct snic_call *call, uint64_t bytes)
{
    return snic_meter_mark(&table->meters[call->index], bytes, table->desc->direct_meter_in_bytes, worker->now_us);
}

/* Whether a miss is to be marked: BMv2 marks hits only. */
static inline bool snic_marks_misses(const struct snic_table *table)
{
    return snic_meter_is_configured(&table->meters[SNIC_DEFAULT_NUMBER]);
}

/* ---- action profiles -------------------------------------------------------------------------------------------- */

static inline const struct snic_call *snic_member_call(const struct snic_call *call)
{
    struct snic_member *member;
    memcpy(&member, call->args, sizeof member);
    return atomic_load_explicit(&member->call, memory_order_acquire);
}

/* NULL: the group has no active member, which is counted. */
static inline const struct snic_choice *snic_group_choice(struct snic_worker *worker, const struct snic_call *call)
{
    struct snic_group *group;
    memcpy(&group, call->args, sizeof group);
    const struct snic_choice *choice = atomic_load_explicit(&group->choice, memory_order_acquire);
    if (choice->count)
        return choice;
    snic_anomaly(worker, SNIC_SELECTOR_GROUP_EMPTY);
    return NULL;
}

static inline const struct snic_call *snic_chosen_call(const struct snic_choice *choice, uint64_t hash)
{
    return atomic_load_explicit(&choice->slots[hash % choice->count]->call, memory_order_acquire);
}

/* ---- externs ---------------------------------------------------------------------------------------------------- */

static inline void snic_count(struct snic_worker *worker, uint32_t counter, uint64_t index, uint64_t bytes)
{
    struct snic_local *local = snic_local_of(worker);
    if (index < local->externs->counters[counter].size)
        snic_tally_add(&local->counted[counter][index], bytes);
    else
        snic_anomaly(worker, SNIC_COUNTER_INDEX_OUT_OF_RANGE);
}

/* Marks a packet of so many bytes. False: out of range, and `*colour` is as it was. */
static inline bool snic_mark(struct snic_worker *worker, uint32_t meter, uint64_t index, uint64_t bytes,
                             uint32_t *colour)
{
    const struct snic_meters *meters = &snic_local_of(worker)->externs->meters[meter];
    if (index >= meters->size) {
        snic_anomaly(worker, SNIC_METER_INDEX_OUT_OF_RANGE);
        return false;
    }
    *colour = snic_meter_mark(&meters->cells[index], bytes, meters->in_bytes, worker->now_us);
    return true;
}

/* NULL: out of range. A native-endian integer up to 64 bits, else limbs of 64 bits, the least significant first. */
static inline void *snic_register_cell(struct snic_worker *worker, uint32_t reg, uint64_t index, uint32_t cell_bytes)
{
    const struct snic_register *cells = &snic_local_of(worker)->externs->registers[reg];
    if (index < cells->size)
        return cells->cells + index * cell_bytes;
    snic_anomaly(worker, SNIC_REGISTER_INDEX_OUT_OF_RANGE);
    return NULL;
}

/* While there is one worker, nobody else is to be kept out. */
static inline void snic_register_lock(struct snic_worker *worker, uint32_t reg)
{
    struct snic_local *local = snic_local_of(worker);
    if (*local->shared)
        snic_spin_lock(&local->externs->registers[reg].lock);
}

static inline void snic_register_unlock(struct snic_worker *worker, uint32_t reg)
{
    struct snic_local *local = snic_local_of(worker);
    if (*local->shared)
        snic_spin_unlock(&local->externs->registers[reg].lock);
}

/* Whether a member agrees with `key` in the bits of `mask`. Value sets are small: members are compared one by one. */
static inline bool snic_value_set_contains(struct snic_worker *worker, uint32_t value_set, const uint8_t *key,
                                           const uint8_t *mask)
{
    struct snic_value_set *set = &snic_local_of(worker)->externs->value_sets[value_set];
    const struct snic_members *members = atomic_load_explicit(&set->members, memory_order_acquire);

    for (uint32_t i = 0; members && i < members->count; i++) {
        const uint8_t *member = members->keys + (size_t)i * set->key_bytes;
        uint8_t differing = 0;
        for (uint32_t at = 0; at < set->key_bytes; at++)
            differing |= (uint8_t)((key[at] ^ member[at]) & mask[at]);
        if (!differing)
            return true;
    }
    return false;
}

/* NULL: no such group. */
static inline const struct snic_replicas *snic_multicast_group(struct snic_worker *worker, uint32_t group)
{
    return snic_map_get(&snic_local_of(worker)->externs->groups, group);
}

/* NULL: no such session. */
static inline const struct snic_session *snic_clone_session(struct snic_worker *worker, uint32_t session)
{
    return snic_map_get(&snic_local_of(worker)->externs->sessions, session);
}

static inline struct snic_round_robin *snic_round_robin_of(struct snic_worker *worker, uint32_t number)
{
    return &snic_local_of(worker)->round_robins[number];
}

/* Uniform in 64 bits: xoshiro256** (Blackman and Vigna). */
static inline uint64_t snic_random(struct snic_worker *worker)
{
    uint64_t *s = worker->random;
    uint64_t product = s[1] * 5;
    uint64_t result = (product << 7 | product >> 57) * 9;
    uint64_t shifted = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = s[3] << 45 | s[3] >> 19;
    return result;
}

#endif
