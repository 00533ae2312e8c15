/* SPDX-License-Identifier: Apache-2.0 */
/* Workers: their memory, and running packets through them. */
#include <sched.h>
#include <stdlib.h>
#include <sys/random.h>

#include "snic_state.h"

/* Frames that snic_process copies at a time. */
#define BUFFERS 32u
/* An odd number of cache lines: the heads of frames fall into different sets. */
#define BUFFER_BYTES ((SNIC_HEADROOM + SNIC_MAX_FRAME_BYTES + 127u) / 128u * 128u + 64u)

struct snic_local *snic_worker_at(const struct snic_engine *engine, uint32_t number)
{
    return atomic_load_explicit(&engine->workers[number], memory_order_acquire);
}

static struct snic_tally **new_tallies(uint32_t count)
{
    return calloc(count + 1, sizeof(struct snic_tally *));
}

static bool reserve_tallies(struct snic_local *local, struct snic_engine *engine)
{
    const struct snic_program *program = engine->described;
    bool whole = true;

    for (uint32_t i = 0; i < program->n_tables; i++)
        if (engine->tables[i].counted)
            whole &= (local->direct[i] = snic_reserve(engine->tables[i].room * sizeof(struct snic_tally))) != NULL;
    for (uint32_t i = 0; i < program->n_counters; i++)
        if (program->counters[i].size)
            whole &= (local->counted[i] = snic_reserve(program->counters[i].size * sizeof(struct snic_tally))) != NULL;
    return whole;
}

static void free_local(struct snic_local *local, const struct snic_engine *engine)
{
    const struct snic_program *program = engine->described;

    for (uint32_t i = 0; local->direct && i < program->n_tables; i++)
        snic_unreserve(local->direct[i], engine->tables[i].room * sizeof(struct snic_tally));
    for (uint32_t i = 0; local->counted && i < program->n_counters; i++)
        snic_unreserve(local->counted[i], program->counters[i].size * sizeof(struct snic_tally));
    snic_unreserve(local->buffers, BUFFERS * BUFFER_BYTES);
    snic_unreserve(local->worker.scratch, program->scratch_bytes);
    free(local->hits);
    free(local->direct);
    free(local->counted);
    free(local);
}

static bool init_local(struct snic_local *local, struct snic_engine *engine, uint32_t number)
{
    const struct snic_program *program = engine->described;

    local->worker.engine = engine;
    local->worker.number = number;
    local->tables = engine->tables;
    local->externs = &engine->externs;
    local->round_robins = engine->round_robins;
    local->shared = &engine->shared;
    local->hits = calloc(program->n_tables + 1, sizeof *local->hits);
    local->direct = new_tallies(program->n_tables);
    local->counted = new_tallies(program->n_counters);
    local->buffers = snic_reserve(BUFFERS * BUFFER_BYTES);
    if (program->scratch_bytes)
        local->worker.scratch = snic_reserve(program->scratch_bytes);
    if (getrandom(local->worker.random, sizeof local->worker.random, 0) != sizeof local->worker.random)
        return false;
    return local->hits && local->direct && local->counted && local->buffers &&
           (local->worker.scratch || !program->scratch_bytes) && reserve_tallies(local, engine);
}

struct snic_worker *snic_worker(struct snic_engine *engine, uint32_t number)
{
    if (number >= SNIC_MAX_WORKERS)
        return NULL;
    struct snic_local *local = snic_worker_at(engine, number);
    if (local)
        return &local->worker;
    local = calloc(1, sizeof *local);
    if (!local)
        return NULL;
    if (!init_local(local, engine, number)) {
        free_local(local, engine);
        return NULL;
    }
    bool is_second = false;
    for (uint32_t i = 0; i < SNIC_MAX_WORKERS; i++)
        is_second |= snic_worker_at(engine, i) != NULL;
    if (is_second && !engine->shared) {
        snic_pause(engine); /* nobody may be inside a lock that he did not take */
        engine->shared = true;
        snic_resume(engine);
    }
    for (uint32_t i = 0; i < engine->described->n_tables; i++)
        engine->tables[i].tallies[number] = local->direct[i];
    atomic_store_explicit(&engine->workers[number], local, memory_order_release);
    return &local->worker;
}

void snic_worker_free(struct snic_engine *engine, uint32_t number)
{
    struct snic_local *local = snic_worker_at(engine, number);

    if (local)
        free_local(local, engine);
}

/* ---- running packets -------------------------------------------------------------------------------------------- */

void snic_pause(struct snic_engine *engine)
{
    atomic_fetch_add(&engine->pauses, 1);
    for (uint32_t i = 0; i < SNIC_MAX_WORKERS; i++)
        while (atomic_load(&engine->epoch.readers[i].entered))
            sched_yield();
}

void snic_resume(struct snic_engine *engine)
{
    atomic_fetch_sub(&engine->pauses, 1);
}

static void begin(struct snic_engine *engine, struct snic_worker *worker)
{
    for (;;) {
        snic_epoch_enter(&engine->epoch, worker->number);
        if (!atomic_load(&engine->pauses))
            break;
        snic_epoch_leave(&engine->epoch, worker->number);
        while (atomic_load(&engine->pauses))
            sched_yield();
    }
    worker->now_ns = snic_now_ns(engine);
    worker->now_us = snic_us_at(engine, worker->now_ns);
}

int snic_run(struct snic_worker *worker, struct snic_frame *frames, uint32_t count)
{
    struct snic_engine *engine = worker->engine;

    while (count) {
        begin(engine, worker);
        const struct snic_program *program = atomic_load_explicit(&engine->program, memory_order_acquire);
        uint32_t now = count < program->vector ? count : program->vector;
        program->run(worker, frames, now);
        snic_epoch_leave(&engine->epoch, worker->number);
        frames += now;
        count -= now;
    }
    return SNIC_OK;
}

int snic_process(struct snic_worker *worker, const struct snic_frame *frames, uint32_t count)
{
    struct snic_local *local = snic_local_of(worker);
    struct snic_frame copies[BUFFERS];

    for (uint32_t i = 0; i < count; i++)
        if (frames[i].length > SNIC_MAX_FRAME_BYTES)
            return SNIC_NO_ROOM;
    for (uint32_t done = 0; done < count;) {
        uint32_t n = 0;
        for (; n < BUFFERS && done < count; n++, done++) {
            uint8_t *data = local->buffers + n * BUFFER_BYTES + SNIC_HEADROOM;
            memcpy(data, frames[done].data, frames[done].length);
            copies[n] = (struct snic_frame){data, frames[done].length, frames[done].port};
        }
        snic_run(worker, copies, n);
    }
    return SNIC_OK;
}
