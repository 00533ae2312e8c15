/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of each kind against a list that is searched from end to end: thousands of random inserts, modifications and
 * deletions, and lookups after each. Arguments: the table's number, the seed, how many entries there are at most, the
 * lookups after each change, and whether memory is "scarce": then each change is tried with no allocation, with one,
 * with two, until it succeeds, and what failed must have left, and shown meanwhile, all as it was.
 */
#include "fixture.h"
#include "scarcity.h"

enum { ROOM = 4096, STEPS = 4000, KEY = 16 };
#define TARGET(VALUE) ((struct snic_target){SNIC_TARGET_ACTION, 0, (const uint8_t *)(VALUE)})

struct row {
    uint8_t key[KEY], mask[KEY];
    int32_t priority;
    uint32_t value;
    uint64_t order;
};

static struct row rows[ROOM];
static uint32_t n_rows, most;
static uint64_t inserted, seed;
static const struct snic_table_desc *desc;
static struct snic_engine *engine;
static struct snic_worker *worker;
static uint32_t table;
static bool scarce;
static const struct row *changing;

static uint32_t pick(uint64_t *state, uint32_t limit)
{
    return (uint32_t)(next_random(state) % limit);
}

static uint32_t below(uint32_t limit)
{
    return pick(&seed, limit);
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

/* Many entries have one of a few masks. */
static void random_match(struct row *row)
{
    uint64_t shape = below(8) ? below(6) : next_random(&seed);

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
            prefix_mask(mask, field, pick(&shape, field->width + 1u));
            break;
        case SNIC_TERNARY:
            for (uint32_t at = 0; at < field->bytes; at++)
                mask[at] = (uint8_t)(pick(&shape, 4) ? -pick(&shape, 2) : next_random(&shape));
            mask[0] &= first_byte_mask(field);
            break;
        case SNIC_RANGE:
            for (uint32_t at = 0; at < field->bytes; at++)
                other[at] = pick(&shape, 3) ? key[at] : some_byte();
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

static void compare_at(const uint8_t *at)
{
    _Alignas(8) uint8_t key[KEY];
    memcpy(key, at, KEY);
    const struct row *best = expected(key);
    const struct snic_call *call = look_up(worker, table, key);
    CHECK((best != NULL) == (call != NULL));
    CHECK(!best || !memcmp(call->args, &best->value, sizeof best->value));
}

static void compare_somewhere(void)
{
    uint8_t key[KEY];
    random_key(key);
    compare_at(n_rows && below(3) == 0 ? rows[below(n_rows)].key : key);
}

/* What packets see while the change fails. */
static void compare_where_changing(void)
{
    compare_at(changing->key);
    compare_somewhere();
}

typedef int change(struct snic_engine *engine, uint32_t table, const uint8_t *key, const uint8_t *mask,
                   int32_t priority, const struct snic_target *target, uint64_t idle_timeout_ns);

static int with_ever_more_memory(change *change, const struct row *row, const struct snic_target *target)
{
    changing = row;
    for (uint64_t granted = scarce ? 0 : UINT64_MAX;; granted++) {
        allocations_left = granted;
        int error = change(engine, table, row->key, row->mask, row->priority, target, 0);
        allocations_left = UINT64_MAX;
        if (error != SNIC_NO_MEMORY && error != SNIC_NO_ROOM)
            return error;
        CHECK(scarce && snic_entry_count(engine, table) == n_rows);
    }
}

static void delete_some_row(void)
{
    struct row *gone = &rows[below(n_rows)];

    CHECK(snic_delete(engine, table, gone->key, gone->mask, gone->priority) == SNIC_OK);
    CHECK(snic_delete(engine, table, gone->key, gone->mask, gone->priority) == SNIC_NOT_FOUND);
    *gone = rows[--n_rows];
}

static void modify_some_row(void)
{
    struct row *changed = &rows[below(n_rows)];
    uint32_t value = (uint32_t)next_random(&seed);

    CHECK(with_ever_more_memory(snic_modify, changed, &TARGET(&value)) == SNIC_OK);
    changed->value = value;
}

static void insert_row(void)
{
    struct row row;

    random_match(&row);
    row.value = (uint32_t)next_random(&seed);
    row.order = inserted++;
    bool exists = same(&row) != NULL;
    int error = with_ever_more_memory(snic_insert, &row, &TARGET(&row.value));
    CHECK(error == (exists ? SNIC_EXISTS : SNIC_OK));
    if (!exists)
        rows[n_rows++] = row;
}

static void change_something(void)
{
    if (n_rows && below(100) < (n_rows * 100 / most) / 2 + 10)
        delete_some_row();
    else if (n_rows && below(4) == 0)
        modify_some_row();
    else if (n_rows < most)
        insert_row();
}

int main(int argc, char **argv)
{
    CHECK(argc == 6);
    table = (uint32_t)atoi(argv[1]);
    seed = (uint64_t)atoll(argv[2]);
    most = (uint32_t)atoi(argv[3]);
    uint32_t lookups = (uint32_t)atoi(argv[4]);
    scarce = !strcmp(argv[5], "scarce");
    CHECK(most <= ROOM);
    engine = open_fixture();
    worker = snic_worker(engine, 0);
    CHECK(worker);
    desc = &snic_engine_program(engine)->tables[table];
    on_failure = compare_where_changing;
    for (uint32_t step = 0; step < STEPS; step++) {
        change_something();
        CHECK(snic_entry_count(engine, table) == n_rows);
        for (uint32_t i = 0; i < lookups; i++)
            compare_somewhere();
    }
    while (n_rows) {
        n_rows--;
        CHECK(snic_delete(engine, table, rows[n_rows].key, rows[n_rows].mask, rows[n_rows].priority) == SNIC_OK);
    }
    compare_somewhere();
    snic_engine_close(engine);
    return 0;
}
