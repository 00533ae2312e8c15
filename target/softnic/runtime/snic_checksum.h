/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Internet checksum (RFC 1071), eight bytes at a time.
 *
 * The ones' complement sum does not depend on byte order but for a swap at the end (RFC 1071 section 2), so words are
 * added as they lie in memory. Pure: no state, any thread.
 */
#ifndef SNIC_CHECKSUM_H
#define SNIC_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "snic_words.h"

/* The sum folded to 16 bits with end-around carry: 0 only if all that was added was 0. */
static inline uint16_t snic_fold16(uint64_t sum)
{
    sum = (sum >> 32) + (uint32_t)sum;
    sum = (sum >> 32) + (uint32_t)sum;
    sum = (sum >> 16) + (uint16_t)sum;
    sum = (sum >> 16) + (uint16_t)sum;
    return (uint16_t)((sum >> 16) + (uint16_t)sum);
}

/* The ones' complement sum of the big-endian 16-bit words in `size` bytes; a zero byte completes an odd number. */
static inline uint16_t snic_sum16(const uint8_t *data, size_t size)
{
    uint64_t sum = 0;
    for (; size >= 8; data += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, data, 8);
        sum += word;
        sum += sum < word; /* the carry comes around */
    }
    if (size > 0) {
        uint64_t word = 0;
        memcpy(&word, data, size);
        sum += word;
        sum += sum < word;
    }
    return __builtin_bswap16(snic_fold16(sum));
}

static inline uint64_t snic_checksum(const uint8_t *data, size_t size)
{
    return (uint16_t)~snic_sum16(data, size);
}

/* Of `first` and `second`, one behind the other. At an odd offset bytes change sides, and so do those of their sum. */
static inline uint64_t snic_checksum_of_parts(const uint8_t *first, size_t first_size, const uint8_t *second,
                                              size_t second_size)
{
    uint16_t sum = snic_sum16(second, second_size);
    if (first_size % 2 == 1)
        sum = __builtin_bswap16(sum);
    return (uint16_t)~snic_fold16((uint64_t)snic_sum16(first, first_size) + sum);
}

/*
 * A checksum from pieces: to a sum, at first 0, each adds 16-bit words in the byte order of the wire.
 */

SNIC_FOLDED uint64_t snic_plus(uint64_t sum, uint64_t words)
{
    sum += words;
    return sum + (sum < words);
}

/* `size`: even, but for the last piece. */
static inline uint64_t snic_plus_bytes(uint64_t sum, const uint8_t *data, size_t size)
{
    return snic_plus(sum, __builtin_bswap16(snic_sum16(data, size)));
}

SNIC_FOLDED uint64_t snic_plus_number(uint64_t sum, uint16_t number)
{
    return snic_plus(sum, __builtin_bswap16(number));
}

/* Of a header in words (snic_words.h), the `size` bytes from `at` on; both are even. */
SNIC_FOLDED uint64_t snic_plus_words(uint64_t sum, const uint64_t *words, uint32_t at, uint32_t size)
{
#define ADD(i) \
    if (at < 8 * i + 8 && 8 * i < at + size) \
        sum = snic_plus(sum, words[i] & snic_bytes_mask(i, at, at + size));
    SNIC_EACH_WORD(ADD)
#undef ADD
    return sum;
}

SNIC_FOLDED uint64_t snic_checksum_of_sum(uint64_t sum)
{
    return (uint16_t)~__builtin_bswap16(snic_fold16(sum));
}

#endif
