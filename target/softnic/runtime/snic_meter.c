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

/* What came since the last time, `most` at most: at the largest rates more than 64 bits hold. */
static uint64_t gain(struct snic_bucket_of_tokens *bucket, uint64_t rate, uint64_t most, uint64_t elapsed_us)
{
    /* Clocks of workers are not quite the same: time does not go back. */
    if (elapsed_us <= bucket->filled_us)
        return 0;
    uint64_t received = tokens_since(elapsed_us, rate), gained = received - bucket->received;
    if ((unsigned __int128)(elapsed_us - bucket->filled_us) * rate >= (unsigned __int128)most * MICROSECONDS)
        gained = most;
    bucket->received = received;
    bucket->filled_us = elapsed_us;
    return gained;
}

/* Returns what there was no room for. */
static uint64_t fill(struct snic_bucket_of_tokens *bucket, uint64_t burst, uint64_t gained)
{
    uint64_t room = burst - bucket->tokens, taken = gained < room ? gained : room;

    bucket->tokens += taken;
    return gained - taken;
}

static bool take(struct snic_bucket_of_tokens *bucket, uint64_t cost)
{
    if (bucket->tokens < cost)
        return false;
    bucket->tokens -= cost;
    return true;
}

static enum snic_colour mark_two_rates(struct snic_meter *meter, uint64_t cost, uint64_t elapsed_us)
{
    const struct snic_rates *rates = &meter->rates;
    struct snic_bucket_of_tokens *peak = &meter->second, *committed = &meter->committed;

    fill(peak, rates->peak_burst, gain(peak, rates->peak_rate, rates->peak_burst, elapsed_us));
    fill(committed, rates->committed_burst,
         gain(committed, rates->committed_rate, rates->committed_burst, elapsed_us));
    if (!take(peak, cost))
        return SNIC_RED;
    return take(committed, cost) ? SNIC_GREEN : SNIC_YELLOW;
}

static enum snic_colour mark_single_rate(struct snic_meter *meter, uint64_t cost, uint64_t elapsed_us)
{
    const struct snic_rates *rates = &meter->rates;
    struct snic_bucket_of_tokens *excess = &meter->second, *committed = &meter->committed;
    uint64_t most = rates->committed_burst + rates->excess_burst;
    uint64_t gained = gain(committed, rates->committed_rate, most, elapsed_us);

    fill(excess, rates->excess_burst, fill(committed, rates->committed_burst, gained));
    if (take(committed, cost))
        return SNIC_GREEN;
    return take(excess, cost) ? SNIC_YELLOW : SNIC_RED;
}

static enum snic_colour mark(struct snic_meter *meter, uint64_t cost, uint64_t now_us)
{
    uint64_t elapsed_us = now_us > meter->origin_us ? now_us - meter->origin_us : 0;

    if (!snic_meter_is_configured(meter))
        return SNIC_GREEN;
    return meter->rates.excess_burst ? mark_single_rate(meter, cost, elapsed_us)
                                     : mark_two_rates(meter, cost, elapsed_us);
}

uint32_t snic_meter_mark(struct snic_meter *meter, uint64_t bytes, bool in_bytes, uint64_t now_us)
{
    snic_spin_lock(&meter->lock);
    enum snic_colour colour = mark(meter, in_bytes ? bytes : 1, now_us);
    meter->counts.of[colour].packets++;
    meter->counts.of[colour].bytes += bytes;
    snic_spin_unlock(&meter->lock);
    return colour;
}

void snic_meter_configure(struct snic_meter *meter, const struct snic_rates *rates, uint64_t now_us)
{
    snic_spin_lock(&meter->lock);
    if (rates) {
        uint64_t second = rates->excess_burst ? rates->excess_burst : rates->peak_burst;
        meter->rates = *rates;
        meter->origin_us = now_us;
        meter->committed = (struct snic_bucket_of_tokens){rates->committed_burst, 0, 0};
        meter->second = (struct snic_bucket_of_tokens){second, 0, 0};
    }
    atomic_store_explicit(&meter->configured, rates != NULL, memory_order_relaxed);
    snic_spin_unlock(&meter->lock);
}

int snic_meter_read(struct snic_meter *meter, struct snic_rates *rates, bool *configured)
{
    snic_spin_lock(&meter->lock);
    *configured = snic_meter_is_configured(meter);
    *rates = *configured ? meter->rates : (struct snic_rates){0};
    snic_spin_unlock(&meter->lock);
    return SNIC_OK;
}

int snic_meter_read_counts(struct snic_meter *meter, struct snic_colour_counts *counts)
{
    snic_spin_lock(&meter->lock);
    *counts = meter->counts;
    snic_spin_unlock(&meter->lock);
    return SNIC_OK;
}

int snic_meter_write_counts(struct snic_meter *meter, const struct snic_colour_counts *counts)
{
    snic_spin_lock(&meter->lock);
    meter->counts = *counts;
    snic_spin_unlock(&meter->lock);
    return SNIC_OK;
}
