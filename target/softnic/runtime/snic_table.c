/* SPDX-License-Identifier: Apache-2.0 */
#include "snic_table.h"

#include <stdlib.h>

static size_t up_to(size_t bytes, size_t unit)
{
    return (bytes + unit - 1) / unit * unit;
}

/* Small cells share cache lines and never straddle two. */
static uint32_t cell_bytes(size_t bytes)
{
    return (uint32_t)(bytes <= 16 ? 16 : bytes <= 32 ? 32 : up_to(bytes, 64));
}

static bool has_masks(const struct snic_table_desc *desc)
{
    return desc->match != SNIC_EXACT;
}

static bool has_priorities(const struct snic_table_desc *desc)
{
    return desc->match == SNIC_TERNARY || desc->match == SNIC_RANGE;
}

/* ---- calls and who they refer to -------------------------------------------------------------------------------- */

static struct snic_member *member_of(const struct snic_call *call)
{
    struct snic_member *member;
    memcpy(&member, call->args, sizeof member);
    return member;
}

static struct snic_group *group_of(const struct snic_call *call)
{
    struct snic_group *group;
    memcpy(&group, call->args, sizeof group);
    return group;
}

static size_t call_bytes(const struct snic_table *table)
{
    size_t args = table->desc->max_args_bytes;

    if (table->profile && args < sizeof(void *))
        args = sizeof(void *);
    return sizeof(struct snic_call) + up_to(args, 8);
}

/* Writes the call that a target means; SNIC_NO_MEMBER if it refers to what is not there. */
static int make_call(const struct snic_table *table, const struct snic_target *target, struct snic_call *call)
{
    call->kind = (uint16_t)target->kind;
    if (target->kind == SNIC_TARGET_ACTION) {
        size_t bytes = table->desc->actions[target->id].args_bytes;
        call->action = (uint16_t)target->id;
        if (bytes)
            memcpy(call->args, target->args, bytes);
    } else if (target->kind != SNIC_TARGET_NONE) {
        if (!table->profile)
            return SNIC_NO_MEMBER;
        void *referred = snic_map_get(
            target->kind == SNIC_TARGET_MEMBER ? &table->profile->members : &table->profile->groups, target->id);
        if (!referred)
            return SNIC_NO_MEMBER;
        memcpy(call->args, &referred, sizeof referred);
    }
    return SNIC_OK;
}

static void use(const struct snic_call *call, int uses)
{
    if (call->kind == SNIC_TARGET_MEMBER)
        member_of(call)->uses += (uint32_t)uses;
    else if (call->kind == SNIC_TARGET_GROUP)
        group_of(call)->uses += (uint32_t)uses;
}

void snic_target_of(const struct snic_call *call, struct snic_target *target)
{
    *target = (struct snic_target){.kind = call->kind};
    if (call->kind == SNIC_TARGET_ACTION) {
        target->id = call->action;
        target->args = call->args;
    } else if (call->kind == SNIC_TARGET_MEMBER) {
        target->id = member_of(call)->id;
    } else if (call->kind == SNIC_TARGET_GROUP) {
        target->id = group_of(call)->id;
    }
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

static uint32_t take_number(struct snic_table *table)
{
    uint32_t number = table->free;

    if (number) {
        table->free = table->order[number].behind;
        return number;
    }
    return table->used < table->room ? table->used++ : 0;
}

static void give_number(struct snic_table *table, uint32_t number)
{
    table->order[number].behind = table->free;
    table->free = number;
}

static void append(struct snic_table *table, uint32_t number)
{
    table->order[number] = (struct snic_order){table->last, 0};
    *(table->last ? &table->order[table->last].behind : &table->first) = number;
    table->last = number;
}

static void unlink_number(struct snic_table *table, uint32_t number)
{
    struct snic_order order = table->order[number];

    *(order.before ? &table->order[order.before].behind : &table->first) = order.behind;
    *(order.behind ? &table->order[order.behind].before : &table->last) = order.before;
}

static uint32_t cell_of(const struct snic_table *table, uint32_t number)
{
    return atomic_load_explicit(&table->cell_of[number], memory_order_relaxed);
}

/* ---- cells ------------------------------------------------------------------------------------------------------ */

static void write_identity(const struct snic_table *table, uint8_t *identity, const uint8_t *key, const uint8_t *mask,
                           int32_t priority)
{
    uint32_t room = table->cells.key_room, bytes = table->desc->key_bytes;

    memset(identity, 0, table->cells.identity_room);
    memcpy(identity, key, bytes);
    if (has_masks(table->desc))
        memcpy(identity + room, mask, bytes);
    if (has_priorities(table->desc))
        memcpy(identity + 2 * (size_t)room, &priority, sizeof priority);
}

static uint64_t hash_of(const struct snic_table *table, uint32_t cell)
{
    return snic_key_hash(snic_cell_key(&table->cells, cell), table->cells.identity_room);
}

static void release_cell(void *arena, uint64_t cell)
{
    snic_arena_give(arena, (uint32_t)cell);
}

/* Nobody sees the number now: what packets left on it goes. */
static void release_number(void *owner, uint64_t released)
{
    struct snic_table *table = owner;
    uint32_t number = (uint32_t)released;

    if (table->counted) {
        table->counted[number] = (struct snic_count){0};
        for (uint32_t i = 0; i < SNIC_MAX_WORKERS; i++)
            if (table->tallies[i])
                table->tallies[i][number] = (struct snic_tally){0};
    }
    if (table->meters)
        memset(&table->meters[number], 0, sizeof *table->meters);
    give_number(table, number);
}

static void note_size(struct snic_table *table)
{
    size_t bytes = snic_arena_memory(&table->cells.arena);

    if (table->desc->match == SNIC_EXACT)
        bytes += snic_exact_memory(&table->identities);
    atomic_store_explicit(&table->large, table->count && bytes > SNIC_LARGE_BYTES, memory_order_relaxed);
}

/* ---- entries ---------------------------------------------------------------------------------------------------- */

uint32_t snic_table_locate(const struct snic_table *table, const uint8_t *key, const uint8_t *mask, int32_t priority)
{
    uint32_t room = table->cells.identity_room;
    _Alignas(8) uint8_t identity[room ? room : 1];

    if (!room)
        return 0;
    write_identity(table, identity, key, mask, priority);
    uint32_t cell = snic_exact_search(&table->identities, &table->cells, identity, room, snic_key_hash(identity, room));
    return cell ? snic_cell_call(&table->cells, cell)->index : 0;
}

static int add_to_index(struct snic_table *table, uint32_t cell, int32_t priority)
{
    switch (table->desc->match) {
    case SNIC_LPM:
        return snic_lpm_add(&table->lpm, cell);
    case SNIC_TERNARY:
    case SNIC_RANGE:
        return snic_ternary_add(&table->ternary, snic_cell_call(&table->cells, cell)->index, priority,
                                table->inserted);
    default:
        return SNIC_OK;
    }
}

static void remove_from_index(struct snic_table *table, uint32_t cell)
{
    if (table->desc->match == SNIC_LPM)
        snic_lpm_remove(&table->lpm, cell);
    else if (has_priorities(table->desc))
        snic_ternary_remove(&table->ternary, snic_cell_call(&table->cells, cell)->index);
}

static void show_narrow(struct snic_table *table, uint32_t cell, uint32_t shown)
{
    if (table->narrow)
        atomic_store_explicit(&table->narrow[snic_narrow_index(snic_cell_key(&table->cells, cell))], shown,
                              memory_order_release);
}

/* Publishes a cell that is complete; or nobody has seen it. */
static int publish(struct snic_table *table, uint32_t cell, int32_t priority)
{
    uint32_t number = snic_cell_call(&table->cells, cell)->index;

    int error = snic_exact_reserve(&table->identities, &table->cells, table->epoch);
    if (error)
        return error;
    atomic_store_explicit(&table->cell_of[number], cell, memory_order_release);
    error = add_to_index(table, cell, priority);
    if (error)
        return error;
    snic_exact_add(&table->identities, &table->cells, table->epoch, hash_of(table, cell), cell);
    show_narrow(table, cell, cell);
    return SNIC_OK;
}

/* Room that is only waiting for readers to pass is room. */
static bool take_both(struct snic_table *table, uint32_t *number, uint32_t *cell)
{
    for (int attempt = 0; attempt < 2; attempt++) {
        *number = take_number(table);
        *cell = *number ? snic_arena_take(&table->cells.arena) : 0;
        if (*cell)
            return true;
        if (*number)
            give_number(table, *number);
        snic_epoch_synchronize(table->epoch);
    }
    return false;
}

int snic_table_insert(struct snic_table *table, const uint8_t *key, const uint8_t *mask, int32_t priority,
                      const struct snic_target *target, uint32_t *number)
{
    uint32_t cell;

    if (snic_table_locate(table, key, mask, priority))
        return SNIC_EXISTS;
    if (!table->cells.identity_room || table->count >= table->desc->max_size || !take_both(table, number, &cell))
        return SNIC_NO_ROOM;
    struct snic_call *call = snic_arena_at(&table->cells.arena, cell);
    call->index = *number;
    write_identity(table, (uint8_t *)call + table->cells.key_at, key, mask, priority);
    int error = make_call(table, target, call);
    if (!error)
        error = publish(table, cell, priority);
    if (error) {
        atomic_store_explicit(&table->cell_of[*number], 0, memory_order_relaxed);
        snic_arena_give(&table->cells.arena, cell);
        give_number(table, *number);
        return error;
    }
    use(call, 1);
    append(table, *number);
    if (table->priority)
        table->priority[*number] = priority;
    table->inserted++;
    table->count++;
    note_size(table);
    return SNIC_OK;
}

int snic_table_modify(struct snic_table *table, uint32_t number, const struct snic_target *target)
{
    uint32_t old = cell_of(table, number), cell = snic_arena_take(&table->cells.arena);

    if (!cell) {
        snic_epoch_synchronize(table->epoch);
        cell = snic_arena_take(&table->cells.arena);
    }
    if (!cell)
        return SNIC_NO_MEMORY;
    struct snic_call *call = snic_arena_at(&table->cells.arena, cell);
    memcpy((uint8_t *)call + table->cells.key_at, snic_cell_key(&table->cells, old), table->cells.identity_room);
    call->index = number;
    if (make_call(table, target, call)) {
        snic_arena_give(&table->cells.arena, cell);
        return SNIC_NO_MEMBER;
    }
    use(call, 1);
    use(snic_cell_call(&table->cells, old), -1);
    atomic_store_explicit(&table->cell_of[number], cell, memory_order_release);
    if (table->desc->match == SNIC_LPM)
        snic_lpm_replace(&table->lpm, old, cell);
    snic_exact_replace(&table->identities, hash_of(table, old), old, cell);
    show_narrow(table, cell, cell);
    snic_retire(table->epoch, release_cell, &table->cells.arena, old);
    return SNIC_OK;
}

void snic_table_delete(struct snic_table *table, uint32_t number)
{
    uint32_t cell = cell_of(table, number);

    use(snic_cell_call(&table->cells, cell), -1);
    remove_from_index(table, cell);
    show_narrow(table, cell, 0);
    snic_exact_remove(&table->identities, hash_of(table, cell), cell);
    unlink_number(table, number);
    table->count--;
    /* Readers of a ternary index may still follow the number: cell_of keeps it until the number is taken again. */
    table->order[number].before = number;
    snic_retire(table->epoch, release_cell, &table->cells.arena, cell);
    snic_retire(table->epoch, release_number, table, number);
    note_size(table);
}

int snic_table_set_default(struct snic_table *table, const struct snic_target *target)
{
    struct snic_call *call = calloc(1, call_bytes(table));

    if (!call)
        return SNIC_NO_MEMORY;
    int error = make_call(table, target, call);
    if (error) {
        free(call);
        return error;
    }
    use(call, 1);
    struct snic_call *old = atomic_exchange(&table->default_call, call);
    use(old, -1);
    snic_retire_block(table->epoch, old);
    return SNIC_OK;
}

void snic_table_stamp(struct snic_table *table, uint32_t number, uint64_t idle_timeout_ns, uint64_t now_ns)
{
    if (!table->idle_timeout_ns)
        return;
    table->idle_timeout_ns[number] = idle_timeout_ns;
    atomic_store_explicit(&table->last_hit_ns[number], now_ns, memory_order_relaxed);
}

void snic_table_view(const struct snic_table *table, uint32_t number, struct snic_entry_view *view)
{
    uint32_t cell = cell_of(table, number);

    *view = (struct snic_entry_view){.key = snic_cell_key(&table->cells, cell)};
    if (has_masks(table->desc))
        view->mask = snic_cell_mask(&table->cells, cell);
    if (table->priority)
        view->priority = table->priority[number];
    if (table->idle_timeout_ns) {
        view->idle_timeout_ns = table->idle_timeout_ns[number];
        view->last_hit_ns = atomic_load_explicit(&table->last_hit_ns[number], memory_order_relaxed);
    }
    snic_target_of(snic_cell_call(&table->cells, cell), &view->target);
}

/* A deleted number is its own predecessor, and no entry is: what a scan finds there is where the order ends for it. */
uint32_t snic_table_from(const struct snic_table *table, uint64_t cursor)
{
    if (!cursor)
        return table->first;
    if (cursor >= table->used || table->order[cursor].before == cursor)
        return 0;
    return (uint32_t)cursor;
}

uint64_t snic_table_behind(const struct snic_table *table, uint32_t number)
{
    uint32_t behind = table->order[number].behind;

    return behind ? behind : UINT64_MAX;
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

static void lay_out(struct snic_table *table)
{
    const struct snic_table_desc *desc = table->desc;
    struct snic_cells *cells = &table->cells;

    cells->key_at = (uint32_t)call_bytes(table);
    cells->key_room = desc->key_room;
    cells->identity_room = desc->key_room * (has_masks(desc) ? 2 : 1) + (has_priorities(desc) ? 8 : 0);
}

/* What the default entry has too. */
static bool reserve_resources(struct snic_table *table)
{
    const struct snic_table_desc *desc = table->desc;

    if (desc->direct_meter)
        table->meters = snic_reserve(table->room * sizeof *table->meters);
    if (desc->direct_counter)
        table->counted = snic_reserve(table->room * sizeof *table->counted);
    return (!desc->direct_meter || table->meters) && (!desc->direct_counter || table->counted);
}

static bool reserve_arrays(struct snic_table *table)
{
    const struct snic_table_desc *desc = table->desc;
    size_t room = table->room;

    table->cell_of = snic_reserve(room * sizeof *table->cell_of);
    table->order = snic_reserve(room * sizeof *table->order);
    if (has_priorities(desc))
        table->priority = snic_reserve(room * sizeof *table->priority);
    if (desc->idle_timeout) {
        table->idle_timeout_ns = snic_reserve(room * sizeof *table->idle_timeout_ns);
        table->last_hit_ns = snic_reserve(room * sizeof *table->last_hit_ns);
    }
    if (snic_is_narrow(desc))
        table->narrow = snic_reserve(SNIC_NARROW_KEYS * sizeof *table->narrow);
    return table->cell_of && table->order && (!has_priorities(desc) || table->priority) &&
           (!desc->idle_timeout || (table->idle_timeout_ns && table->last_hit_ns)) &&
           (!snic_is_narrow(desc) || table->narrow);
}

static int init_index(struct snic_table *table)
{
    switch (table->desc->match) {
    case SNIC_LPM:
        return snic_lpm_init(&table->lpm, table->desc, &table->cells, &table->identities, table->epoch);
    case SNIC_TERNARY:
    case SNIC_RANGE:
        return snic_ternary_init(&table->ternary, table->desc, &table->cells, table->cell_of, table->room,
                                 table->epoch);
    default:
        return SNIC_OK;
    }
}

int snic_table_init(struct snic_table *table, const struct snic_table_desc *desc, struct snic_profile *profile,
                    struct snic_epoch *epoch)
{
    *table = (struct snic_table){.desc = desc, .profile = profile, .epoch = epoch, .used = 1};
    lay_out(table);
    struct snic_call *nothing = calloc(1, call_bytes(table));
    atomic_init(&table->default_call, nothing);
    if (!nothing)
        return SNIC_NO_MEMORY;
    if (!desc->key_bytes) {
        table->room = SNIC_DEFAULT_NUMBER + 1;
        return reserve_resources(table) ? SNIC_OK : SNIC_NO_MEMORY;
    }
    /* Beyond its size, a table has cells and numbers that readers may still see. */
    uint64_t room = (uint64_t)desc->max_size + SNIC_RETIRED_ROOM + 1;
    table->room = (uint32_t)(room < UINT32_MAX / 2 ? room : UINT32_MAX / 2);
    int error = snic_arena_init(&table->cells.arena, cell_bytes(table->cells.key_at + table->cells.identity_room),
                                table->room);
    if (!error)
        error = snic_exact_init(&table->identities);
    if (!error && !(reserve_arrays(table) && reserve_resources(table)))
        error = SNIC_NO_MEMORY;
    return error ? error : init_index(table);
}

void snic_table_destroy(struct snic_table *table)
{
    size_t room = table->room;

    free(atomic_load(&table->default_call));
    snic_unreserve(table->meters, room * sizeof *table->meters);
    snic_unreserve(table->counted, room * sizeof *table->counted);
    if (!table->desc->key_bytes || !room)
        return;
    if (table->desc->match == SNIC_LPM && table->lpm.cells)
        snic_lpm_destroy(&table->lpm);
    else if (has_priorities(table->desc) && table->ternary.rules.cells)
        snic_ternary_destroy(&table->ternary);
    snic_exact_destroy(&table->identities);
    snic_arena_destroy(&table->cells.arena);
    snic_unreserve(table->narrow, SNIC_NARROW_KEYS * sizeof *table->narrow);
    snic_unreserve(table->cell_of, room * sizeof *table->cell_of);
    snic_unreserve(table->order, room * sizeof *table->order);
    snic_unreserve(table->priority, room * sizeof *table->priority);
    snic_unreserve(table->idle_timeout_ns, room * sizeof *table->idle_timeout_ns);
    snic_unreserve(table->last_hit_ns, room * sizeof *table->last_hit_ns);
}
