/* SPDX-License-Identifier: Apache-2.0 */
/* A lock for a few instructions, whose holder is never suspended for long. */
#ifndef SNIC_SPIN_H
#define SNIC_SPIN_H

#include <sched.h>
#include <stdatomic.h>

/* Tries before the processor is offered to the holder, which may be waiting for it. */
#define SNIC_SPINS 1000u

static inline void snic_spin_lock(atomic_flag *lock)
{
    for (unsigned tries = 1; atomic_flag_test_and_set_explicit(lock, memory_order_acquire); tries++)
        if (tries % SNIC_SPINS == 0)
            sched_yield();
}

static inline void snic_spin_unlock(atomic_flag *lock)
{
    atomic_flag_clear_explicit(lock, memory_order_release);
}

#endif
