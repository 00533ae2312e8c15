/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine keeps, one case for each name; argument: the case. */
#include "fixture.h"

#define SECOND 1000000000u

static struct snic_engine *engine;
static struct snic_worker *worker;
static uint32_t value = 0x07000000; /* big-endian bytes 0 0 0 7 */
static const struct snic_target SET = {SNIC_TARGET_ACTION, 0, (const uint8_t *)&value};

static const uint8_t *key_of(uint8_t number, enum fixture_table table)
{
    static _Alignas(8) uint8_t key[16];
    memset(key, 0, sizeof key);
    key[snic_engine_program(engine)->tables[table].fields[0].bytes - 1] = number;
    return key;
}

static int insert(enum fixture_table table, uint8_t number, uint64_t idle_timeout_ns)
{
    static const uint8_t mask[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
    return snic_insert(engine, table, key_of(number, table), mask, 1, &SET, idle_timeout_ns);
}

static int delete_exact(uint8_t number)
{
    return snic_delete(engine, EXACT, key_of(number, EXACT), NULL, 0);
}

static void a_table_holds_its_declared_size(void)
{
    for (enum fixture_table table = TINY_EXACT; table <= TINY_TERNARY; table++) {
        CHECK(insert(table, 1, 0) == SNIC_OK);
        CHECK(insert(table, 1, 0) == SNIC_EXISTS);
        CHECK(insert(table, 2, 0) == SNIC_OK);
        CHECK(insert(table, 3, 0) == SNIC_NO_ROOM);
        CHECK(snic_entry_count(engine, table) == 2);
    }
}

static void entries_come_in_the_order_of_insertion(void)
{
    static const uint8_t order[] = {1, 3, 4, 5, 2};
    _Alignas(8) uint8_t copies[5 * 64];
    uint32_t stride = snic_entry_copy_bytes(engine, EXACT);

    for (uint8_t number = 1; number <= 5; number++)
        insert(EXACT, number, 0);
    delete_exact(2);
    insert(EXACT, 2, 0);
    CHECK(snic_entry_count(engine, EXACT) == 5 && stride <= 64);
    snic_copy_entries(engine, EXACT, copies);
    for (uint32_t i = 0; i < 5; i++) {
        const struct snic_entry_copy *copy = (const struct snic_entry_copy *)(copies + i * stride);
        CHECK(copy->bytes[5] == order[i]);
        CHECK(copy->kind == SNIC_TARGET_ACTION && !memcmp(copy->bytes + 8, &value, sizeof value));
    }
}

static void only_idle_entries_are_idle(void)
{
    struct snic_entry_view views[4];
    uint64_t cursor = 0;

    snic_set_clock(engine, SECOND);
    insert(EXACT, 1, SECOND);
    insert(EXACT, 2, SECOND);
    insert(EXACT, 3, 0);
    snic_set_clock(engine, 2 * (uint64_t)SECOND + 1);
    worker->now_ns = 2 * (uint64_t)SECOND;
    snic_stamp(worker, snic_table_of(worker, EXACT), look_up(worker, EXACT, key_of(2, EXACT)));
    CHECK(snic_idle_entries(engine, EXACT, &cursor, 10, views, 4) == 1);
    CHECK(views[0].key[5] == 1 && cursor == SNIC_CURSOR_END);
}

static void a_direct_counter_starts_from_zero_when_its_number_is_used_again(void)
{
    const struct snic_count written = {100, 1000};
    struct snic_count count;

    insert(EXACT, 1, 0);
    snic_count_direct(worker, EXACT, look_up(worker, EXACT, key_of(1, EXACT)), 60);
    CHECK(snic_write_direct_counter(engine, EXACT, key_of(1, EXACT), NULL, 0, &written) == SNIC_OK);
    snic_count_direct(worker, EXACT, look_up(worker, EXACT, key_of(1, EXACT)), 60);
    CHECK(snic_read_direct_counter(engine, EXACT, key_of(1, EXACT), NULL, 0, &count) == SNIC_OK);
    CHECK(count.packets == 101 && count.bytes == 1060);
    for (int i = 0; i < 3000; i++) { /* more than may wait to be released */
        delete_exact(1);
        insert(EXACT, 1, 0);
    }
    CHECK(snic_read_direct_counter(engine, EXACT, key_of(1, EXACT), NULL, 0, &count) == SNIC_OK);
    CHECK(count.packets == 0 && count.bytes == 0);
}

static void a_meter_marks_as_rfc_2698_says(void)
{
    const struct snic_rates rates = {
        .committed_rate = 1000, .committed_burst = 100, .peak_rate = 2000, .peak_burst = 200};
    struct snic_rates read;
    uint32_t colour;
    bool configured;

    CHECK(snic_mark(worker, 0, 1, 1u << 30, &colour) && colour == SNIC_GREEN);
    CHECK(!snic_mark(worker, 0, 4, 1, &colour));
    CHECK(snic_read_meter(engine, 0, 1, &read, &configured) == SNIC_OK && !configured);
    snic_set_clock(engine, SECOND);
    CHECK(snic_write_meter(engine, 0, 1, &rates) == SNIC_OK);
    CHECK(snic_mark(worker, 0, 1, 100, &colour) && colour == SNIC_GREEN);
    CHECK(snic_mark(worker, 0, 1, 100, &colour) && colour == SNIC_YELLOW);
    CHECK(snic_mark(worker, 0, 1, 1, &colour) && colour == SNIC_RED);
    worker->now_us += 10000; /* 10 tokens and 20 */
    CHECK(snic_mark(worker, 0, 1, 11, &colour) && colour == SNIC_YELLOW);
    CHECK(snic_mark(worker, 0, 1, 9, &colour) && colour == SNIC_GREEN);
    CHECK(snic_mark(worker, 0, 1, 1, &colour) && colour == SNIC_RED);
    CHECK(snic_read_meter(engine, 0, 1, &read, &configured) == SNIC_OK && read.peak_burst == 200);
}

static void a_meter_of_the_largest_rate_is_full_after_any_pause(void)
{
    const struct snic_rates rates = {
        .committed_rate = INT64_MAX, .committed_burst = 100, .peak_rate = INT64_MAX, .peak_burst = 100};
    uint32_t colour;

    CHECK(snic_write_meter(engine, 0, 1, &rates) == SNIC_OK);
    for (uint32_t pause_us = 1; pause_us < 10000000; pause_us += 300001) {
        worker->now_us += pause_us;
        CHECK(snic_mark(worker, 0, 1, 100, &colour) && colour == SNIC_GREEN);
        CHECK(snic_mark(worker, 0, 1, 1, &colour) && colour == SNIC_RED);
    }
}

/* What a group's entry leads to; NULL: nothing. */
static const struct snic_call *chosen(const struct snic_call *call, uint64_t hash)
{
    const struct snic_choice *choice = snic_group_choice(worker, call);

    return choice ? snic_chosen_call(choice, hash) : NULL;
}

static void a_lost_member_gives_only_its_own_share_away(void)
{
    const struct snic_group_member members[] = {{1, 1, 11}, {2, 1, 12}, {3, 2, 13}};
    const struct snic_target group = {SNIC_TARGET_GROUP, 5, NULL};
    uint32_t before[4096], lost = 0;

    snic_set_resilient(engine, 0, true);
    for (uint32_t id = 1; id <= 3; id++)
        CHECK(snic_insert_member(engine, 0, id, 0, (const uint8_t *)&id) == SNIC_OK);
    CHECK(snic_insert_group(engine, 0, 5, members, 3) == SNIC_OK);
    CHECK(snic_insert(engine, PROFILED, key_of(1, PROFILED), NULL, 0, &group, 0) == SNIC_OK);
    const struct snic_call *call = look_up(worker, PROFILED, key_of(1, PROFILED));
    for (uint32_t i = 0; i < 4096; i++)
        memcpy(&before[i], chosen(call, i)->args, 4);
    snic_set_port_up(engine, 12, false);
    for (uint32_t i = 0; i < 4096; i++) {
        uint32_t after;
        memcpy(&after, chosen(call, i)->args, 4);
        CHECK(after != 2 && (before[i] == 2 || before[i] == after));
        lost += before[i] == 2;
    }
    CHECK(lost > 4096 / 4 - 200 && lost < 4096 / 4 + 200);
}

static void what_is_used_cannot_be_deleted(void)
{
    const struct snic_group_member members[] = {{2, 2, -1}, {1, 1, 11}};
    const struct snic_target group = {SNIC_TARGET_GROUP, 5, NULL}, nothing = {SNIC_TARGET_MEMBER, 9, NULL};
    uint32_t id = 1;

    CHECK(snic_insert_group(engine, 0, 5, members, 2) == SNIC_NO_MEMBER);
    CHECK(snic_insert_member(engine, 0, 1, 0, (const uint8_t *)&id) == SNIC_OK);
    CHECK(snic_insert_member(engine, 0, 1, 0, (const uint8_t *)&id) == SNIC_EXISTS);
    id = 2;
    CHECK(snic_insert_member(engine, 0, 2, 0, (const uint8_t *)&id) == SNIC_OK);
    CHECK(snic_insert_group(engine, 0, 5, members, 2) == SNIC_OK);
    CHECK(snic_delete_member(engine, 0, 1) == SNIC_IN_USE);
    CHECK(snic_insert(engine, PROFILED, key_of(1, PROFILED), NULL, 0, &nothing, 0) == SNIC_NO_MEMBER);
    CHECK(snic_entry_count(engine, PROFILED) == 0);
    CHECK(snic_insert(engine, PROFILED, key_of(1, PROFILED), NULL, 0, &group, 0) == SNIC_OK);
    CHECK(snic_delete_group(engine, 0, 5) == SNIC_IN_USE);
    const struct snic_call *call = look_up(worker, PROFILED, key_of(1, PROFILED));
    CHECK(chosen(call, 0)->args[0] == 1); /* by id: 1, 2, 2 */
    CHECK(chosen(call, 1)->args[0] == 2 && chosen(call, 5)->args[0] == 2);
    CHECK(snic_modify_group(engine, 0, 5, NULL, 0) == SNIC_OK);
    CHECK(!chosen(call, 0));
    CHECK(snic_anomaly_count(engine, SNIC_SELECTOR_GROUP_EMPTY) == 1);
    CHECK(snic_delete(engine, PROFILED, key_of(1, PROFILED), NULL, 0) == SNIC_OK);
    CHECK(snic_delete_group(engine, 0, 5) == SNIC_OK && snic_delete_member(engine, 0, 1) == SNIC_OK);
}

static void externs_check_their_indices(void)
{
    const uint8_t wide[13] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
    const uint8_t members[] = {0x12, 0x34, 0xff, 0x00};
    const struct snic_replica replica = {7, 1};
    uint8_t read[13];
    uint64_t limb;
    struct snic_count count;

    snic_count(worker, 0, (1u << 24) - 1, 60);
    snic_count(worker, 0, 1u << 24, 60);
    CHECK(snic_read_counter(engine, 0, (1u << 24) - 1, &count) == SNIC_OK && count.bytes == 60);
    CHECK(snic_read_counter(engine, 0, 1u << 24, &count) == SNIC_NOT_FOUND);
    CHECK(snic_anomaly_count(engine, SNIC_COUNTER_INDEX_OUT_OF_RANGE) == 1);
    CHECK(snic_write_register(engine, 1, 3, wide) == SNIC_OK && snic_read_register(engine, 1, 3, read) == SNIC_OK);
    memcpy(&limb, snic_register_cell(worker, 1, 3, 16), 8);
    CHECK(!memcmp(wide, read, 13) && limb == 0x060708090a0b0c0du);
    CHECK(snic_write_register(engine, 1, 4, wide) == SNIC_NOT_FOUND && !snic_register_cell(worker, 1, 4, 16));
    CHECK(snic_set_value_set(engine, 0, members, 2) == SNIC_OK);
    CHECK(snic_value_set_contains(worker, 0, (const uint8_t[]){0xff, 0x55}, (const uint8_t[]){0xff, 0}));
    CHECK(!snic_value_set_contains(worker, 0, (const uint8_t[]){0xff, 0x55}, (const uint8_t[]){0xff, 0xff}));
    CHECK(snic_set_multicast_group(engine, 9, &replica, 1) == SNIC_OK);
    CHECK(snic_multicast_group(worker, 9)->replica[0].port == 7 && !snic_multicast_group(worker, 8));
    CHECK(snic_set_multicast_group(engine, 9, NULL, 0) == SNIC_OK && !snic_multicast_group(worker, 9));
}

static uint32_t outputs;

static bool count_output(void *context, uint32_t port, const uint8_t *data, uint32_t length)
{
    (void)context, (void)data;
    outputs += port == 7 && length == 60;
    return true;
}

static void frames_are_run_in_vectors(void)
{
    uint8_t data[60] = {0, 0, 0, 0, 0, 1};
    struct snic_frame frames[100];

    worker->sink.output = count_output;
    insert(EXACT, 1, 0);
    for (uint32_t i = 0; i < 100; i++)
        frames[i] = (struct snic_frame){data, sizeof data, 1};
    CHECK(snic_process(worker, frames, 100) == SNIC_OK && outputs == 100);
    frames[99].length = SNIC_MAX_FRAME_BYTES + 1;
    CHECK(snic_process(worker, frames, 100) == SNIC_NO_ROOM && outputs == 100);
}

static void another_program_is_refused(void)
{
    struct snic_engine *other;
    CHECK(snic_engine_open(NULL, "other", &other) == SNIC_BAD_PROGRAM);
    CHECK(snic_engine_open("/nowhere.so", "fixture", &other) == SNIC_NOT_LOADED);
    CHECK(snic_engine_upgrade(engine, NULL) == SNIC_OK);
}

#define CASE(name) {#name, name}
static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    CASE(a_table_holds_its_declared_size),
    CASE(entries_come_in_the_order_of_insertion),
    CASE(only_idle_entries_are_idle),
    CASE(a_direct_counter_starts_from_zero_when_its_number_is_used_again),
    CASE(a_meter_marks_as_rfc_2698_says),
    CASE(a_meter_of_the_largest_rate_is_full_after_any_pause),
    CASE(a_lost_member_gives_only_its_own_share_away),
    CASE(what_is_used_cannot_be_deleted),
    CASE(externs_check_their_indices),
    CASE(frames_are_run_in_vectors),
    CASE(another_program_is_refused),
};

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (!strcmp(argv[1], cases[i].name)) {
            engine = open_fixture();
            worker = snic_worker(engine, 0);
            CHECK(worker);
            cases[i].run();
            snic_engine_close(engine);
            return 0;
        }
    return 2;
}
