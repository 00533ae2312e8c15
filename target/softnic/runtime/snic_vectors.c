/* SPDX-License-Identifier: Apache-2.0 */
#include "snic_vectors.h"

#include "snic_arena.h"

/* What a rule demands of one byte of the key. */
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

static struct demand demand_of(const struct snic_rules *rules, uint64_t bid, uint32_t byte)
{
    uint32_t cell = snic_rule_cell(rules, bid);
    const uint8_t *key = snic_cell_key(rules->cells, cell), *mask = snic_cell_mask(rules->cells, cell);

    if (rules->has_ranges) {
        const struct snic_key_field *field = field_at(rules->desc, byte);
        if (field->match == SNIC_RANGE)
            return demand_of_range(key + field->offset, mask + field->offset, byte - field->offset);
    }
    return (struct demand){mask[byte], key[byte], 0, 255};
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static struct snic_bit_rows *current(const struct snic_vectors *vectors)
{
    return atomic_load_explicit(&vectors->rows, memory_order_relaxed);
}

static size_t up_to(size_t bytes, size_t unit)
{
    return (bytes + unit - 1) / unit * unit;
}

/* Empty ones in one block: head, columns, bids, `taken`, rows. */
static struct snic_bit_rows *new_rows(uint32_t n_columns, uint32_t words)
{
    size_t columns_at = sizeof(struct snic_bit_rows);
    size_t bids_at = up_to(columns_at + n_columns * sizeof(uint16_t), 64);
    size_t taken_at = bids_at + (size_t)words * 64 * sizeof(snic_bid);
    size_t rows_at = up_to(taken_at + words * sizeof(snic_bits), 64);
    size_t bytes = rows_at + (size_t)n_columns * 256 * words * sizeof(snic_bits);
    uint8_t *block = snic_reserve(bytes);

    if (!block)
        return NULL;
    struct snic_bit_rows *rows = (struct snic_bit_rows *)block;
    *rows = (struct snic_bit_rows){bytes,
                                   n_columns,
                                   words,
                                   (uint16_t *)(block + columns_at),
                                   (snic_bid *)(block + bids_at),
                                   (snic_bits *)(block + taken_at),
                                   (snic_bits *)(block + rows_at)};
    return rows;
}

static void release_rows(void *rows, uint64_t bytes)
{
    snic_unreserve(rows, bytes);
}

static uint64_t word_of(const snic_bits *vector, uint32_t bit)
{
    return atomic_load_explicit(&vector[bit / 64], memory_order_relaxed);
}

static void set_bit(snic_bits *vector, uint32_t bit)
{
    atomic_store_explicit(&vector[bit / 64], word_of(vector, bit) | (uint64_t)1 << bit % 64, memory_order_release);
}

static void clear_bit(snic_bits *vector, uint32_t bit)
{
    atomic_store_explicit(&vector[bit / 64], word_of(vector, bit) & ~((uint64_t)1 << bit % 64), memory_order_release);
}

/* The first bit that is not taken; words * 64: none. */
static uint32_t free_bit(const struct snic_bit_rows *rows)
{
    for (uint32_t word = 0; word < rows->words; word++) {
        uint64_t taken = atomic_load_explicit(&rows->taken[word], memory_order_relaxed);
        if (~taken)
            return word * 64 + (uint32_t)__builtin_ctzll(~taken);
    }
    return rows->words * 64;
}

static uint64_t bid_at(const struct snic_bit_rows *rows, uint32_t bit)
{
    return atomic_load_explicit(&rows->bids[bit], memory_order_relaxed);
}

/* Sets or clears the rule's bit in the vectors of all values that it agrees with. */
static void mark(const struct snic_rules *rules, const struct snic_bit_rows *rows, uint64_t bid, uint32_t bit,
                 void change(snic_bits *vector, uint32_t bit))
{
    for (uint32_t i = 0; i < rows->n_columns; i++) {
        struct demand demand = demand_of(rules, bid, rows->column[i]);
        if (demand.mask == 0xff) {
            change(snic_vector(rows, i, demand.value), bit);
            continue;
        }
        for (uint32_t byte = 0; byte < 256; byte++)
            if (agrees(demand, byte))
                change(snic_vector(rows, i, (uint8_t)byte), bit);
    }
}

static void enter(const struct snic_rules *rules, const struct snic_bit_rows *rows, uint64_t bid, uint32_t bit)
{
    atomic_store_explicit(&rows->bids[bit], bid, memory_order_release);
    mark(rules, rows, bid, bit, set_bit);
    set_bit(rows->taken, bit);
}

/* ---- growing ---------------------------------------------------------------------------------------------------- */

static bool has_column(const struct snic_bit_rows *rows, uint32_t byte)
{
    for (uint32_t i = 0; i < rows->n_columns; i++)
        if (rows->column[i] == byte)
            return true;
    return false;
}

/* Whether there are vectors for the byte, or this rule wants some. */
static bool needs_column(const struct snic_bit_rows *rows, const struct snic_rules *rules, uint32_t byte, uint64_t bid)
{
    return has_column(rows, byte) || demands(demand_of(rules, bid, byte));
}

static bool fits(const struct snic_bit_rows *rows, const struct snic_rules *rules, uint64_t bid)
{
    for (uint32_t byte = 0; byte < rules->desc->key_bytes; byte++)
        if (needs_column(rows, rules, byte, bid) && !has_column(rows, byte))
            return false;
    return free_bit(rows) < rows->words * 64;
}

static uint32_t words_beyond(uint32_t words)
{
    return words == 1 ? SNIC_BLOCK_WORDS : 2 * words;
}

/* Publishes rows that have room for the bid too, and hold what was there. */
static int grow(struct snic_vectors *vectors, const struct snic_rules *rules, uint64_t bid)
{
    struct snic_bit_rows *old = current(vectors);
    uint32_t n_columns = 0, words = snic_vectors_room(vectors) ? old->words : words_beyond(old->words);

    for (uint32_t byte = 0; byte < rules->desc->key_bytes; byte++)
        n_columns += needs_column(old, rules, byte, bid);
    struct snic_bit_rows *larger = new_rows(n_columns, words);
    if (!larger)
        return SNIC_NO_MEMORY;
    for (uint32_t byte = 0, i = 0; byte < rules->desc->key_bytes; byte++)
        if (needs_column(old, rules, byte, bid))
            larger->column[i++] = (uint16_t)byte;
    for (uint32_t bit = 0; bit < old->words * 64; bit++)
        if (snic_vectors_bid(vectors, bit))
            enter(rules, larger, bid_at(old, bit), bit);
    atomic_store_explicit(&vectors->rows, larger, memory_order_release);
    snic_retire(vectors->epoch, release_rows, old, old->bytes);
    return SNIC_OK;
}

/* ---- what the index calls --------------------------------------------------------------------------------------- */

int snic_vectors_add(struct snic_vectors *vectors, const struct snic_rules *rules, uint64_t bid, uint32_t *bit)
{
    if (!fits(current(vectors), rules, bid)) {
        int error = grow(vectors, rules, bid);
        if (error)
            return error;
    }
    *bit = free_bit(current(vectors));
    enter(rules, current(vectors), bid, *bit);
    vectors->count++;
    return SNIC_OK;
}

void snic_vectors_remove(struct snic_vectors *vectors, const struct snic_rules *rules, uint32_t bit)
{
    struct snic_bit_rows *rows = current(vectors);

    clear_bit(rows->taken, bit);
    mark(rules, rows, bid_at(rows, bit), bit, clear_bit);
    vectors->count--;
}

uint32_t snic_vectors_room(const struct snic_vectors *vectors)
{
    return current(vectors)->words * 64 - vectors->count;
}

uint64_t snic_vectors_bid(const struct snic_vectors *vectors, uint32_t bit)
{
    const struct snic_bit_rows *rows = current(vectors);

    return word_of(rows->taken, bit) >> bit % 64 & 1 ? bid_at(rows, bit) : 0;
}

size_t snic_vectors_memory(const struct snic_vectors *vectors)
{
    return current(vectors)->bytes;
}

int snic_vectors_init(struct snic_vectors *vectors, struct snic_epoch *epoch)
{
    struct snic_bit_rows *rows = new_rows(0, 1);

    *vectors = (struct snic_vectors){.epoch = epoch};
    atomic_init(&vectors->rows, rows);
    return rows ? SNIC_OK : SNIC_NO_MEMORY;
}

void snic_vectors_destroy(struct snic_vectors *vectors)
{
    struct snic_bit_rows *rows = current(vectors);

    if (rows)
        snic_unreserve(rows, rows->bytes);
}
