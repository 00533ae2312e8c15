/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of snic_engine.h: from a match to an entry, and what packets left on it. */
#include "snic_state.h"

static struct snic_table *table_at(const struct snic_engine *engine, uint32_t table)
{
    return &engine->tables[table];
}

static uint32_t locate(const struct snic_engine *engine, uint32_t table, const uint8_t *key, const uint8_t *mask,
                       int32_t priority)
{
    return snic_table_locate(table_at(engine, table), key, mask, priority);
}

/* False: no entry. Without a key, it is the default one. */
static bool locate_resources(const struct snic_engine *engine, uint32_t table, const uint8_t *key, const uint8_t *mask,
                             int32_t priority, uint32_t *number)
{
    *number = key ? locate(engine, table, key, mask, priority) : SNIC_DEFAULT_NUMBER;
    return !key || *number;
}

/* ---- direct counters -------------------------------------------------------------------------------------------- */

static struct snic_count counted_by_workers(const struct snic_engine *engine, uint32_t table, uint32_t number)
{
    struct snic_count sum = {0};

    for (uint32_t i = 0; i < SNIC_MAX_WORKERS; i++) {
        struct snic_tally *tallies = table_at(engine, table)->tallies[i];
        if (!tallies)
            continue;
        struct snic_tally *tally = &tallies[number];
        sum.packets += atomic_load_explicit(&tally->packets, memory_order_relaxed);
        sum.bytes += atomic_load_explicit(&tally->bytes, memory_order_relaxed);
    }
    return sum;
}

static void set_counter(struct snic_engine *engine, uint32_t table, uint32_t number, struct snic_count count)
{
    struct snic_count sum = counted_by_workers(engine, table, number);

    table_at(engine, table)->counted[number] =
        (struct snic_count){count.packets - sum.packets, count.bytes - sum.bytes};
}

int snic_read_direct_counter(const struct snic_engine *engine, uint32_t table, const uint8_t *key,
                             const uint8_t *mask, int32_t priority, struct snic_count *count)
{
    uint32_t number;

    if (!locate_resources(engine, table, key, mask, priority, &number) || !table_at(engine, table)->counted)
        return SNIC_NOT_FOUND;
    *count = counted_by_workers(engine, table, number);
    count->packets += table_at(engine, table)->counted[number].packets;
    count->bytes += table_at(engine, table)->counted[number].bytes;
    return SNIC_OK;
}

int snic_write_direct_counter(struct snic_engine *engine, uint32_t table, const uint8_t *key, const uint8_t *mask,
                              int32_t priority, const struct snic_count *count)
{
    uint32_t number;

    if (!locate_resources(engine, table, key, mask, priority, &number) || !table_at(engine, table)->counted)
        return SNIC_NOT_FOUND;
    set_counter(engine, table, number, *count);
    return SNIC_OK;
}

/* ---- direct meters ---------------------------------------------------------------------------------------------- */

/* NULL: no entry, or no meter. */
static struct snic_meter *locate_meter(const struct snic_engine *engine, uint32_t table, const uint8_t *key,
                                       const uint8_t *mask, int32_t priority)
{
    struct snic_table *of = table_at(engine, table);
    uint32_t number;

    return locate_resources(engine, table, key, mask, priority, &number) && of->meters ? &of->meters[number] : NULL;
}

int snic_read_direct_meter(const struct snic_engine *engine, uint32_t table, const uint8_t *key, const uint8_t *mask,
                           int32_t priority, struct snic_rates *rates, bool *configured)
{
    struct snic_meter *meter = locate_meter(engine, table, key, mask, priority);

    *configured = false;
    return meter ? snic_meter_read(meter, rates, configured) : SNIC_NOT_FOUND;
}

int snic_write_direct_meter(struct snic_engine *engine, uint32_t table, const uint8_t *key, const uint8_t *mask,
                            int32_t priority, const struct snic_rates *rates)
{
    struct snic_meter *meter = locate_meter(engine, table, key, mask, priority);

    if (!meter)
        return SNIC_NOT_FOUND;
    snic_meter_configure(meter, rates, snic_now_us(engine));
    return SNIC_OK;
}

int snic_read_direct_meter_counts(const struct snic_engine *engine, uint32_t table, const uint8_t *key,
                                  const uint8_t *mask, int32_t priority, struct snic_colour_counts *counts)
{
    struct snic_meter *meter = locate_meter(engine, table, key, mask, priority);

    return meter ? snic_meter_read_counts(meter, counts) : SNIC_NOT_FOUND;
}

int snic_write_direct_meter_counts(struct snic_engine *engine, uint32_t table, const uint8_t *key,
                                   const uint8_t *mask, int32_t priority, const struct snic_colour_counts *counts)
{
    struct snic_meter *meter = locate_meter(engine, table, key, mask, priority);

    return meter ? snic_meter_write_counts(meter, counts) : SNIC_NOT_FOUND;
}

/* ---- entries ---------------------------------------------------------------------------------------------------- */

int snic_insert(struct snic_engine *engine, uint32_t table, const uint8_t *key, const uint8_t *mask, int32_t priority,
                const struct snic_target *target, uint64_t idle_timeout_ns)
{
    struct snic_table *into = table_at(engine, table);
    uint32_t number;
    int error = snic_table_insert(into, key, mask, priority, target, &number);

    if (!error)
        snic_table_stamp(into, number, idle_timeout_ns, snic_now_ns(engine));
    return error;
}

int snic_modify(struct snic_engine *engine, uint32_t table, const uint8_t *key, const uint8_t *mask, int32_t priority,
                const struct snic_target *target, uint64_t idle_timeout_ns)
{
    uint32_t number = locate(engine, table, key, mask, priority);

    if (!number)
        return SNIC_NOT_FOUND;
    int error = snic_table_modify(table_at(engine, table), number, target);
    if (!error)
        snic_table_stamp(table_at(engine, table), number, idle_timeout_ns, snic_now_ns(engine));
    return error;
}

int snic_delete(struct snic_engine *engine, uint32_t table, const uint8_t *key, const uint8_t *mask, int32_t priority)
{
    uint32_t number = locate(engine, table, key, mask, priority);

    if (!number)
        return SNIC_NOT_FOUND;
    snic_table_delete(table_at(engine, table), number);
    return SNIC_OK;
}

int snic_get(const struct snic_engine *engine, uint32_t table, const uint8_t *key, const uint8_t *mask,
             int32_t priority, struct snic_entry_view *view)
{
    uint32_t number = locate(engine, table, key, mask, priority);

    if (!number)
        return SNIC_NOT_FOUND;
    snic_table_view(table_at(engine, table), number, view);
    return SNIC_OK;
}

int snic_set_default(struct snic_engine *engine, uint32_t table, const struct snic_target *target)
{
    return snic_table_set_default(table_at(engine, table), target);
}

int snic_get_default(const struct snic_engine *engine, uint32_t table, struct snic_target *target)
{
    snic_target_of(atomic_load(&table_at(engine, table)->default_call), target);
    return SNIC_OK;
}

uint32_t snic_entry_count(const struct snic_engine *engine, uint32_t table)
{
    return table_at(engine, table)->count;
}

uint32_t snic_entry_copy_bytes(const struct snic_engine *engine, uint32_t table)
{
    const struct snic_table_desc *desc = table_at(engine, table)->desc;
    size_t keys = desc->key_bytes * (desc->match == SNIC_EXACT ? 1u : 2u);

    return (uint32_t)(offsetof(struct snic_entry_copy, bytes) + keys + desc->max_args_bytes + 7) / 8 * 8;
}

static void copy_entry(const struct snic_table *of, uint32_t number, struct snic_entry_copy *copy)
{
    const struct snic_table_desc *desc = of->desc;
    struct snic_entry_view view;
    uint8_t *to = copy->bytes;

    snic_table_view(of, number, &view);
    copy->idle_timeout_ns = view.idle_timeout_ns;
    copy->kind = (uint32_t)view.target.kind;
    copy->id = view.target.id;
    copy->priority = view.priority;
    memcpy(to, view.key, desc->key_bytes);
    to += desc->key_bytes;
    if (view.mask) {
        memcpy(to, view.mask, desc->key_bytes);
        to += desc->key_bytes;
    }
    if (view.target.kind == SNIC_TARGET_ACTION && desc->max_args_bytes)
        memcpy(to, view.target.args, desc->max_args_bytes);
}

void snic_copy_entries(const struct snic_engine *engine, uint32_t table, uint8_t *copies)
{
    const struct snic_table *of = table_at(engine, table);
    uint32_t stride = snic_entry_copy_bytes(engine, table);

    for (uint32_t number = of->first; number; number = of->order[number].behind) {
        copy_entry(of, number, (struct snic_entry_copy *)copies);
        copies += stride;
    }
}

static bool is_idle(const struct snic_entry_view *view, uint64_t now_ns)
{
    return view->idle_timeout_ns && now_ns > view->last_hit_ns &&
           now_ns - view->last_hit_ns > view->idle_timeout_ns;
}

uint32_t snic_idle_entries(const struct snic_engine *engine, uint32_t table, uint64_t *cursor, uint32_t budget,
                           struct snic_entry_view *views, uint32_t room)
{
    const struct snic_table *of = table_at(engine, table);
    uint64_t now_ns = snic_now_ns(engine);
    uint32_t found = 0;

    for (; budget && found < room; budget--) {
        uint32_t number = of->idle_timeout_ns ? snic_table_from(of, *cursor) : 0;
        *cursor = number ? snic_table_behind(of, number) : SNIC_CURSOR_END;
        if (!number)
            break;
        snic_table_view(of, number, &views[found]);
        found += is_idle(&views[found], now_ns);
    }
    return found;
}

void snic_table_hits(const struct snic_engine *engine, uint32_t table, uint64_t *hits, uint64_t *misses)
{
    *hits = *misses = 0;
    for (uint32_t i = 0; i < SNIC_MAX_WORKERS; i++) {
        struct snic_local *local = snic_worker_at(engine, i);
        if (!local)
            continue;
        *hits += atomic_load_explicit(&local->hits[table].hits, memory_order_relaxed);
        *misses += atomic_load_explicit(&local->hits[table].misses, memory_order_relaxed);
    }
}

size_t snic_table_memory(const struct snic_engine *engine, uint32_t table)
{
    const struct snic_table *of = table_at(engine, table);
    size_t per_number = sizeof *of->cell_of + sizeof *of->order + (of->priority ? sizeof *of->priority : 0) +
                        (of->idle_timeout_ns ? 2 * sizeof *of->idle_timeout_ns : 0) +
                        (of->meters ? sizeof *of->meters : 0) + (of->counted ? sizeof *of->counted : 0);

    if (!of->desc->key_bytes)
        return 0;
    size_t bytes = snic_arena_memory(&of->cells.arena) + snic_exact_memory(&of->identities) + of->used * per_number;
    if (of->narrow)
        bytes += SNIC_NARROW_KEYS * sizeof *of->narrow;
    if (of->desc->match == SNIC_LPM)
        bytes += snic_lpm_memory(&of->lpm);
    else if (of->desc->match != SNIC_EXACT)
        bytes += snic_ternary_memory(&of->ternary, of->used);
    return bytes;
}
