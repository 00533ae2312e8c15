/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counter, meter and register arrays, value sets, and what replicates packets: state that packets reach by an index.
 *
 * Threads: counters are per worker (snic_local.h) and summed when read; here is only what to add to the sum. Meters
 * and registers are shared and locked. Value sets, groups and sessions are replaced whole, by one pointer. Arrays
 * take memory as they are touched: one of 2^24 cells costs nothing until then.
 */
#ifndef SNIC_EXTERN_H
#define SNIC_EXTERN_H

#include "snic_map.h"
#include "snic_meter.h"

struct snic_counter {
    uint32_t size;
    struct snic_count *base; /* modulo 2^64: what was written, less what the workers had counted */
};

struct snic_meters {
    uint32_t size;
    bool in_bytes;
    struct snic_meter *cells;
};

struct snic_register {
    uint32_t size;
    uint32_t width;
    uint32_t cell_bytes; /* 1, 2, 4, 8 or a multiple of 8; little-endian limbs of 64 bits if more than one */
    uint8_t *cells;
    _Alignas(64) atomic_flag lock;
};

struct snic_members {
    uint32_t count;
    uint8_t keys[];
};

struct snic_value_set {
    uint32_t key_bytes;
    _Atomic(struct snic_members *) members; /* NULL: none */
};

struct snic_replicas {
    uint32_t count;
    struct snic_replica replica[];
};

struct snic_session {
    uint32_t packet_length_bytes, class_of_service;
    struct snic_replicas replicas;
};

struct snic_externs {
    const struct snic_program *program;
    struct snic_counter *counters;
    struct snic_meters *meters;
    struct snic_register *registers;
    struct snic_value_set *value_sets;
    struct snic_map groups, sessions;
};

/* 0 or SNIC_NO_MEMORY; snic_externs_destroy in any case. */
int snic_externs_init(struct snic_externs *externs, const struct snic_program *program, struct snic_epoch *epoch);
void snic_externs_destroy(struct snic_externs *externs);

/* Big-endian bytes, as the control plane has them, from and to a cell. */
void snic_register_load(const struct snic_register *reg, uint32_t index, uint8_t *value);
void snic_register_store(struct snic_register *reg, uint32_t index, const uint8_t *value);
/* The others of snic_engine.h. 0 or SNIC_NO_MEMORY. */
int snic_value_set_replace(struct snic_value_set *set, struct snic_epoch *epoch, const uint8_t *members,
                           uint32_t count);
int snic_group_replace(struct snic_externs *externs, uint32_t id, const struct snic_replica *replicas, uint32_t count);
int snic_session_replace(struct snic_externs *externs, uint32_t id, const struct snic_replica *replicas,
                         uint32_t count, uint32_t packet_length_bytes, uint32_t class_of_service);

#endif
