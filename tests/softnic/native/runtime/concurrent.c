/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lookups while one writer inserts, modifies and deletes: an entry that stays is always found, with one of the values
 * it was given, and whatever else is found is whole. Arguments: the table's number, how many entries come and go. Meant
 * for TSan.
 */
#include <pthread.h>

#include "fixture.h"
#include "snic_state.h"

enum { CHANGES = 6000, READERS = 2, MOST = 4096 };

static _Atomic bool stop;
static uint32_t others;
static enum fixture_table table;
static struct snic_engine *engine;

struct entry {
    _Alignas(8) uint8_t key[16];
    uint8_t mask[16];
};

/* All entries share their first bytes with others, so that indexes have to be rearranged. */
static struct entry entry_of(uint32_t number)
{
    const struct snic_table_desc *desc = &snic_engine_program(engine)->tables[table];
    struct entry entry = {{0}, {0}};

    memset(entry.mask, 0xff, desc->key_bytes);
    for (uint32_t i = 0; i < desc->n_fields; i++) {
        const struct snic_key_field *field = &desc->fields[i];
        uint8_t padding = (uint8_t)(field->bytes * 8 - field->width);
        entry.mask[field->offset] = (uint8_t)(0xff >> padding);
        uint8_t last = field->bytes > 1 ? 0xff : entry.mask[field->offset];
        entry.key[field->offset + field->bytes - 1] = (uint8_t)number & last;
        if (field->bytes > 1)
            entry.key[field->offset + field->bytes - 2] = (uint8_t)(number >> 8);
        if (field->match == SNIC_RANGE)
            memcpy(entry.mask + field->offset, entry.key + field->offset, field->bytes);
    }
    return entry;
}

/* A value whose bytes are equal: half of one and half of another would show. */
static struct snic_target target_of(uint32_t *value, uint32_t number)
{
    *value = (number & 0xff) * 0x01010101u;
    return (struct snic_target){SNIC_TARGET_ACTION, 0, (const uint8_t *)value};
}

static void miss(struct snic_worker *worker, const struct snic_table *of)
{
    const struct snic_call *call = snic_default(of);

    snic_count_direct(worker, table, call, 1);
    if (snic_marks_misses(of))
        snic_mark_direct(worker, of, call, 1);
}

static void *read_always(void *argument)
{
    struct snic_worker *worker = argument;
    uint32_t number = 0;

    while (!atomic_load(&stop)) {
        snic_epoch_enter(&engine->epoch, worker->number);
        for (uint32_t i = 0; i < 32; i++) {
            struct entry entry = entry_of(i % 4 ? number++ % others + 1 : 0);
            const struct snic_call *call = look_up(worker, table, entry.key);
            CHECK(call || i % 4);
            if (call) {
                CHECK(!memcmp(call->args, call->args + 1, 3));
                snic_count_direct(worker, table, call, 1);
                snic_mark_direct(worker, snic_table_of(worker, table), call, 1);
                snic_stamp(worker, snic_table_of(worker, table), call);
            } else {
                miss(worker, snic_table_of(worker, table));
            }
        }
        snic_epoch_leave(&engine->epoch, worker->number);
    }
    return NULL;
}

/* Of the default entry. */
static void use_resources(uint32_t turn)
{
    const struct snic_rates rates = {1000, 10, 1000, 10, turn % 3};
    struct snic_colour_counts colours;
    struct snic_count count;

    CHECK(snic_write_direct_meter(engine, table, NULL, NULL, 0, turn % 2 ? &rates : NULL) == SNIC_OK);
    CHECK(snic_read_direct_meter_counts(engine, table, NULL, NULL, 0, &colours) == SNIC_OK);
    CHECK(snic_read_direct_counter(engine, table, NULL, NULL, 0, &count) == SNIC_OK);
    CHECK(colours.of[0].packets + colours.of[1].packets + colours.of[2].packets <= count.packets);
}

static void write_all(void)
{
    uint64_t seed = 1;
    bool there[MOST + 1] = {true};
    uint32_t value;

    for (uint32_t i = 0; i < CHANGES; i++) {
        uint32_t number = (uint32_t)next_random(&seed) % (others + 1);
        struct entry entry = entry_of(number);
        struct snic_target target = target_of(&value, i);
        int error;
        if (!there[number])
            error = snic_insert(engine, table, entry.key, entry.mask, 1, &target, 1);
        else if (number == 0 || i % 3 == 0)
            error = snic_modify(engine, table, entry.key, entry.mask, 1, &target, 1);
        else
            error = snic_delete(engine, table, entry.key, entry.mask, 1);
        CHECK(error == SNIC_OK);
        use_resources(i);
        there[number] = !there[number] || number == 0 || i % 3 == 0;
    }
}

int main(int argc, char **argv)
{
    pthread_t threads[READERS];
    struct entry entry;
    uint32_t value;
    struct snic_target target = target_of(&value, 1);

    CHECK(argc == 3);
    table = (enum fixture_table)atoi(argv[1]);
    others = (uint32_t)atoi(argv[2]);
    CHECK(others <= MOST);
    engine = open_fixture();
    entry = entry_of(0);
    CHECK(snic_insert(engine, table, entry.key, entry.mask, 1, &target, 0) == SNIC_OK);
    for (uint32_t i = 0; i < READERS; i++)
        CHECK(!pthread_create(&threads[i], NULL, read_always, snic_worker(engine, i)));
    write_all();
    atomic_store(&stop, true);
    for (uint32_t i = 0; i < READERS; i++)
        CHECK(!pthread_join(threads[i], NULL));
    snic_engine_close(engine);
    return 0;
}
