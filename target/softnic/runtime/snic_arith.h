/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic that P4 leaves partly undefined: what is undefined yields 0 and is counted on the worker.
 *
 * A number of infinite precision is held modulo 2^64 or 2^128; `negative_possible` says that the top bit is its sign.
 * It is a constant where programs call these, so that the test costs nothing for unsigned numbers.
 */
#ifndef SNIC_ARITH_H
#define SNIC_ARITH_H

#include "snic_bits.h"
#include "snic_worker.h"

/* A shift to the left by more leaves nothing in any field. */
#define SNIC_MAX_SHIFT 65536

static inline bool snic_division_defined(struct snic_worker *w, bool dividend_negative, bool divisor_positive)
{
    if (!dividend_negative && divisor_positive)
        return true;
    snic_anomaly(w, SNIC_DIVISION_UNDEFINED);
    return false;
}

static inline bool snic_shift_defined(struct snic_worker *w, int64_t by)
{
    if (by >= 0)
        return true;
    snic_anomaly(w, SNIC_SHIFT_NEGATIVE);
    return false;
}

#define SNIC_DEFINE_ARITHMETIC(BITS, UNSIGNED, SIGNED)                                                                 \
    static inline UNSIGNED snic_divide##BITS(struct snic_worker *w, UNSIGNED dividend, UNSIGNED divisor,               \
                                             bool negative_possible)                                                   \
    {                                                                                                                  \
        bool negative = negative_possible && (SIGNED)dividend < 0;                                                     \
        bool positive = negative_possible ? (SIGNED)divisor > 0 : divisor != 0;                                        \
        return snic_division_defined(w, negative, positive) ? dividend / divisor : 0;                                  \
    }                                                                                                                  \
    static inline UNSIGNED snic_remainder##BITS(struct snic_worker *w, UNSIGNED dividend, UNSIGNED divisor,            \
                                                bool negative_possible)                                                \
    {                                                                                                                  \
        bool negative = negative_possible && (SIGNED)dividend < 0;                                                     \
        bool positive = negative_possible ? (SIGNED)divisor > 0 : divisor != 0;                                        \
        return snic_division_defined(w, negative, positive) ? dividend % divisor : 0;                                  \
    }                                                                                                                  \
    static inline UNSIGNED snic_shift_left##BITS(struct snic_worker *w, UNSIGNED value, int64_t by)                    \
    {                                                                                                                  \
        return snic_shift_defined(w, by) && by < BITS ? value << by : 0;                                               \
    }                                                                                                                  \
    static inline UNSIGNED snic_shift_right##BITS(struct snic_worker *w, UNSIGNED value, int64_t by,                   \
                                                  bool negative_possible)                                              \
    {                                                                                                                  \
        if (!snic_shift_defined(w, by))                                                                                \
            return 0;                                                                                                  \
        if (negative_possible)                                                                                         \
            return (UNSIGNED)((SIGNED)value >> (by < BITS ? by : BITS - 1));                                           \
        return by < BITS ? value >> by : 0;                                                                            \
    }                                                                                                                  \
    static inline UNSIGNED snic_clamp##BITS(UNSIGNED value, UNSIGNED low, UNSIGNED high, bool negative_possible)       \
    {                                                                                                                  \
        if (negative_possible)                                                                                         \
            return (SIGNED)value < (SIGNED)low ? low : (SIGNED)value > (SIGNED)high ? high : value;                    \
        return value < low ? low : value > high ? high : value;                                                        \
    }

SNIC_DEFINE_ARITHMETIC(64, uint64_t, int64_t)
SNIC_DEFINE_ARITHMETIC(128, snic_u128, snic_i128)
#undef SNIC_DEFINE_ARITHMETIC

/* How far to shift, for snic_shift_*: -1 for any negative number, INT64_MAX for any larger one. */
static inline int64_t snic_shift_by128(snic_u128 by, bool negative_possible)
{
    if (negative_possible && (snic_i128)by < 0)
        return -1;
    return by > INT64_MAX ? INT64_MAX : (int64_t)by;
}

static inline int64_t snic_shift_by64(uint64_t by)
{
    return by > INT64_MAX ? INT64_MAX : (int64_t)by;
}

/* An index into anything: UINT64_MAX, out of every range, for numbers that are negative or too large. */
static inline uint64_t snic_index128(snic_u128 index)
{
    return index > UINT64_MAX ? UINT64_MAX : (uint64_t)index;
}

static inline uint32_t snic_index32(uint64_t index)
{
    return index > UINT32_MAX ? UINT32_MAX : (uint32_t)index;
}

static inline uint32_t snic_at_most(uint64_t number, uint32_t most)
{
    return number < most ? (uint32_t)number : most;
}

/* P4's loops become jumps back: an action that takes more steps is stopped. */
#define SNIC_MAX_STEPS 100000u

/* Takes a step; true, counted, if there have been too many. */
static inline bool snic_endless(struct snic_worker *w, uint32_t *steps)
{
    if ((*steps)++ < SNIC_MAX_STEPS)
        return false;
    snic_anomaly(w, SNIC_ACTION_ENDLESS);
    return true;
}

/* An index of a stack of `depth` elements; that of the void element behind them, counted, where it is out of range. */
static inline uint32_t snic_element(struct snic_worker *w, uint64_t index, uint32_t depth)
{
    if (index < depth)
        return (uint32_t)index;
    snic_anomaly(w, SNIC_STACK_INDEX_OUT_OF_RANGE);
    return depth;
}

/* ---- register cells: native integers, or little-endian 64-bit limbs; NULL (index out of range) reads as 0 ---- */

static inline uint64_t snic_cell_load64(const void *cell, uint32_t bytes)
{
    uint64_t value = 0; /* a cell of fewer bytes fills the low ones: hosts are little-endian */
    if (cell != NULL)
        memcpy(&value, cell, bytes);
    return value;
}

static inline void snic_cell_store64(void *cell, uint32_t bytes, uint64_t value)
{
    memcpy(cell, &value, bytes);
}

static inline snic_u128 snic_cell_load128(const void *cell)
{
    snic_u128 value = 0;
    if (cell != NULL)
        memcpy(&value, cell, sizeof value);
    return value;
}

static inline void snic_cell_store128(void *cell, snic_u128 value)
{
    memcpy(cell, &value, sizeof value);
}

#endif
