/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded queue of records from one worker to the thread that serves it: packets for ports that C does not own,
 * digests, log lines.
 *
 * One producer, one consumer, no locks. A record that finds no room is refused; the producer counts it. Records are
 * copied in and out.
 */
#ifndef SNIC_RING_H
#define SNIC_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snic_record.h"

struct snic_ring {
    uint8_t *bytes;
    uint64_t size; /* a power of 2 */
    _Alignas(64) _Atomic uint64_t head; /* the consumer's */
    _Alignas(64) _Atomic uint64_t tail; /* the producer's */
};

bool snic_ring_open(struct snic_ring *ring, uint64_t size);
void snic_ring_close(struct snic_ring *ring);

bool snic_ring_put(struct snic_ring *ring, enum snic_record_kind kind, uint32_t number, const void *data,
                   uint32_t length);

/* Moves whole records to `out`, as many as fit; returns how many bytes they take. */
uint32_t snic_ring_take(struct snic_ring *ring, uint8_t *out, uint32_t room);

#endif
