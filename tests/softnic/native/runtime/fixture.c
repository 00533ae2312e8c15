/* SPDX-License-Identifier: Apache-2.0 */
/* Built as the tests' program object too: it exports snic_program_v1. */
#include "fixture.h"

static const struct snic_action_desc actions[] = {{"set", 4}, {"drop", 0}};

static const struct snic_key_field exact_fields[] = {{"mac", SNIC_EXACT, 0, 6, 48}, {"vlan", SNIC_EXACT, 6, 2, 12}};
static const struct snic_key_field vlan_fields[] = {{"vlan", SNIC_EXACT, 0, 2, 12}};
static const struct snic_key_field lpm4_fields[] = {{"dst", SNIC_LPM, 0, 4, 32}};
static const struct snic_key_field lpm6_fields[] = {{"dst", SNIC_LPM, 0, 16, 128}};
static const struct snic_key_field vrf_fields[] = {
    {"vrf", SNIC_EXACT, 0, 2, 16}, {"dst", SNIC_LPM, 2, 4, 32}, {"proto", SNIC_EXACT, 6, 1, 1}};
static const struct snic_key_field odd_fields[] = {{"label", SNIC_LPM, 0, 2, 11}};
static const struct snic_key_field ternary_fields[] = {
    {"src", SNIC_TERNARY, 0, 4, 32}, {"dst", SNIC_LPM, 4, 4, 32}, {"proto", SNIC_EXACT, 8, 1, 1}};
static const struct snic_key_field range_fields[] = {
    {"port", SNIC_RANGE, 0, 2, 16}, {"flags", SNIC_TERNARY, 2, 1, 8}, {"long", SNIC_RANGE, 3, 3, 24}};

#define TABLE(NAME, MATCH, FIELDS, BYTES, ROOM, SIZE, PROFILE)                                                        \
    {                                                                                                                 \
        .name = NAME, .match = MATCH, .key_bytes = BYTES, .key_room = ROOM,                                           \
        .n_fields = sizeof FIELDS / sizeof FIELDS[0], .fields = FIELDS, .n_actions = 2, .actions = actions,           \
        .max_args_bytes = 4, .max_size = SIZE, .profile = PROFILE, .direct_counter = true, .direct_meter = true,      \
        .idle_timeout = true                                                                                          \
    }

static const struct snic_table_desc tables[N_TABLES] = {
    [EXACT] = TABLE("exact", SNIC_EXACT, exact_fields, 8, 8, 1u << 24, SNIC_NO_PROFILE),
    [LPM4] = TABLE("lpm4", SNIC_LPM, lpm4_fields, 4, 8, 1u << 20, SNIC_NO_PROFILE),
    [LPM6] = TABLE("lpm6", SNIC_LPM, lpm6_fields, 16, 16, 1u << 20, SNIC_NO_PROFILE),
    [VRF] = TABLE("vrf", SNIC_LPM, vrf_fields, 7, 8, 1u << 20, SNIC_NO_PROFILE),
    [ODD] = TABLE("odd", SNIC_LPM, odd_fields, 2, 8, 1u << 20, SNIC_NO_PROFILE),
    [TERNARY] = TABLE("ternary", SNIC_TERNARY, ternary_fields, 9, 16, 1u << 20, SNIC_NO_PROFILE),
    [RANGE] = TABLE("range", SNIC_RANGE, range_fields, 6, 8, 1u << 20, SNIC_NO_PROFILE),
    [TINY_EXACT] = TABLE("tiny_exact", SNIC_EXACT, exact_fields, 8, 8, 2, SNIC_NO_PROFILE),
    [TINY_LPM] = TABLE("tiny_lpm", SNIC_LPM, lpm4_fields, 4, 8, 2, SNIC_NO_PROFILE),
    [TINY_TERNARY] = TABLE("tiny_ternary", SNIC_TERNARY, ternary_fields, 9, 16, 2, SNIC_NO_PROFILE),
    [NARROW] = TABLE("narrow", SNIC_EXACT, vlan_fields, 2, 8, 1u << 20, SNIC_NO_PROFILE),
    [PROFILED] = TABLE("profiled", SNIC_EXACT, exact_fields, 8, 8, 1024, 0),
};

static const struct snic_profile_desc profiles[] = {{"ecmp", 16, true, 2, actions, 4}};
static const struct snic_counter_desc counters[] = {{"counter", 1u << 24}};
static const struct snic_meter_desc meters[] = {{"meter", 4, true}};
static const struct snic_register_desc registers[] = {{"narrow", 4, 12}, {"wide", 4, 100}};
static const struct snic_value_set_desc value_sets[] = {{"set", 2, 4}};

/* Looks the frame's first bytes up in the exact table, and sends the frame to the port that the entry names. */
static void run(struct snic_worker *worker, struct snic_frame *frames, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        _Alignas(8) uint8_t key[8];
        memcpy(key, frames[i].data, sizeof key);
        const struct snic_call *call = look_up(worker, EXACT, key);
        if (call)
            snic_output(worker, call->args[3], frames[i].data, frames[i].length);
    }
}

extern const struct snic_program snic_program_v1;
const struct snic_program snic_program_v1 = {
    .abi = SNIC_ABI, .json_sha256 = "fixture", .name = "fixture",
    .n_tables = N_TABLES, .n_profiles = 1, .n_counters = 1, .n_meters = 1, .n_registers = 2, .n_value_sets = 1,
    .tables = tables, .profiles = profiles, .counters = counters, .meters = meters, .registers = registers,
    .value_sets = value_sets, .scratch_bytes = 64, .vector = 8, .run = run,
};

struct snic_engine *open_fixture(void)
{
    struct snic_engine *engine = NULL;
    CHECK(snic_engine_open(NULL, "fixture", &engine) == SNIC_OK); /* NULL: the test itself, linked with -rdynamic */
    return engine;
}

const struct snic_call *look_up(struct snic_worker *worker, enum fixture_table table, const uint8_t *key)
{
    const struct snic_table *t = snic_table_of(worker, table);
    uint32_t room = tables[table].key_room;

    switch (tables[table].match) {
    case SNIC_EXACT:
        return snic_is_narrow(&tables[table]) ? snic_narrow_find(t, key) : snic_exact_find(t, key, room);
    case SNIC_LPM:
        return snic_lpm_find(t, key, room);
    default:
        return snic_ternary_find(t, key, room);
    }
}
