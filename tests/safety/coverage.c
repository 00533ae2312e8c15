/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which ways packets went: counts each pair of places that code compiled with -fsanitize-coverage=trace-pc passes one
 * after the other. Loaded before any such code, and asked by Python between packets; packets run on one thread.
 */
#include <stdbool.h>
#include <stdint.h>

#define WAYS 65536u

static uint8_t counts[WAYS]; /* since the last question */
static uint8_t seen[WAYS];   /* bit b: the way was taken 2^b times, or up to twice that, by one question's packets */
static uintptr_t last;

void __sanitizer_cov_trace_pc(void)
{
    uintptr_t here = (uintptr_t)__builtin_return_address(0) * 0x9e3779b97f4a7c15u >> 48;
    uint8_t *count = &counts[(here ^ last) % WAYS];
    *count += *count < UINT8_MAX;
    last = here >> 1;
}

/* Whether a way was taken, or taken as often, for the first time since the last question. */
bool coverage_is_new(void)
{
    bool fresh = false;
    for (uint32_t way = 0; way < WAYS; way++)
        if (counts[way]) {
            uint8_t magnitude = (uint8_t)(1u << (31 - __builtin_clz(counts[way])));
            fresh |= !(seen[way] & magnitude);
            seen[way] |= magnitude;
            counts[way] = 0;
        }
    last = 0;
    return fresh;
}
