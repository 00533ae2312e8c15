/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of each kind against a list that is searched from end to end: thousands of random inserts, modifications and
 * deletions, and lookups after each. Arguments: the table's number, the seed.
 */
#include "fixture.h"

enum { MOST = 200, STEPS = 4000, LOOKUPS = 40, KEY = 16 };

struct row {
    uint8_t key[KEY], mask[KEY];
    int32_t priority;
    uint32_t value;
    uint64_t order;
};

static struct row rows[MOST];
static uint32_t n_rows;
static uint64_t inserted, seed;
static const struct snic_table_desc *desc;

static uint32_t below(uint32_t limit)
{
    return (uint32_t)(next_random(&seed) % limit);
}

/* Few values and common prefixes, so that entries overlap and lookups hit. */
static uint8_t some_byte(void)
{
    static const uint8_t usual[] = {0, 1, 2, 0x80, 0xff};
    return below(4) ? usual[below(sizeof usual)] : (uint8_t)below(256);
}

static uint8_t first_byte_mask(const struct snic_key_field *field)
{
    return (uint8_t)(0xff >> (field->bytes * 8 - field->width));
}

static void random_key(uint8_t *key)
{
    memset(key, 0, KEY);
    for (uint32_t i = 0; i < desc->key_bytes; i++)
        key[i] = some_byte();
    for (uint32_t i = 0; i < desc->n_fields; i++)
        key[desc->fields[i].offset] &= first_byte_mask(&desc->fields[i]);
}

static void prefix_mask(uint8_t *mask, const struct snic_key_field *field, uint32_t length)
{
    uint32_t padding = field->bytes * 8u - field->width;
    for (uint32_t bit = padding; bit < padding + length; bit++)
        mask[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

static void random_match(struct row *row)
{
    random_key(row->key);
    memset(row->mask, 0, KEY);
    for (uint32_t i = 0; i < desc->n_fields; i++) {
        const struct snic_key_field *field = &desc->fields[i];
        uint8_t *key = row->key + field->offset, *mask = row->mask + field->offset, other[KEY];
        switch (field->match) {
        case SNIC_EXACT:
            prefix_mask(mask, field, field->width);
            break;
        case SNIC_LPM:
            prefix_mask(mask, field, below(field->width + 1u));
            break;
        case SNIC_TERNARY:
            for (uint32_t at = 0; at < field->bytes; at++)
                mask[at] = below(2) ? some_byte() : 0;
            mask[0] &= first_byte_mask(field);
            break;
        case SNIC_RANGE:
            for (uint32_t at = 0; at < field->bytes; at++)
                other[at] = some_byte();
            memcpy(mask, memcmp(key, other, field->bytes) < 0 ? other : key, field->bytes);
            if (memcmp(key, other, field->bytes) > 0)
                memcpy(key, other, field->bytes);
            continue;
        }
        for (uint32_t at = 0; at < field->bytes; at++)
            key[at] &= mask[at];
    }
    row->priority = desc->match >= SNIC_TERNARY ? (int32_t)below(4) + 1 : 0;
}

static bool matches(const struct row *row, const uint8_t *key)
{
    for (uint32_t i = 0; i < desc->n_fields; i++) {
        const struct snic_key_field *field = &desc->fields[i];
        const uint8_t *a = row->key + field->offset, *b = row->mask + field->offset, *k = key + field->offset;
        if (field->match == SNIC_RANGE) {
            if (memcmp(k, a, field->bytes) < 0 || memcmp(k, b, field->bytes) > 0)
                return false;
            continue;
        }
        for (uint32_t at = 0; at < field->bytes; at++)
            if ((k[at] & b[at]) != a[at])
                return false;
    }
    return true;
}

static uint32_t mask_bits(const struct row *row)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < KEY; i++)
        bits += (uint32_t)__builtin_popcount(row->mask[i]);
    return bits;
}

static bool wins(const struct row *a, const struct row *b)
{
    if (desc->match == SNIC_LPM)
        return mask_bits(a) > mask_bits(b);
    return a->priority != b->priority ? a->priority > b->priority : a->order < b->order;
}

static const struct row *expected(const uint8_t *key)
{
    const struct row *best = NULL;
    for (uint32_t i = 0; i < n_rows; i++)
        if (matches(&rows[i], key) && (!best || wins(&rows[i], best)))
            best = &rows[i];
    return best;
}

static struct row *same(const struct row *row)
{
    for (uint32_t i = 0; i < n_rows; i++)
        if (!memcmp(rows[i].key, row->key, KEY) && !memcmp(rows[i].mask, row->mask, KEY) &&
            rows[i].priority == row->priority)
            return &rows[i];
    return NULL;
}

static void change(struct snic_engine *engine, uint32_t table)
{
    uint32_t value = (uint32_t)next_random(&seed);
    struct snic_target target = {SNIC_TARGET_ACTION, 0, (const uint8_t *)&value};
    struct row row;

    if (n_rows && below(100) < (n_rows * 100 / MOST) / 2 + 10) {
        struct row *gone = &rows[below(n_rows)];
        CHECK(snic_delete(engine, table, gone->key, gone->mask, gone->priority) == SNIC_OK);
        CHECK(snic_delete(engine, table, gone->key, gone->mask, gone->priority) == SNIC_NOT_FOUND);
        *gone = rows[--n_rows];
    } else if (n_rows && below(4) == 0) {
        struct row *changed = &rows[below(n_rows)];
        changed->value = value;
        CHECK(snic_modify(engine, table, changed->key, changed->mask, changed->priority, &target, 0) == SNIC_OK);
    } else if (n_rows < MOST) {
        random_match(&row);
        row.value = value;
        row.order = inserted++;
        bool exists = same(&row) != NULL;
        int error = snic_insert(engine, table, row.key, row.mask, row.priority, &target, 0);
        CHECK(error == (exists ? SNIC_EXISTS : SNIC_OK));
        if (!exists)
            rows[n_rows++] = row;
    }
}

static void compare(struct snic_worker *worker, uint32_t table)
{
    _Alignas(8) uint8_t key[KEY];
    random_key(key);
    if (n_rows && below(3) == 0)
        memcpy(key, rows[below(n_rows)].key, KEY);
    const struct row *best = expected(key);
    const struct snic_call *call = look_up(worker, table, key);
    CHECK((best != NULL) == (call != NULL));
    CHECK(!best || !memcmp(call->args, &best->value, sizeof best->value));
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    uint32_t table = (uint32_t)atoi(argv[1]);
    seed = (uint64_t)atoll(argv[2]);
    struct snic_engine *engine = open_fixture();
    struct snic_worker *worker = snic_worker(engine, 0);
    CHECK(worker);
    desc = &snic_engine_program(engine)->tables[table];
    for (uint32_t step = 0; step < STEPS; step++) {
        change(engine, table);
        CHECK(snic_entry_count(engine, table) == n_rows);
        for (uint32_t i = 0; i < LOOKUPS; i++)
            compare(worker, table);
    }
    while (n_rows) {
        n_rows--;
        CHECK(snic_delete(engine, table, rows[n_rows].key, rows[n_rows].mask, rows[n_rows].priority) == SNIC_OK);
    }
    compare(worker, table);
    snic_engine_close(engine);
    return 0;
}
