/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers wider than 128 bits, for the few programs that have them: two's complement in SNIC_WIDE_LIMBS 64-bit limbs,
 * the least significant first, passed by value. Enough for 4096 bits and a sign; results are modulo 2^4160.
 *
 * Plain and slow by intent. Pure but for anomalies counted on the worker.
 */
#ifndef SNIC_WIDE_H
#define SNIC_WIDE_H

#include "snic_arith.h"

#define SNIC_WIDE_LIMBS 65u
#define SNIC_WIDE_BITS (SNIC_WIDE_LIMBS * 64u)

struct snic_wide {
    uint64_t limb[SNIC_WIDE_LIMBS];
};

static inline bool snic_wide_negative(struct snic_wide a)
{
    return a.limb[SNIC_WIDE_LIMBS - 1] >> 63;
}

/* ---- to and from the other types ---- */

/* `count` limbs, and in all above them the sign. */
static inline struct snic_wide snic_wide_of(const uint64_t *limbs, uint32_t count, bool negative)
{
    struct snic_wide result;
    for (uint32_t at = 0; at < SNIC_WIDE_LIMBS; at++)
        result.limb[at] = at < count ? limbs[at] : negative ? UINT64_MAX : 0;
    return result;
}

static inline struct snic_wide snic_wide_of64(uint64_t value, bool negative_possible)
{
    return snic_wide_of(&value, 1, negative_possible && value >> 63);
}

static inline struct snic_wide snic_wide_of128(snic_u128 value, bool negative_possible)
{
    uint64_t limbs[2] = {(uint64_t)value, (uint64_t)(value >> 64)};
    return snic_wide_of(limbs, 2, negative_possible && limbs[1] >> 63);
}

static inline uint64_t snic_wide_low64(struct snic_wide a)
{
    return a.limb[0];
}

static inline snic_u128 snic_wide_low128(struct snic_wide a)
{
    return snic_make128(a.limb[1], a.limb[0]);
}

/* The bit field of `width` bits at `offset`, as an unsigned number. */
static inline struct snic_wide snic_wide_load(const uint8_t *bytes, uint32_t offset, uint32_t width)
{
    struct snic_wide result = snic_wide_of(NULL, 0, false);
    uint32_t at = 0;
    for (; width > 64; width -= 64)
        result.limb[at++] = snic_load64(bytes, offset + width - 64, 64);
    if (width > 0)
        result.limb[at] = snic_load64(bytes, offset, width);
    return result;
}

/* The low `width` bits into a bit field. */
static inline void snic_wide_store(uint8_t *bytes, uint32_t offset, uint32_t width, struct snic_wide a)
{
    uint32_t at = 0;
    for (; width > 64; width -= 64)
        snic_store64(bytes, offset + width - 64, 64, a.limb[at++]);
    if (width > 0)
        snic_store64(bytes, offset, width, a.limb[at]);
}

/* A register cell of `bytes` bytes; NULL reads as 0. */
static inline struct snic_wide snic_wide_cell_load(const void *cell, uint32_t bytes)
{
    struct snic_wide result = snic_wide_of(NULL, 0, false);
    if (cell != NULL)
        memcpy(result.limb, cell, bytes);
    return result;
}

static inline void snic_wide_cell_store(void *cell, uint32_t bytes, struct snic_wide a)
{
    memcpy(cell, a.limb, bytes);
}

/* ---- bits ---- */

static inline struct snic_wide snic_wide_and(struct snic_wide a, struct snic_wide b)
{
    for (uint32_t at = 0; at < SNIC_WIDE_LIMBS; at++)
        a.limb[at] &= b.limb[at];
    return a;
}

static inline struct snic_wide snic_wide_or(struct snic_wide a, struct snic_wide b)
{
    for (uint32_t at = 0; at < SNIC_WIDE_LIMBS; at++)
        a.limb[at] |= b.limb[at];
    return a;
}

static inline struct snic_wide snic_wide_xor(struct snic_wide a, struct snic_wide b)
{
    for (uint32_t at = 0; at < SNIC_WIDE_LIMBS; at++)
        a.limb[at] ^= b.limb[at];
    return a;
}

static inline struct snic_wide snic_wide_not(struct snic_wide a)
{
    for (uint32_t at = 0; at < SNIC_WIDE_LIMBS; at++)
        a.limb[at] = ~a.limb[at];
    return a;
}

/* `by`: see snic_shift_by128. */
static inline struct snic_wide snic_wide_shift_left(struct snic_worker *w, struct snic_wide a, int64_t by)
{
    struct snic_wide result = snic_wide_of(NULL, 0, false);
    if (!snic_shift_defined(w, by) || by >= SNIC_WIDE_BITS)
        return result;
    uint32_t limbs = (uint32_t)by / 64, bits = (uint32_t)by % 64;
    for (uint32_t at = limbs; at < SNIC_WIDE_LIMBS; at++) {
        result.limb[at] = a.limb[at - limbs] << bits;
        if (bits > 0 && at > limbs)
            result.limb[at] |= a.limb[at - limbs - 1] >> (64 - bits);
    }
    return result;
}

static inline struct snic_wide snic_wide_shift_right(struct snic_worker *w, struct snic_wide a, int64_t by)
{
    if (!snic_shift_defined(w, by))
        return snic_wide_of(NULL, 0, false);
    uint64_t sign = snic_wide_negative(a) ? UINT64_MAX : 0;
    if (by >= SNIC_WIDE_BITS)
        return snic_wide_of64(sign, true);
    uint32_t limbs = (uint32_t)by / 64, bits = (uint32_t)by % 64;
    struct snic_wide result;
    for (uint32_t at = 0; at < SNIC_WIDE_LIMBS; at++) {
        uint64_t low = at + limbs < SNIC_WIDE_LIMBS ? a.limb[at + limbs] : sign;
        uint64_t high = at + limbs + 1 < SNIC_WIDE_LIMBS ? a.limb[at + limbs + 1] : sign;
        result.limb[at] = bits == 0 ? low : low >> bits | high << (64 - bits);
    }
    return result;
}

/* The low `width` (1 .. SNIC_WIDE_BITS) bits as a signed number. */
static inline struct snic_wide snic_wide_sign(struct snic_wide a, uint32_t width)
{
    uint32_t last = (width - 1) / 64;
    a.limb[last] = snic_sign64(a.limb[last], (width - 1) % 64 + 1);
    return snic_wide_of(a.limb, last + 1, a.limb[last] >> 63);
}

/* ---- arithmetic ---- */

static inline struct snic_wide snic_wide_add(struct snic_wide a, struct snic_wide b)
{
    snic_u128 carry = 0;
    for (uint32_t at = 0; at < SNIC_WIDE_LIMBS; at++) {
        carry += (snic_u128)a.limb[at] + b.limb[at];
        a.limb[at] = (uint64_t)carry;
        carry >>= 64;
    }
    return a;
}

static inline struct snic_wide snic_wide_subtract(struct snic_wide a, struct snic_wide b)
{
    return snic_wide_not(snic_wide_add(snic_wide_not(a), b)); /* -(-a - 1 + b) - 1 */
}

static inline struct snic_wide snic_wide_multiply(struct snic_wide a, struct snic_wide b)
{
    struct snic_wide result = snic_wide_of(NULL, 0, false);
    for (uint32_t i = 0; i < SNIC_WIDE_LIMBS; i++) {
        snic_u128 carry = 0;
        for (uint32_t j = 0; i + j < SNIC_WIDE_LIMBS; j++) {
            carry += (snic_u128)a.limb[i] * b.limb[j] + result.limb[i + j];
            result.limb[i + j] = (uint64_t)carry;
            carry >>= 64;
        }
    }
    return result;
}

static inline bool snic_wide_equal(struct snic_wide a, struct snic_wide b)
{
    return memcmp(a.limb, b.limb, sizeof a.limb) == 0;
}

static inline bool snic_wide_less(struct snic_wide a, struct snic_wide b)
{
    if (snic_wide_negative(a) != snic_wide_negative(b))
        return snic_wide_negative(a);
    for (uint32_t at = SNIC_WIDE_LIMBS; at-- > 0;)
        if (a.limb[at] != b.limb[at])
            return a.limb[at] < b.limb[at];
    return false;
}

static inline struct snic_wide snic_wide_clamp(struct snic_wide a, struct snic_wide low, struct snic_wide high)
{
    return snic_wide_less(a, low) ? low : snic_wide_less(high, a) ? high : a;
}

/* Bit by bit; undefined, counted and 0 as snic_divide64. */
static inline struct snic_wide snic_wide_long_division(struct snic_worker *w, struct snic_wide dividend,
                                                       struct snic_wide divisor, bool want_remainder)
{
    struct snic_wide zero = snic_wide_of(NULL, 0, false), quotient = zero, remainder = zero;
    if (!snic_division_defined(w, snic_wide_negative(dividend), snic_wide_less(zero, divisor)))
        return zero;
    for (uint32_t at = SNIC_WIDE_BITS; at-- > 0;) {
        remainder = snic_wide_add(remainder, remainder);
        remainder.limb[0] |= dividend.limb[at / 64] >> at % 64 & 1;
        if (!snic_wide_less(remainder, divisor)) {
            remainder = snic_wide_subtract(remainder, divisor);
            snic_set_bit(quotient.limb, at);
        }
    }
    return want_remainder ? remainder : quotient;
}

static inline struct snic_wide snic_wide_divide(struct snic_worker *w, struct snic_wide a, struct snic_wide b)
{
    return snic_wide_long_division(w, a, b, false);
}

static inline struct snic_wide snic_wide_remainder(struct snic_worker *w, struct snic_wide a, struct snic_wide b)
{
    return snic_wide_long_division(w, a, b, true);
}

/* As snic_shift_by128 and snic_index128. */
static inline int64_t snic_wide_shift_by(struct snic_wide by)
{
    if (snic_wide_negative(by))
        return -1;
    return snic_wide_equal(by, snic_wide_of64(by.limb[0], false)) ? snic_shift_by64(by.limb[0]) : INT64_MAX;
}

static inline uint64_t snic_wide_index(struct snic_wide index)
{
    return snic_wide_equal(index, snic_wide_of64(index.limb[0], false)) ? index.limb[0] : UINT64_MAX;
}

#endif
