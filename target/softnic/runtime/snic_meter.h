/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A two-rate three-colour marker (RFC 2698) or, with an excess burst, a single-rate one (RFC 2697); colour-blind, in
 * integers on a microsecond clock as BMv2's is. It counts what each colour was given to.
 *
 * Buckets are full at first. Tokens come `rate` per second, counted from one origin so that fractions are not lost. Of
 * two rates, the peak bucket is asked first: a packet that it refuses is red and takes nothing from the committed one.
 * Of a single rate, the tokens that the committed bucket has no room for go to the excess one.
 *
 * Threads: any number of workers and the control plane; each meter has its own spin lock, held for the arithmetic only.
 */
#ifndef SNIC_METER_H
#define SNIC_METER_H

#include <stdatomic.h>

#include "snic_engine.h"

enum snic_colour { SNIC_GREEN, SNIC_YELLOW, SNIC_RED };

struct snic_bucket_of_tokens {
    uint64_t tokens;
    uint64_t received;  /* since the origin */
    uint64_t filled_us; /* when that was, from the origin on */
};

struct snic_meter {
    atomic_flag lock;
    _Atomic bool configured;
    struct snic_rates rates;
    uint64_t origin_us;
    struct snic_bucket_of_tokens committed;
    struct snic_bucket_of_tokens second; /* the peak's or the excess burst's */
    struct snic_colour_counts counts;
};

/* A packet of so many bytes; a meter of packets (`in_bytes` is false) takes one token for it. Unconfigured: green. */
uint32_t snic_meter_mark(struct snic_meter *meter, uint64_t bytes, bool in_bytes, uint64_t now_us);
/* NULL: unconfigured. What was counted stays. */
void snic_meter_configure(struct snic_meter *meter, const struct snic_rates *rates, uint64_t now_us);
/* Always SNIC_OK; unconfigured: `*configured` is false. */
int snic_meter_read(struct snic_meter *meter, struct snic_rates *rates, bool *configured);
int snic_meter_read_counts(struct snic_meter *meter, struct snic_colour_counts *counts);
int snic_meter_write_counts(struct snic_meter *meter, const struct snic_colour_counts *counts);

static inline bool snic_meter_is_configured(const struct snic_meter *meter)
{
    return atomic_load_explicit(&meter->configured, memory_order_relaxed);
}

#endif
