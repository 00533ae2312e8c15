/* SPDX-License-Identifier: Apache-2.0 */
#include "snic_ternary.h"

/* What an entry demands of one byte of the key. */
struct demand {
    uint8_t mask, value; /* the byte's bits under the mask */
    uint8_t low, high;   /* and the byte itself */
};

static const struct demand ANYTHING = {0, 0, 0, 255};

static bool demands(struct demand demand)
{
    return demand.mask || demand.low || demand.high != 255;
}

static bool agrees(struct demand demand, uint32_t byte)
{
    return (byte & demand.mask) == demand.value && byte >= demand.low && byte <= demand.high;
}

static const struct snic_key_field *field_at(const struct snic_table_desc *desc, uint32_t byte)
{
    const struct snic_key_field *field = desc->fields;

    while (byte >= (uint32_t)field->offset + field->bytes)
        field++;
    return field;
}

/* Of a range: equal bytes in front, then one that lies between; those behind are left to the comparison. */
static struct demand demand_of_range(const uint8_t *low, const uint8_t *high, uint32_t byte)
{
    if (memcmp(low, high, byte))
        return ANYTHING;
    return (struct demand){0, 0, low[byte], high[byte]};
}

static struct demand demand_of(const struct snic_ternary *ternary, uint32_t cell, uint32_t byte)
{
    const struct snic_key_field *field = field_at(ternary->desc, byte);
    const uint8_t *key = snic_cell_key(ternary->cells, cell), *mask = snic_cell_mask(ternary->cells, cell);

    if (field->match == SNIC_RANGE)
        return demand_of_range(key + field->offset, mask + field->offset, byte - field->offset);
    return (struct demand){mask[byte], key[byte], 0, 255};
}

bool snic_ternary_in_ranges(const struct snic_ternary *ternary, const uint8_t *key, uint32_t cell)
{
    const uint8_t *low = snic_cell_key(ternary->cells, cell), *high = snic_cell_mask(ternary->cells, cell);

    for (uint32_t i = 0; i < ternary->desc->n_fields; i++) {
        const struct snic_key_field *field = &ternary->desc->fields[i];
        uint32_t at = field->offset;
        if (field->match == SNIC_RANGE && (memcmp(key + at, low + at, field->bytes) < 0 ||
                                           memcmp(key + at, high + at, field->bytes) > 0))
            return false;
    }
    return true;
}

/* ---- vectors ---------------------------------------------------------------------------------------------------- */

static struct snic_vectors *current(const struct snic_ternary *ternary)
{
    return atomic_load_explicit(&ternary->vectors, memory_order_relaxed);
}

static size_t up_to(size_t bytes, size_t unit)
{
    return (bytes + unit - 1) / unit * unit;
}

/* Empty vectors in one block: head, columns, `taken`, rows. */
static struct snic_vectors *new_vectors(uint32_t n_columns, uint32_t words)
{
    size_t columns_at = sizeof(struct snic_vectors);
    size_t taken_at = up_to(columns_at + n_columns * sizeof(uint16_t), 64);
    size_t rows_at = up_to(taken_at + words * sizeof(snic_bits), 64);
    size_t bytes = rows_at + (size_t)n_columns * 256 * words * sizeof(snic_bits);
    uint8_t *block = snic_reserve(bytes);

    if (!block)
        return NULL;
    struct snic_vectors *vectors = (struct snic_vectors *)block;
    *vectors = (struct snic_vectors){bytes,
                                     n_columns,
                                     words,
                                     (uint16_t *)(block + columns_at),
                                     (snic_bits *)(block + taken_at),
                                     (snic_bits *)(block + rows_at)};
    return vectors;
}

static void release_vectors(void *vectors, uint64_t bytes)
{
    snic_unreserve(vectors, bytes);
}

static void set_bit(snic_bits *vector, uint32_t number)
{
    uint64_t word = atomic_load_explicit(&vector[number / 64], memory_order_relaxed);

    atomic_store_explicit(&vector[number / 64], word | (uint64_t)1 << number % 64, memory_order_release);
}

static void clear_bit(snic_bits *vector, uint32_t number)
{
    uint64_t word = atomic_load_explicit(&vector[number / 64], memory_order_relaxed);

    atomic_store_explicit(&vector[number / 64], word & ~((uint64_t)1 << number % 64), memory_order_release);
}

static void enter(const struct snic_ternary *ternary, const struct snic_vectors *vectors, uint32_t cell)
{
    uint32_t number = snic_cell_call(ternary->cells, cell)->index;

    for (uint32_t i = 0; i < vectors->n_columns; i++) {
        struct demand demand = demand_of(ternary, cell, vectors->column[i]);
        for (uint32_t byte = 0; byte < 256; byte++)
            if (agrees(demand, byte))
                set_bit(snic_vector(vectors, i, (uint8_t)byte), number);
    }
    set_bit(vectors->taken, number);
}

static bool has_column(const struct snic_vectors *vectors, uint32_t byte)
{
    for (uint32_t i = 0; i < vectors->n_columns; i++)
        if (vectors->column[i] == byte)
            return true;
    return false;
}

/* Whether there are vectors for the byte, or this cell wants some. */
static bool needs_column(const struct snic_ternary *ternary, uint32_t byte, uint32_t cell)
{
    return has_column(current(ternary), byte) || demands(demand_of(ternary, cell, byte));
}

static bool fits(const struct snic_ternary *ternary, uint32_t cell)
{
    const struct snic_vectors *vectors = current(ternary);

    for (uint32_t byte = 0; byte < ternary->desc->key_bytes; byte++)
        if (needs_column(ternary, byte, cell) && !has_column(vectors, byte))
            return false;
    return snic_cell_call(ternary->cells, cell)->index < vectors->words * 64;
}

/* Publishes vectors that have room for `cell` too, and hold what was there. */
static int grow(struct snic_ternary *ternary, uint32_t cell)
{
    struct snic_vectors *old = current(ternary);
    uint32_t n_columns = 0, words = old->words;

    while (snic_cell_call(ternary->cells, cell)->index >= words * 64)
        words = words == 1 ? SNIC_BLOCK_WORDS : 2 * words;
    for (uint32_t byte = 0; byte < ternary->desc->key_bytes; byte++)
        n_columns += needs_column(ternary, byte, cell);
    struct snic_vectors *larger = new_vectors(n_columns, words);
    if (!larger)
        return SNIC_NO_MEMORY;
    for (uint32_t byte = 0, i = 0; byte < ternary->desc->key_bytes; byte++)
        if (needs_column(ternary, byte, cell))
            larger->column[i++] = (uint16_t)byte;
    for (uint32_t word = 0; word < old->words; word++) {
        uint64_t taken = atomic_load_explicit(&old->taken[word], memory_order_relaxed);
        for (; taken; taken &= taken - 1) {
            uint32_t number = word * 64 + (uint32_t)__builtin_ctzll(taken);
            enter(ternary, larger, atomic_load_explicit(&ternary->cell_of[number], memory_order_relaxed));
        }
    }
    atomic_store_explicit(&ternary->vectors, larger, memory_order_release);
    snic_retire(ternary->epoch, release_vectors, old, old->bytes);
    return SNIC_OK;
}

/* ---- what the table calls --------------------------------------------------------------------------------------- */

int snic_ternary_add(struct snic_ternary *ternary, uint32_t cell, struct snic_rank rank)
{
    if (!fits(ternary, cell)) {
        int error = grow(ternary, cell);
        if (error)
            return error;
    }
    ternary->ranks[snic_cell_call(ternary->cells, cell)->index] = rank;
    enter(ternary, current(ternary), cell);
    return SNIC_OK;
}

void snic_ternary_remove(struct snic_ternary *ternary, uint32_t cell)
{
    struct snic_vectors *vectors = current(ternary);
    uint32_t number = snic_cell_call(ternary->cells, cell)->index;

    clear_bit(vectors->taken, number);
    for (uint32_t i = 0; i < vectors->n_columns; i++)
        for (uint32_t byte = 0; byte < 256; byte++)
            clear_bit(snic_vector(vectors, i, (uint8_t)byte), number);
}

size_t snic_ternary_memory(const struct snic_ternary *ternary)
{
    return current(ternary)->bytes;
}

int snic_ternary_init(struct snic_ternary *ternary, const struct snic_table_desc *desc, struct snic_cells *cells,
                      _Atomic uint32_t *cell_of, uint32_t numbers, struct snic_epoch *epoch)
{
    struct snic_vectors *vectors = new_vectors(0, 1);

    *ternary = (struct snic_ternary){.desc = desc, .cells = cells, .epoch = epoch, .cell_of = cell_of};
    atomic_init(&ternary->vectors, vectors);
    ternary->ranks_bytes = numbers * sizeof *ternary->ranks;
    ternary->ranks = snic_reserve(ternary->ranks_bytes);
    for (uint32_t i = 0; i < desc->n_fields; i++)
        ternary->has_ranges |= desc->fields[i].match == SNIC_RANGE;
    return vectors && ternary->ranks ? SNIC_OK : SNIC_NO_MEMORY;
}

void snic_ternary_destroy(struct snic_ternary *ternary)
{
    struct snic_vectors *vectors = current(ternary);

    if (vectors)
        snic_unreserve(vectors, vectors->bytes);
    snic_unreserve(ternary->ranks, ternary->ranks_bytes);
}
