/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program tells the runtime about itself: the one symbol that a compiled program exports.
 *
 * The program's shared object holds code and constant descriptions only. All state (entries, counters, registers ...)
 * belongs to a `struct snic_engine` of the runtime, so that one program may run in several engines and two programs in
 * one process. Descriptions are constant and outlive every engine; nobody frees them.
 *
 * Names are those of the BMv2 JSON. Byte order of keys, arguments and digest values: big-endian, each value in
 * (width + 7) / 8 bytes, without anything between them.
 */
#ifndef SNIC_PROGRAM_H
#define SNIC_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNIC_ABI 1u
#define SNIC_NO_PROFILE UINT32_MAX

struct snic_worker;
struct snic_frame;

enum snic_match { SNIC_EXACT, SNIC_LPM, SNIC_TERNARY, SNIC_RANGE };

/* One match field: `bytes` bytes at `offset` of the packed key. `valid` of the JSON is SNIC_EXACT of one byte. */
struct snic_key_field {
    const char *name;
    enum snic_match match;
    uint16_t offset;
    uint16_t bytes;
    uint16_t width; /* bits */
};

struct snic_action_desc {
    const char *name;
    uint16_t args_bytes;
};

/*
 * One table. `match` is that of the strongest field (range > ternary > lpm > exact); a table without key fields has
 * key_bytes 0, no entries, and only ever runs its default. `key_room` is key_bytes rounded up to a multiple of 8: what
 * the program hands to a lookup, zero-padded.
 */
struct snic_table_desc {
    const char *name;
    enum snic_match match;
    uint16_t key_bytes;
    uint16_t key_room;
    uint16_t n_fields;
    uint16_t n_actions;
    const struct snic_key_field *fields;
    const struct snic_action_desc *actions;
    uint16_t max_args_bytes;
    uint32_t max_size;
    uint32_t profile; /* index into the program's profiles, or SNIC_NO_PROFILE */
    bool direct_counter;
    bool direct_meter;
    bool direct_meter_in_bytes;
    bool idle_timeout;
};

/* A member's call names an action by its index in `actions` of the tables that use the profile: they are the same. */
struct snic_profile_desc {
    const char *name;
    uint32_t max_size;
    bool selector;
    uint16_t n_actions;
    const struct snic_action_desc *actions;
    uint16_t max_args_bytes;
};

struct snic_counter_desc {
    const char *name;
    uint32_t size;
};

struct snic_meter_desc {
    const char *name;
    uint32_t size;
    bool in_bytes;
};

struct snic_register_desc {
    const char *name;
    uint32_t size;
    uint16_t width; /* bits; each cell takes (width + 7) / 8 bytes rounded up to 1, 2, 4, 8 or a multiple of 8 */
};

struct snic_value_set_desc {
    const char *name;
    uint16_t key_bytes; /* of one member, packed as the transition key: each part byte-padded */
    uint32_t max_size;
};

struct snic_digest_desc {
    const char *name;
    uint16_t bytes;
};

struct snic_program {
    uint32_t abi;             /* SNIC_ABI; checked before anything else */
    const char *json_sha256;  /* of the JSON this was made from, in hexadecimal; checked next */
    const char *name;
    uint32_t n_tables, n_profiles, n_counters, n_meters, n_registers, n_value_sets, n_digests;
    uint32_t n_round_robins; /* calculations that count: their state is the engine's */
    const struct snic_table_desc *tables;
    const struct snic_profile_desc *profiles;
    const struct snic_counter_desc *counters;
    const struct snic_meter_desc *meters;
    const struct snic_register_desc *registers;
    const struct snic_value_set_desc *value_sets;
    const struct snic_digest_desc *digests;
    size_t scratch_bytes; /* of the memory each worker keeps for `run`, 64-byte aligned, zeroed once */
    uint32_t vector;      /* how many frames `run` takes at most */
    /*
     * Runs `count` frames (1 .. vector) to completion, in order. Frames are the program's until it returns. Never
     * blocks, never allocates; what leaves goes to the worker's sink before it returns.
     */
    void (*run)(struct snic_worker *worker, struct snic_frame *frames, uint32_t count);
};

/* The exported symbol: const struct snic_program snic_program_v1; */

#endif
