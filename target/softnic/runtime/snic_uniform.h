/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uniform random numbers in a range, from the worker's generator.
 */
#ifndef SNIC_UNIFORM_H
#define SNIC_UNIFORM_H

#include "snic_bits.h"
#include "snic_packet_api.h"

/* `low` <= `high`. Numbers that would favour some results are drawn again. */
static inline snic_u128 snic_random128(struct snic_worker *w, snic_u128 low, snic_u128 high)
{
    snic_u128 span = high - low + 1, number; /* 0: all numbers */
    snic_u128 favoured = span == 0 ? 0 : -span % span;
    do {
        number = snic_make128(snic_random(w), snic_random(w));
    } while (number < favoured);
    return span == 0 ? number : low + number % span;
}

static inline uint64_t snic_random64(struct snic_worker *w, uint64_t low, uint64_t high)
{
    uint64_t span = high - low + 1, number;
    uint64_t favoured = span == 0 ? 0 : -span % span;
    do {
        number = snic_random(w);
    } while (number < favoured);
    return span == 0 ? number : low + number % span;
}

#endif
