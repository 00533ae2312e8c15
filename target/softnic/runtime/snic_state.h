/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine is made of; for the files of the runtime that implement snic_engine.h. */
#ifndef SNIC_STATE_H
#define SNIC_STATE_H

#include "snic_local.h"

/* A shared object stays open until its engine is closed: descriptions and code may be referred to. */
struct snic_object {
    void *handle;
    struct snic_object *next;
};

struct snic_engine {
    struct snic_epoch epoch;
    const struct snic_program *described; /* the first object's: what the state was made for */
    _Atomic(const struct snic_program *) program;
    struct snic_object *objects;
    _Atomic uint64_t clock_ns; /* 0: monotonic */
    _Atomic uint64_t start_ns;
    bool clock_was_set;
    _Atomic uint32_t pauses;
    struct snic_table *tables;
    struct snic_profile *profiles;
    struct snic_externs externs;
    struct snic_round_robin *round_robins;
    bool shared; /* by several workers */
    _Atomic(struct snic_local *) workers[SNIC_MAX_WORKERS];
};

uint64_t snic_now_ns(const struct snic_engine *engine);
/* Since the engine's time began. */
uint64_t snic_now_us(const struct snic_engine *engine);
/* What snic_now_us is when snic_now_ns is `now_ns`. */
uint64_t snic_us_at(const struct snic_engine *engine, uint64_t now_ns);
/* NULL: not made yet. */
struct snic_local *snic_worker_at(const struct snic_engine *engine, uint32_t number);
void snic_worker_free(struct snic_engine *engine, uint32_t number);

#endif
