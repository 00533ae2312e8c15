/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bit fields in big-endian bytes, and bit sets.
 *
 * Offsets and widths are in bits, offset 0 being the most significant bit of the first byte. With constant offset and
 * width, as compiled programs have them, a load or a store becomes a move, a byte swap and a shift. No function
 * touches a byte that holds no bit of the field. Pure: no state, any thread.
 */
#ifndef SNIC_BITS_H
#define SNIC_BITS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef unsigned __int128 snic_u128;
typedef __int128 snic_i128;

/* A number with the low `width` (0 .. 64) bits set. */
static inline uint64_t snic_ones64(uint32_t width)
{
    return width == 0 ? 0 : UINT64_MAX >> (64 - width);
}

static inline snic_u128 snic_ones128(uint32_t width)
{
    return width == 0 ? 0 : ~(snic_u128)0 >> (128 - width);
}

/* A constant of more than 64 bits. */
static inline snic_u128 snic_make128(uint64_t high, uint64_t low)
{
    return (snic_u128)high << 64 | low;
}

/* Not left to the compiler's choice: with constant arguments nearly nothing remains of a load or a store. */
#define SNIC_FOLDED static inline __attribute__((always_inline))

SNIC_FOLDED uint64_t snic_load2(const uint8_t *bytes)
{
    uint16_t value;
    memcpy(&value, bytes, sizeof value);
    return __builtin_bswap16(value);
}

SNIC_FOLDED uint64_t snic_load4(const uint8_t *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return __builtin_bswap32(value);
}

SNIC_FOLDED uint64_t snic_load8(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return __builtin_bswap64(value);
}

/* `count` (0 .. 8) bytes as a big-endian number. */
SNIC_FOLDED uint64_t snic_load_bytes(const uint8_t *bytes, uint32_t count)
{
    switch (count) {
    case 0:
        return 0;
    case 1:
        return bytes[0];
    case 2:
        return snic_load2(bytes);
    case 3:
        return snic_load2(bytes) << 8 | bytes[2];
    case 4:
        return snic_load4(bytes);
    case 5:
        return snic_load4(bytes) << 8 | bytes[4];
    case 6:
        return snic_load4(bytes) << 16 | snic_load2(bytes + 4);
    case 7:
        return snic_load4(bytes) << 24 | snic_load2(bytes + 4) << 8 | bytes[6];
    default:
        return snic_load8(bytes);
    }
}

SNIC_FOLDED void snic_store2(uint8_t *bytes, uint64_t value)
{
    uint16_t swapped = __builtin_bswap16((uint16_t)value);
    memcpy(bytes, &swapped, sizeof swapped);
}

SNIC_FOLDED void snic_store4(uint8_t *bytes, uint64_t value)
{
    uint32_t swapped = __builtin_bswap32((uint32_t)value);
    memcpy(bytes, &swapped, sizeof swapped);
}

SNIC_FOLDED void snic_store8(uint8_t *bytes, uint64_t value)
{
    uint64_t swapped = __builtin_bswap64(value);
    memcpy(bytes, &swapped, sizeof swapped);
}

/* The low `count` (0 .. 8) bytes of `value`, big-endian. */
SNIC_FOLDED void snic_store_bytes(uint8_t *bytes, uint32_t count, uint64_t value)
{
    switch (count) {
    case 0:
        break;
    case 1:
        bytes[0] = (uint8_t)value;
        break;
    case 2:
        snic_store2(bytes, value);
        break;
    case 3:
        snic_store2(bytes, value >> 8);
        bytes[2] = (uint8_t)value;
        break;
    case 4:
        snic_store4(bytes, value);
        break;
    case 5:
        snic_store4(bytes, value >> 8);
        bytes[4] = (uint8_t)value;
        break;
    case 6:
        snic_store4(bytes, value >> 16);
        snic_store2(bytes + 4, value);
        break;
    case 7:
        snic_store4(bytes, value >> 24);
        snic_store2(bytes + 4, value >> 8);
        bytes[6] = (uint8_t)value;
        break;
    default:
        snic_store8(bytes, value);
    }
}

/* The low `count` (1 .. 8) bytes of `value` in reverse order. Twice of two or four bytes is nothing to C compilers. */
SNIC_FOLDED uint64_t snic_swapped(uint64_t value, uint32_t count)
{
    switch (count) {
    case 2:
        return __builtin_bswap16((uint16_t)value);
    case 4:
        return __builtin_bswap32((uint32_t)value);
    default:
        return __builtin_bswap64(value) >> (64 - 8 * count);
    }
}

/* A field of `width` (1 .. 64) bits. */
SNIC_FOLDED uint64_t snic_load64(const uint8_t *bytes, uint32_t offset, uint32_t width)
{
    const uint8_t *first = bytes + offset / 8;
    uint32_t span = offset % 8 + width; /* 1 .. 71 */
    if (span > 64)
        return (snic_load_bytes(first, 8) << (span - 64) | first[8] >> (72 - span)) & snic_ones64(width);
    uint32_t count = (span + 7) / 8;
    return snic_load_bytes(first, count) >> (count * 8 - span) & snic_ones64(width);
}

/* The low `width` bits of `value` into a field that spans at most 8 bytes; its neighbours stay. */
SNIC_FOLDED void snic_store_within8(uint8_t *bytes, uint32_t offset, uint32_t width, uint64_t value)
{
    uint8_t *first = bytes + offset / 8;
    uint32_t span = offset % 8 + width, count = (span + 7) / 8, shift = count * 8 - span;
    uint64_t mask = snic_ones64(width) << shift;
    uint64_t around = mask == snic_ones64(count * 8) ? 0 : snic_load_bytes(first, count) & ~mask;
    snic_store_bytes(first, count, around | (value << shift & mask));
}

/* Likewise for any field of `width` (1 .. 64) bits: the last of nine bytes holds the low bits. */
SNIC_FOLDED void snic_store64(uint8_t *bytes, uint32_t offset, uint32_t width, uint64_t value)
{
    uint32_t low = offset % 8 + width > 64 ? offset % 8 + width - 64 : 0;
    snic_store_within8(bytes, offset, width - low, value >> low);
    if (low > 0)
        snic_store_within8(bytes, offset + width - low, low, value);
}

/* Likewise for `width` 65 .. 128. */
static inline snic_u128 snic_load128(const uint8_t *bytes, uint32_t offset, uint32_t width)
{
    return (snic_u128)snic_load64(bytes, offset, width - 64) << 64 | snic_load64(bytes, offset + width - 64, 64);
}

static inline void snic_store128(uint8_t *bytes, uint32_t offset, uint32_t width, snic_u128 value)
{
    snic_store64(bytes, offset, width - 64, (uint64_t)(value >> 64));
    snic_store64(bytes, offset + width - 64, 64, (uint64_t)value);
}

/* `count` bits from one place to another; the places must not overlap. */
static inline void snic_copy_bits(uint8_t *to, uint32_t to_offset, const uint8_t *from, uint32_t from_offset,
                                  uint32_t count)
{
    if (to_offset % 8 == 0 && from_offset % 8 == 0) {
        memcpy(to + to_offset / 8, from + from_offset / 8, count / 8);
        uint32_t copied = count / 8 * 8;
        to_offset += copied, from_offset += copied, count -= copied;
    }
    for (; count >= 64; to_offset += 64, from_offset += 64, count -= 64)
        snic_store64(to, to_offset, 64, snic_load64(from, from_offset, 64));
    if (count > 0)
        snic_store64(to, to_offset, count, snic_load64(from, from_offset, count));
}

/* Replaces the `old` bits at `offset` of `used` bits by `fresh` bits, all zero, moving what stands behind them. */
static inline void snic_resize_bits(uint8_t *bytes, uint32_t used, uint32_t offset, uint32_t old, uint32_t fresh)
{
    uint32_t tail = used - offset - old;
    if (fresh < old) { /* from the front, so that nothing is read after it was overwritten */
        for (uint32_t at = 0; at < tail; at++)
            snic_store64(bytes, offset + fresh + at, 1, snic_load64(bytes, offset + old + at, 1));
        for (uint32_t at = used - (old - fresh); at < used; at++)
            snic_store64(bytes, at, 1, 0);
    } else {
        for (uint32_t at = tail; at-- > 0;)
            snic_store64(bytes, offset + fresh + at, 1, snic_load64(bytes, offset + old + at, 1));
    }
    for (uint32_t at = 0; at < fresh; at++)
        snic_store64(bytes, offset + at, 1, 0);
}

/*
 * A varbit field from one header to another. `fixed`: bits of the target without its varbit, which is at `to_offset`
 * and has `*to_bits` bits; there has to be room for `from_bits`.
 */
static inline void snic_assign_varbit(uint8_t *to, uint32_t fixed, uint32_t to_offset, uint32_t *to_bits,
                                      const uint8_t *from, uint32_t from_offset, uint32_t from_bits)
{
    if (to == from)
        return;
    snic_resize_bits(to, fixed + *to_bits, to_offset, *to_bits, from_bits);
    snic_copy_bits(to, to_offset, from, from_offset, from_bits);
    *to_bits = from_bits;
}

/* The low `width` (1 .. 64) bits of `value` as a signed number, modulo 2^64. */
static inline uint64_t snic_sign64(uint64_t value, uint32_t width)
{
    uint64_t sign = (uint64_t)1 << (width - 1);
    return ((value & snic_ones64(width)) ^ sign) - sign;
}

static inline snic_u128 snic_sign128(snic_u128 value, uint32_t width)
{
    snic_u128 sign = (snic_u128)1 << (width - 1);
    return ((value & snic_ones128(width)) ^ sign) - sign;
}

/* ---- bit sets ---- */

static inline bool snic_bit(const uint64_t *set, uint32_t number)
{
    return set[number / 64] >> number % 64 & 1;
}

static inline void snic_set_bit(uint64_t *set, uint32_t number)
{
    set[number / 64] |= (uint64_t)1 << number % 64;
}

static inline void snic_clear_bit(uint64_t *set, uint32_t number)
{
    set[number / 64] &= ~((uint64_t)1 << number % 64);
}

#endif
