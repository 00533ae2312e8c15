/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hash algorithms that simple_switch registers, over bytes, each yielding an unsigned number; and random numbers.
 *
 * Threads: the hashes are pure. A round robin is shared by all workers: it counts atomically, or under its own lock.
 */
#ifndef SNIC_HASH_H
#define SNIC_HASH_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "snic_bits.h"

uint64_t snic_crc8(const uint8_t *data, size_t size);      /* CRC-8: polynomial 07 */
uint64_t snic_crc16(const uint8_t *data, size_t size);     /* CRC-16/ARC: polynomial 8005, reflected */
uint64_t snic_crc_ccitt(const uint8_t *data, size_t size); /* CRC-16/IBM-3740: polynomial 1021, begins with ffff */
uint64_t snic_crc32(const uint8_t *data, size_t size);     /* CRC-32 of Ethernet: polynomial 04c11db7, reflected */
uint64_t snic_crc64(const uint8_t *data, size_t size);     /* polynomial 1b, reflected */
uint64_t snic_xxh64(const uint8_t *data, size_t size);     /* XXH64 with seed 0 */
uint64_t snic_fnv_mix(const uint8_t *data, size_t size);   /* simple_switch's hash_ex: FNV-1a with a final mix */

/* The exclusive or of all big-endian words; zero bytes complete the last. */
uint64_t snic_xor16(const uint8_t *data, size_t size);
uint64_t snic_xor32(const uint8_t *data, size_t size);

/* The first eight bytes, or all if there are fewer. */
static inline uint64_t snic_identity(const uint8_t *data, size_t size)
{
    return snic_load_bytes(data, size < 8 ? (uint32_t)size : 8);
}

/* With BMv2's default key, which is zero, this hashes everything to 0; only its Thrift interface can set another. */
static inline uint64_t snic_toeplitz(const uint8_t *data, size_t size)
{
    (void)data, (void)size;
    return 0;
}

/* `hash` modulo `count`; a count of 0 is taken as 1. */
static inline uint64_t snic_reduce(uint64_t hash, uint64_t count)
{
    return count > 1 ? hash % count : 0;
}

/* ---- round robins ---- */

struct snic_remembered;

/* One calculation's state. All zero is a new one; snic_round_robin_close frees what it has remembered. */
struct snic_round_robin {
    uint64_t calls;
    struct snic_remembered *remembered;
    pthread_spinlock_t lock;
};

void snic_round_robin_open(struct snic_round_robin *state);
void snic_round_robin_close(struct snic_round_robin *state);

/* How often this was called before. */
static inline uint64_t snic_round_robin_next(struct snic_round_robin *state)
{
    return __atomic_fetch_add(&state->calls, 1, __ATOMIC_RELAXED);
}

/*
 * How many distinct inputs came before the first of this kind; starts over when it has remembered 65536. Inputs are
 * told apart by 128 bits of hash.
 */
uint64_t snic_round_robin_consistent(struct snic_round_robin *state, const uint8_t *data, size_t size);

#endif
