/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A header as an array of 64-bit words whose bytes are those on the wire, one behind the other, zeroes behind the last.
 *
 * What is stored as a word is loaded as a word: the processor hands it on without waiting for the cache, and the C
 * compiler keeps words whose index it knows in registers, if nobody asks for their address. So nothing here does, and
 * where there is one step for each word, all are written out: SNIC_MAX_WORDS of them. Sizes and offsets are constants
 * where programs call; offsets and widths of fields are in bits, as in snic_bits.h. Words are little-endian numbers.
 */
#ifndef SNIC_WORDS_H
#define SNIC_WORDS_H

#include "snic_bits.h"

enum { SNIC_MAX_WORDS = 8 };

/* One statement for each word; `word` is its number. */
#define SNIC_EACH_WORD(step) step(0) step(1) step(2) step(3) step(4) step(5) step(6) step(7)

/* ---- bytes ---- */

/* `count` (1 .. 8) bytes, zeroes behind them. */
SNIC_FOLDED uint64_t snic_bytes_word(const uint8_t *bytes, uint32_t count)
{
    uint64_t word = 0;
    if (count == 8)
        memcpy(&word, bytes, 8);
    if (count & 4) {
        uint32_t part;
        memcpy(&part, bytes, 4);
        word = part;
    }
    if (count & 2) {
        uint16_t part;
        memcpy(&part, bytes + (count & 4), 2);
        word |= (uint64_t)part << 8 * (count & 4);
    }
    if (count & 1)
        word |= (uint64_t)bytes[count - 1] << 8 * (count - 1);
    return word;
}

SNIC_FOLDED void snic_word_bytes(uint8_t *bytes, uint32_t count, uint64_t word)
{
    if (count == 8)
        memcpy(bytes, &word, 8);
    if (count & 4) {
        uint32_t part = (uint32_t)word;
        memcpy(bytes, &part, 4);
    }
    if (count & 2) {
        uint16_t part = (uint16_t)(word >> 8 * (count & 4));
        memcpy(bytes + (count & 4), &part, 2);
    }
    if (count & 1)
        bytes[count - 1] = (uint8_t)(word >> 8 * (count - 1));
}

/* How many of `size` bytes are in a word. */
SNIC_FOLDED uint32_t snic_bytes_in_word(uint32_t size, uint32_t word)
{
    return size >= 8 * word + 8 ? 8 : size - 8 * word;
}

/* Ones where word number `word` has the bytes `first` .. `end` - 1 of the header. */
SNIC_FOLDED uint64_t snic_bytes_mask(uint32_t word, uint32_t first, uint32_t end)
{
    uint64_t from_first = first > 8 * word ? UINT64_MAX << 8 * (first - 8 * word) : UINT64_MAX;
    uint64_t to_end = snic_ones64(8 * snic_bytes_in_word(end, word));
    return from_first & to_end;
}

/* From the wire. */
SNIC_FOLDED void snic_take_words(uint64_t *words, const uint8_t *bytes, uint32_t size)
{
#define TAKE(i) \
    if (size > 8 * i) \
        words[i] = snic_bytes_word(bytes + 8 * i, snic_bytes_in_word(size, i));
    SNIC_EACH_WORD(TAKE)
#undef TAKE
}

/* To the wire. */
SNIC_FOLDED void snic_put_words(uint8_t *bytes, const uint64_t *words, uint32_t size)
{
#define PUT(i) \
    if (size > 8 * i) \
        snic_word_bytes(bytes + 8 * i, snic_bytes_in_word(size, i), words[i]);
    SNIC_EACH_WORD(PUT)
#undef PUT
}

/* ---- fields ---- */

/* The `width` (1 .. 64) bits of a word from bit `offset` on. */
SNIC_FOLDED uint64_t snic_word_field(uint64_t word, uint32_t offset, uint32_t width)
{
    if (offset % 8 == 0 && width % 8 == 0)
        return snic_swapped(word >> offset, width / 8);
    return __builtin_bswap64(word) >> (64 - offset - width) & snic_ones64(width);
}

SNIC_FOLDED uint64_t snic_with_field(uint64_t word, uint32_t offset, uint32_t width, uint64_t value)
{
    uint32_t shift = 64 - offset - width;
    uint64_t mask = __builtin_bswap64(snic_ones64(width) << shift);
    uint64_t moved = offset % 8 == 0 && width % 8 == 0 ? snic_swapped(value, width / 8) << offset
                                                       : __builtin_bswap64(value << shift) & mask;
    return (word & ~mask) | moved;
}

/* A field of `width` (1 .. 64) bits. */
SNIC_FOLDED uint64_t snic_get64(const uint64_t *words, uint32_t offset, uint32_t width)
{
    uint32_t at = offset / 64, start = offset % 64;
    if (start + width <= 64)
        return snic_word_field(words[at], start, width);
    uint32_t low = start + width - 64;
    return snic_word_field(words[at], start, width - low) << low | snic_word_field(words[at + 1], 0, low);
}

/* The low `width` bits of `value` into a field; its neighbours stay. */
SNIC_FOLDED void snic_set64(uint64_t *words, uint32_t offset, uint32_t width, uint64_t value)
{
    uint32_t at = offset / 64, start = offset % 64;
    if (start + width <= 64) {
        words[at] = snic_with_field(words[at], start, width, value);
        return;
    }
    uint32_t low = start + width - 64;
    words[at] = snic_with_field(words[at], start, width - low, value >> low);
    words[at + 1] = snic_with_field(words[at + 1], 0, low, value);
}

/* Likewise for `width` 65 .. 128. */
SNIC_FOLDED snic_u128 snic_get128(const uint64_t *words, uint32_t offset, uint32_t width)
{
    return (snic_u128)snic_get64(words, offset, width - 64) << 64 | snic_get64(words, offset + width - 64, 64);
}

SNIC_FOLDED void snic_set128(uint64_t *words, uint32_t offset, uint32_t width, snic_u128 value)
{
    snic_set64(words, offset, width - 64, (uint64_t)(value >> 64));
    snic_set64(words, offset + width - 64, 64, (uint64_t)value);
}

/* ---- whole headers of `count` words ---- */

SNIC_FOLDED void snic_copy_words(uint64_t *to, const uint64_t *from, uint32_t count)
{
#define COPY(i) \
    if (count > i) \
        to[i] = from[i];
    SNIC_EACH_WORD(COPY)
#undef COPY
}

SNIC_FOLDED bool snic_equal_words(const uint64_t *a, const uint64_t *b, uint32_t count)
{
    uint64_t differing = 0;
#define COMPARE(i) \
    if (count > i) \
        differing |= a[i] ^ b[i];
    SNIC_EACH_WORD(COMPARE)
#undef COMPARE
    return differing == 0;
}

#endif
