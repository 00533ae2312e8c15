/* SPDX-License-Identifier: Apache-2.0 */
#include "snic_meter.h"

#include "snic_spin.h"

#define MICROSECONDS 1000000u

/* rate * elapsed / 10^6, modulo 2^64: only differences of it are used. */
static uint64_t tokens_since(uint64_t elapsed_us, uint64_t rate)
{
    unsigned __int128 product = (unsigned __int128)elapsed_us * rate;

    return product >> 64 ? (uint64_t)(product / MICROSECONDS) : (uint64_t)product / MICROSECONDS;
}

/* What came since the last time, `burst` at most: at the largest rates more than 64 bits hold. */
static uint64_t gained(const struct snic_bucket_of_tokens *bucket, uint64_t received, uint64_t rate, uint64_t burst,
                       uint64_t elapsed_us)
{
    unsigned __int128 product = (unsigned __int128)(elapsed_us - bucket->filled_us) * rate;

    return product < (unsigned __int128)burst * MICROSECONDS ? received - bucket->received : burst;
}

static bool take(struct snic_bucket_of_tokens *bucket, uint64_t rate, uint64_t burst, uint64_t elapsed_us,
                 uint64_t cost)
{
    /* Clocks of workers are not quite the same: time does not go back. */
    if (elapsed_us > bucket->filled_us) {
        uint64_t received = tokens_since(elapsed_us, rate);
        unsigned __int128 sum = (unsigned __int128)bucket->tokens + gained(bucket, received, rate, burst, elapsed_us);
        *bucket = (struct snic_bucket_of_tokens){sum < burst ? (uint64_t)sum : burst, received, elapsed_us};
    }
    if (bucket->tokens < cost)
        return false;
    bucket->tokens -= cost;
    return true;
}

static uint32_t mark(struct snic_meter *meter, uint64_t cost, uint64_t now_us)
{
    const struct snic_rates *rates = &meter->rates;
    uint64_t elapsed_us = now_us > meter->origin_us ? now_us - meter->origin_us : 0;

    if (!meter->configured)
        return SNIC_GREEN;
    if (!take(&meter->peak, rates->peak_rate, rates->peak_burst, elapsed_us, cost))
        return SNIC_RED;
    return take(&meter->committed, rates->committed_rate, rates->committed_burst, elapsed_us, cost) ? SNIC_GREEN
                                                                                                     : SNIC_YELLOW;
}

uint32_t snic_meter_mark(struct snic_meter *meter, uint64_t cost, uint64_t now_us)
{
    snic_spin_lock(&meter->lock);
    uint32_t colour = mark(meter, cost, now_us);
    snic_spin_unlock(&meter->lock);
    return colour;
}

void snic_meter_configure(struct snic_meter *meter, const struct snic_rates *rates, uint64_t now_us)
{
    snic_spin_lock(&meter->lock);
    meter->configured = rates != NULL;
    if (rates) {
        meter->rates = *rates;
        meter->origin_us = now_us;
        meter->peak = (struct snic_bucket_of_tokens){rates->peak_burst, 0, 0};
        meter->committed = (struct snic_bucket_of_tokens){rates->committed_burst, 0, 0};
    }
    snic_spin_unlock(&meter->lock);
}

int snic_meter_read(struct snic_meter *meter, struct snic_rates *rates, bool *configured)
{
    snic_spin_lock(&meter->lock);
    *configured = meter->configured;
    *rates = meter->configured ? meter->rates : (struct snic_rates){0};
    snic_spin_unlock(&meter->lock);
    return SNIC_OK;
}
