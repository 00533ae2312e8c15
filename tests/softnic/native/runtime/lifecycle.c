/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engines come and go while packets run and better code takes over: several at a time, from the same two objects.
 * Arguments: the objects. Meant for every sanitizer: nothing of a closed engine, its code included, may be in use.
 */
#include <pthread.h>

#include "fixture.h"
#include "snic_state.h"

enum { OWNERS = 3, ROUNDS = 20, UPGRADES = 4, FRAMES = 8, FRAME_BYTES = 64 };

static const char *objects[2];

struct life {
    struct snic_engine *engine;
    _Atomic bool over;
    _Atomic uint64_t sent;
};

static bool count_output(void *context, uint32_t port, const uint8_t *data, uint32_t length)
{
    struct life *life = context;

    CHECK(port == 1 && length == FRAME_BYTES && data[0] == 7);
    atomic_fetch_add(&life->sent, 1);
    return true;
}

static void *run_packets(void *argument)
{
    struct life *life = argument;
    struct snic_worker *worker = snic_worker(life->engine, 0);
    static uint8_t data[SNIC_HEADROOM + FRAME_BYTES] = {[SNIC_HEADROOM] = 7};
    struct snic_frame frames[FRAMES];

    CHECK(worker);
    worker->sink = (struct snic_sink){.context = life, .output = count_output};
    while (!atomic_load(&life->over)) {
        for (uint32_t i = 0; i < FRAMES; i++)
            frames[i] = (struct snic_frame){data + SNIC_HEADROOM, FRAME_BYTES, 0};
        snic_run(worker, frames, FRAMES);
    }
    return NULL;
}

static void *upgrade(void *argument)
{
    struct life *life = argument;

    for (uint32_t i = 0; i < UPGRADES; i++)
        CHECK(snic_engine_upgrade(life->engine, objects[i % 2 ? 0 : 1]) == SNIC_OK);
    return NULL;
}

/* The entry that packets hit is changed all the time, to the same. */
static void write_until_sent(struct life *life, uint64_t enough)
{
    static const uint8_t key[8] = {7}, args[4] = {[3] = 1};
    struct snic_target target = {SNIC_TARGET_ACTION, 0, args};

    CHECK(snic_insert(life->engine, EXACT, key, NULL, 0, &target, 0) == SNIC_OK);
    while (atomic_load(&life->sent) < enough)
        CHECK(snic_modify(life->engine, EXACT, key, NULL, 0, &target, 0) == SNIC_OK);
}

static void *live_and_die(void *unused)
{
    (void)unused;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct life life = {0};
        pthread_t packets, better;
        CHECK(snic_engine_open(objects[0], "fixture", &life.engine) == SNIC_OK);
        CHECK(!pthread_create(&packets, NULL, run_packets, &life));
        CHECK(!pthread_create(&better, NULL, upgrade, &life));
        write_until_sent(&life, 10);
        CHECK(!pthread_join(better, NULL));
        atomic_store(&life.over, true);
        CHECK(!pthread_join(packets, NULL));
        snic_engine_close(life.engine);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t owners[OWNERS];

    CHECK(argc == 3);
    objects[0] = argv[1];
    objects[1] = argv[2];
    for (uint32_t i = 0; i < OWNERS; i++)
        CHECK(!pthread_create(&owners[i], NULL, live_and_die, NULL));
    for (uint32_t i = 0; i < OWNERS; i++)
        CHECK(!pthread_join(owners[i], NULL));
    return 0;
}
