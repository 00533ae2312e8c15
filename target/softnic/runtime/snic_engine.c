/* SPDX-License-Identifier: Apache-2.0 */
/* An engine's life, and the calls of snic_engine.h that concern no table. */
#include "snic_engine.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

#include "snic_hash.h"
#include "snic_state.h"

#define NS_PER_S 1000000000u
#define NS_PER_US 1000u

const char *const snic_anomaly_names[SNIC_ANOMALIES] = {
    [SNIC_ACTION_ENDLESS] = "action-endless",
    [SNIC_VARBIT_NOT_ASSIGNABLE] = "varbit-not-assignable",
    [SNIC_RANDOM_RANGE_EMPTY] = "random-range-empty",
    [SNIC_COUNTER_INDEX_OUT_OF_RANGE] = "counter-index-out-of-range",
    [SNIC_METER_INDEX_OUT_OF_RANGE] = "meter-index-out-of-range",
    [SNIC_REGISTER_INDEX_OUT_OF_RANGE] = "register-index-out-of-range",
    [SNIC_STACK_INDEX_OUT_OF_RANGE] = "stack-index-out-of-range",
    [SNIC_PARSER_ENDLESS] = "parser-endless",
    [SNIC_ASSERT_FAILED] = "assert-failed",
    [SNIC_ASSUME_FAILED] = "assume-failed",
    [SNIC_INGRESS_PASSES_EXCEEDED] = "ingress-passes-exceeded",
    [SNIC_EGRESS_PASSES_EXCEEDED] = "egress-passes-exceeded",
    [SNIC_DIVISION_UNDEFINED] = "division-undefined",
    [SNIC_SHIFT_NEGATIVE] = "shift-negative",
    [SNIC_SELECTOR_GROUP_EMPTY] = "selector-group-empty",
    [SNIC_OUTPUT_LOST] = "output-lost",
    [SNIC_DIGEST_LOST] = "digest-lost",
    [SNIC_LOG_LOST] = "log-lost",
    [SNIC_QUEUE_FULL] = "queue-full",
};

static const char *const error_texts[] = {
    "no error",
    "it exists already",
    "there is no such thing",
    "it is in use",
    "its declared size is reached",
    "out of memory",
    "a member or group that it refers to does not exist",
    "the object was made for another runtime or from another program",
    "the object can't be loaded",
};

const char *snic_strerror(int error)
{
    int last = (int)(sizeof error_texts / sizeof error_texts[0]) - 1;

    return error <= 0 && error >= -last ? error_texts[-error] : "unknown error";
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

static uint64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t snic_now_ns(const struct snic_engine *engine)
{
    uint64_t set = atomic_load_explicit(&engine->clock_ns, memory_order_relaxed);

    return set ? set : monotonic_ns();
}

uint64_t snic_us_at(const struct snic_engine *engine, uint64_t now_ns)
{
    return (now_ns - atomic_load_explicit(&engine->start_ns, memory_order_relaxed)) / NS_PER_US;
}

uint64_t snic_now_us(const struct snic_engine *engine)
{
    return snic_us_at(engine, snic_now_ns(engine));
}

void snic_set_clock(struct snic_engine *engine, uint64_t now_ns)
{
    atomic_store_explicit(&engine->clock_ns, now_ns, memory_order_relaxed);
    if (!engine->clock_was_set)
        atomic_store_explicit(&engine->start_ns, snic_now_ns(engine), memory_order_relaxed);
    engine->clock_was_set = true;
}

/* ---- loading ---------------------------------------------------------------------------------------------------- */

/* Opens an object of this runtime's kind and adds it to the engine's. */
static int load(struct snic_engine *engine, const char *path, const char *json_sha256,
                const struct snic_program **program)
{
    struct snic_object *object = calloc(1, sizeof *object);

    if (!object)
        return SNIC_NO_MEMORY;
    object->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    *program = object->handle ? dlsym(object->handle, "snic_program_v1") : NULL;
    int error = SNIC_OK;
    if (!*program)
        error = SNIC_NOT_LOADED;
    else if ((*program)->abi != SNIC_ABI || strcmp((*program)->json_sha256, json_sha256))
        error = SNIC_BAD_PROGRAM;
    if (error) {
        if (object->handle)
            dlclose(object->handle);
        free(object);
        return error;
    }
    object->next = engine->objects;
    engine->objects = object;
    return SNIC_OK;
}

static bool init_state(struct snic_engine *engine)
{
    const struct snic_program *program = engine->described;
    bool whole = true;

    /* calloc: what was not initialised can be destroyed all the same. */
    engine->profiles = calloc(program->n_profiles + 1, sizeof *engine->profiles);
    engine->tables = calloc(program->n_tables + 1, sizeof *engine->tables);
    engine->round_robins = calloc(program->n_round_robins + 1, sizeof *engine->round_robins);
    whole &= !snic_externs_init(&engine->externs, program, &engine->epoch);
    if (!engine->profiles || !engine->tables || !engine->round_robins)
        return false;
    for (uint32_t i = 0; i < program->n_round_robins; i++)
        snic_round_robin_open(&engine->round_robins[i]);
    for (uint32_t i = 0; i < program->n_profiles; i++)
        whole &= !snic_profile_init(&engine->profiles[i], &program->profiles[i], &engine->epoch);
    for (uint32_t i = 0; i < program->n_tables; i++) {
        const struct snic_table_desc *desc = &program->tables[i];
        struct snic_profile *profile = desc->profile == SNIC_NO_PROFILE ? NULL : &engine->profiles[desc->profile];
        whole &= !snic_table_init(&engine->tables[i], desc, profile, &engine->epoch);
    }
    return whole;
}

int snic_engine_open(const char *path, const char *json_sha256, struct snic_engine **engine)
{
    const struct snic_program *program;
    struct snic_engine *opened = aligned_alloc(64, sizeof *opened);

    if (!opened)
        return SNIC_NO_MEMORY;
    memset(opened, 0, sizeof *opened);
    snic_epoch_init(&opened->epoch);
    int error = load(opened, path, json_sha256, &program);
    if (error) {
        free(opened);
        return error;
    }
    opened->described = program;
    atomic_init(&opened->program, program);
    atomic_init(&opened->start_ns, monotonic_ns());
    if (!init_state(opened)) {
        snic_engine_close(opened);
        return SNIC_NO_MEMORY;
    }
    *engine = opened;
    return SNIC_OK;
}

static bool has_shape_of(const struct snic_program *a, const struct snic_program *b)
{
    return a->n_tables == b->n_tables && a->n_profiles == b->n_profiles && a->n_counters == b->n_counters &&
           a->n_meters == b->n_meters && a->n_registers == b->n_registers && a->n_value_sets == b->n_value_sets &&
           a->n_digests == b->n_digests && a->n_round_robins == b->n_round_robins &&
           a->scratch_bytes == b->scratch_bytes;
}

int snic_engine_upgrade(struct snic_engine *engine, const char *path)
{
    const struct snic_program *program;
    int error = load(engine, path, engine->described->json_sha256, &program);

    if (error)
        return error;
    if (!has_shape_of(program, engine->described))
        return SNIC_BAD_PROGRAM;
    snic_pause(engine);
    atomic_store_explicit(&engine->program, program, memory_order_release);
    snic_resume(engine);
    return SNIC_OK;
}

void snic_engine_close(struct snic_engine *engine)
{
    const struct snic_program *program = engine->described;

    snic_epoch_synchronize(&engine->epoch);
    for (uint32_t i = 0; i < SNIC_MAX_WORKERS; i++)
        snic_worker_free(engine, i);
    for (uint32_t i = 0; engine->tables && i < program->n_tables; i++)
        if (engine->tables[i].desc)
            snic_table_destroy(&engine->tables[i]);
    for (uint32_t i = 0; engine->profiles && i < program->n_profiles; i++)
        snic_profile_destroy(&engine->profiles[i]);
    for (uint32_t i = 0; engine->round_robins && i < program->n_round_robins; i++)
        snic_round_robin_close(&engine->round_robins[i]);
    snic_externs_destroy(&engine->externs);
    free(engine->tables);
    free(engine->profiles);
    free(engine->round_robins);
    for (struct snic_object *object = engine->objects, *next; object; object = next) {
        next = object->next;
        dlclose(object->handle);
        free(object);
    }
    free(engine);
}

const struct snic_program *snic_engine_program(const struct snic_engine *engine)
{
    return engine->described;
}

uint64_t snic_anomaly_count(const struct snic_engine *engine, enum snic_anomaly what)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < SNIC_MAX_WORKERS; i++) {
        struct snic_local *local = snic_worker_at(engine, i);
        if (local)
            sum += __atomic_load_n(&local->worker.anomalies[what], __ATOMIC_RELAXED);
    }
    return sum;
}

/* ---- action profiles -------------------------------------------------------------------------------------------- */

int snic_insert_member(struct snic_engine *engine, uint32_t profile, uint32_t member_id, uint32_t action,
                       const uint8_t *args)
{
    return snic_profile_insert_member(&engine->profiles[profile], member_id, action, args);
}

int snic_modify_member(struct snic_engine *engine, uint32_t profile, uint32_t member_id, uint32_t action,
                       const uint8_t *args)
{
    return snic_profile_modify_member(&engine->profiles[profile], member_id, action, args);
}

int snic_delete_member(struct snic_engine *engine, uint32_t profile, uint32_t member_id)
{
    return snic_profile_delete_member(&engine->profiles[profile], member_id);
}

int snic_insert_group(struct snic_engine *engine, uint32_t profile, uint32_t group_id,
                      const struct snic_group_member *members, uint32_t count)
{
    return snic_profile_insert_group(&engine->profiles[profile], group_id, members, count);
}

int snic_modify_group(struct snic_engine *engine, uint32_t profile, uint32_t group_id,
                      const struct snic_group_member *members, uint32_t count)
{
    return snic_profile_modify_group(&engine->profiles[profile], group_id, members, count);
}

int snic_delete_group(struct snic_engine *engine, uint32_t profile, uint32_t group_id)
{
    return snic_profile_delete_group(&engine->profiles[profile], group_id);
}

void snic_set_resilient(struct snic_engine *engine, uint32_t profile, bool resilient)
{
    snic_profile_set_resilient(&engine->profiles[profile], resilient);
}

void snic_set_port_up(struct snic_engine *engine, uint32_t port, bool up)
{
    for (uint32_t i = 0; i < engine->described->n_profiles; i++)
        snic_profile_set_port_up(&engine->profiles[i], port, up);
}

/* ---- externs ---------------------------------------------------------------------------------------------------- */

static struct snic_count counted_by_workers(const struct snic_engine *engine, uint32_t counter, uint32_t index)
{
    struct snic_count sum = {0};

    for (uint32_t i = 0; i < SNIC_MAX_WORKERS; i++) {
        struct snic_local *local = snic_worker_at(engine, i);
        if (!local)
            continue;
        sum.packets += atomic_load_explicit(&local->counted[counter][index].packets, memory_order_relaxed);
        sum.bytes += atomic_load_explicit(&local->counted[counter][index].bytes, memory_order_relaxed);
    }
    return sum;
}

int snic_read_counter(const struct snic_engine *engine, uint32_t counter, uint32_t index, struct snic_count *count)
{
    const struct snic_counter *of = &engine->externs.counters[counter];

    if (index >= of->size)
        return SNIC_NOT_FOUND;
    *count = counted_by_workers(engine, counter, index);
    count->packets += of->base[index].packets;
    count->bytes += of->base[index].bytes;
    return SNIC_OK;
}

int snic_write_counter(struct snic_engine *engine, uint32_t counter, uint32_t index, const struct snic_count *count)
{
    struct snic_counter *of = &engine->externs.counters[counter];

    if (index >= of->size)
        return SNIC_NOT_FOUND;
    struct snic_count sum = counted_by_workers(engine, counter, index);
    of->base[index] = (struct snic_count){count->packets - sum.packets, count->bytes - sum.bytes};
    return SNIC_OK;
}

int snic_read_meter(const struct snic_engine *engine, uint32_t meter, uint32_t index, struct snic_rates *rates,
                    bool *configured)
{
    const struct snic_meters *of = &engine->externs.meters[meter];

    *configured = false;
    return index < of->size ? snic_meter_read(&of->cells[index], rates, configured) : SNIC_NOT_FOUND;
}

int snic_write_meter(struct snic_engine *engine, uint32_t meter, uint32_t index, const struct snic_rates *rates)
{
    struct snic_meters *of = &engine->externs.meters[meter];

    if (index >= of->size)
        return SNIC_NOT_FOUND;
    snic_meter_configure(&of->cells[index], rates, snic_now_us(engine));
    return SNIC_OK;
}

int snic_read_meter_counts(const struct snic_engine *engine, uint32_t meter, uint32_t index,
                           struct snic_colour_counts *counts)
{
    const struct snic_meters *of = &engine->externs.meters[meter];

    return index < of->size ? snic_meter_read_counts(&of->cells[index], counts) : SNIC_NOT_FOUND;
}

int snic_write_meter_counts(struct snic_engine *engine, uint32_t meter, uint32_t index,
                            const struct snic_colour_counts *counts)
{
    const struct snic_meters *of = &engine->externs.meters[meter];

    return index < of->size ? snic_meter_write_counts(&of->cells[index], counts) : SNIC_NOT_FOUND;
}

/* A lone worker takes no locks (snic_register_lock): registers are read and written while none runs. */
int snic_read_register(const struct snic_engine *engine, uint32_t reg, uint32_t index, uint8_t *value)
{
    const struct snic_register *of = &engine->externs.registers[reg];
    struct snic_engine *paused = (struct snic_engine *)engine; /* and as it was when we return */

    if (index >= of->size)
        return SNIC_NOT_FOUND;
    snic_pause(paused);
    snic_register_load(of, index, value);
    snic_resume(paused);
    return SNIC_OK;
}

int snic_write_register(struct snic_engine *engine, uint32_t reg, uint32_t index, const uint8_t *value)
{
    struct snic_register *of = &engine->externs.registers[reg];

    if (index >= of->size)
        return SNIC_NOT_FOUND;
    snic_pause(engine);
    snic_register_store(of, index, value);
    snic_resume(engine);
    return SNIC_OK;
}

int snic_set_value_set(struct snic_engine *engine, uint32_t value_set, const uint8_t *members, uint32_t count)
{
    return snic_value_set_replace(&engine->externs.value_sets[value_set], &engine->epoch, members, count);
}

/* ---- packet replication ----------------------------------------------------------------------------------------- */

int snic_set_multicast_group(struct snic_engine *engine, uint32_t group, const struct snic_replica *replicas,
                             uint32_t count)
{
    return snic_group_replace(&engine->externs, group, replicas, count);
}

int snic_set_clone_session(struct snic_engine *engine, uint32_t session, const struct snic_replica *replicas,
                           uint32_t count, uint32_t packet_length_bytes, uint32_t class_of_service)
{
    return snic_session_replace(&engine->externs, session, replicas, count, packet_length_bytes, class_of_service);
}
