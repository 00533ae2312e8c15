/* SPDX-License-Identifier: Apache-2.0 */
/* One thread puts numbered records of changing length, another takes them; each must come once, whole and in order. */
#include "snic_ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

enum { RECORDS = 200000, RING_BYTES = 4096, LONGEST = 300 };

static struct snic_ring ring;
static _Atomic uint32_t refused;
static _Atomic bool is_over;

static void *produce(void *unused)
{
    uint8_t data[LONGEST];

    for (uint32_t number = 0; number < RECORDS; number++) {
        uint32_t length = number % LONGEST;
        memset(data, (int)(number & 0xFF), length);
        if (!snic_ring_put(&ring, SNIC_RECORD_PACKET, number, data, length)) {
            atomic_fetch_add(&refused, 1);
            sched_yield();
        }
    }
    atomic_store(&is_over, true);
    return unused;
}

/* How many records there are in `bytes`; -1: one is not what was put in. */
static int64_t check(const uint8_t *bytes, uint32_t size, int64_t *last)
{
    int64_t count = 0;

    for (uint32_t at = 0; at < size; count++) {
        struct snic_record record;
        memcpy(&record, bytes + at, sizeof record);
        at += sizeof record;
        if (record.number <= *last || record.length != record.number % LONGEST)
            return -1;
        *last = record.number;
        for (uint32_t i = 0; i < record.length; i++, at++)
            if (bytes[at] != (record.number & 0xFF))
                return -1;
    }
    return count;
}

int main(void)
{
    uint8_t out[RING_BYTES / 2];
    int64_t taken = 0, last = -1;
    pthread_t producer;

    if (!snic_ring_open(&ring, RING_BYTES) || pthread_create(&producer, NULL, produce, NULL))
        return 2;
    for (;;) {
        bool was_over = atomic_load(&is_over);
        uint32_t size = snic_ring_take(&ring, out, sizeof out);
        int64_t count = check(out, size, &last);
        if (count < 0)
            return 1;
        taken += count;
        if (was_over && !size)
            break;
    }
    pthread_join(producer, NULL);
    snic_ring_close(&ring);
    printf("%d put, %d taken, %u refused\n", (int)RECORDS, (int)taken, atomic_load(&refused));
    return taken + atomic_load(&refused) == RECORDS && taken > 0 ? 0 : 1;
}
