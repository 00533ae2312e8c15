/* SPDX-License-Identifier: Apache-2.0 */
/* A program made by hand: one table of each kind, and what tests need to look things up as a compiled program would. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "snic_packet_api.h"

/* Not assert(): must not vanish with NDEBUG. */
#define CHECK(condition)                                                                                              \
    do {                                                                                                              \
        if (!(condition)) {                                                                                           \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                           \
            abort();                                                                                                  \
        }                                                                                                             \
    } while (0)

enum fixture_table {
    EXACT, LPM4, LPM6, VRF, ODD, TERNARY, RANGE, NARROW, TINY_EXACT, TINY_LPM, TINY_TERNARY, PROFILED, N_TABLES
};

extern const struct snic_program fixture_program;

struct snic_engine *open_fixture(void);
const struct snic_call *look_up(struct snic_worker *worker, enum fixture_table table, const uint8_t *key);

static inline uint64_t next_random(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t mixed = (*state ^ *state >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

#endif
